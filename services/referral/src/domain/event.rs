use cosell_types::MemberId;

/// A change of an offer. Each is published as an event and counted as a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferEvent {
    /// The offer was created.
    Offered,
    /// The last business day of the offer has begun.
    ExpiresSoon,
    /// The partner accepted the offer.
    Accepted,
    /// The partner rejected the offer.
    Rejected,
    /// The deadline passed without an answer.
    Expired,
}

impl OfferEvent {
    /// The name of the transition in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            OfferEvent::Offered => "offered",
            OfferEvent::ExpiresSoon => "expires_soon",
            OfferEvent::Accepted => "accepted",
            OfferEvent::Rejected => "rejected",
            OfferEvent::Expired => "expired",
        }
    }
}

/// A change of a referral. Each is published as an event and counted as a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferralEvent {
    /// AWS created the referral.
    Created,
    /// The next receiver got an offer.
    Routed,
    /// A receiver accepted its offer.
    Accepted,
    /// No receiver accepted its offer.
    Exhausted,
}

impl ReferralEvent {
    /// The name of the transition in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            ReferralEvent::Created => "created",
            ReferralEvent::Routed => "routed",
            ReferralEvent::Accepted => "accepted",
            ReferralEvent::Exhausted => "exhausted",
        }
    }
}

/// A change of a lead. Each is published as an event and counted as a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadEvent {
    /// A partner accepted the offer of the lead.
    Accepted,
    /// The partner set another state.
    StateChanged,
    /// The partner added an interaction.
    InteractionAdded,
    /// The lead was assigned to another member.
    Assigned {
        /// The previous owner.
        from: MemberId,
    },
    /// The lead was converted to an opportunity.
    Converted {
        /// The member who converted it.
        by: MemberId,
    },
}

impl LeadEvent {
    /// The name of the transition in logs and metrics.
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
