//! All SQL of this service. Functions take the transaction and return domain values; row-level security decides which
//! rows they find.

mod accounts;
mod connections;
mod invitations;
pub mod list;
mod members;

pub use accounts::{
    find_profile_owner, list_unkeyed_profiles, load as load_account, lock as lock_account,
    lock_both_accounts, save as save_account, save_profile_keys, save_rows as save_account_rows,
};
pub use connections::{
    count_active_connections, load as load_connection, load_active_connection, load_subsidiary_links,
    save as save_connection,
};
pub use invitations::{
    OverdueInvitation, count_sender_invitations, load as load_invitation, load_overdue_invitations,
    load_pending_invitation, save as save_invitation,
};
pub use members::{
    MarketingMember, increment_email_count, list_marketing_members, load as load_member, load_email_domains,
    load_members, load_roster, save as save_members,
};
