//! The opportunity context: the opportunity record and its life cycle. README.md lists what it owns.
//!
//! A call passes four files: `api/<rpc>.rs` (the handler), `write.rs` or `load.rs` (the frame around it),
//! `domain/opportunity.rs` (the rules) and `store/opportunities.rs` (the SQL). `events.rs` maps domain events to
//! published ones, `consume/` applies events of other services, `bulk/` processes bulk jobs, `workers/` does
//! scheduled work.

mod api;
mod bulk;
mod config;
mod consume;
mod convert;
pub mod domain;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod load;
mod status;
mod store;
mod view;
mod workers;
mod write;

use std::sync::Arc;

use cosell_grpc::{MemberResolver, Peer};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::opportunity::v1::aws_summary_service_server::AwsSummaryServiceServer;
use cosell_proto::cosell::opportunity::v1::bulk_service_server::BulkServiceServer;
use cosell_proto::cosell::opportunity::v1::catalog_service_server::CatalogServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_history_service_server::OpportunityHistoryServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::OpportunityInternalServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_server::OpportunityLifecycleServiceServer;
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityServiceServer;
use cosell_proto::google::longrunning::operations_server::OperationsServer;
use cosell_service::{Background, Consumers, GrpcServices, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

pub use config::{ImportLimits, Options};

/// The opportunity service.
#[derive(Debug)]
pub struct Opportunities;

impl Service for Opportunities {
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
        let job_created = Arc::new(Notify::new());
        let policy: Arc<_> = options.policy().into();
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            catalog: options.catalog.as_str().into(),
            policy: policy.clone(),
            crm_services: options.crm_services.as_slice().into(),
            catalog_keepers: options.catalog_keepers.as_slice().into(),
            import_limits: options.import,
            job_created: job_created.clone(),
            import_permits: Arc::default(),
        };
        let worker = bulk::BulkWorker {
            database: background.database.clone(),
            clock: background.clock.clone(),
            policy,
            job_created,
        };
        background.spawn(|stop| worker.run(stop));
        background.schedule(workers::ComparisonKeyWorker {
            database: background.database.clone(),
        });
        add_services!(
            services,
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

    fn consumers(
        background: &Background,
        options: &Options,
        platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        let clock = &background.clock;
        let from_review = consume::ReviewEvents {
            review: Peer::new(&options.review_url, platform.tokens.clone())?,
            clock: clock.clone(),
        };
        let from_referral = consume::ReferralEvents {
            referral: Peer::new(&options.referral_url, platform.tokens.clone())?,
            policy: options.policy().into(),
            clock: clock.clone(),
        };
        let from_collaboration = consume::CollaborationEvents { clock: clock.clone() };
        Ok(Consumers::new(Self::NAME)
            .with(consume::REVIEW, from_review)
            .with(cosell_members::CONTEXT, consume::PartnerEvents)
            .with(consume::REFERRAL, from_referral)
            .with(consume::COLLABORATION, from_collaboration))
    }
}
