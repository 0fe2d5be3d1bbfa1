//! The command line that all services share.

use clap::Subcommand;
use cosell_events::{Bus, BusArgs, JournalRange, republish};
use cosell_grpc::{AuthArgs, Listeners, ServeArgs, Verifier};
use cosell_store::{Database, DbArgs, ProvisionArgs, migrate, provision};
use cosell_telemetry::TelemetryArgs;
use cosell_types::Clock;

use crate::{Background, Host, PeerArgs, Platform, Service, stop_signal};

/// The command line of a service, after its name; `O` are the service's own options.
#[derive(clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct CommandLine<O: clap::Args> {
    #[command(subcommand)]
    command: Command<O>,
}

#[derive(Subcommand)]
enum Command<O: clap::Args> {
    /// Serve calls, publish events and consume events of other services.
    Serve {
        #[command(flatten)]
        serve: ServeArgs,
        #[command(flatten)]
        auth: AuthArgs,
        #[command(flatten)]
        common: Common<O>,
    },
    /// Migrate the schema, as its owner role.
    Migrate {
        #[command(flatten)]
        db: DbArgs,
    },
    /// Create roles and schema, as a database administrator.
    Provision {
        #[command(flatten)]
        provision: ProvisionArgs,
    },
    /// Republish events of the journal with their old ids, and events that the broker refused.
    Republish {
        #[command(flatten)]
        db: DbArgs,
        #[command(flatten)]
        range: JournalRange,
    },
    /// Redrive dead letters in the order of their versions.
    Redrive {
        /// Consumer `<service>-<context>`, as in the table `dead_letter`.
        consumer: String,
        /// Aggregate whose dead letters to redrive; all if absent.
        aggregate: Option<String>,
        #[command(flatten)]
        common: Common<O>,
    },
}

#[derive(clap::Args)]
struct Common<O: clap::Args> {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    bus: BusArgs,
    #[command(flatten)]
    peers: PeerArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(flatten)]
    own: O,
}

impl<O: clap::Args> CommandLine<O> {
    /// Runs the command until it completes.
    pub fn run<S: Service<Options = O>>(self) -> anyhow::Result<()> {
        // Before the first TLS connection, which uses the default provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // With a single worker thread, a blocking exporter could prevent shutdown.
            .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).max(2))
            .enable_all()
            .build()?;
        runtime.block_on(run::<S>(self.command))
    }
}

async fn run<S: Service>(command: Command<S::Options>) -> anyhow::Result<()> {
    match command {
        Command::Serve { serve, auth, common } => {
            let telemetry = cosell_telemetry::init(S::NAME, &common.telemetry)?;
            let clock = Clock::system();
            let database = Database::open(&common.db, S::NAME)?;
            let bus = Bus::connect(&common.bus, S::NAME).await?;
            let platform = Platform::from(common.peers);
            let mut host = Host::new(Verifier::new(&auth, clock.clone()), clock);
            host.add::<S>(database, bus, &common.own, &platform).await?;
            let listeners = Listeners::bind(&serve).await?;
            let result = host.serve(&serve, listeners, stop_signal()).await;
            telemetry.flush().await;
            result
        }
        Command::Migrate { db } => migrate(&db, S::NAME, S::migrator()).await,
        Command::Provision { provision: args } => provision(&args, S::NAME).await,
        Command::Republish { db, range } => {
            let database = Database::open(&db, S::NAME)?;
            print_count(
                "events marked for publishing",
                republish(&database.work, &range).await?,
            )
        }
        Command::Redrive {
            consumer,
            aggregate,
            common,
        } => {
            let telemetry = cosell_telemetry::init(S::NAME, &common.telemetry)?;
            let bus = Bus::connect(&common.bus, S::NAME).await?;
            let background = Background::new(Database::open(&common.db, S::NAME)?, bus, Clock::system());
            let platform = Platform::from(common.peers);
            let consumers = S::consumers(&background, &common.own, &platform)?;
            let redriven = consumers
                .redrive(&background, &consumer, aggregate.as_deref())
                .await;
            telemetry.flush().await;
            print_count("dead letters redriven", redriven?)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
fn print_count(noun: &str, count: u64) -> anyhow::Result<()> {
    println!("{count} {noun}");
    Ok(())
}
