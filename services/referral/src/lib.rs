//! The referral context: the opportunities and leads that AWS offers to partners, and the leads that partners accepted.
//! README.md lists what it owns.
//!
//! A request reads through four files: `api/<rpc>.rs` (the handler), `write.rs` or `load.rs` (the frame around it),
//! `domain/` (the rules) and `store/` (the SQL). `events.rs` defines the published events, `workers/` runs scheduled
//! work.

mod api;
mod config;
mod convert;
pub mod domain;
mod events;
mod load;
mod peers;
mod routing;
mod status;
mod store;
mod workers;
mod write;

use std::sync::Arc;

use cosell_grpc::{MemberResolver, Peer};
use cosell_members::{DirectoryReplicaHandler, Members, Terms};
use cosell_proto::cosell::referral::v1::lead_service_server::LeadServiceServer;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::ReferralInternalServiceServer;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralServiceServer;
use cosell_service::{Background, Consumers, GrpcServices, Platform, Service, add_services};
use sqlx::migrate::Migrator;

pub use config::Options;

/// The referral service.
#[derive(Debug)]
pub struct Referrals;

impl Service for Referrals {
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
        background.publish(events::CONTEXT);
        let calendar = Arc::new(options.calendar());
        let worker = workers::OfferWorker {
            database: background.database.clone(),
            clock: background.clock.clone(),
            calendar: calendar.clone(),
            min_tier: options.offer_tier.into(),
        };
        background.schedule(worker);
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            opportunity: Peer::new(&options.opportunity_url, platform.tokens.clone())?,
            calendar,
            min_tier: options.offer_tier.into(),
        };
        add_services!(
            services,
            api,
            [
                LeadServiceServer,
                ReferralInternalServiceServer,
                ReferralServiceServer
            ]
        );
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::Required)?.resolver())
    }

    fn consumers(
        _background: &Background,
        _options: &Options,
        _platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        Ok(Consumers::new(Self::NAME).with(cosell_members::CONTEXT, DirectoryReplicaHandler))
    }
}
