//! The collaboration context: companies that work a deal together. See README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/` (the rules), `store/` (the SQL).
//! `events.rs` says what others are told, `consume/` what others' events change here, `due.rs` sees to invitations that
//! nobody answered and to snapshots.

mod api;
mod config;
mod consume;
pub mod domain;
mod due;
mod events;
mod store;

use cosell_events::redrive;
use cosell_grpc::{MAX_REQUEST, MAX_RESPONSE, Peer, Resolve};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationServiceServer;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotServiceServer;
use cosell_service::{Background, Platform, Service};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::Options;

/// The collaboration service.
#[derive(Debug)]
pub struct Collaboration;

impl Service for Collaboration {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &[
        "cosell.collaboration.v1.CollaborationService",
        "cosell.collaboration.v1.SnapshotService",
    ];
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
        let clock = background.clock.clone();
        background.publish(events::CONTEXT);
        let from_partner = consume::FromPartner { clock: clock.clone() };
        background.consume(Self::NAME, cosell_members::CONTEXT, from_partner);
        let from_opportunity = consume::FromOpportunity { clock: clock.clone() };
        background.consume(Self::NAME, consume::OPPORTUNITY, from_opportunity);
        let opportunity = Peer::new(&options.opportunity_url, platform.tokens.clone())?;
        let worker = due::Worker {
            database: background.database.clone(),
            clock: clock.clone(),
            opportunity: opportunity.clone(),
        };
        background.spawn(|stop| worker.run(stop));
        let api = api::Api {
            db: background.database.calls.clone(),
            clock,
            opportunity,
            directory: Peer::new(&platform.partner_url, platform.tokens.clone())?,
            days: options.invitation_days,
        };
        let server = CollaborationServiceServer::new(api.clone());
        routes.add_service(
            server
                .max_decoding_message_size(MAX_REQUEST)
                .max_encoding_message_size(MAX_RESPONSE),
        );
        let server = SnapshotServiceServer::new(api);
        routes.add_service(
            server
                .max_decoding_message_size(MAX_REQUEST)
                .max_encoding_message_size(MAX_RESPONSE),
        );
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::Required)?.resolver())
    }

    async fn redrive(
        background: &Background,
        _options: &Options,
        _platform: &Platform,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        let (work, events) = (&background.database.work, &background.database.events);
        let clock = background.clock.clone();
        match consumer {
            "collaboration-partner" => {
                let handler = consume::FromPartner { clock };
                redrive(work, events, consumer, aggregate, &handler).await
            }
            "collaboration-opportunity" => {
                let handler = consume::FromOpportunity { clock };
                redrive(work, events, consumer, aggregate, &handler).await
            }
            _ => anyhow::bail!(
                "this service has the consumers collaboration-partner and collaboration-opportunity"
            ),
        }
    }
}
