use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cosell_grpc::{Call, Check, Deadline, Failure};
use cosell_types::{AccountId, Caller, CallerClass, Side};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Error;
use crate::pool::{Connection, Pool, Session};

/// Options of the database connection.
#[derive(Clone, Debug, clap::Args)]
pub struct DbArgs {
    /// Database URL without user and password: `postgres://host:5432/cosell`.
    #[arg(long, env = "COSELL_DATABASE_URL")]
    pub database_url: String,

    /// Folder with one file per role (`<service>_app`, `<service>_consumer`, `<service>_worker`, `<service>_owner`) that
    /// contains its password; absent if the server requires none.
    #[arg(long, env = "COSELL_DATABASE_SECRETS")]
    pub database_secrets: Option<PathBuf>,

    /// Maximum connections for calls. Events and background work use separate connections.
    #[arg(long, env = "COSELL_DATABASE_POOL", default_value_t = 8)]
    pub database_pool: u32,
}

impl DbArgs {
    /// Connection options of a role, with its password.
    pub fn connect_options(&self, role: &str) -> anyhow::Result<PgConnectOptions> {
        let options: PgConnectOptions = self.database_url.parse().context("parsing the database URL")?;
        let options = options.username(role).application_name(role);
        let Some(folder) = &self.database_secrets else {
            return Ok(options);
        };
        let path = folder.join(role);
        let password = std::fs::read_to_string(&path)
            .with_context(|| format!("reading the password of {role} from {}", path.display()))?;
        let password = SecretString::from(password.trim().to_owned());
        Ok(options.password(password.expose_secret()))
    }
}

/// The connection pools of one service, separated by purpose so that calls and events cannot starve each other.
#[derive(Clone)]
pub struct Database {
    /// Pool for calls, in the app role.
    pub calls: Db,
    /// Pool for applying events, in the consumer role: the app role, and the positions of consumers in all accounts.
    pub events: Db,
    /// Pool for background work on all accounts (relay, mail, pruning), in the worker role with its narrow privileges.
    pub work: Db,
}

impl Database {
    /// Opens the pools of a service. Connections are opened on demand.
    pub fn open(args: &DbArgs, service: &str) -> anyhow::Result<Self> {
        let app = args.connect_options(&format!("{service}_app"))?;
        let consumer = args.connect_options(&format!("{service}_consumer"))?;
        let worker = args.connect_options(&format!("{service}_worker"))?;
        let committed = Arc::new(Notify::new());
        let db = |options: &PgConnectOptions, max| Db {
            pool: Pool::new(options.clone(), max),
            committed: committed.clone(),
        };
        Ok(Self {
            calls: db(&app, args.database_pool),
            events: db(&consumer, 4),
            work: db(&worker, 3),
        })
    }

    /// Notified after each commit that appended an event.
    pub fn committed(&self) -> Arc<Notify> {
        self.calls.committed.clone()
    }

    /// The readiness condition that the database responds.
    pub fn check(&self) -> Check {
        let db = self.events.clone();
        Arc::new(move || {
            let db = db.clone();
            Box::pin(async move {
                let begin = |connection: &mut Connection| Some(connection.begin(""));
                let session = db
                    .pool
                    .acquire(&CallerClass::Service, STATEMENT_TIMEOUT, begin)
                    .await;
                session
                    .map(drop)
                    .map_err(|_| "the database does not respond".to_owned())
            })
        })
    }

    /// Closes all connections, within a time limit.
    pub async fn close(&self) {
        let close = async {
            for db in [&self.calls, &self.events, &self.work] {
                db.pool.close().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(3), close).await.is_err() {
            tracing::warn!("closing the database connections timed out");
        }
    }
}

/// A pool whose connections are available only in a transaction with a scope, or for a statement that sets its own.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    committed: Arc<Notify>,
}

/// On whose behalf a transaction runs: account and side, by which row-level security is evaluated, and statement
/// timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    account: Option<AccountId>,
    side: &'static str,
    /// Whose turn for a connection is used.
    class: CallerClass,
    statement_timeout: Duration,
}

/// Statement timeout outside of calls.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

impl Scope {
    /// The scope of a call: the caller of its token; statements may last until the deadline.
    pub fn of<M>(call: &Call<M>) -> Self {
        Self::of_caller(call.token_caller(), call.deadline)
    }

    fn of_caller(caller: &Caller, deadline: Deadline) -> Self {
        let side = match caller {
            Caller::Member(member) if member.side == Side::Partner => "partner",
            Caller::Member(_) => "aws",
            Caller::Service(_) => "service",
        };
        Self {
            account: caller.account().cloned(),
            side,
            class: caller.class(),
            statement_timeout: deadline.left(),
        }
    }

    /// Replaces the statement timeout.
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self {
            statement_timeout,
            ..self
        }
    }

    /// The scope of the platform itself for one account, to apply an event.
    pub fn account(account: &AccountId) -> Self {
        Self {
            account: Some(account.clone()),
            side: "system",
            class: CallerClass::Partner(account.clone()),
            statement_timeout: STATEMENT_TIMEOUT,
        }
    }

    /// Lets the transaction wait for its connection with the callers of this class.
    #[must_use]
    pub fn in_class(self, class: CallerClass) -> Self {
        Self { class, ..self }
    }

    pub(crate) fn account_id(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// Account, or an empty text, and side, for the settings `app.account` and `app.side`.
    pub fn settings(&self) -> (&str, &'static str) {
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        (account, self.side)
    }

    /// The statements that set the scope of a transaction. An account is 12 digits, and a side one of our words.
    fn set_local(&self) -> String {
        let (account, side) = self.settings();
        format!("SET LOCAL app.account = '{account}'; SET LOCAL app.side = '{side}'")
    }

    /// The scope of a consumer of events, for its positions in all accounts and nothing else.
    pub fn consumer() -> Self {
        Self {
            account: None,
            side: "consumer",
            class: CallerClass::Service,
            statement_timeout: STATEMENT_TIMEOUT,
        }
    }

    /// The scope of the platform itself for all accounts, limited by the privileges of the worker role.
    pub fn work() -> Self {
        Self {
            account: None,
            side: "work",
            class: CallerClass::Service,
            statement_timeout: STATEMENT_TIMEOUT,
        }
    }
}

impl Db {
    /// Begins a transaction in a scope.
    pub async fn tx(&self, scope: &Scope) -> Result<Tx, Error> {
        let session = self.acquire(scope, |connection, left| {
            let set = scope.set_local();
            let statement_timeout = left.as_millis().max(1);
            let set = format!("{set}; SET LOCAL statement_timeout = {statement_timeout}");
            Some(connection.begin(&set))
        });
        Ok(Tx {
            session: session.await?,
            scope: scope.clone(),
            committed: self.committed.clone(),
            has_events: false,
        })
    }

    /// A connection for a single statement that sets its scope itself, such as a call of `read_opportunity`. Any other
    /// statement sees no account.
    pub async fn read(&self, scope: &Scope) -> Result<Read, Error> {
        let session = self.acquire(scope, Connection::limit_statements).await?;
        Ok(Read(session))
    }

    async fn acquire(
        &self,
        scope: &Scope,
        first: impl Fn(&mut Connection, Duration) -> Option<String>,
    ) -> Result<Session, Error> {
        // Half of the time is left for the statements: a call that would be answered too late is not begun.
        let (begun, limit) = (Instant::now(), scope.statement_timeout / 2);
        let first = |connection: &mut Connection| {
            first(
                connection,
                scope.statement_timeout.saturating_sub(begun.elapsed()),
            )
        };
        self.pool.acquire(&scope.class, limit, first).await
    }

    /// The number of open connections, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        self.pool.connections()
    }
}

/// A connection outside of a transaction. Dropped without [`Read::end`], it is reset in the background.
pub struct Read(Session);

impl Read {
    /// The connection, for the statement.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.0.connection()
    }

    /// Returns the connection to the pool, after the statement has succeeded.
    pub fn end(self) {
        self.0.release();
    }
}

/// A transaction in a scope. It is rolled back if it is dropped without [`Tx::commit`].
pub struct Tx {
    session: Session,
    scope: Scope,
    committed: Arc<Notify>,
    has_events: bool,
}

impl Tx {
    /// The connection, for queries.
    pub fn conn(&mut self) -> &mut PgConnection {
        self.session.connection()
    }

    /// The current scope of the transaction.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Switches to another scope, to write the rows of two accounts sequentially in one transaction.
    pub async fn switch_scope(&mut self, scope: &Scope) -> Result<(), Error> {
        let sql = AssertSqlSafe(scope.set_local());
        sqlx::raw_sql(sql).execute(self.conn()).await?;
        self.scope = scope.clone();
        Ok(())
    }

    /// Begins a part of the transaction in another scope. [`Tx::roll_back_part`] undoes it alone, and restores the scope
    /// before; a further part keeps what this one has done.
    pub async fn begin_part(&mut self, scope: &Scope) -> Result<(), Error> {
        let sql = format!("SAVEPOINT part; {}", scope.set_local());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.conn()).await?;
        self.scope = scope.clone();
        Ok(())
    }

    /// Undoes the current part of the transaction.
    pub async fn roll_back_part(&mut self) -> Result<(), Error> {
        self.conn().execute("ROLLBACK TO SAVEPOINT part").await?;
        Ok(())
    }

    /// Records that an event was appended, so that the commit wakes the relay.
    pub fn mark_events_appended(&mut self) {
        self.has_events = true;
    }

    /// Commits. If the outcome is unknown, the failure's [`Retry`](cosell_grpc::Retry) is `IfIdempotent`.
    pub async fn commit(self) -> Result<(), Failure> {
        self.session
            .commit()
            .await
            .map_err(|error| Failure::from(Error::from(error)).on_commit())?;
        if self.has_events {
            self.committed.notify_one();
        }
        Ok(())
    }
}
