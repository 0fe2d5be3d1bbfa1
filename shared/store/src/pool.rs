//! The connections of one role: how they are made, acquired and released. Transactions and their scopes are in `tx.rs`.
//!
//! A login costs thousands of hashes here and a new process at the server. After a restart of the server every pool
//! needs all its connections anew while all callers wait, so three things are kept apart. A caller waits for *a*
//! connection, for [`WAIT_LIMIT`], in the order of arrival. The pool makes connections in tasks of its own that outlive the
//! caller: a login abandoned half-way is lost work, and its repetition slows down all others, so that a starved process
//! would never recover. And at most [`LOGINS`] are under way in the process, each on a thread of its own, so that they end
//! well within their own limit however busy the process is; failed ones are followed by growing pauses (PLT-011).

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bb8::{ManageConnection, PooledConnection, QueueStrategy, RunError};
use cosell_types::random;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::Error;

/// How long a caller waits for a connection, however many of them turn out to be closed.
const WAIT_LIMIT: Duration = Duration::from_secs(2);
/// Most logins under way at once, over all pools of the process.
const LOGINS: usize = 4;
/// How long one login may take. A server that does not answer reaches this, or a process without any processor.
const LOGIN_LIMIT: Duration = Duration::from_secs(20);
/// How long the server may take to begin a transaction, or to end one whose outcome is unknown. After that the connection
/// counts as lost: a server that vanished is not noticed by TCP for a quarter of an hour.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Pauses after failed logins grow between these, over all pools of the process.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A pool logs failed logins at most this often: during an outage each of its connections is tried again and again.
const LOG_PAUSE: Duration = Duration::from_secs(5);

static LOGIN_PERMITS: Semaphore = Semaphore::const_new(LOGINS);
/// Logins that failed since the last one that succeeded.
static FAILED_LOGINS: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
pub(crate) struct Pool {
    inner: bb8::Pool<Connector>,
    /// As many as connections. The pool alone would let a newcomer take a connection before those who wait.
    turns: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// What a pool and its connector both need.
#[derive(Default)]
struct Shared {
    closed: CancellationToken,
    failure: Mutex<LoginFailure>,
}

#[derive(Default)]
struct LoginFailure {
    /// When and why the last login failed; empty once one has succeeded.
    last: Option<(Instant, String)>,
    logged: Option<Instant>,
}

impl Pool {
    /// A pool of at most `max` connections, which are made when they are needed.
    pub(crate) fn new(options: PgConnectOptions, max: u32) -> Self {
        let shared = Arc::<Shared>::default();
        let connector = Connector {
            options,
            shared: shared.clone(),
        };
        let inner = bb8::Pool::builder()
            .max_size(max)
            .connection_timeout(WAIT_LIMIT)
            .idle_timeout(Duration::from_secs(300))
            .max_lifetime(Duration::from_secs(900))
            // The most recently used first, so that connections which only a burst needed are closed again.
            .queue_strategy(QueueStrategy::Lifo)
            // `begin` finds out by itself whether the server is still there.
            .test_on_check_out(false)
            .build_unchecked(connector);
        let turns = Arc::new(Semaphore::new(
            usize::try_from(max).unwrap_or(Semaphore::MAX_PERMITS),
        ));
        Self { inner, turns, shared }
    }

    /// Begins a transaction. Connections that the server has closed since their last use are replaced.
    pub(crate) async fn begin(&self) -> Result<Session, Error> {
        let deadline = Instant::now() + WAIT_LIMIT;
        loop {
            let mut session = self.session(deadline).await?;
            match timeout(ANSWER_LIMIT, session.connection().execute("BEGIN")).await {
                Ok(Ok(_)) => return Ok(session),
                Ok(Err(error)) if !is_disconnect(&error) => return Err(error.into()),
                Ok(Err(_)) | Err(_) => session.discard(),
            }
        }
    }

    async fn session(&self, deadline: Instant) -> Result<Session, Error> {
        let acquiring = async {
            let turn = self.turns.clone().acquire_owned().await;
            let turn = turn.map_err(|_| RunError::User(sqlx::Error::PoolClosed))?;
            let connection = self.inner.get_owned().await?;
            Ok::<_, RunError<sqlx::Error>>((connection, turn))
        };
        match timeout_at(deadline, acquiring).await {
            Ok(Ok(acquired)) => Ok(Session(Some(acquired))),
            Ok(Err(RunError::User(error))) => Err(error.into()),
            Ok(Err(RunError::TimedOut)) | Err(_) => Err(Error::NoConnection(self.shared.cause())),
        }
    }

    /// How many connections are open, and how many of them are idle.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let state = self.inner.state();
        (state.connections, state.idle_connections)
    }

    /// Closes idle connections now and the others when they are released; makes no more. Returns when all that there are
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
                        let _ = connection.close().await;
                    }
                }
            }
        }
    }
}

/// A connection in a transaction. Dropped without [`Session::commit`], the transaction is rolled back in the background
/// and the connection is used again only after that has succeeded.
pub(crate) struct Session(Option<(PooledConnection<'static, Connector>, OwnedSemaphorePermit)>);

impl Session {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        let connection = self.0.as_mut().and_then(|(acquired, _)| acquired.as_mut());
        connection.expect("acquired with a connection, which only the end of the session takes out")
    }

    /// Commits. The end of the transaction is proven, so that the connection can be used again at once.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        self.connection().execute("COMMIT").await?;
        self.0 = None;
        Ok(())
    }

    fn discard(mut self) {
        if let Some((mut acquired, _)) = self.0.take() {
            acquired.take();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some((mut acquired, turn)) = self.0.take() else {
            return;
        };
        // Taken out meanwhile: what is left in the pool if the reset fails or is cancelled is an empty slot.
        let Some(mut connection) = acquired.take() else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(Ok(())) = timeout(ANSWER_LIMIT, reset(&mut connection)).await {
                    *acquired = Some(connection);
                }
                // The connection first, then the turn of whoever waits for it.
                drop(acquired);
                drop(turn);
            });
        }
    }
}

/// Logs in as one role.
#[derive(Clone)]
pub(crate) struct Connector {
    options: PgConnectOptions,
    shared: Arc<Shared>,
}

impl ManageConnection for Connector {
    /// Empty when the connection is not to be used again.
    type Connection = Option<PgConnection>;
    type Error = sqlx::Error;

    async fn connect(&self) -> sqlx::Result<Option<PgConnection>> {
        let login = if abandons_logins() {
            timeout(WAIT_LIMIT, self.log_in()).await
        } else {
            let permit = LOGIN_PERMITS
                .acquire()
                .await
                .map_err(|_| sqlx::Error::PoolClosed)?;
            // The driver yields hundreds of times in a login. Among the tasks of a busy runtime each of them waits for
            // its turn, and the login takes seconds; on a thread of its own it does not wait.
            let (this, runtime) = (self.clone(), Handle::current());
            let login = spawn_blocking(move || runtime.block_on(timeout(LOGIN_LIMIT, this.log_in())));
            let login = login
                .await
                .unwrap_or_else(|_| Ok(Err(sqlx::Error::WorkerCrashed)));
            pace(permit, matches!(login, Ok(Ok(_))));
            login
        };
        let login = login.unwrap_or_else(|_| {
            let kind = std::io::ErrorKind::TimedOut;
            Err(std::io::Error::new(kind, "the server did not answer in time").into())
        });
        self.shared
            .record(login.as_ref().err(), self.options.get_username());
        login.map(Some)
    }

    async fn is_valid(&self, _: &mut Option<PgConnection>) -> sqlx::Result<()> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut Option<PgConnection>) -> bool {
        connection.is_none() || self.shared.closed.is_cancelled()
    }
}

impl Connector {
    async fn log_in(&self) -> sqlx::Result<PgConnection> {
        let login = async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            require_primary(&mut connection, "SELECT pg_is_in_recovery()").await?;
            Ok(connection)
        };
        let connection = self.shared.closed.run_until_cancelled(login).await;
        connection.unwrap_or(Err(sqlx::Error::PoolClosed))
    }
}

impl Shared {
    /// Keeps the cause of a failed login for those who wait, and logs it now and then.
    fn record(&self, error: Option<&sqlx::Error>, role: &str) {
        // Logins that are cancelled because the pool ends have not failed.
        if self.closed.is_cancelled() {
            return;
        }
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        failure.last = error.map(|error| (now, error.to_string()));
        if let Some(error) = error
            && failure.logged.is_none_or(|logged| logged.elapsed() > LOG_PAUSE)
        {
            failure.logged = Some(now);
            tracing::warn!(role, error = error.to_string(), "login at the database failed");
        }
    }

    /// Why there is no connection, where that is a failed login of late.
    fn cause(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failure
            .last
            .as_ref()
            .filter(|(time, _)| time.elapsed() < LOGIN_LIMIT);
        recent.map(|(_, cause)| cause.clone())
    }
}

/// Keeps the permit of a failed login for a pause that grows while none succeeds: a server that is down or just starting
/// is not called by every connection that every pool lacks.
fn pace(permit: SemaphorePermit<'static>, has_succeeded: bool) {
    if has_succeeded {
        FAILED_LOGINS.store(0, Ordering::Relaxed);
        return;
    }
    let failed = FAILED_LOGINS.fetch_add(1, Ordering::Relaxed).min(10);
    let pause = (SHORTEST_PAUSE * 2_u32.pow(failed)).min(LONGEST_PAUSE);
    tokio::spawn(async move {
        tokio::time::sleep(pause.mul_f64(random::jitter())).await;
        drop(permit);
    });
}

/// Ends whatever transaction is open.
async fn reset(connection: &mut PgConnection) -> sqlx::Result<()> {
    require_primary(connection, "ROLLBACK; SELECT pg_is_in_recovery()").await
}

/// Asks whether the server is a read-only replica, as it may be after a failover.
async fn require_primary(connection: &mut PgConnection, question: &'static str) -> sqlx::Result<()> {
    if connection.fetch_one(question).await?.try_get(0)? {
        let cause = "the server is a read-only replica";
        return Err(sqlx::Error::Configuration(cause.into()));
    }
    Ok(())
}

/// Whether the server ended the connection, as it does when it restarts.
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

/// The fault that a test puts in: any number of logins at once, each abandoned when a caller would stop waiting.
fn abandons_logins() -> bool {
    #[cfg(feature = "sabotage")]
    fail::fail_point!("abandoned-logins", |_| true);
    false
}
