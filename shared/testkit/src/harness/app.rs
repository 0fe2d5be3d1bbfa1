use chrono::{DateTime, Utc};
use cosell_events::{Bus, BusArgs, JournalRange, republish};
use cosell_grpc::{Issuer, Listeners, ServeArgs, TokenSource, Verifier};
use cosell_service::{Background, Host, Platform, Service};
use cosell_store::Database;
use cosell_types::{Caller, Clock};
use sqlx::PgConnection;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use super::{Client, Directory, PATIENCE, TestDatabase, eventually, folder, nats_program};
use crate::nats;

/// The configuration of a service under test.
pub struct Setup {
    /// The clock of the service; it advances only manually.
    pub clock: Clock,
    /// The issuer of the tokens that the service accepts.
    pub issuer: Issuer,
    /// The stub of the directory, with the members that exist.
    pub directory: Directory,
    bus: Option<nats::Server>,
    max_calls: usize,
}

impl Default for Setup {
    fn default() -> Self {
        let start: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().expect("a time");
        let clock = Clock::manual(start);
        let issuer = Issuer::generate(clock.clone()).expect("an issuer");
        Self {
            clock,
            issuer,
            directory: Directory::default(),
            bus: None,
            max_calls: 256,
        }
    }
}

impl Setup {
    /// The setup of another replica of a running service, with the same clock, token issuer and directory.
    pub fn replica_of(app: &App) -> Self {
        Self {
            clock: app.clock.clone(),
            issuer: app.issuer.clone(),
            directory: app.directory.clone(),
            ..Self::default()
        }
    }

    /// Adds an event bus of its own. Without a bus, events stay pending in the outbox.
    pub fn with_bus(mut self) -> Self {
        let bus = nats::Server::start(&nats_program(), &folder("nats")).expect("a NATS server");
        self.bus = Some(bus);
        self
    }

    /// Sets the limit of concurrent calls.
    pub fn with_max_calls(mut self, max_calls: usize) -> Self {
        self.max_calls = max_calls;
        self
    }

    /// Starts the service on a new database.
    pub async fn start<S: Service<Options: 'static>>(self, options: S::Options) -> App {
        let database = TestDatabase::new::<S>().await;
        self.start_on::<S>(database, options).await
    }

    /// Starts the service on an existing database.
    pub async fn start_on<S: Service<Options: 'static>>(
        self,
        database: TestDatabase,
        options: S::Options,
    ) -> App {
        let Self {
            clock,
            issuer,
            directory,
            bus,
            max_calls,
        } = self;
        let unused_address = "nats://127.0.0.1:9".to_owned();
        let bus_args = BusArgs {
            nats_url: bus.as_ref().map_or(unused_address, nats::Server::url),
            nats_credentials: None,
            stream_replicas: 1,
            stream_days: 1,
            stream_bytes: 64 * 1024 * 1024,
            stream_duplicate_seconds: 60,
        };
        let jwks = folder("jwks").join("jwks.json");
        std::fs::write(&jwks, issuer.jwks()).expect("the key file");
        let verifier = Verifier::new(&issuer.auth_args(jwks.to_string_lossy()), clock.clone());
        let any = "127.0.0.1:0".parse().expect("an address");
        let serve = ServeArgs {
            listen: any,
            health_listen: any,
            max_calls,
            account_rate: std::num::NonZeroU32::MAX,
            address_connections: 256,
            proxies: Vec::new(),
            reflection: false,
            drain_seconds: 1,
            tls_cert: None,
            tls_key: None,
        };
        let listeners = Listeners::bind(&serve).await.expect("listeners");
        let address = listeners.address().expect("an address");
        let health = listeners.health_address().expect("an address");
        let service_database = Database::open(&database.args, S::NAME).expect("a database");
        let bus_connection = Bus::connect(&bus_args, S::NAME).await.expect("a bus");
        let name = S::NAME.parse().expect("a service name");
        let platform = Platform {
            tokens: TokenSource::Issuer(Box::new(issuer.clone()), name),
            partner_url: directory.listen().await,
        };
        let mut host = Host::new(verifier, clock.clone());
        let added = host
            .add::<S>(
                service_database.clone(),
                bus_connection.clone(),
                &options,
                &platform,
            )
            .await;
        added.expect("a service that starts");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            host.serve(&serve, listeners, stopped)
                .await
                .expect("a service that serves");
        });
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .expect("an address")
            .connect_lazy();
        let health = Endpoint::from_shared(format!("http://{health}"))
            .expect("an address")
            .connect_lazy();
        App {
            channel,
            health,
            issuer,
            directory,
            platform,
            clock,
            database,
            pools: service_database,
            connection: bus_connection,
            bus,
            bus_args,
            stop: Some(stop),
            serving: Some(serving),
            may_leave_events: false,
            options: Box::new(options),
        }
    }
}

/// A running service under test.
pub struct App {
    /// Channel for calls without a token.
    pub channel: Channel,
    /// Channel for health checks.
    pub health: Channel,
    /// The issuer of the tokens that the service accepts.
    pub issuer: Issuer,
    /// The stub of the directory, with the members that exist.
    pub directory: Directory,
    /// The service's configuration for calls to other services.
    pub platform: Platform,
    /// The clock of the service; it advances only manually.
    pub clock: Clock,
    /// The database of the service.
    pub database: TestDatabase,
    /// The connection pools of the service.
    pub pools: Database,
    /// The service's connection to the bus.
    pub connection: Bus,
    bus: Option<nats::Server>,
    /// The options of the service's connection to the bus.
    pub bus_args: BusArgs,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    may_leave_events: bool,
    options: Box<dyn std::any::Any>,
}

impl App {
    /// A channel for calls of a caller, which is added to the directory stub.
    pub fn channel_for(&self, caller: &Caller) -> InterceptedService<Channel, Client> {
        self.directory.add_member(caller);
        Client::new(&self.issuer, Some(caller)).with_channel(self.channel.clone())
    }

    /// The NATS server of the service.
    pub fn bus(&mut self) -> &mut nats::Server {
        self.bus.as_mut().expect("set up with_bus()")
    }

    /// Redrives all dead letters of a consumer; returns how many were applied.
    pub async fn redrive<S: Service<Options: 'static>>(&self, consumer: &str) -> u64 {
        let options = self
            .options
            .downcast_ref::<S::Options>()
            .expect("the options that the service was started with");
        let background = Background::new(self.pools.clone(), self.connection.clone(), self.clock.clone());
        let consumers = S::consumers(&background, options, &self.platform).expect("consumers");
        consumers
            .redrive(&background, consumer, None)
            .await
            .expect("redriven dead letters")
    }

    /// Republishes all events of the journal; returns their number.
    pub async fn republish(&self) -> u64 {
        republish(&self.pools.work, &JournalRange::default())
            .await
            .expect("republished events")
    }

    /// Permits unpublished events and dead letters at [`App::finish`].
    pub fn allow_unpublished_events(&mut self) {
        self.may_leave_events = true;
    }

    /// Stops the service. With a bus, fails unless all events are published and no dead letter is open.
    pub async fn finish<S: Service>(mut self) {
        let mut admin = self.database.admin::<S>().await;
        if self.bus.is_some() && !self.may_leave_events {
            eventually(
                async || match count(&mut admin, "SELECT count(*) FROM outbox_pending").await {
                    0 => Ok(()),
                    pending => Err(format!("{pending} events are not published")),
                },
            )
            .await;
            let dead_letters = count(
                &mut admin,
                "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL",
            )
            .await;
            assert_eq!(dead_letters, 0, "open dead letters");
        }
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            let stopped = tokio::time::timeout(PATIENCE, serving).await;
            stopped
                .expect("the service must stop when requested")
                .expect("the service must not panic");
        }
    }
}

async fn count(admin: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(admin).await.expect("a count")
}
