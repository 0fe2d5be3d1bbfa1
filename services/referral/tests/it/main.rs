//! Integration tests of the referral service over gRPC, each with its own PostgreSQL database and NATS server.

mod isolation;
mod lead_conversion;
mod lead_offers;
mod leads;
mod offers;
mod races;
mod referrals;
mod routing;
mod support;
