//! The rules of referrals and leads. The code is pure: no I/O, clock or randomness. Times, ids and external facts are
//! arguments. Rule ids refer to docs/DOMAIN.md.

pub mod access;
mod calendar;
mod event;
mod lead;
mod offer;
mod receiver;
mod referral;
mod rule;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_calendar;
#[cfg(test)]
mod tests_lead;
#[cfg(test)]
mod tests_offer;
#[cfg(test)]
mod tests_referral;
pub mod values;

pub use calendar::Calendar;
pub use event::{LeadEvent, OfferEvent, ReferralEvent};
pub use lead::{Customer, Lead, LeadId};
pub use offer::{Offer, OfferAnswer, OfferId};
pub use receiver::{Ineligible, Receiver};
pub use referral::{ConsentTime, Referral, ReferralId};
pub use rule::{OfferAction, Rule};
