//! The opportunity context: the record of a deal and its life. See README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/opportunity.rs` (the rules),
//! `store/opportunities.rs` (the SQL). `events.rs` says what others are told, `consume/` what others tell us.

mod api;
mod bulk;
mod config;
mod consume;
pub mod domain;
mod events;
mod store;

use std::sync::Arc;

use cosell_events::redrive;
use cosell_grpc::{Peer, Resolve};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::opportunity::v1::aws_summary_service_server::AwsSummaryServiceServer;
use cosell_proto::cosell::opportunity::v1::bulk_service_server::BulkServiceServer;
use cosell_proto::cosell::opportunity::v1::catalog_service_server::CatalogServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_history_service_server::OpportunityHistoryServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::OpportunityInternalServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_server::OpportunityLifecycleServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityServiceServer;
use cosell_proto::google::longrunning::operations_server::OperationsServer;
use cosell_service::{Background, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::{ImportLimits, Options};

/// The opportunity service.
#[derive(Debug)]
pub struct Opportunities;

impl Service for Opportunities {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &[
        "cosell.opportunity.v1.AwsSummaryService",
        "cosell.opportunity.v1.BulkService",
        "cosell.opportunity.v1.CatalogService",
        "cosell.opportunity.v1.OpportunityHistoryService",
        "cosell.opportunity.v1.OpportunityInternalService",
        "cosell.opportunity.v1.OpportunityLifecycleService",
        "cosell.opportunity.v1.OpportunityService",
        "google.longrunning.Operations",
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
        background.consume(
            Self::NAME,
            consume::REVIEW,
            from_review(background, options, platform)?,
        );
        background.consume(Self::NAME, cosell_members::CONTEXT, consume::FromPartner);
        background.consume(
            Self::NAME,
            consume::REFERRAL,
            from_referral(background, options, platform)?,
        );
        let from_collaboration = consume::FromCollaboration {
            clock: background.clock.clone(),
        };
        background.consume(Self::NAME, consume::COLLABORATION, from_collaboration);
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            catalog: options.catalog.as_str().into(),
            policy: options.policy().into(),
            crm: options.crm_services.as_slice().into(),
            catalog_keepers: options.catalog_keepers.as_slice().into(),
            import: options.import,
            job: Arc::default(),
            uploads: bulk::Room::default(),
        };
        let (worker, database, clock) = (api.clone(), background.database.clone(), background.clock.clone());
        background.spawn(|stop| bulk::worker::run(worker, database, clock, stop));
        add_services!(
            routes,
            api,
            [
                AwsSummaryServiceServer,
                BulkServiceServer,
                CatalogServiceServer,
                OpportunityHistoryServiceServer,
                OpportunityInternalServiceServer,
                OpportunityLifecycleServiceServer,
                OpportunityServiceServer,
                OperationsServer
            ]
        );
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::Required)?.resolver())
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
            "opportunity-review" => {
                let handler = from_review(background, options, platform)?;
                redrive(work, events, consumer, aggregate, &handler).await
            }
            "opportunity-partner" => redrive(work, events, consumer, aggregate, &consume::FromPartner).await,
            "opportunity-referral" => {
                let handler = from_referral(background, options, platform)?;
                redrive(work, events, consumer, aggregate, &handler).await
            }
            "opportunity-collaboration" => {
                let clock = background.clock.clone();
                let handler = consume::FromCollaboration { clock };
                redrive(work, events, consumer, aggregate, &handler).await
            }
            _ => anyhow::bail!(
                "this service has the consumers opportunity-review, opportunity-partner, opportunity-referral and \
                 opportunity-collaboration"
            ),
        }
    }
}

fn from_referral(
    background: &Background,
    options: &Options,
    platform: &Platform,
) -> anyhow::Result<consume::FromReferral> {
    Ok(consume::FromReferral {
        referral: Peer::new(&options.referral_url, platform.tokens.clone())?,
        policy: options.policy().into(),
        clock: background.clock.clone(),
    })
}

fn from_review(
    background: &Background,
    options: &Options,
    platform: &Platform,
) -> anyhow::Result<consume::FromReview> {
    let review = Peer::new(&options.review_url, platform.tokens.clone())?;
    Ok(consume::FromReview {
        review,
        clock: background.clock.clone(),
    })
}
