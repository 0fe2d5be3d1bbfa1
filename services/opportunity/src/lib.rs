//! The opportunity context: the record of a deal and its life. See README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/opportunity.rs` (the rules),
//! `store/opportunities.rs` (the SQL). `events.rs` says what others are told, `consume/` what others tell us.

mod api;
mod config;
mod consume;
pub mod domain;
mod events;
mod store;

use cosell_events::redrive;
use cosell_grpc::{MAX_REQUEST, MAX_RESPONSE, Peer, TokenSource};
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityServiceServer;
use cosell_service::{Background, Service};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::Options;

/// The opportunity service.
#[derive(Debug)]
pub struct Opportunities;

impl Service for Opportunities {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static str = "cosell.opportunity.v1.OpportunityService";
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
        background.publish(events::CONTEXT);
        background.consume(
            Self::NAME,
            consume::REVIEW,
            from_review(background, options, tokens)?,
        );
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            catalog: options.catalog.as_str().into(),
        };
        let server = OpportunityServiceServer::new(api);
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
        anyhow::ensure!(
            consumer == "opportunity-review",
            "this service has the consumer opportunity-review only"
        );
        let handler = from_review(background, options, tokens)?;
        redrive(
            &background.database.work,
            &background.database.events,
            consumer,
            aggregate,
            &handler,
        )
        .await
    }
}

fn from_review(
    background: &Background,
    options: &Options,
    tokens: &TokenSource,
) -> anyhow::Result<consume::FromReview> {
    let review = Peer::new(&options.review_url, tokens.clone())?;
    Ok(consume::FromReview {
        review,
        clock: background.clock.clone(),
    })
}
