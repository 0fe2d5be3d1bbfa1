//! All SQL of this service. Functions take the transaction and return domain values.

mod accounts;
mod connections;
mod invitations;
pub mod list;
mod members;

pub use accounts::{
    load as load_account, lock as lock_account, lock_both, owner_of_profile, save as save_account,
};
pub use connections::{active_between, active_of, links, load as load_connection, save as save_connection};
pub use invitations::{
    Due, due, load as load_invitation, open_between, save as save_invitation, sender_counts,
};
pub use members::{ask, domains, load as load_member, load_members, roster, save as save_members};
