//! All SQL of this service. Functions take the transaction and return domain values.

mod channels;
mod connections;
mod engagements;
mod invitations;
pub mod list;
mod preferences;
mod snapshots;

pub use channels::{
    ChannelRef, DueChannel, find_by_external_id, find_by_invite_id, list_channels_inviting,
    list_due_channels, load_channel, lock_channel, lock_open_channel, save_channel,
};
pub use connections::{is_active_partner, is_connected, save_connection};
pub use engagements::{
    load_engagement, load_joined_by, lock_engagement, lock_engagement_of_member,
    lock_engagement_of_opportunity, save_engagement,
};
pub use invitations::{
    DueInvitation, list_due_invitations, list_pending_invitations, load_invitation, load_latest_invitations,
    load_received_invitation, save_invitation, send_invitation,
};
pub use preferences::{load_channel_preferences, save_channel_preferences};
pub use snapshots::{
    DueJob, NewestSnapshot, add_snapshot, create_job, delete_job, list_due_jobs, load_job,
    load_newest_snapshot, load_snapshot, lock_job, lock_jobs_of_opportunity, save_job,
};
