use cosell_types::MemberId;

/// What happened to an offer. Becomes a public event and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made.
    Offered,
    /// Its last business day has begun.
    ExpiresSoon,
    /// The partner took the deal.
    Accepted,
    /// The partner does not want it.
    Rejected,
    /// Nobody answered in time.
    Expired,
}

impl Event {
    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Event::Offered => "offered",
            Event::ExpiresSoon => "expires_soon",
            Event::Accepted => "accepted",
            Event::Rejected => "rejected",
            Event::Expired => "expired",
        }
    }
}

/// What happened to a referral. Becomes a public event and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferralEvent {
    /// AWS began to offer it.
    Created,
    /// The next receiver has an offer.
    Routed,
    /// A receiver accepted its offer.
    Accepted,
    /// No receiver accepted its offer.
    Exhausted,
}

impl ReferralEvent {
    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            ReferralEvent::Created => "created",
            ReferralEvent::Routed => "routed",
            ReferralEvent::Accepted => "accepted",
            ReferralEvent::Exhausted => "exhausted",
        }
    }
}

/// What happened to a lead. Becomes a public event and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadEvent {
    /// A partner accepted its offer.
    Accepted,
    /// The partner said what has become of it.
    StateChanged,
    /// The customer has done something more.
    InteractionAdded,
    /// Somebody else has it now.
    Assigned {
        /// Who had it.
        from: MemberId,
    },
    /// An opportunity is made of it.
    Converted {
        /// Who made it.
        by: MemberId,
    },
}

impl LeadEvent {
    /// Its name in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            LeadEvent::Accepted => "accepted",
            LeadEvent::StateChanged => "state_changed",
            LeadEvent::InteractionAdded => "interaction_added",
            LeadEvent::Assigned { .. } => "assigned",
            LeadEvent::Converted { .. } => "converted",
        }
    }
}
