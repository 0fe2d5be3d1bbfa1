//! The program that production runs: `cosell-server <service> <command>`. A process runs one service; that all are in
//! one program is about building and shipping them (docs/adr/0018-one-server-program.md).

use clap::Parser;
use cosell_service::CommandLine;

#[derive(Parser)]
#[command(version, about = "The server of cosell", disable_help_subcommand = true)]
#[command(subcommand_value_name = "SERVICE", subcommand_help_heading = "Services")]
enum Service {
    /// Engagements of partners on an opportunity, and channels.
    #[cfg(feature = "collaboration")]
    Collaboration(CommandLine<cosell_collaboration::Options>),
    /// Inbox, e-mail and preferences.
    #[cfg(feature = "notification")]
    Notification(CommandLine<cosell_notification::Options>),
    /// Opportunities and their life.
    #[cfg(feature = "opportunity")]
    Opportunity(CommandLine<cosell_opportunity::Options>),
    /// The directory of accounts and members, and connections between partners.
    #[cfg(feature = "partner")]
    Partner(CommandLine<cosell_partner_connection::Options>),
    /// Opportunities and leads that AWS offers to partners.
    #[cfg(feature = "referral")]
    Referral(CommandLine<cosell_referral::Options>),
    /// AWS's review of submissions.
    #[cfg(feature = "review")]
    Review(CommandLine<cosell_review::Options>),
}

fn main() -> anyhow::Result<()> {
    match Service::parse() {
        #[cfg(feature = "collaboration")]
        Service::Collaboration(line) => line.run::<cosell_collaboration::Collaboration>(),
        #[cfg(feature = "notification")]
        Service::Notification(line) => line.run::<cosell_notification::Notifications>(),
        #[cfg(feature = "opportunity")]
        Service::Opportunity(line) => line.run::<cosell_opportunity::Opportunities>(),
        #[cfg(feature = "partner")]
        Service::Partner(line) => line.run::<cosell_partner_connection::Partners>(),
        #[cfg(feature = "referral")]
        Service::Referral(line) => line.run::<cosell_referral::Referrals>(),
        #[cfg(feature = "review")]
        Service::Review(line) => line.run::<cosell_review::Reviews>(),
    }
}
