//! All SQL of this service. Functions take the transaction and return domain values.

mod channels;
mod companies;
mod engagements;
mod invitations;
pub mod list;
mod preferences;
mod snapshots;

pub use channels::{
    DueChannel, Known, by_external_id, by_invitation, due_channels, load_channel, lock_channel, open_channel,
    save_channel, waiting_for,
};
pub use companies::{is_connected, put_connection, takes_part};
pub use engagements::{
    engagement_with, load_engagement, load_engagement_of, lock_engagement, save_engagement, works_for,
};
pub use invitations::{
    DueInvitation, due_invitations, invitations_of, load_invitation, load_own_invitation, pending_between,
    save_invitation, send_invitation,
};
pub use preferences::{channel_preferences, set_channel_preferences};
pub use snapshots::{
    DueJob, NewestSnapshot, add_snapshot, create_job, delete_job, due_jobs, jobs_of_opportunity, load_job,
    load_snapshot, lock_job, newest_snapshot, save_job,
};
