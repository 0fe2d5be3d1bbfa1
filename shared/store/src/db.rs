use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cosell_grpc::{Call, Check, Deadline, Failure};
use cosell_types::{AccountId, Caller, Side};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

use crate::Error;
use crate::pool::{Pool, Session};

/// Options for reaching the database.
#[derive(Clone, Debug, clap::Args)]
pub struct DbArgs {
    /// The database, without user and password: `postgres://host:5432/cosell`.
    #[arg(long, env = "COSELL_DATABASE_URL")]
    pub database_url: String,

    /// Folder with one file a role (`<service>_app`, `<service>_worker`, `<service>_owner`) that holds its password;
    /// absent where the server asks for none.
    #[arg(long, env = "COSELL_DATABASE_SECRETS")]
    pub database_secrets: Option<PathBuf>,

    /// Most connections for calls. Events and background work have a few of their own.
    #[arg(long, env = "COSELL_DATABASE_POOL", default_value_t = 8)]
    pub database_pool: u32,
}

impl DbArgs {
    /// How a role connects.
    pub fn connect_options(&self, role: &str) -> anyhow::Result<PgConnectOptions> {
        let options: PgConnectOptions = self.database_url.parse().context("the database address")?;
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

/// The connections of one service, apart by purpose so that calls cannot starve events nor the other way round.
#[derive(Clone)]
pub struct Database {
    /// For calls.
    pub calls: Db,
    /// For the effects of incoming events.
    pub events: Db,
    /// For work over all accounts: relay, mail, pruning. Its role has narrow rights of its own.
    pub work: Db,
}

impl Database {
    /// Opens the pools of a service. Connections are made when they are needed.
    pub fn open(args: &DbArgs, service: &str) -> anyhow::Result<Self> {
        let app = args.connect_options(&format!("{service}_app"))?;
        let worker = args.connect_options(&format!("{service}_worker"))?;
        let committed = Arc::new(Notify::new());
        let db = |options: &PgConnectOptions, max| Db {
            pool: Pool::new(options.clone(), max),
            committed: committed.clone(),
        };
        Ok(Self {
            calls: db(&app, args.database_pool),
            events: db(&app, 4),
            work: db(&worker, 3),
        })
    }

    /// Notified after each commit that appended an event.
    pub fn committed(&self) -> Arc<Notify> {
        self.calls.committed.clone()
    }

    /// The condition that the database answers.
    pub fn check(&self) -> Check {
        let db = self.events.clone();
        Arc::new(move || {
            let db = db.clone();
            Box::pin(async move {
                let answer = db.pool.begin().await;
                answer
                    .map(drop)
                    .map_err(|_| "the database does not answer".to_owned())
            })
        })
    }

    /// Closes all connections, in bounded time.
    pub async fn close(&self) {
        let close = async {
            for db in [&self.calls, &self.events, &self.work] {
                db.pool.close().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(3), close).await.is_err() {
            tracing::warn!("connections to the database were still in use at the end");
        }
    }
}

/// A pool whose connections are only reached through a transaction with a scope.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    committed: Arc<Notify>,
}

/// For whom a transaction works; row-level security goes by it.
#[derive(Clone, Debug)]
pub struct Scope {
    account: Option<AccountId>,
    side: &'static str,
    limit: Duration,
}

/// Longest statement outside a call.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);

impl Scope {
    /// The caller of a call, for as long as the call may take.
    pub fn of<M>(call: &Call<M>) -> Self {
        Self::caller(call.proven(), call.deadline)
    }

    fn caller(caller: &Caller, deadline: Deadline) -> Self {
        let side = match caller {
            Caller::Member(member) if member.side == Side::Partner => "partner",
            Caller::Member(_) => "aws",
            Caller::Service(_) => "service",
        };
        Self {
            account: caller.account().cloned(),
            side,
            limit: deadline.left(),
        }
    }

    /// The same, with statements that may last so long.
    pub fn lasting(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The platform itself, for one account: the effect of an event.
    pub fn account(account: &AccountId) -> Self {
        Self {
            account: Some(account.clone()),
            side: "system",
            limit: STATEMENT_LIMIT,
        }
    }

    pub(crate) fn account_id(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// The platform itself, for all accounts, as far as the worker role may.
    pub fn work() -> Self {
        Self {
            account: None,
            side: "work",
            limit: STATEMENT_LIMIT,
        }
    }
}

impl Db {
    /// Begins a transaction for a scope.
    pub async fn tx(&self, scope: &Scope) -> Result<Tx, Error> {
        let mut session = self.pool.begin().await?;
        sqlx::query(
            "SELECT set_config('app.account', $1, true), set_config('app.side', $2, true), \
             set_config('statement_timeout', $3, true)",
        )
        .bind(scope.account.as_ref().map_or("", AccountId::as_str))
        .bind(scope.side)
        .bind(format!("{}ms", scope.limit.as_millis().max(1)))
        .execute(session.connection())
        .await?;
        Ok(Tx {
            session,
            scope: scope.clone(),
            committed: self.committed.clone(),
            has_events: false,
        })
    }

    /// How many connections are open and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        self.pool.connections()
    }
}

/// A transaction. Dropped without [`Tx::commit`], it changes nothing.
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

    /// For whom the transaction works.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Goes on for another scope: what two accounts share is written for one after the other, in one transaction.
    pub async fn act_for(&mut self, scope: &Scope) -> Result<(), Error> {
        sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
            .bind(scope.account.as_ref().map_or("", AccountId::as_str))
            .bind(scope.side)
            .execute(self.conn())
            .await?;
        self.scope = scope.clone();
        Ok(())
    }

    /// Remembers that an event was appended, so that the relay hears of the commit.
    pub fn has_events(&mut self) {
        self.has_events = true;
    }

    /// Makes the changes durable. When this fails with an unknown outcome, the failure says so.
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
