//! The review context: the AWS review of submitted opportunities. README.md lists what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the handler), `domain/case.rs` (the rules) and `store/cases.rs`
//! (the SQL). `write.rs` is the frame around changes, `events.rs` defines the published events, `consume/` applies the
//! events of opportunity.

mod api;
mod config;
mod consume;
mod convert;
pub mod domain;
mod events;
mod load;
mod status;
mod store;
mod write;

use cosell_grpc::{MemberResolver, Peer};
use cosell_members::{DirectoryReplicaHandler, Members, Terms};
use cosell_proto::cosell::review::v1::review_service_server::ReviewServiceServer;
use cosell_service::{Background, Consumers, GrpcServices, Platform, Service, add_services};
use sqlx::migrate::Migrator;

pub use config::Options;

/// The review service.
#[derive(Debug)]
pub struct Reviews;

impl Service for Reviews {
    const NAME: &'static str = events::CONTEXT;
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        _options: &Options,
        platform: &Platform,
        services: &mut GrpcServices,
    ) -> anyhow::Result<MemberResolver> {
        background.publish(events::CONTEXT);
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
        };
        add_services!(services, api, [ReviewServiceServer]);
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::NotRequired)?.resolver())
    }

    fn consumers(
        background: &Background,
        options: &Options,
        platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        let from_opportunity = consume::OpportunityEvents {
            opportunity: Peer::new(&options.opportunity_url, platform.tokens.clone())?,
            clock: background.clock.clone(),
        };
        Ok(Consumers::new(Self::NAME)
            .with(consume::OPPORTUNITY, from_opportunity)
            .with(cosell_members::CONTEXT, DirectoryReplicaHandler))
    }
}
