//! The partner-connection context: the directory of accounts and members, and the connections between partner accounts.
//! README.md lists what it owns.
//!
//! A call passes four files: `api/<rpc>.rs` (the handler), `write.rs` or `load.rs` (transaction, access and locks),
//! `domain/` (the rules) and `store/` (the SQL). `provisioning/` applies the records of the operator's master list,
//! `events.rs` builds the published events, `workers/` processes scheduled work, `resolver.rs` resolves the roles of
//! callers.

mod api;
mod config;
mod convert;
pub mod domain;
mod events;
mod load;
mod provisioning;
mod resolver;
mod status;
mod store;
mod workers;
mod write;

use cosell_grpc::MemberResolver;
use cosell_proto::cosell::partner::v1::account_service_server::AccountServiceServer;
use cosell_proto::cosell::partner::v1::connection_service_server::ConnectionServiceServer;
use cosell_proto::cosell::partner::v1::member_service_server::MemberServiceServer;
use cosell_service::{Background, GrpcServices, Platform, Service, add_services};
use sqlx::migrate::Migrator;

pub use config::Options;

/// The partner-connection service.
#[derive(Debug)]
pub struct Partners;

impl Service for Partners {
    const NAME: &'static str = events::CONTEXT;
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        options: &Options,
        _platform: &Platform,
        services: &mut GrpcServices,
    ) -> anyhow::Result<MemberResolver> {
        background.publish(events::CONTEXT);
        background.schedule(workers::InvitationExpiryWorker {
            database: background.database.clone(),
            clock: background.clock.clone(),
        });
        background.schedule(workers::ComparisonKeyWorker {
            database: background.database.clone(),
        });
        background.schedule(workers::MarketingOptionWorker {
            database: background.database.clone(),
            clock: background.clock.clone(),
            marketing_sees_all: options.marketing_sees_all,
        });
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            quotas: options.quotas(),
            provisioners: options.provisioners.as_slice().into(),
        };
        add_services!(
            services,
            api,
            [AccountServiceServer, ConnectionServiceServer, MemberServiceServer]
        );
        Ok(resolver::resolver(&background.database.calls))
    }
}
