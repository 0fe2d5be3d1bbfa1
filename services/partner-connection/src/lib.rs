//! The partner-connection context: who the partners are, who works for them, and which of them are connected. See
//! README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/` (the rules), `store/` (the SQL).
//! `events.rs` says what others are told, `expiry.rs` ends what nobody answered, `members.rs` says what a
//! caller may do.

mod api;
mod config;
pub mod domain;
mod events;
mod expiry;
mod members;
mod store;

use cosell_grpc::Resolve;
use cosell_proto::cosell::partner::v1::account_service_server::AccountServiceServer;
use cosell_proto::cosell::partner::v1::connection_service_server::ConnectionServiceServer;
use cosell_proto::cosell::partner::v1::member_service_server::MemberServiceServer;
use cosell_service::{Background, Platform, Service, add_services};
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

pub use config::Options;

/// The partner-connection service.
#[derive(Debug)]
pub struct Partners;

impl Service for Partners {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &[
        "cosell.partner.v1.AccountService",
        "cosell.partner.v1.ConnectionService",
        "cosell.partner.v1.MemberService",
    ];
    type Options = Options;

    fn migrator() -> Migrator {
        sqlx::migrate!()
    }

    fn start(
        background: &Background,
        options: &Options,
        _platform: &Platform,
        routes: &mut RoutesBuilder,
    ) -> anyhow::Result<Resolve> {
        background.publish(events::CONTEXT);
        background.see_to(expiry::Expiry {
            database: background.database.clone(),
            clock: background.clock.clone(),
        });
        let api = api::Api {
            db: background.database.calls.clone(),
            clock: background.clock.clone(),
            quotas: options.quotas(),
            provisioners: options.provisioners.as_slice().into(),
        };
        add_services!(
            routes,
            api,
            [AccountServiceServer, ConnectionServiceServer, MemberServiceServer]
        );
        Ok(members::resolver(&background.database.calls))
    }

    async fn redrive(
        _background: &Background,
        _options: &Options,
        _platform: &Platform,
        _consumer: &str,
        _aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        anyhow::bail!("this service consumes no events")
    }
}
