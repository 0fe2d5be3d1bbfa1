//! The rules of the directory and of connections, without I/O, clock or randomness: the time, ids and facts from
//! elsewhere are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod account;
mod connection;
mod event;
mod invitation;
mod member;
mod preferences;
mod quota;
mod rule;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_account;
#[cfg(test)]
mod tests_connection;
#[cfg(test)]
mod tests_links;
#[cfg(test)]
mod tests_member;
pub mod values;

pub use account::{
    Account, AccountFacts, LocalizedContent, Profile, ProfileId, ProfileText, TermsAcceptance,
};
pub use connection::{Cancellation, Connection, ConnectionId, ConnectionTypeDetail};
pub use event::{AccountEvent, ConnectionEvent, InvitationEvent, MemberEvent};
pub use invitation::{
    ConnectionContext, Invitation, InvitationDetails, InvitationId, Party, SubsidiaryLinks,
};
pub use member::{Member, MemberFacts, Person, Roster, is_reserved_id};
pub use preferences::Preferences;
pub use quota::{DailyCounter, Quotas};
pub use rule::{AttemptedAction, Limit, Rule};
