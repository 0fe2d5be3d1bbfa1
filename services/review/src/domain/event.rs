use super::values::{Decision, ReviewReason};

/// What happened to a case. Becomes a public event and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A submission arrived.
    RoundOpened,
    /// A reviewer took the case.
    Claimed,
    /// The review of the round began.
    Started,
    /// The round was decided.
    Decided(Decision, Option<ReviewReason>),
    /// The partner took the round back.
    Withdrawn,
}

impl Event {
    /// Its name in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Event::RoundOpened => "round_opened",
            Event::Claimed => "claimed",
            Event::Started => "started",
            Event::Decided(..) => "decided",
            Event::Withdrawn => "withdrawn",
        }
    }
}
