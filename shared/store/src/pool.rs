//! The connection pool of one role: logs in, and acquires and releases connections. Transactions are in `db.rs`.
//!
//! A login costs thousands of hashes in the client and a new process in the server. After a restart of the server every
//! pool logs in again for all its connections while all callers wait. Therefore (PLT-011):
//!
//! - A caller waits for any connection, not for a login of its own: at most [`WAIT_TIMEOUT`], in a queue in which
//!   accounts take turns (`queue.rs`).
//! - Logins run in tasks that outlive the caller. An abandoned login is lost work whose repetition slows down all
//!   others, so that a process short of CPU would never recover.
//! - At most [`MAX_LOGINS`] logins run concurrently in the process, each on its own thread, so that they finish within
//!   [`LOGIN_TIMEOUT`] under any load. After failed logins the pauses grow.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bb8::{ManageConnection, PooledConnection, QueueStrategy, RunError};
use cosell_types::{CallerClass, random};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::queue::{FairQueue, Permit};

/// How long a caller waits for a connection, including the replacement of closed ones.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum concurrent logins in all pools of the process.
const MAX_LOGINS: usize = 4;
/// Time after which a pool of which no connection was released is considered stuck: transactions of calls are shorter.
const MAX_TRANSACTION: Duration = Duration::from_secs(6);
/// Time limit of a login. Reached only if the server does not respond, or if the process gets no CPU time.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit for the first statement on a connection, and for the reset of a released one. After it the connection is
/// considered lost: TCP detects a vanished server only after a quarter of an hour.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than its limit a single statement may last, so that the timeout is rarely set anew.
const MAX_EXCESS: Duration = Duration::from_millis(150);
/// How long a connection may have been unused before a single statement without a check that it is still open.
const MAX_UNCHECKED: Duration = Duration::from_secs(1);
/// Bounds of the growing pauses after failed logins, in all pools of the process.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Minimum interval between log entries about failed logins of a pool, which during an outage fail continuously.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

static LOGIN_PERMITS: Semaphore = Semaphore::const_new(MAX_LOGINS);
/// Failed logins since the last successful one.
static FAILED_LOGINS: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
pub(crate) struct Pool {
    inner: bb8::Pool<Connector>,
    /// One permit per connection: bb8 alone would let a new caller overtake waiting ones.
    queue: FairQueue,
    max: u32,
    shared: Arc<Shared>,
}

/// State that a pool shares with its connector.
#[derive(Default)]
struct Shared {
    closed: CancellationToken,
    failure: Mutex<LoginFailure>,
}

#[derive(Default)]
struct LoginFailure {
    /// Time and error of the last failed login; `None` after a successful one.
    last: Option<(Instant, String)>,
    last_logged: Option<Instant>,
}

impl Pool {
    /// Creates a pool of at most `max` connections, which are opened on demand.
    pub(crate) fn new(options: PgConnectOptions, max: u32) -> Self {
        let shared = Arc::<Shared>::default();
        let connector = Connector {
            options,
            shared: shared.clone(),
        };
        let inner = bb8::Pool::builder()
            .max_size(max)
            .connection_timeout(WAIT_TIMEOUT)
            .idle_timeout(Duration::from_secs(300))
            .max_lifetime(Duration::from_secs(900))
            // Last in, first out, so that connections of a burst become idle and are closed.
            .queue_strategy(QueueStrategy::Lifo)
            // `begin` detects closed connections itself.
            .test_on_check_out(false)
            .build_unchecked(connector);
        Self {
            inner,
            queue: FairQueue::new(usize::try_from(max).unwrap_or(usize::MAX)),
            max,
            shared,
        }
    }

    /// Acquires a connection for a caller of this class, which waits for it at most [`WAIT_TIMEOUT`] or this limit, and
    /// sends it the statements that `first` returns, in one round trip. Replaces connections that the server has closed
    /// since their last use.
    pub(crate) async fn acquire(
        &self,
        class: &CallerClass,
        limit: Duration,
        first: impl Fn(&mut Connection) -> Option<String>,
    ) -> Result<Session, Error> {
        let deadline = Instant::now() + limit.min(WAIT_TIMEOUT);
        loop {
            let mut session = self.session(class, deadline).await?;
            let Some(statements) = first(session.acquired()) else {
                return Ok(session);
            };
            let statements = sqlx::raw_sql(AssertSqlSafe(statements));
            match timeout(RESPONSE_TIMEOUT, statements.execute(session.connection())).await {
                Ok(Ok(_)) => return Ok(session),
                Ok(Err(error)) if !is_disconnect(&error) => {
                    session.discard();
                    return Err(error.into());
                }
                Ok(Err(_)) | Err(_) => session.discard(),
            }
        }
    }

    async fn session(&self, class: &CallerClass, deadline: Instant) -> Result<Session, Error> {
        let acquiring = async {
            let permit = self.queue.acquire(class).await;
            let connection = self.inner.get_owned().await?;
            Ok::<_, RunError<sqlx::Error>>((connection, permit))
        };
        match timeout_at(deadline, acquiring).await {
            Ok(Ok(acquired)) => Ok(Session(Some(acquired))),
            Ok(Err(RunError::User(error))) => Err(error.into()),
            Ok(Err(RunError::TimedOut)) | Err(_) => Err(Error::NoConnection(self.cause())),
        }
    }

    /// Why no connection is available; `None` if all are in use by transactions that make progress.
    fn cause(&self) -> Option<String> {
        let cause = if self.connections().0 < self.max {
            Some("connections are being opened")
        } else {
            let is_stuck = !self.queue.has_moved_within(MAX_TRANSACTION);
            is_stuck.then_some("no connection was released; all are in use")
        };
        self.shared.cause().or_else(|| cause.map(str::to_owned))
    }

    /// The number of open connections, and how many of them are idle.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let state = self.inner.state();
        (state.connections, state.idle_connections)
    }

    /// Closes idle connections immediately and the others when they are released; opens no new ones. Returns when all
    /// are closed.
    pub(crate) async fn close(&self) {
        self.shared.closed.cancel();
        loop {
            match self.connections() {
                (0, _) => return,
                (_, 0) => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => {
                    if let Ok(mut acquired) = self.inner.get().await
                        && let Some(connection) = acquired.take()
                    {
                        let _ = connection.postgres.close().await;
                    }
                }
            }
        }
    }
}

/// An open connection.
pub(crate) struct Connection {
    postgres: PgConnection,
    /// The statement timeout that applies outside of transactions, if it is known.
    statement_timeout: Option<Duration>,
    is_in_transaction: bool,
    released: Instant,
}

impl Connection {
    /// The message that begins a transaction with these statements.
    pub(crate) fn begin(&mut self, statements: &str) -> String {
        self.is_in_transaction = true;
        format!("BEGIN; {statements}")
    }

    /// The statement that makes the connection fit for a single statement which may last this long, if it needs one: the
    /// server limits a statement by what was set before it. Also sent after a pause, to find closed connections.
    pub(crate) fn limit_statements(&mut self, limit: Duration) -> Option<String> {
        let fits = |now: Duration| (limit..=limit + MAX_EXCESS).contains(&now);
        if self.statement_timeout.is_some_and(fits) && self.released.elapsed() < MAX_UNCHECKED {
            return None;
        }
        let limit = limit + MAX_EXCESS / 2;
        self.statement_timeout = Some(limit);
        Some(format!("SET statement_timeout = {}", limit.as_millis()))
    }

    fn mark_released(&mut self) {
        self.is_in_transaction = false;
        self.released = Instant::now();
    }

    /// Waits for the end of a statement that was abandoned, and rolls back the transaction. Without one the server would
    /// log a warning.
    async fn reset(&mut self) -> sqlx::Result<()> {
        if self.is_in_transaction {
            self.postgres.execute("ROLLBACK").await?;
        } else {
            // What was abandoned may be the statement that sets it.
            self.statement_timeout = None;
            self.postgres.ping().await?;
        }
        self.mark_released();
        Ok(())
    }
}

/// A connection in use. If it is dropped without [`Session::commit`] or [`Session::release`], it is reset in the
/// background, and returns to the pool only after that has succeeded.
pub(crate) struct Session(Option<(PooledConnection<'static, Connector>, Permit)>);

impl Session {
    fn acquired(&mut self) -> &mut Connection {
        let connection = self.0.as_mut().and_then(|(acquired, _)| acquired.as_mut());
        connection.expect("a session has its connection until it ends")
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.acquired().postgres
    }

    /// Commits. After success the transaction has ended.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        self.connection().execute("COMMIT").await?;
        self.release();
        Ok(())
    }

    /// Returns the connection to the pool immediately. Its statement or transaction must be known to have ended.
    pub(crate) fn release(mut self) {
        self.acquired().mark_released();
        self.0 = None;
    }

    fn discard(mut self) {
        if let Some((mut acquired, _)) = self.0.take() {
            acquired.take();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some((mut acquired, permit)) = self.0.take() else {
            return;
        };
        // Taken out during the reset, so that the pool discards the slot if the reset fails or is cancelled.
        let Some(mut connection) = acquired.take() else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(Ok(())) = timeout(RESPONSE_TIMEOUT, connection.reset()).await {
                    *acquired = Some(connection);
                }
                // The connection before the permit, so that the next caller finds it in the pool.
                drop(acquired);
                drop(permit);
            });
        }
    }
}

/// Opens connections of one role.
#[derive(Clone)]
pub(crate) struct Connector {
    options: PgConnectOptions,
    shared: Arc<Shared>,
}

impl ManageConnection for Connector {
    /// `None` if the connection must not be reused.
    type Connection = Option<Connection>;
    type Error = sqlx::Error;

    async fn connect(&self) -> sqlx::Result<Option<Connection>> {
        let login = if abandons_logins() {
            timeout(WAIT_TIMEOUT, self.log_in()).await
        } else {
            let permit = LOGIN_PERMITS
                .acquire()
                .await
                .map_err(|_| sqlx::Error::PoolClosed)?;
            // The driver yields hundreds of times during a login. In a busy runtime, where every yield waits behind
            // other tasks, a login would take seconds.
            let (this, runtime) = (self.clone(), Handle::current());
            let login = spawn_blocking(move || runtime.block_on(timeout(LOGIN_TIMEOUT, this.log_in())));
            let login = login
                .await
                .unwrap_or_else(|_| Ok(Err(sqlx::Error::WorkerCrashed)));
            release_paced(permit, matches!(login, Ok(Ok(_))));
            login
        };
        let login = login.unwrap_or_else(|_| {
            let kind = std::io::ErrorKind::TimedOut;
            Err(std::io::Error::new(kind, "the login timed out").into())
        });
        self.shared
            .record(login.as_ref().err(), self.options.get_username());
        login.map(|postgres| {
            Some(Connection {
                postgres,
                statement_timeout: None,
                is_in_transaction: false,
                released: Instant::now(),
            })
        })
    }

    async fn is_valid(&self, _: &mut Option<Connection>) -> sqlx::Result<()> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut Option<Connection>) -> bool {
        connection.is_none() || self.shared.closed.is_cancelled()
    }
}

impl Connector {
    async fn log_in(&self) -> sqlx::Result<PgConnection> {
        let login = async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            require_primary(&mut connection).await?;
            Ok(connection)
        };
        let connection = self.shared.closed.run_until_cancelled(login).await;
        connection.unwrap_or(Err(sqlx::Error::PoolClosed))
    }
}

impl Shared {
    /// Stores the error of a failed login for waiting callers, and logs it with limited frequency.
    fn record(&self, error: Option<&sqlx::Error>, role: &str) {
        // Logins that are cancelled by the shutdown of the pool are not failures.
        if self.closed.is_cancelled() {
            return;
        }
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        failure.last = error.map(|error| (now, error.to_string()));
        if let Some(error) = error
            && failure
                .last_logged
                .is_none_or(|logged| logged.elapsed() > LOG_INTERVAL)
        {
            failure.last_logged = Some(now);
            tracing::warn!(role, error = error.to_string(), "database login failed");
        }
    }

    /// The error of a recent failed login, which explains why no connection is available.
    fn cause(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failure
            .last
            .as_ref()
            .filter(|(time, _)| time.elapsed() < LOGIN_TIMEOUT);
        recent.map(|(_, cause)| cause.clone())
    }
}

/// Releases the permit of a login. After a failure it is held for a pause, which grows until a login succeeds, so that
/// the pools do not flood a server that is down or starting.
fn release_paced(permit: SemaphorePermit<'static>, has_succeeded: bool) {
    if has_succeeded {
        FAILED_LOGINS.store(0, Ordering::Relaxed);
        return;
    }
    let failed = FAILED_LOGINS.fetch_add(1, Ordering::Relaxed).min(10);
    let pause = (MIN_PAUSE * 2_u32.pow(failed)).min(MAX_PAUSE);
    tokio::spawn(async move {
        tokio::time::sleep(pause.mul_f64(random::jitter())).await;
        drop(permit);
    });
}

/// Fails if the server is a read-only replica. A server becomes one only by a restart, which ends its connections.
async fn require_primary(connection: &mut PgConnection) -> sqlx::Result<()> {
    if connection
        .fetch_one("SELECT pg_is_in_recovery()")
        .await?
        .try_get(0)?
    {
        let cause = "the server is a read-only replica";
        return Err(sqlx::Error::Configuration(cause.into()));
    }
    Ok(())
}

/// Whether the connection was lost, for example by a restart of the server.
fn is_disconnect(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => {
            let state = error.code().unwrap_or_default();
            state.starts_with("57P") || state.starts_with("08")
        }
        _ => false,
    }
}

/// Injected fault: unlimited concurrent logins, each abandoned after the wait limit of a caller.
fn abandons_logins() -> bool {
    #[cfg(feature = "sabotage")]
    fail::fail_point!("abandoned-logins", |_| true);
    false
}
