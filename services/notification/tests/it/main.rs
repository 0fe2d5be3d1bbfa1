//! Tests of the running service: a real client, real connections, a real database, bus and mail server of its own.

mod directory_news;
mod inbox;
mod isolation;
mod mails;
mod news;
mod referrals;
mod shared_deals;
mod support;
