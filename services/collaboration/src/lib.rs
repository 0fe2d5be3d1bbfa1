//! The collaboration context: companies that work a deal together. See README.md for what it owns.
//!
//! A request reads through three files: `api/<rpc>.rs` (the use case), `domain/` (the rules), `store/` (the SQL).
//! `events.rs` says what others are told, `consume/` what others' events change here, `due.rs` sees to invitations that
//! nobody answered and to snapshots.

mod api;
mod channels;
mod config;
mod consume;
pub mod domain;
mod due;
mod events;
pub mod provider;
mod store;

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use cosell_events::redrive;
use cosell_grpc::{Peer, Resolve};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::collaboration::v1::channel_service_server::ChannelServiceServer;
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationServiceServer;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotServiceServer;
use cosell_service::{Background, Platform, Service, add_services};
use futures::FutureExt as _;
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;

use crate::channels::ChannelWork;
use crate::domain::values::ChannelProvider;
use crate::provider::callback::{Callbacks, Receiver};
use crate::provider::{Limits, Provider};

pub use config::Options;

/// The collaboration service.
#[derive(Debug)]
pub struct Collaboration;

impl Service for Collaboration {
    const NAME: &'static str = events::CONTEXT;
    const GRPC: &'static [&'static str] = &[
        "cosell.collaboration.v1.ChannelService",
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
        // Apart: invitations end whether opportunities can be read or not.
        background.see_to(due::Invitations {
            database: background.database.clone(),
            clock: clock.clone(),
        });
        background.see_to(due::Snapshots {
            database: background.database.clone(),
            clock: clock.clone(),
            opportunity: opportunity.clone(),
        });
        let directory = Peer::new(&platform.partner_url, platform.tokens.clone())?;
        let provider = options.provider.provider()?;
        let kept_by = match provider {
            Provider::Manual => ChannelProvider::Manual,
            Provider::Slack(_) => ChannelProvider::Slack,
        };
        let channel_work = ChannelWork {
            database: background.database.clone(),
            clock: clock.clone(),
            provider: provider.into(),
            directory: directory.clone(),
        };
        background.see_to(channel_work.clone());
        listen(background, options, &channel_work)?;
        let api = api::Api {
            db: background.database.calls.clone(),
            clock,
            opportunity,
            directory,
            days: options.invitation_days,
            channels: options.channel_policy().into(),
            provider: kept_by,
            channel_work,
        };
        add_services!(
            routes,
            api,
            [
                ChannelServiceServer,
                CollaborationServiceServer,
                SnapshotServiceServer
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

/// Listens for what the provider of channels tells.
fn listen(background: &Background, options: &Options, work: &ChannelWork) -> anyhow::Result<()> {
    let Some((address, secret)) = options.provider.callbacks() else {
        return Ok(());
    };
    let listener = TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let work = work.clone();
    let receiver: Receiver = Arc::new(move |told| {
        let work = work.clone();
        async move { work.hear(told).await }.boxed()
    });
    let router = Callbacks::new(secret, background.clock.clone(), receiver).router();
    background.spawn(|stop| provider::serve(listener, router, Limits::default(), stop));
    Ok(())
}
