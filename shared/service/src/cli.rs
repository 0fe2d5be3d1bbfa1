//! The commands that every service has.

use clap::Subcommand;
use cosell_events::{Bus, BusArgs, Range, republish};
use cosell_grpc::{AuthArgs, Listeners, ServeArgs, Verifier};
use cosell_store::{Database, DbArgs, ProvisionArgs, migrate, provision};
use cosell_telemetry::TelemetryArgs;
use cosell_types::Clock;

use crate::{Background, Host, PeerArgs, Platform, Service, stop_signal};

/// The command line of a service, after its name; `O` are the options that only this service has.
#[derive(clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct CommandLine<O: clap::Args> {
    #[command(subcommand)]
    command: Command<O>,
}

#[derive(Subcommand)]
enum Command<O: clap::Args> {
    /// Answer calls, publish events, apply events of others.
    Serve {
        #[command(flatten)]
        serve: ServeArgs,
        #[command(flatten)]
        auth: AuthArgs,
        #[command(flatten)]
        common: Common<O>,
    },
    /// Bring the schema up to date, as its owner role.
    Migrate {
        #[command(flatten)]
        db: DbArgs,
    },
    /// Create roles and schema, as a database administrator.
    Provision {
        #[command(flatten)]
        provision: ProvisionArgs,
    },
    /// Publish events of the journal again, with their old ids, and those that the broker had refused.
    Republish {
        #[command(flatten)]
        db: DbArgs,
        #[command(flatten)]
        range: Range,
    },
    /// Try dead letters again, in the order of their versions.
    Redrive {
        /// The consumer, `<service>-<context>`, as in the table `dead_letter`.
        consumer: String,
        /// Only this aggregate.
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
    /// Runs the command to its end.
    pub fn run<S: Service<Options = O>>(self) -> anyhow::Result<()> {
        // Before anything opens a TLS connection: all of them use one provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // With one worker a blocking exporter could stop the whole process from ending.
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
            report("events to be published", republish(&database.work, &range).await?)
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
            let redriven = S::redrive(
                &background,
                &common.own,
                &platform,
                &consumer,
                aggregate.as_deref(),
            )
            .await;
            telemetry.flush().await;
            report("dead letters had their effect", redriven?)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn report(what: &str, count: u64) -> anyhow::Result<()> {
    println!("{count} {what}");
    Ok(())
}
