//! The program that production runs: `cosell-server <service> <command>`. A process runs one service. All services are
//! in one program so that there is one thing to build and ship (docs/adr/0018-one-server-program.md).

use clap::Parser;
use cosell_service::CommandLine;

#[derive(Parser)]
#[command(
    version,
    about = "Runs one of the services of cosell",
    disable_help_subcommand = true
)]
#[command(subcommand_value_name = "SERVICE", subcommand_help_heading = "Services")]
enum Service {
    /// Engagements of partners, snapshots and channels.
    #[cfg(feature = "collaboration")]
    Collaboration(CommandLine<cosell_collaboration::Options>),
    /// Inboxes, e-mails and e-mail preferences.
    #[cfg(feature = "notification")]
    Notification(CommandLine<cosell_notification::Options>),
    /// Opportunities from draft to closing, AWS summaries and bulk jobs.
    #[cfg(feature = "opportunity")]
    Opportunity(CommandLine<cosell_opportunity::Options>),
    /// The directory of accounts and members, partner profiles and connections.
    #[cfg(feature = "partner")]
    Partner(CommandLine<cosell_partner_connection::Options>),
    /// Referrals of opportunities and leads to partners, and accepted leads.
    #[cfg(feature = "referral")]
    Referral(CommandLine<cosell_referral::Options>),
    /// The AWS review of submitted opportunities.
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
