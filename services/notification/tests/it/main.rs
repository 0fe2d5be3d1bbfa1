//! Integration tests of the notification service over gRPC, each with its own PostgreSQL database, NATS server and mail
//! server.

mod channels;
mod closed_by_aws;
mod directory_events;
mod email;
mod inbox;
mod isolation;
mod mails;
mod notifications;
mod referrals;
mod shared_opportunities;
mod support;
mod texts;
mod unanswered;
mod unsubscribe;
mod unsubscribe_support;
