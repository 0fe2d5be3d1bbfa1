//! The notification context: notifies members of what concerns them, in their inbox and by e-mail. README.md lists what
//! it owns.
//!
//! An event reads through five files: `consume/<event>.rs` (its facts), `peers.rs` (those that other services have),
//! `domain/recipients.rs` (the recipients), `domain/template.rs` (the text) and `store/` (the SQL). `mail.rs` sends
//! queued e-mails; `api/` serves the inbox, `unsubscribe/` the links with which members opt out of e-mails.

mod api;
mod config;
mod consume;
mod convert;
pub mod domain;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod mail;
mod peers;
mod status;
mod store;
mod unsubscribe;
mod write;

use std::sync::Arc;

use cosell_grpc::MemberResolver;
use cosell_members::{Members, Terms};
use cosell_proto::cosell::notification::v1::notification_service_server::NotificationServiceServer;
use cosell_service::{Background, Consumers, GrpcServices, Platform, Service, add_services};
use cosell_web::ListenerLimits;
use sqlx::migrate::Migrator;

use crate::unsubscribe::endpoint::UnsubscribeEndpoint;
use crate::unsubscribe::opt_out::OptOuts;

pub use config::{Options, SmtpSecurity};
pub use unsubscribe::UnsubscribeArgs;

/// The notification service.
#[derive(Debug)]
pub struct Notifications;

impl Service for Notifications {
    const NAME: &'static str = events::CONTEXT;
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        options: &Options,
        platform: &Platform,
        services: &mut GrpcServices,
    ) -> anyhow::Result<MemberResolver> {
        let links = options.unsubscribe.links()?;
        if let Some((links, address)) = links.clone() {
            let opt_outs = OptOuts {
                db: background.database.calls.clone(),
            };
            let router = UnsubscribeEndpoint { links, opt_outs }.router();
            let listener = cosell_web::bind(address, options.unsubscribe.unsubscribe_listener.as_deref())?;
            background.spawn(|stop| cosell_web::serve(listener, router, ListenerLimits::default(), stop));
        }
        let (database, clock) = (background.database.clone(), background.clock.clone());
        let sender = mail::MailSender::new(database, clock, options, links.map(|(links, _)| links))?;
        background.publish(events::CONTEXT);
        background.spawn(|stop| sender.run(stop));
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
        };
        add_services!(services, api, [NotificationServiceServer]);
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::NotRequired)?.resolver())
    }

    fn consumers(
        background: &Background,
        options: &Options,
        platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        let dependencies = consume::Dependencies {
            peers: peers::Peers::new(options, platform)?,
            templates: Arc::new(domain::Templates::new(&options.link_base)?),
            clock: background.clock.clone(),
        };
        let from_opportunity = consume::OpportunityEvents(dependencies.clone());
        let from_partner = consume::PartnerEvents(dependencies.clone());
        let from_review = consume::ReviewEvents(dependencies.clone());
        let from_referral = consume::ReferralEvents(dependencies.clone());
        let from_collaboration = consume::CollaborationEvents(dependencies);
        Ok(Consumers::new(Self::NAME)
            .with(consume::OPPORTUNITY, from_opportunity)
            .with(cosell_members::CONTEXT, from_partner)
            .with(consume::REVIEW, from_review)
            .with(consume::REFERRAL, from_referral)
            .with(consume::COLLABORATION, from_collaboration))
    }
}
