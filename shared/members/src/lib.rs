//! The replica of the directory in a service's database: members, roles and account states, updated by the directory's
//! events (ACC-004). It resolves the roles of a caller without a call to the directory, except once for each member
//! that it does not have yet.

mod assignee;
mod replica;
mod resolver;

pub use assignee::require_assignable_member;
pub use replica::{
    AccountFacts, AccountSummary, CONTEXT, DirectoryReplicaHandler, account_facts, account_summary,
    active_member, apply_directory_event,
};
pub use resolver::{Members, Terms};
