//! The collaboration context: engagements of partner accounts on an opportunity, resource snapshots, and channels.
//! README.md lists what it owns.
//!
//! A request reads through four files: `api/<rpc>.rs` (the handler), `write.rs` or `load.rs` (the frame around it),
//! `domain/` (the rules) and `store/` (the SQL). `events.rs` defines the published events, `consume/` applies those of
//! other services, `workers/` runs scheduled work, `callbacks.rs` applies callbacks of the channel provider, `links/`
//! serves the links with which members leave channels.

mod api;
mod callbacks;
mod channel_changes;
mod channel_members;
mod config;
mod consume;
mod convert;
pub mod domain;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod links;
mod load;
mod peers;
pub mod provider;
mod snapshot_jobs;
mod status;
mod store;
mod workers;
mod write;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use cosell_grpc::{MemberResolver, Peer};
use cosell_members::{Members, Terms};
use cosell_proto::cosell::collaboration::v1::channel_service_server::ChannelServiceServer;
use cosell_proto::cosell::collaboration::v1::collaboration_internal_service_server::CollaborationInternalServiceServer;
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationServiceServer;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotServiceServer;
use cosell_service::{Background, Consumers, GrpcServices, Platform, Service, add_services};
use cosell_telemetry::metrics::Trigger;
use cosell_web::ListenerLimits;
use futures::FutureExt as _;
use sqlx::migrate::Migrator;

use crate::callbacks::CallbackHandler;
use crate::channel_changes::ChannelChanges;
use crate::domain::values::ChannelProvider;
use crate::links::ChannelLinks;
use crate::links::actions::LinkActions;
use crate::links::endpoint::{LinkEndpoint, LinkReceiver};
use crate::provider::Provider;
use crate::provider::callback::{CallbackEndpoint, CallbackReceiver};
use crate::workers::{ChannelWorker, InvitationWorker, SnapshotWorker};

pub use config::Options;

/// The collaboration service.
#[derive(Debug)]
pub struct Collaboration;

impl Service for Collaboration {
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
        let clock = background.clock.clone();
        background.publish(events::CONTEXT);
        let opportunity = Peer::new(&options.opportunity_url, platform.tokens.clone())?;
        background.schedule(InvitationWorker {
            database: background.database.clone(),
            clock: clock.clone(),
        });
        background.schedule(SnapshotWorker {
            database: background.database.clone(),
            clock: clock.clone(),
            opportunity: opportunity.clone(),
        });
        let directory = Peer::new(&platform.partner_url, platform.tokens.clone())?;
        let provider = options.provider.provider()?;
        let provider_kind = match provider {
            Provider::Manual => ChannelProvider::Manual,
            Provider::Slack(_) => ChannelProvider::Slack,
        };
        let provider = Arc::new(provider);
        let channel_changes = ChannelChanges {
            database: background.database.clone(),
            clock: clock.clone(),
            trigger: Trigger::Background,
            directory: directory.clone(),
        };
        background.schedule(ChannelWorker {
            changes: channel_changes.clone(),
            provider: provider.clone(),
        });
        let callbacks = CallbackHandler {
            changes: channel_changes.clone(),
            provider,
        };
        let channel_links = options.channel_links()?;
        let links = channel_links.clone().map(|links| {
            // A confirmed link is a call of its member.
            let changes = ChannelChanges {
                trigger: Trigger::Call,
                ..channel_changes.clone()
            };
            (links, LinkActions { changes })
        });
        start_channel_listener(background, options, callbacks, links)?;
        let api = api::Api {
            db: background.database.calls.clone(),
            clock,
            opportunity,
            directory,
            invitation_days: options.invitation_days,
            channel_policy: options.channel_policy().into(),
            channel_provider: provider_kind,
            channel_links,
            // An opt-out is a call, also where it ends invitations to other channels.
            channel_changes: ChannelChanges {
                trigger: Trigger::Call,
                ..channel_changes
            },
        };
        add_services!(
            services,
            api,
            [
                ChannelServiceServer,
                CollaborationInternalServiceServer,
                CollaborationServiceServer,
                SnapshotServiceServer
            ]
        );
        let (calls, tokens) = (background.database.calls.clone(), platform.tokens.clone());
        Ok(Members::new(calls, &platform.partner_url, tokens, Terms::Required)?.resolver())
    }

    fn consumers(
        background: &Background,
        _options: &Options,
        _platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        let clock = &background.clock;
        Ok(Consumers::new(Self::NAME)
            .with(
                cosell_members::CONTEXT,
                consume::PartnerEvents { clock: clock.clone() },
            )
            .with(
                consume::OPPORTUNITY,
                consume::OpportunityEvents { clock: clock.clone() },
            ))
    }
}

/// Starts the HTTP listener for callbacks of the channel provider and for channel links, if either is configured.
fn start_channel_listener(
    background: &Background,
    options: &Options,
    callbacks: CallbackHandler,
    links: Option<(ChannelLinks, LinkActions)>,
) -> anyhow::Result<()> {
    let (secret, clock) = (options.provider.callback_secret()?, &background.clock);
    let mut routers = Vec::new();
    if let Some(secret) = secret {
        let receiver: CallbackReceiver = Arc::new(move |event| {
            let handler = callbacks.clone();
            async move { handler.apply(event).await }.boxed()
        });
        routers.push(CallbackEndpoint::new(secret, clock.clone(), receiver).router());
    }
    if let Some((links, actions)) = links {
        let receiver: LinkReceiver = Arc::new(move |action, target| {
            let actions = actions.clone();
            async move { actions.apply(action, target).await }.boxed()
        });
        routers.push(LinkEndpoint::new(links, clock.clone(), receiver).router());
    }
    let Some(listener) = options.provider.listener()? else {
        return Ok(());
    };
    let router = routers.into_iter().reduce(Router::merge).context(
        "--channel-listen serves nothing without --channel-provider slack and without --channel-link-base",
    )?;
    background.spawn(|stop| cosell_web::serve(listener, router, ListenerLimits::default(), stop));
    Ok(())
}
