use super::values::{Decision, ReviewReason};

/// A change of a case. Each is published as an event and counted as a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseEvent {
    /// A submission opened a round.
    RoundOpened,
    /// A reviewer claimed the case.
    Claimed,
    /// The assignee started the review of the round.
    Started,
    /// The assignee decided the round.
    Decided(Decision, Option<ReviewReason>),
    /// The partner withdrew the round.
    Withdrawn,
}

impl CaseEvent {
    /// The name of the transition in logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            CaseEvent::RoundOpened => "round_opened",
            CaseEvent::Claimed => "claimed",
            CaseEvent::Started => "started",
            CaseEvent::Decided(..) => "decided",
            CaseEvent::Withdrawn => "withdrawn",
        }
    }
}
