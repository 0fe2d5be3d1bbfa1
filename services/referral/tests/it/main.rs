//! Integration tests of the referral service over gRPC, each with its own PostgreSQL database and NATS server.

mod agreement;
mod for_account;
mod isolation;
mod lead_conversion;
mod lead_offers;
mod leads;
mod marketing;
mod offers;
mod races;
mod referrals;
mod routing;
mod support;
