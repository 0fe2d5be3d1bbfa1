//! Options that only this service has.

use cosell_types::{ClosedList as _, ServiceName};

use crate::domain::Quotas;
use crate::domain::values::PartnerTier;

/// Options of the partner-connection service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Maximum connection invitations that an account sends in a day (UTC).
    #[arg(long, env = "COSELL_INVITATIONS_PER_DAY", default_value_t = 50)]
    pub invitations_per_day: u32,

    /// Maximum pending connection invitations that an account has sent.
    #[arg(long, env = "COSELL_OPEN_INVITATIONS", default_value_t = 1000)]
    pub open_invitations: u32,

    /// Maximum active connections of an account.
    #[arg(long, env = "COSELL_ACTIVE_CONNECTIONS", default_value_t = 1000)]
    pub active_connections: u32,

    /// Days until a connection invitation expires. Applies to new invitations.
    #[arg(long, env = "COSELL_INVITATION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub invitation_days: u32,

    /// Maximum changes of an account's profile in a day (UTC).
    #[arg(long, env = "COSELL_PROFILE_UPDATES_PER_DAY", default_value_t = 10)]
    pub profile_updates_per_day: u32,

    /// Maximum changes of the visibility of an account's profile in a day (UTC).
    #[arg(long, env = "COSELL_VISIBILITY_UPDATES_PER_DAY", default_value_t = 5)]
    pub visibility_updates_per_day: u32,

    /// Maximum domains of the e-mail addresses of an account's members. Does not apply to provisioning.
    #[arg(long, env = "COSELL_EMAIL_DOMAINS", default_value_t = 50)]
    pub email_domains: u32,

    /// Maximum invitations to join that an account sends to one e-mail address in a day (UTC).
    #[arg(long, env = "COSELL_EMAILS_PER_DAY", default_value_t = 5)]
    pub emails_per_day: u32,

    /// Minimum partner tier of accounts that send connection invitations: registered, select, advanced or premier.
    #[arg(long, env = "COSELL_CONNECTION_TIER", default_value = "registered", value_parser = parse_tier)]
    pub connection_tier: PartnerTier,

    /// Whether marketing staff sees and manages all opportunities of its account, instead of its own.
    #[arg(long, env = "COSELL_MARKETING_SEES_ALL")]
    pub marketing_sees_all: bool,

    /// Services that may call ApplyDirectory, separated by commas.
    #[arg(long, env = "COSELL_PROVISIONERS", default_value = DEFAULT_PROVISIONER, value_delimiter = ',')]
    pub provisioners: Vec<ServiceName>,
}

const DEFAULT_PROVISIONER: &str = "provisioner";

fn parse_tier(text: &str) -> Result<PartnerTier, String> {
    PartnerTier::from_name(&text.to_uppercase())
        .ok_or_else(|| "Must be one of registered, select, advanced, premier.".to_owned())
}

impl Default for Options {
    /// The defaults of the command line.
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
            marketing_sees_all: false,
            provisioners: DEFAULT_PROVISIONER.parse().into_iter().collect(),
        }
    }
}

impl Options {
    /// The options that limit accounts.
    pub(crate) fn quotas(&self) -> Quotas {
        Quotas {
            invitations_per_day: self.invitations_per_day.into(),
            open_invitations: self.open_invitations.into(),
            active_connections: self.active_connections.into(),
            profile_updates_per_day: self.profile_updates_per_day.into(),
            visibility_updates_per_day: self.visibility_updates_per_day.into(),
            email_domains: self.email_domains.into(),
            emails_per_day: self.emails_per_day.into(),
            connection_tier: self.connection_tier,
            invitation_days: self.invitation_days.into(),
        }
    }
}
