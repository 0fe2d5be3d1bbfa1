use std::path::Path;

use cosell_service::Service;
use cosell_store::{DbArgs, migrate, provisioning_sql};
use cosell_types::random;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::environment;

/// A database of a test: a copy of a template database with the schema of one service. A later test drops it.
pub struct TestDatabase {
    name: String,
    /// The connection options of the service.
    pub args: DbArgs,
}

impl TestDatabase {
    /// Creates a database.
    pub async fn new<S: Service>() -> Self {
        let template = format!("template_{}", S::NAME);
        let mut admin = admin("postgres").await;
        // The first test of the run that needs the template creates it.
        let lock = format!("SELECT pg_advisory_lock(hashtext('{template}'))");
        admin
            .execute(AssertSqlSafe(lock))
            .await
            .expect("the template's lock");
        if !exists(&mut admin, &template).await {
            let building = format!("building_{}", S::NAME);
            for sql in [
                format!("DROP DATABASE IF EXISTS {building}"),
                format!("CREATE DATABASE {building}"),
            ] {
                admin
                    .execute(AssertSqlSafe(sql))
                    .await
                    .expect("a database for the template");
            }
            build::<S>(&building).await;
            let rename = format!("ALTER DATABASE {building} RENAME TO {template}");
            admin
                .execute(AssertSqlSafe(rename))
                .await
                .expect("the finished template");
        }
        let unlock = format!("SELECT pg_advisory_unlock(hashtext('{template}'))");
        admin
            .execute(AssertSqlSafe(unlock))
            .await
            .expect("the template's lock");

        drop_abandoned(&mut admin).await;
        let name = random::prefixed(&format!("test_{}_", std::process::id()));
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        admin
            .execute(AssertSqlSafe(create))
            .await
            .expect("a copy of the template");
        let args = args(&name);
        Self { name, args }
    }

    /// A handle to the same database for another replica of the service.
    pub fn shared(&self) -> Self {
        Self {
            name: self.name.clone(),
            args: self.args.clone(),
        }
    }

    /// A connection as administrator, which bypasses row-level security; the search path is the schema of the service.
    pub async fn admin<S: Service>(&self) -> PgConnection {
        let mut admin = admin(&self.name).await;
        let path = format!("SET search_path = {}", S::NAME);
        admin.execute(AssertSqlSafe(path)).await.expect("the schema");
        admin
    }

    /// The number of rows of a table that are visible to a role such as `review_app` in the scope (account, side), or
    /// without a scope.
    pub async fn visible(&self, role: &str, scope: Option<(&str, &str)>, table: &str) -> i64 {
        let options = self.args.connect_options(role).expect("options");
        let mut connection = PgConnection::connect_with(&options)
            .await
            .expect("a connection as the role");
        let mut tx = connection.begin().await.expect("a transaction");
        if let Some((account, side)) = scope {
            sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
                .bind(account)
                .bind(side)
                .execute(&mut *tx)
                .await
                .expect("a scope");
        }
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut *tx)
            .await
            .expect("a count")
    }
}

/// How many databases ended tests leave before all are dropped. Each has some 12 MB. PostgreSQL writes all that has
/// changed in the cluster before it drops one, so few are dropped alone.
const MAX_ABANDONED: usize = 30;

/// Drops the databases of ended processes if there are many.
async fn drop_abandoned(admin: &mut PgConnection) {
    let sql = r"SELECT datname::text FROM pg_database WHERE datname LIKE 'test\_%'";
    let names: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(&mut *admin)
        .await
        .expect("the list of databases");
    let is_abandoned = |name: &&String| {
        let process = name.split('_').nth(1).unwrap_or_default();
        !Path::new("/proc").join(process).exists()
    };
    let abandoned: Vec<_> = names.iter().filter(is_abandoned).collect();
    if abandoned.len() < MAX_ABANDONED {
        return;
    }
    // One test at a time, while the others go on.
    let lock = "SELECT pg_try_advisory_lock(hashtext('abandoned databases'))";
    let is_locked: bool = sqlx::query_scalar(lock)
        .fetch_one(&mut *admin)
        .await
        .expect("a lock");
    if is_locked {
        for name in abandoned {
            // A server process of an ended client may still be in it; then the next test drops it.
            let drop = format!("DROP DATABASE IF EXISTS {name}");
            let _ = admin.execute(AssertSqlSafe(drop)).await;
        }
        let unlock = "SELECT pg_advisory_unlock(hashtext('abandoned databases'))";
        admin.execute(unlock).await.expect("a released lock");
    }
}

async fn exists(admin: &mut PgConnection, name: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(sql)
        .bind(name)
        .fetch_one(admin)
        .await
        .expect("the list of databases")
}

async fn build<S: Service>(database: &str) {
    let sql = provisioning_sql(S::NAME, |_| Ok(Some(PASSWORD.to_owned()))).expect("statements");
    let mut connection = admin(database).await;
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .expect("roles and schema");
    connection.close().await.expect("a closed connection");
    migrate(&args(database), S::NAME, S::migrator())
        .await
        .expect("migrations");
}

/// Password of the roles on the cluster of the run, which is temporary and listens only on the loopback interface.
const PASSWORD: &str = "only-for-tests";

fn args(database: &str) -> DbArgs {
    let secrets = super::folder("secrets");
    for service in [
        "collaboration",
        "notification",
        "opportunity",
        "partner",
        "referral",
        "review",
    ] {
        for kind in ["owner", "app", "consumer", "worker"] {
            std::fs::write(secrets.join(format!("{service}_{kind}")), PASSWORD).expect("a password file");
        }
    }
    let admin: PgConnectOptions = admin_options(database);
    let url = format!("postgres://{}:{}/{database}", admin.get_host(), admin.get_port());
    DbArgs {
        database_url: url,
        database_secrets: Some(secrets),
        database_pool: 4,
    }
}

fn admin_options(database: &str) -> PgConnectOptions {
    let url = format!("{}/{database}", environment::get(environment::POSTGRES));
    url.parse().expect("the administrator's address")
}

async fn admin(database: &str) -> PgConnection {
    PgConnection::connect_with(&admin_options(database))
        .await
        .expect("a connection as administrator")
}
