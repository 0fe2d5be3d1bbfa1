//! Tests of the collaboration service, over gRPC, on a real database and bus.

mod channels;
mod channels_slack;
mod engagements;
mod invitations;
mod isolation;
mod lists;
mod races;
mod sharing;
mod snapshots;
mod support;
