use std::path::{Path, PathBuf};
use std::time::Duration;

use cosell::demo::Person;
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

/// How long anything may take to come about after a fault: the broker delivers what a dead worker had in hand again
/// after ten seconds, and e-mail that it had in hand is due again after forty. The rest is for slow machines.
pub const RECOVERY: Duration = Duration::from_secs(240);

/// Who applies whose events.
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

/// PostgreSQL, NATS and a mail server of its own, for services that a test may take them away from.
pub struct World {
    /// The database server.
    pub postgres: Cluster,
    /// The bus.
    pub nats: nats::Server,
    /// The mail server.
    pub smtp: Sink,
    folder: PathBuf,
}

impl World {
    /// Starts the servers.
    pub fn start() -> Self {
        Self::start_with(Durability::Process)
    }

    /// Starts the servers, with a database that survives this much.
    pub fn start_with(durability: Durability) -> Self {
        let folder = folder("world");
        let programs = Programs::find(&|_| {}).expect("PostgreSQL");
        Self {
            postgres: Cluster::start(&programs, &folder.join("postgres"), durability)
                .expect("a database server"),
            nats: nats::Server::start(&nats_program(), &folder.join("nats")).expect("a NATS server"),
            smtp: Sink::start("127.0.0.1:0", Some(folder.join("mail"))).expect("a mail server"),
            folder,
        }
    }

    /// What `cosell up` needs to know of them.
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
            import: ImportLimits::default(),
        }
    }

    /// The state folder of the services.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Folder with the mail that arrived.
    pub fn mail(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// Folder of the whole world.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs all services in this process.
    pub async fn run(&self) -> InProcess {
        self.run_with(&self.args()).await
    }

    /// Runs all services in this process, at a time that a test moves.
    pub async fn run_at(&self, clock: &Clock) -> InProcess {
        self.start_stack(&self.args(), clock.clone()).await
    }

    /// Runs all services in this process, set up otherwise.
    pub async fn run_with(&self, args: &StackArgs) -> InProcess {
        self.start_stack(args, Clock::system()).await
    }

    async fn start_stack(&self, args: &StackArgs, clock: Clock) -> InProcess {
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
        InProcess { info, stop, serving }
    }

    /// A connection as administrator.
    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.postgres.admin_url("postgres"))
            .await
            .expect("a connection as administrator")
    }

    /// How a role of a service connects, such as `review_app`.
    pub fn role(&self, role: &str) -> PgConnectOptions {
        let args = DbArgs {
            database_url: self.postgres.url("postgres"),
            database_secrets: Some(self.state().join("secrets")),
            database_pool: 1,
        };
        args.connect_options(role).expect("a role of a service")
    }

    /// The number that a statement returns, asked as administrator.
    pub async fn count(&self, sql: &str) -> i64 {
        try_count(&mut self.admin().await, sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Returns when everything has come to rest: all events published and applied, all e-mail sent. Fails when
    /// something cannot.
    pub async fn settled(&self) {
        self.settled_within(RECOVERY).await;
    }

    /// The same, with another patience.
    pub async fn settled_within(&self, patience: Duration) {
        eventually_within(patience, async || {
            // Asked anew each time: the server may just have been taken away.
            let mut admin = PgConnection::connect(&self.postgres.admin_url("postgres")).await?;
            // All counts are of one instant: what is applied between two of them would be in neither.
            admin
                .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await?;
            for (what, sql) in unsettled() {
                let left = try_count(&mut admin, &sql).await?;
                anyhow::ensure!(left == 0, "{left} {what}");
            }
            Ok(())
        })
        .await;
    }
}

/// What keeps an installation from being at rest, each as a count.
fn unsettled() -> Vec<(String, String)> {
    let mut found = vec![(
        "e-mails are not sent".to_owned(),
        "SELECT count(*) FROM notification.mail WHERE state <> 'SENT'".to_owned(),
    )];
    found.push((
        "jobs have not looked yet".to_owned(),
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
        // Everything published is in the inbox, and the cursor stands at each aggregate's last event.
        found.push((
            format!("events of {producer} have not reached {consumer}"),
            format!(
                "SELECT count(*) FROM {producer}.event_journal AS event WHERE NOT EXISTS (
                   SELECT FROM {consumer}.inbox WHERE consumer = '{consumer}-{producer}' AND event_id = event.event_id)"
            ),
        ));
        found.push((
            format!("aggregates of {producer} of which {consumer} has not seen the last event"),
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

/// All services, running in this process.
pub struct InProcess {
    /// Where and for whom.
    pub info: StackInfo,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl InProcess {
    /// Calls, without a token.
    pub fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.info.address.clone()).expect("an address");
        endpoint.connect_lazy()
    }

    /// A seeded member.
    pub fn person(&self, id: &str) -> Person {
        Person::new(&self.channel(), &self.info.tokens, id).expect("a seeded member")
    }

    /// Ends them.
    pub async fn stop(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(PATIENCE, self.serving).await;
        ended
            .expect("services that end when they are told to")
            .expect("services that do not panic");
    }
}
