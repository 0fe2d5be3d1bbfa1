//! The notification context: who is told what, in the inbox and by e-mail. See README.md for what it owns.
//!
//! An event reads through three files: `consume/<event>.rs` (what happened), `domain/audience.rs` (who is told),
//! `store/` (the SQL). `mail.rs` sends what is queued; `api/` is the inbox.

mod api;
mod config;
mod consume;
pub mod domain;
mod events;
mod mail;
mod store;

use std::sync::Arc;

use cosell_events::redrive;
use cosell_grpc::{Peer, Resolve};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::notification::v1::notification_service_server::NotificationServiceServer;
use cosell_service::{Background, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::{Options, SmtpSecurity};

/// The notification service.
#[derive(Debug)]
pub struct Notifications;

impl Service for Notifications {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &["cosell.notification.v1.NotificationService"];
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        options: &Options,
        platform: &Platform,
        routes: &mut RoutesBuilder,
    ) -> anyhow::Result<Resolve> {
        let Handlers {
            from_opportunity,
            from_partner,
            from_review,
            from_referral,
            from_collaboration,
        } = Handlers::new(background, options, platform)?;
        let sender = mail::Sender::new(background.database.clone(), background.clock.clone(), options)?;
        background.publish(events::CONTEXT);
        background.consume(Self::NAME, consume::OPPORTUNITY, from_opportunity);
        background.consume(Self::NAME, cosell_members::CONTEXT, from_partner);
        background.consume(Self::NAME, consume::REVIEW, from_review);
        background.consume(Self::NAME, consume::REFERRAL, from_referral);
        background.consume(Self::NAME, consume::COLLABORATION, from_collaboration);
        background.spawn(|stop| sender.run(stop));
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
        };
        add_services!(routes, api, [NotificationServiceServer]);
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::Indifferent)?.resolver())
    }

    async fn redrive(
        background: &Background,
        options: &Options,
        platform: &Platform,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        let handlers = Handlers::new(background, options, platform)?;
        let (work, events) = (&background.database.work, &background.database.events);
        match consumer {
            "notification-opportunity" => {
                redrive(work, events, consumer, aggregate, &handlers.from_opportunity).await
            }
            "notification-partner" => {
                redrive(work, events, consumer, aggregate, &handlers.from_partner).await
            }
            "notification-review" => redrive(work, events, consumer, aggregate, &handlers.from_review).await,
            "notification-referral" => {
                redrive(work, events, consumer, aggregate, &handlers.from_referral).await
            }
            "notification-collaboration" => {
                redrive(work, events, consumer, aggregate, &handlers.from_collaboration).await
            }
            _ => anyhow::bail!(
                "this service has the consumers notification-opportunity, notification-partner, \
                 notification-review, notification-referral and notification-collaboration"
            ),
        }
    }
}

/// What applies the events of each context.
struct Handlers {
    from_opportunity: consume::FromOpportunity,
    from_partner: consume::FromPartner,
    from_review: consume::FromReview,
    from_referral: consume::FromReferral,
    from_collaboration: consume::FromCollaboration,
}

impl Handlers {
    fn new(background: &Background, options: &Options, platform: &Platform) -> anyhow::Result<Self> {
        let templates = Arc::new(domain::Templates::new()?);
        let clock = background.clock.clone();
        Ok(Self {
            from_opportunity: consume::FromOpportunity {
                opportunity: Peer::new(&options.opportunity_url, platform.tokens.clone())?,
                templates: templates.clone(),
                clock: clock.clone(),
            },
            from_partner: consume::FromPartner {
                directory: Peer::new(&platform.partner_url, platform.tokens.clone())?,
                templates: templates.clone(),
                clock: clock.clone(),
            },
            from_referral: consume::FromReferral {
                templates: templates.clone(),
                clock: clock.clone(),
            },
            from_collaboration: consume::FromCollaboration {
                collaboration: Peer::new(&options.collaboration_url, platform.tokens.clone())?,
                templates: templates.clone(),
                clock: clock.clone(),
            },
            from_review: consume::FromReview { templates, clock },
        })
    }
}
