//! All SQL of this service. Functions take the transaction and return domain values.

mod leads;
pub mod list;
mod offers;
mod receivers;
mod referrals;

pub use leads::{load_converted_lead, load_lead, save_lead, save_new_lead};
pub use offers::{
    Due, due, forget_deal, load_any_offer, load_deal, load_offer, make_offer, offers_of, save_offer, settle,
};
pub use receivers::receiver;
pub use referrals::{load_referral, save_new_referral, save_referral};
