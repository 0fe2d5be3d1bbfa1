//! The rules of the directory and of connections. Pure: no input or output, no clock, no chance; the time, ids and
//! facts from elsewhere are arguments. Rule ids are those of docs/DOMAIN.md.

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

pub use account::{Account, AccountFacts, LocalizedContent, Profile, ProfileId, ProfileText, Terms};
pub use connection::{Connection, ConnectionId, End, Part};
pub use event::{AccountEvent, ConnectionEvent, InvitationEvent, MemberEvent};
pub use invitation::{Invitation, InvitationId, Links, Offer, Party, Standing};
pub use member::{Member, MemberFacts, Person, Roster, is_reserved};
pub use preferences::Preferences;
pub use quota::{Quotas, Tally};
pub use rule::{Action, Limit, Rule};
