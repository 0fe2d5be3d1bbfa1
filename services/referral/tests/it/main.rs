//! The referral service over a real connection, on a real database and a real bus.

mod isolation;
mod lead_conversion;
mod lead_offers;
mod leads;
mod offers;
mod races;
mod referrals;
mod routing;
mod support;
