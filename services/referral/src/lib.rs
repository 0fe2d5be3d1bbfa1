//! The referral context: deals and leads that AWS offers to partners, and the leads they have accepted. See README.md
//! for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/` (the rules), `store/` (the SQL).
//! `events.rs` says what others are told, `due.rs` sees to what nobody answered and hands deals on.

mod api;
mod config;
pub mod domain;
mod due;
mod events;
mod store;

use std::sync::Arc;

use cosell_events::redrive;
use cosell_grpc::{Peer, Resolve};
use cosell_members::{FromPartner, Members, Terms};
use cosell_proto::cosell::referral::v1::lead_service_server::LeadServiceServer;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::ReferralInternalServiceServer;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralServiceServer;
use cosell_service::{Background, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::Options;

/// The referral service.
#[derive(Debug)]
pub struct Referrals;

impl Service for Referrals {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &[
        "cosell.referral.v1.LeadService",
        "cosell.referral.v1.ReferralInternalService",
        "cosell.referral.v1.ReferralService",
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
        background.publish(events::CONTEXT);
        background.consume(Self::NAME, cosell_members::CONTEXT, FromPartner);
        let calendar = Arc::new(options.calendar());
        let worker = due::Worker {
            database: background.database.clone(),
            clock: background.clock.clone(),
            calendar: calendar.clone(),
            tier: options.offer_tier.into(),
        };
        background.see_to(worker);
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            opportunity: Peer::new(&options.opportunity_url, platform.tokens.clone())?,
            calendar,
            tier: options.offer_tier.into(),
        };
        add_services!(
            routes,
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

    async fn redrive(
        background: &Background,
        _options: &Options,
        _platform: &Platform,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        let (work, events) = (&background.database.work, &background.database.events);
        match consumer {
            "referral-partner" => redrive(work, events, consumer, aggregate, &FromPartner).await,
            _ => anyhow::bail!("this service has the consumer referral-partner"),
        }
    }
}
