use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context as _;
use cosell_events::Bus;
use cosell_grpc::{Edge, Gate, Listeners, Readiness, Resolve, ServeArgs, TokenSource, Verifier, serve};
use cosell_store::{Database, check};
use cosell_types::Clock;
use sqlx::migrate::Migrator;
use tokio::signal::unix::{SignalKind, signal};
use tonic::service::{Routes, RoutesBuilder};

use crate::Background;

/// A service of the platform.
pub trait Service {
    /// Its name: of the process, the schema, the roles, and the context in subjects.
    const NAME: &'static str;

    /// The gRPC services that it offers, by their full names.
    const GRPC: &'static [&'static str];

    /// Options that only this service has.
    type Options: clap::Args + Clone + Send;

    /// Its migrations.
    fn migrator() -> Migrator;

    /// Starts its background work and adds what it offers; returns how it knows what its callers may do.
    fn start(
        background: &Background,
        options: &Self::Options,
        platform: &Platform,
        routes: &mut RoutesBuilder,
    ) -> anyhow::Result<Resolve>;

    /// Tries dead letters of one of its consumers again; returns how many had their effect.
    fn redrive(
        background: &Background,
        options: &Self::Options,
        platform: &Platform,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> impl Future<Output = anyhow::Result<u64>> + Send;
}

/// How a service proves to others that it is one, and where the directory is.
#[derive(Clone, Debug, clap::Args)]
pub struct PeerArgs {
    /// File with this service's own token (JWT, side `service`), kept fresh by the platform.
    #[arg(long, env = "COSELL_SERVICE_TOKEN_FILE")]
    pub service_token_file: PathBuf,

    /// The partner-connection service, for members that are not known here yet.
    #[arg(long, env = "COSELL_PARTNER_URL", default_value = "http://partner:50051")]
    pub partner_url: String,
}

/// What a service needs to talk to the others.
#[derive(Clone)]
pub struct Platform {
    /// Where its own token comes from.
    pub tokens: TokenSource,
    /// The partner-connection service.
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

/// A process with one or more services behind one address.
pub struct Host {
    verifier: Verifier,
    clock: Clock,
    readiness: Readiness,
    routes: RoutesBuilder,
    names: Vec<String>,
    backgrounds: Vec<Background>,
    gates: HashMap<&'static str, Gate>,
}

impl Host {
    /// A process without services.
    pub fn new(verifier: Verifier, clock: Clock) -> Self {
        let readiness = Readiness::default();
        let for_check = verifier.clone();
        readiness.require(std::sync::Arc::new(move || {
            let is_ready = for_check.is_ready();
            Box::pin(async move {
                if is_ready {
                    Ok(())
                } else {
                    Err("the token issuer's keys are not known".to_owned())
                }
            })
        }));
        Self {
            verifier,
            clock,
            readiness,
            routes: Routes::builder(),
            names: Vec::new(),
            backgrounds: Vec::new(),
            gates: HashMap::new(),
        }
    }

    /// Adds a service, if its schema is up to date.
    pub async fn add<S: Service>(
        &mut self,
        database: Database,
        bus: Bus,
        options: &S::Options,
        platform: &Platform,
    ) -> anyhow::Result<()> {
        check(&database.work, &S::migrator())
            .await
            .with_context(|| format!("the schema of {}", S::NAME))?;
        self.readiness.require(database.check());
        let background = Background::new(database, bus, self.clock.clone());
        let resolve = S::start(&background, options, platform, &mut self.routes)
            .with_context(|| format!("starting {}", S::NAME))?;
        let audit = background.audit();
        let gate = Gate { resolve, audit };
        for name in S::GRPC {
            self.gates.insert(name, gate.clone());
            self.names.push((*name).to_owned());
        }
        self.backgrounds.push(background);
        Ok(())
    }

    /// Serves until `stop` resolves, then ends everything in order.
    pub async fn serve(
        self,
        args: &ServeArgs,
        listeners: Listeners,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let (calls, rate) = (args.max_calls, args.account_rate);
        let edge = Edge::new(self.verifier, self.clock, calls, rate, self.gates);
        let routes = self.routes.routes();
        let result = serve(args, listeners, routes, self.names, edge, self.readiness, stop).await;
        for background in &self.backgrounds {
            background.stop().await;
        }
        result
    }
}

/// Resolves when the process is asked to end.
pub async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be heard; only a kill will end this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to end");
}
