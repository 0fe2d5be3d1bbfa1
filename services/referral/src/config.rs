//! Options of this service only.

use chrono::NaiveDate;
use cosell_proto::cosell::partner::v1::PartnerTier;

use crate::domain::Calendar;

/// Options of the referral service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the opportunity service, which validates referred opportunities.
    #[arg(
        long,
        env = "COSELL_OPPORTUNITY_URL",
        default_value = "http://opportunity:50051"
    )]
    pub opportunity_url: String,

    /// Business days until an offer expires. Existing offers keep their deadline.
    #[arg(long, env = "COSELL_OFFER_DAYS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub offer_days: u32,

    /// Days that are not business days besides Saturdays and Sundays, such as 2026-12-25, separated by commas.
    #[arg(long, env = "COSELL_HOLIDAYS", value_delimiter = ',')]
    pub holidays: Vec<NaiveDate>,

    /// Lowest tier of partners that are eligible for referrals: registered, select, advanced or premier.
    #[arg(long, env = "COSELL_OFFER_TIER", default_value = "registered", value_parser = parse_tier)]
    pub offer_tier: PartnerTier,
}

fn parse_tier(text: &str) -> Result<PartnerTier, String> {
    PartnerTier::from_str_name(&format!("PARTNER_TIER_{}", text.to_uppercase()))
        .filter(|tier| *tier != PartnerTier::Unspecified)
        .ok_or_else(|| "must be one of registered, select, advanced, premier".to_owned())
}

impl Options {
    /// The default options with this URL of the opportunity service.
    pub fn new(opportunity_url: String) -> Self {
        Self {
            opportunity_url,
            offer_days: 5,
            holidays: Vec::new(),
            offer_tier: PartnerTier::Registered,
        }
    }

    pub(crate) fn calendar(&self) -> Calendar {
        Calendar::new(self.holidays.iter().copied(), self.offer_days)
    }
}
