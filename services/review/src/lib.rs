//! The review context: AWS's work on submissions. See README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/case.rs` (the rules),
//! `store/cases.rs` (the SQL). `events.rs` says what others are told, `consume/` what others tell us.

mod api;
mod config;
mod consume;
pub mod domain;
mod events;
mod store;

use cosell_events::redrive;
use cosell_grpc::{Peer, Resolve};
use cosell_members::{FromPartner, Members, Terms};
use cosell_proto::cosell::review::v1::review_service_server::ReviewServiceServer;
use cosell_service::{Background, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::Options;

/// The review service.
#[derive(Debug)]
pub struct Reviews;

impl Service for Reviews {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &["cosell.review.v1.ReviewService"];
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
        background.publish(events::CONTEXT);
        background.consume(
            Self::NAME,
            consume::OPPORTUNITY,
            from_opportunity(background, options, platform)?,
        );
        background.consume(Self::NAME, cosell_members::CONTEXT, FromPartner);
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
        };
        add_services!(routes, api, [ReviewServiceServer]);
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
        let (work, events) = (&background.database.work, &background.database.events);
        match consumer {
            "review-opportunity" => {
                let handler = from_opportunity(background, options, platform)?;
                redrive(work, events, consumer, aggregate, &handler).await
            }
            "review-partner" => redrive(work, events, consumer, aggregate, &FromPartner).await,
            _ => anyhow::bail!("this service has the consumers review-opportunity and review-partner"),
        }
    }
}

fn from_opportunity(
    background: &Background,
    options: &Options,
    platform: &Platform,
) -> anyhow::Result<consume::FromOpportunity> {
    let opportunity = Peer::new(&options.opportunity_url, platform.tokens.clone())?;
    Ok(consume::FromOpportunity {
        opportunity,
        clock: background.clock.clone(),
    })
}
