use chrono::{DateTime, Utc};
use cosell_events::{Bus, BusArgs, Range, republish};
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

/// How a service under test is set up.
pub struct Setup {
    /// The time; stands still unless it is moved.
    pub clock: Clock,
    /// The issuer of its tokens.
    pub issuer: Issuer,
    /// Who is known to be a member.
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
            max_calls: 64,
        }
    }
}

impl Setup {
    /// As another replica of a running service: with its time and the issuer of its tokens.
    pub fn beside(app: &App) -> Self {
        Self {
            clock: app.clock.clone(),
            issuer: app.issuer.clone(),
            ..Self::default()
        }
    }

    /// With an event bus of its own. Without one, events wait in the outbox.
    pub fn with_bus(mut self) -> Self {
        let bus = nats::Server::start(&nats_program(), &folder("nats")).expect("a NATS server");
        self.bus = Some(bus);
        self
    }

    /// With room for this many calls at a time.
    pub fn with_room(mut self, max_calls: usize) -> Self {
        self.max_calls = max_calls;
        self
    }

    /// Starts the service on a database of its own.
    pub async fn start<S: Service<Options: 'static>>(self, options: S::Options) -> App {
        let database = TestDatabase::new::<S>().await;
        self.start_on::<S>(database, options).await
    }

    /// Starts the service on a given database.
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
        let nothing_listens = "nats://127.0.0.1:9".to_owned();
        let bus_args = BusArgs {
            nats_url: bus.as_ref().map_or(nothing_listens, nats::Server::url),
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
            has_events_left: false,
            options: Box::new(options),
        }
    }
}

/// A service that runs for a test.
pub struct App {
    /// Calls, without a token.
    pub channel: Channel,
    /// Health checks.
    pub health: Channel,
    /// The issuer of its tokens.
    pub issuer: Issuer,
    /// Who is known to be a member.
    pub directory: Directory,
    /// How it reaches the others.
    pub platform: Platform,
    /// Its time.
    pub clock: Clock,
    /// Its database.
    pub database: TestDatabase,
    /// Its pools.
    pub pools: Database,
    /// Its connection to the bus.
    pub connection: Bus,
    bus: Option<nats::Server>,
    /// How to reach its bus.
    pub bus_args: BusArgs,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    has_events_left: bool,
    options: Box<dyn std::any::Any>,
}

impl App {
    /// The calls of somebody, who is let in as what it is.
    pub fn by(&self, caller: &Caller) -> InterceptedService<Channel, Client> {
        self.directory.admit(caller);
        Client::new(&self.issuer, Some(caller)).over(self.channel.clone())
    }

    /// The bus.
    pub fn bus(&mut self) -> &mut nats::Server {
        self.bus.as_mut().expect("set up with_bus()")
    }

    /// Tries all dead letters of a consumer again; returns how many had their effect.
    pub async fn redrive<S: Service<Options: 'static>>(&self, consumer: &str) -> u64 {
        let options = self
            .options
            .downcast_ref::<S::Options>()
            .expect("the options it was started with");
        let background = Background::new(self.pools.clone(), self.connection.clone(), self.clock.clone());
        S::redrive(&background, options, &self.platform, consumer, None)
            .await
            .expect("redriven letters")
    }

    /// Publishes all events of the journal again; returns how many.
    pub async fn republish(&self) -> u64 {
        republish(&self.pools.work, &Range::default())
            .await
            .expect("republished events")
    }

    /// Says that events may be left over at the end.
    pub fn leaves_events(&mut self) {
        self.has_events_left = true;
    }

    /// Ends the service. With a bus, everything must have been published and nothing be a dead letter.
    pub async fn finish<S: Service>(mut self) {
        let mut admin = self.database.admin::<S>().await;
        if self.bus.is_some() && !self.has_events_left {
            eventually(
                async || match count(&mut admin, "SELECT count(*) FROM outbox_pending").await {
                    0 => Ok(()),
                    left => Err(format!("{left} events were never published")),
                },
            )
            .await;
            let letters = count(
                &mut admin,
                "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL",
            )
            .await;
            assert_eq!(letters, 0, "there are dead letters");
        }
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            let ended = tokio::time::timeout(PATIENCE, serving).await;
            ended
                .expect("the service must end when it is told to")
                .expect("the service must not panic");
        }
    }
}

async fn count(admin: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(admin).await.expect("a count")
}
