use std::path::{Path, PathBuf};

use cosell::{Stack, StackArgs, StackInfo};
use cosell_testkit::harness::{folder, nats_program};
use cosell_testkit::nats;
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::smtp::Sink;
use cosell_types::Clock;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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
        let folder = folder("world");
        let programs = Programs::find(&|_| {}).expect("PostgreSQL");
        Self {
            postgres: Cluster::start(&programs, &folder.join("postgres"), Durability::Process)
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
        let stack = Stack::prepare(&self.args(), Clock::system())
            .await
            .expect("services that start");
        let info = stack.info.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            stack.serve(stopped).await.expect("services that serve");
        });
        InProcess { info, stop, serving }
    }

    /// A connection as administrator.
    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.postgres.admin_url("postgres"))
            .await
            .expect("a connection as administrator")
    }

    /// The number that a statement returns, asked as administrator.
    pub async fn count(&self, sql: &str) -> i64 {
        let mut admin = self.admin().await;
        let rows = admin.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        let row = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        sqlx::Row::get(&row, 0)
    }
}

/// All services, running in this process.
pub struct InProcess {
    /// Where and for whom.
    pub info: StackInfo,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl InProcess {
    /// Ends them.
    pub async fn stop(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(30), self.serving).await;
        ended
            .expect("services that end when they are told to")
            .expect("services that do not panic");
    }
}
