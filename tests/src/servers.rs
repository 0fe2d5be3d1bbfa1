use std::path::{Path, PathBuf};
use std::time::Duration;

use cosell::demo::MemberClient;
use cosell::{Stack, StackArgs, StackInfo};
use cosell_opportunity::ImportLimits;
use cosell_store::DbArgs;
use cosell_testkit::harness::{PATIENCE, eventually_within, folder, nats_program};
use cosell_testkit::nats;
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::smtp::Sink;
use cosell_types::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::repository::contexts;

/// The limit for recovery after a fault. The broker redelivers the in-flight events of a dead worker after ten seconds,
/// and its in-flight e-mails are retried after forty. The rest is slack for slow machines.
pub const RECOVERY: Duration = Duration::from_secs(240);

/// All consumers: the consuming service and the context whose events it applies.
const CONSUMERS: [(&str, &str); 14] = [
    ("opportunity", "partner"),
    ("review", "partner"),
    ("notification", "partner"),
    ("review", "opportunity"),
    ("opportunity", "review"),
    ("notification", "opportunity"),
    ("notification", "review"),
    ("referral", "partner"),
    ("opportunity", "referral"),
    ("notification", "referral"),
    ("collaboration", "partner"),
    ("collaboration", "opportunity"),
    ("opportunity", "collaboration"),
    ("notification", "collaboration"),
];

/// Private PostgreSQL, NATS and mail servers, which a test may crash and restart.
pub struct TestServers {
    /// PostgreSQL with the databases of all services.
    pub postgres: Cluster,
    /// NATS with JetStream.
    pub nats: nats::Server,
    /// An SMTP server that stores received e-mails.
    pub smtp: Sink,
    folder: PathBuf,
}

impl TestServers {
    /// Starts the servers. The database survives a crash of its process, but not of the machine.
    pub fn start() -> Self {
        Self::start_with(Durability::Process)
    }

    /// Starts the servers with this durability of the database.
    pub fn start_with(durability: Durability) -> Self {
        let folder = folder("servers");
        let programs = Programs::find(&|_| {}).expect("PostgreSQL");
        Self {
            postgres: Cluster::start(&programs, &folder.join("postgres"), durability)
                .expect("a database server"),
            nats: nats::Server::start(&nats_program(), &folder.join("nats")).expect("a NATS server"),
            smtp: Sink::start("127.0.0.1:0", Some(folder.join("mail"))).expect("a mail server"),
            folder,
        }
    }

    /// The arguments of `cosell up` that point to these servers.
    pub fn args(&self) -> StackArgs {
        let any = "127.0.0.1:0".parse().expect("an address");
        StackArgs {
            admin_url: self.postgres.admin_url("postgres"),
            database_url: self.postgres.url("postgres"),
            nats_url: self.nats.url(),
            smtp_port: self.smtp.address().port(),
            state: self.state(),
            listen: any,
            health_listen: any,
            channel_listen: any,
            unsubscribe_listen: any,
            account_rate: None,
            import: ImportLimits::default(),
        }
    }

    /// The state folder of the services.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The folder of the received e-mails.
    pub fn mail(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// The folder of all files of these servers and of the services on them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs all services in the test process.
    pub async fn run(&self) -> RunningServices {
        self.run_with(&self.args()).await
    }

    /// Runs all services in the test process with a clock that the test controls.
    pub async fn run_at(&self, clock: &Clock) -> RunningServices {
        self.start_stack(&self.args(), clock.clone()).await
    }

    /// Runs all services in the test process with other arguments.
    pub async fn run_with(&self, args: &StackArgs) -> RunningServices {
        self.start_stack(args, Clock::system()).await
    }

    async fn start_stack(&self, args: &StackArgs, clock: Clock) -> RunningServices {
        let stack = Stack::prepare(args, clock).await.expect("services that start");
        let info = stack.info.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            stack.serve(stopped).await.expect("services that serve");
        });
        let running = args.state.join("stack.json");
        eventually_within(RECOVERY, async || {
            anyhow::ensure!(running.exists(), "the directory is not seeded yet");
            Ok(())
        })
        .await;
        RunningServices { info, stop, serving }
    }

    /// A database connection as administrator.
    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.postgres.admin_url("postgres"))
            .await
            .expect("an administrator's connection")
    }

    /// The connect options of a service's database role, such as `review_app`.
    pub fn role_options(&self, role: &str) -> PgConnectOptions {
        let args = DbArgs {
            database_url: self.postgres.url("postgres"),
            database_secrets: Some(self.state().join("secrets")),
            database_pool: 1,
        };
        args.connect_options(role).expect("a role of a service")
    }

    /// The number that a statement returns, executed as administrator.
    pub async fn count(&self, sql: &str) -> i64 {
        try_count(&mut self.admin().await, sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Waits until all events are published and applied and all e-mails are sent. Fails after [`RECOVERY`].
    pub async fn wait_until_idle(&self) {
        self.wait_until_idle_within(RECOVERY).await;
    }

    /// Like [`wait_until_idle`](Self::wait_until_idle), with another limit.
    pub async fn wait_until_idle_within(&self, limit: Duration) {
        eventually_within(limit, async || {
            // Reconnects each time: the server may just have crashed.
            let mut admin = PgConnection::connect(&self.postgres.admin_url("postgres")).await?;
            // One snapshot for all counts: an event that is applied between two of them would be in neither.
            admin
                .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await?;
            for (what, sql) in pending_work() {
                let left = try_count(&mut admin, &sql).await?;
                anyhow::ensure!(left == 0, "{left} {what}");
            }
            Ok(())
        })
        .await;
    }
}

/// Descriptions of unfinished work, each with a statement that counts it.
fn pending_work() -> Vec<(String, String)> {
    let mut found = vec![(
        "e-mails are not sent".to_owned(),
        "SELECT count(*) FROM notification.mail WHERE state <> 'SENT'".to_owned(),
    )];
    found.push((
        "snapshot jobs are due".to_owned(),
        "SELECT count(*) FROM collaboration.snapshot_job WHERE due_time IS NOT NULL".to_owned(),
    ));
    for service in contexts() {
        found.push((
            format!("events of {service} are not published"),
            format!("SELECT count(*) FROM {service}.outbox_pending"),
        ));
        found.push((
            format!("dead letters of {service}"),
            format!("SELECT count(*) FROM {service}.dead_letter WHERE resolved_at IS NULL"),
        ));
    }
    for (consumer, producer) in CONSUMERS {
        // Every published event is in the inbox, and the cursor is at the last event of each aggregate.
        found.push((
            format!("events of {producer} are not applied by {consumer}"),
            format!(
                "SELECT count(*) FROM {producer}.event_journal AS event WHERE NOT EXISTS (
                   SELECT FROM {consumer}.inbox WHERE consumer = '{consumer}-{producer}' AND event_id = event.event_id)"
            ),
        ));
        found.push((
            format!("cursors of {consumer} are behind the last event of an aggregate of {producer}"),
            format!(
                "SELECT count(*) FROM (
                   SELECT account_id, aggregate_id, max(aggregate_version) AS version
                   FROM {producer}.event_journal GROUP BY 1, 2
                 ) AS last LEFT JOIN {consumer}.aggregate_cursor AS cursor
                   ON cursor.account_id = last.account_id AND cursor.aggregate_id = last.aggregate_id AND cursor.consumer = '{consumer}-{producer}'
                 WHERE cursor.version IS DISTINCT FROM last.version"
            ),
        ));
    }
    found
}

async fn try_count(admin: &mut PgConnection, sql: &str) -> sqlx::Result<i64> {
    let row = admin.fetch_one(AssertSqlSafe(sql.to_owned())).await?;
    sqlx::Row::try_get(&row, 0)
}

/// All services, running in the test process.
pub struct RunningServices {
    /// The content of `stack.json`: addresses and tokens.
    pub info: StackInfo,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl RunningServices {
    /// A channel to the services, without a token.
    pub fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.info.address.clone()).expect("an address");
        endpoint.connect_lazy()
    }

    /// A client that calls as a seeded member.
    pub fn member(&self, id: &str) -> MemberClient {
        MemberClient::new(&self.channel(), &self.info.tokens, id).expect("a seeded member")
    }

    /// Stops the services gracefully.
    pub async fn stop(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(PATIENCE, self.serving).await;
        ended
            .expect("services that stop in time")
            .expect("services that do not panic");
    }
}
