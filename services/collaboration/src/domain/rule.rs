use cosell_types::{AccountId, OpportunityId, Violation};

use super::values::EngagementMemberState;
use super::{ChannelId, SnapshotJobId};

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or invalid.
    #[error("fields are missing or invalid")]
    Invalid(Vec<Violation>),
    /// The state does not permit the action (COL-010, COL-021, COL-041).
    #[error("action {action} is not permitted in state {state}")]
    IllegalTransition {
        /// The current state.
        state: &'static str,
        /// The refused action.
        action: &'static str,
    },
    /// The opportunity cannot be shared; with the cause (COL-001).
    #[error("opportunity {0} cannot be shared: {1}")]
    NotShareable(OpportunityId, &'static str),
    /// The accounts are not connected, or the receiver is not an active partner account (COL-002).
    #[error("account {0} is not connected")]
    NotConnected(AccountId),
    /// The account is a member of the engagement or invited to it (COL-004).
    #[error("account {0} is already a member or invited")]
    AlreadyInvolved(AccountId, EngagementMemberState),
    /// The engagement has reached its limit of accounts (COL-003).
    #[error("the engagement has {present} accounts")]
    TooManyMembers {
        /// The number of accounts, invited ones included.
        present: usize,
    },
    /// The engagement has reached its limit of contexts (COL-030).
    #[error("the engagement has {limit} contexts")]
    TooManyContexts {
        /// The maximum number of contexts.
        limit: usize,
    },
    /// The engagement has no context with this ID (COL-030).
    #[error("context {0} does not exist")]
    ContextNotFound(String),
    /// The account was never a member of the engagement or invited to it (COL-021).
    #[error("account {0} is not a member of the engagement")]
    MemberNotFound(AccountId),
    /// The opportunity is not eligible for a channel; with the cause (CHN-001).
    #[error("opportunity {0} is not eligible for a channel: {1}")]
    NotEligible(OpportunityId, &'static str),
    /// The opportunity has an open channel (CHN-002).
    #[error("channel {0} already exists")]
    ChannelExists(ChannelId),
    /// The subject has a snapshot job (COL-041).
    #[error("snapshot job {0} already exists")]
    SnapshotJobExists(SnapshotJobId),
}
