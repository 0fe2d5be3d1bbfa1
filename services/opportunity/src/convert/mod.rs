//! Conversion between proto messages and domain values, independent of callers and storage.

pub mod filter;
pub mod insights;
mod read;
pub mod selection;
mod show;

pub use read::{Reader, contact, details, enum_value, enum_values, related, tag};
pub use show::{
    number, opportunity, partner_fields, show_contact, show_money, show_related, show_spend, show_step,
    warnings,
};
