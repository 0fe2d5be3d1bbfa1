//! Options that only this service has.

use cosell_types::{ClosedList as _, ServiceName};

use crate::domain::Quotas;
use crate::domain::values::PartnerTier;

/// Options of the partner-connection service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Most connection invitations that an account sends in a day (UTC).
    #[arg(long, env = "COSELL_INVITATIONS_PER_DAY", default_value_t = 50)]
    pub invitations_per_day: u32,

    /// Most connection invitations of an account that wait for an answer.
    #[arg(long, env = "COSELL_OPEN_INVITATIONS", default_value_t = 1000)]
    pub open_invitations: u32,

    /// Most active connections of an account.
    #[arg(long, env = "COSELL_ACTIVE_CONNECTIONS", default_value_t = 1000)]
    pub active_connections: u32,

    /// Days in which a connection invitation can be answered.
    #[arg(long, env = "COSELL_INVITATION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub invitation_days: u32,

    /// Most changes of a profile in a day (UTC).
    #[arg(long, env = "COSELL_PROFILE_UPDATES_PER_DAY", default_value_t = 10)]
    pub profile_updates_per_day: u32,

    /// Most changes of a profile's visibility in a day (UTC).
    #[arg(long, env = "COSELL_VISIBILITY_UPDATES_PER_DAY", default_value_t = 5)]
    pub visibility_updates_per_day: u32,

    /// Most domains of the e-mail addresses of an account's members.
    #[arg(long, env = "COSELL_EMAIL_DOMAINS", default_value_t = 50)]
    pub email_domains: u32,

    /// How often a company asks one e-mail address to join in a day (UTC).
    #[arg(long, env = "COSELL_EMAILS_PER_DAY", default_value_t = 5)]
    pub emails_per_day: u32,

    /// How far a company must have come in the programme to connect with others: registered, select, advanced or
    /// premier.
    #[arg(long, env = "COSELL_CONNECTION_TIER", default_value = "registered", value_parser = tier)]
    pub connection_tier: PartnerTier,

    /// Services that may apply records of the master list, separated by commas.
    #[arg(long, env = "COSELL_PROVISIONERS", default_value = PROVISIONER, value_delimiter = ',')]
    pub provisioners: Vec<ServiceName>,
}

/// Who provisions, unless stated otherwise.
const PROVISIONER: &str = "provisioner";

fn tier(text: &str) -> Result<PartnerTier, String> {
    PartnerTier::from_name(&text.to_uppercase())
        .ok_or_else(|| "is none of registered, select, advanced, premier".to_owned())
}

impl Default for Options {
    /// As without any on the command line.
    fn default() -> Self {
        Self {
            invitations_per_day: 50,
            open_invitations: 1000,
            active_connections: 1000,
            invitation_days: 30,
            profile_updates_per_day: 10,
            visibility_updates_per_day: 5,
            email_domains: 50,
            emails_per_day: 5,
            connection_tier: PartnerTier::Registered,
            provisioners: PROVISIONER.parse().into_iter().collect(),
        }
    }
}

impl Options {
    /// How much of what an account may do.
    pub(crate) fn quotas(&self) -> Quotas {
        Quotas {
            invitations_per_day: self.invitations_per_day.into(),
            open_invitations: self.open_invitations.into(),
            active_connections: self.active_connections.into(),
            profile_updates_per_day: self.profile_updates_per_day.into(),
            visibility_updates_per_day: self.visibility_updates_per_day.into(),
            domains: self.email_domains.into(),
            emails_per_day: self.emails_per_day.into(),
            connection_tier: self.connection_tier,
            invitation_days: self.invitation_days.into(),
        }
    }
}
