use cosell_types::{AccountId, OpportunityId, Violation};

use super::values::EngagementMemberState;
use super::{ChannelId, JobId};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or wrong.
    #[error("fields are missing or wrong")]
    Invalid(Vec<Violation>),
    /// The state does not allow it (COL-010, COL-021, COL-041).
    #[error("{action} is not possible in state {state}")]
    IllegalTransition {
        /// Where it stands.
        state: &'static str,
        /// What was asked for.
        action: &'static str,
    },
    /// An opportunity like this is not shared (COL-001).
    #[error("the opportunity is not shared: {1}")]
    NotShareable(OpportunityId, &'static str),
    /// The two companies are not connected, or the other one takes no part (COL-002).
    #[error("{0} is not connected")]
    NotConnected(AccountId),
    /// The company is part of the engagement, or invited already (COL-004).
    #[error("{0} is part of it already")]
    AlreadyInvolved(AccountId, EngagementMemberState),
    /// The engagement is full (COL-003).
    #[error("the engagement has {present} companies")]
    TooManyMembers {
        /// How many it has.
        present: usize,
    },
    /// The engagement has its contexts (COL-030).
    #[error("the engagement has {limit} contexts")]
    TooManyContexts {
        /// How many it may have.
        limit: usize,
    },
    /// There is no such context (COL-030).
    #[error("there is no context {0}")]
    NoContext(String),
    /// There is no such company in the engagement (COL-021).
    #[error("{0} is not part of it")]
    NoMember(AccountId),
    /// An opportunity like this gets no channel (CHN-001).
    #[error("the opportunity gets no channel: {1}")]
    NotEligible(OpportunityId, &'static str),
    /// The opportunity has a channel that is not over (CHN-002).
    #[error("there is the channel {0} for it")]
    ChannelExists(ChannelId),
    /// There is such a job (COL-041).
    #[error("there is the job {0} for it")]
    JobExists(JobId),
}
