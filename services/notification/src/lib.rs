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
mod members;
mod store;

use std::sync::Arc;
use std::time::Duration;

use cosell_events::redrive;
use cosell_grpc::{MAX_REQUEST, MAX_RESPONSE, Peer, TokenSource};
use cosell_proto::cosell::notification::v1::notification_service_server::NotificationServiceServer;
use cosell_service::{Background, Service};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::{Options, SmtpSecurity};

/// The notification service.
#[derive(Debug)]
pub struct Notifications;

impl Service for Notifications {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static str = "cosell.notification.v1.NotificationService";
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        options: &Options,
        tokens: &TokenSource,
        routes: &mut RoutesBuilder,
    ) -> anyhow::Result<()> {
        let (from_opportunity, from_review) = handlers(background, options, tokens)?;
        let sender = mail::Sender::new(background.database.clone(), background.clock.clone(), options)?;
        background.publish(events::CONTEXT);
        take_members_over(background, options);
        background.consume(Self::NAME, consume::OPPORTUNITY, from_opportunity);
        background.consume(Self::NAME, consume::REVIEW, from_review);
        background.spawn(|stop| sender.run(stop));
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
        };
        let server = NotificationServiceServer::new(api);
        routes.add_service(
            server
                .max_decoding_message_size(MAX_REQUEST)
                .max_encoding_message_size(MAX_RESPONSE),
        );
        Ok(())
    }

    async fn redrive(
        background: &Background,
        options: &Options,
        tokens: &TokenSource,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        let (from_opportunity, from_review) = handlers(background, options, tokens)?;
        let (work, events) = (&background.database.work, &background.database.events);
        match consumer {
            "notification-opportunity" => redrive(work, events, consumer, aggregate, &from_opportunity).await,
            "notification-review" => redrive(work, events, consumer, aggregate, &from_review).await,
            _ => anyhow::bail!(
                "this service has the consumers notification-opportunity and notification-review"
            ),
        }
    }
}

fn handlers(
    background: &Background,
    options: &Options,
    tokens: &TokenSource,
) -> anyhow::Result<(consume::FromOpportunity, consume::FromReview)> {
    let templates = Arc::new(domain::Templates::new()?);
    let clock = background.clock.clone();
    let opportunity = Peer::new(&options.opportunity_url, tokens.clone())?;
    let from_review = consume::FromReview {
        templates: templates.clone(),
        clock: clock.clone(),
    };
    Ok((
        consume::FromOpportunity {
            opportunity,
            templates,
            clock,
        },
        from_review,
    ))
}

/// Keeps trying while the database is away; a file that cannot be read is for the operator.
fn take_members_over(background: &Background, options: &Options) {
    let Some(path) = options.members_file.clone() else {
        return;
    };
    let database = background.database.clone();
    background.spawn(|stop| async move {
        while !stop.is_cancelled() {
            match members::take_over(&database, &path).await {
                Ok(count) => return tracing::info!(count, "members taken over"),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "members could not be taken over");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = stop.cancelled() => {}
            }
        }
    });
}
