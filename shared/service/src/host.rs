use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context as _;
use cosell_events::Bus;
use cosell_grpc::{
    Edge, Listeners, MemberResolver, Readiness, ServeArgs, ServiceAccess, TokenSource, Verifier, serve,
};
use cosell_store::{Database, check};
use cosell_types::Clock;
use sqlx::migrate::Migrator;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Background, Consumers, GrpcServices};

/// A service of the platform.
pub trait Service {
    /// The name of the service: of its schema, its database roles, and its context in NATS subjects.
    const NAME: &'static str;

    /// The service's own command-line options.
    type Options: clap::Args + Clone + Send;

    /// The migrations of its schema.
    fn migrator() -> Migrator;

    /// Starts its background work and adds its gRPC services. Returns the resolver of its callers' roles.
    fn start(
        background: &Background,
        options: &Self::Options,
        platform: &Platform,
        services: &mut GrpcServices,
    ) -> anyhow::Result<MemberResolver>;

    /// Declares its consumers.
    fn consumers(
        background: &Background,
        options: &Self::Options,
        platform: &Platform,
    ) -> anyhow::Result<Consumers> {
        let _ = (background, options, platform);
        Ok(Consumers::new(Self::NAME))
    }
}

/// Options for calls to other services.
#[derive(Clone, Debug, clap::Args)]
pub struct PeerArgs {
    /// File with this service's own token (JWT with side `service`), renewed externally.
    #[arg(long, env = "COSELL_SERVICE_TOKEN_FILE")]
    pub service_token_file: PathBuf,

    /// Address of the partner-connection service, which resolves members that the replica does not have yet.
    #[arg(long, env = "COSELL_PARTNER_URL", default_value = "http://partner:50051")]
    pub partner_url: String,
}

/// What a service needs to call other services.
#[derive(Clone)]
pub struct Platform {
    /// The source of the service's own token.
    pub tokens: TokenSource,
    /// Address of the partner-connection service.
    pub partner_url: String,
}

impl From<PeerArgs> for Platform {
    fn from(args: PeerArgs) -> Self {
        Self {
            tokens: TokenSource::File(args.service_token_file),
            partner_url: args.partner_url,
        }
    }
}

/// A process that serves one or more services at one address.
pub struct Host {
    verifier: Verifier,
    clock: Clock,
    readiness: Readiness,
    services: GrpcServices,
    backgrounds: Vec<Background>,
    gates: HashMap<&'static str, ServiceAccess>,
}

impl Host {
    /// Creates a process without services.
    pub fn new(verifier: Verifier, clock: Clock) -> Self {
        let readiness = Readiness::default();
        let checked_verifier = verifier.clone();
        readiness.require(std::sync::Arc::new(move || {
            let is_ready = checked_verifier.is_ready();
            Box::pin(async move {
                if is_ready {
                    Ok(())
                } else {
                    Err("the token issuer's keys are not loaded".to_owned())
                }
            })
        }));
        Self {
            verifier,
            clock,
            readiness,
            services: GrpcServices::default(),
            backgrounds: Vec::new(),
            gates: HashMap::new(),
        }
    }

    /// Adds and starts a service. Fails if its schema is not up to date.
    pub async fn add<S: Service>(
        &mut self,
        database: Database,
        bus: Bus,
        options: &S::Options,
        platform: &Platform,
    ) -> anyhow::Result<()> {
        check(&database.work, &S::migrator())
            .await
            .with_context(|| format!("checking the schema of {}", S::NAME))?;
        self.readiness.require(database.check());
        let background = Background::new(database, bus, self.clock.clone());
        let first_new = self.services.names().len();
        let context = || format!("starting {}", S::NAME);
        let resolve = S::start(&background, options, platform, &mut self.services).with_context(context)?;
        let consumers = S::consumers(&background, options, platform).with_context(context)?;
        consumers.start(&background);
        let denial_sink = background.denial_sink();
        let gate = ServiceAccess { resolve, denial_sink };
        for name in &self.services.names()[first_new..] {
            self.gates.insert(name, gate.clone());
        }
        self.backgrounds.push(background);
        Ok(())
    }

    /// Serves until `stop` resolves, then shuts down gracefully.
    pub async fn serve(
        self,
        args: &ServeArgs,
        listeners: Listeners,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let (calls, rate) = (args.max_calls, args.account_rate);
        let edge = Edge::new(self.verifier, self.clock, calls, rate, self.gates);
        let names = self
            .services
            .names()
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let routes = self.services.into_routes();
        let result = serve(args, listeners, routes, names, edge, self.readiness, stop).await;
        for background in &self.backgrounds {
            background.stop().await;
        }
        result
    }
}

/// Resolves on SIGTERM or SIGINT.
pub async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("installing signal handlers failed; the process ends only by SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("shutdown signal received");
}
