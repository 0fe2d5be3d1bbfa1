//! Integration tests of the collaboration service over gRPC, each with its own PostgreSQL database and NATS server.

mod channel_access;
mod channel_links;
mod channel_members;
mod channels;
mod channels_slack;
mod engagements;
mod filters;
mod invitations;
mod isolation;
mod lists;
mod marketing;
mod notification_reads;
mod races;
mod sharing;
mod snapshot_events;
mod snapshots;
mod support;
