//! Creates the roles and the schema of a service, run by a database administrator (docs/OPERATIONS.md).

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Options of `provision`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProvisionArgs {
    /// Database URL of a user that may create roles and schemas; the password is read from the environment variable
    /// PGPASSWORD or from `~/.pgpass`.
    #[arg(long)]
    pub admin_url: String,

    /// Folder with one file per role that contains the password to set; without it roles are created without passwords.
    #[arg(long)]
    pub database_secrets: Option<PathBuf>,
}

/// Creates or updates the roles and the schema of a service.
pub async fn provision(args: &ProvisionArgs, service: &str) -> anyhow::Result<()> {
    let password = |role: &str| -> anyhow::Result<Option<String>> {
        let Some(folder) = &args.database_secrets else {
            return Ok(None);
        };
        let path = folder.join(role);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Some(text.trim().to_owned()))
    };
    let sql = provisioning_sql(service, password)?;
    let mut connection = PgConnection::connect(&args.admin_url)
        .await
        .context("connecting as administrator")?;
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .context("creating roles and schema")?;
    Ok(connection.close().await?)
}

/// The SQL statements of [`provision`]; they are idempotent.
pub fn provisioning_sql(
    service: &str,
    password: impl Fn(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<String> {
    let mut sql = String::new();
    for (kind, settings) in [
        ("owner", "lock_timeout = '5s'"),
        ("app", "lock_timeout = '1s'"),
        ("consumer", "lock_timeout = '1s'"),
        ("worker", "lock_timeout = '1s'"),
    ] {
        let role = format!("{service}_{kind}");
        // The effects of events are those of the app role.
        let inherits = if kind == "consumer" {
            "INHERIT"
        } else {
            "NOINHERIT"
        };
        writeln!(
            sql,
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$;"
        )?;
        writeln!(
            sql,
            "ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE {inherits};"
        )?;
        if let Some(password) = password(&role)? {
            writeln!(
                sql,
                "ALTER ROLE {role} PASSWORD '{}';",
                password.replace('\'', "''")
            )?;
        }
        writeln!(sql, "ALTER ROLE {role} SET search_path = {service};")?;
        writeln!(sql, "ALTER ROLE {role} SET {settings};")?;
        if kind != "owner" {
            // Transactions may set a shorter timeout; none may hold locks after its client has disappeared.
            writeln!(sql, "ALTER ROLE {role} SET statement_timeout = '5s';")?;
            writeln!(
                sql,
                "ALTER ROLE {role} SET idle_in_transaction_session_timeout = '5s';"
            )?;
            // The pool resets connections with ROLLBACK, which warns outside a transaction.
            writeln!(sql, "ALTER ROLE {role} SET client_min_messages = 'error';")?;
            writeln!(
                sql,
                "ALTER ROLE {role} SET default_transaction_isolation = 'read committed';"
            )?;
        }
    }
    writeln!(sql, "GRANT {service}_app TO {service}_consumer;")?;
    writeln!(
        sql,
        "CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {service}_owner;"
    )?;
    writeln!(sql, "REVOKE ALL ON SCHEMA {service} FROM PUBLIC;")?;
    writeln!(
        sql,
        "GRANT USAGE ON SCHEMA {service} TO {service}_app, {service}_worker;"
    )?;
    Ok(sql)
}
