//! Integration tests of the notification service over gRPC, each with its own PostgreSQL database, NATS server and mail
//! server.

mod directory_events;
mod inbox;
mod isolation;
mod mails;
mod notifications;
mod referrals;
mod shared_opportunities;
mod support;
