//! Scheduled work, one worker per file. Safe to run in several replicas: the due time is a column of the row that the
//! work changes, so the first replica that commits wins.

mod channels;
mod invitations;
mod snapshots;

pub use channels::ChannelWorker;
pub use invitations::InvitationWorker;
pub use snapshots::SnapshotWorker;
