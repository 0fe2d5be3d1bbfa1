//! All SQL of this service. Functions take the transaction and return domain values.

mod leads;
pub mod list;
mod offers;
mod receivers;
mod referrals;

pub use leads::{insert_lead, load_converted_lead, load_lead, save_lead};
pub use offers::{
    DueOffer, clear_due_time, delete_content, insert_offer, list_due_offers, load_any_offer, load_content,
    load_offer, load_offers_of, save_offer,
};
pub use receivers::load_receiver;
pub use referrals::{insert_referral, load_referral, save_referral};
