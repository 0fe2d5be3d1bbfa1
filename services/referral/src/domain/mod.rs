//! The rules of referrals and leads. Pure: no input or output, no clock, no chance; the time, ids and facts from
//! elsewhere are arguments. Rule ids are those of docs/DOMAIN.md.

pub mod access;
mod calendar;
mod event;
mod lead;
mod offer;
mod receiver;
mod referral;
mod rule;
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
pub use event::{Event, LeadEvent, ReferralEvent};
pub use lead::{Customer, Lead, LeadId};
pub use offer::{Answer, Offer, OfferId};
pub use receiver::{Ineligible, Receiver};
pub use referral::{Referral, ReferralId};
pub use rule::{Action, Rule};
