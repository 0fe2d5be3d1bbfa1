//! Roles and schema of a service, made once by a database administrator (docs/OPERATIONS.md).

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Options for making roles and schema.
#[derive(Clone, Debug, clap::Args)]
pub struct ProvisionArgs {
    /// The database, as a user that may create roles and schemas; its password in the environment variable PGPASSWORD
    /// or in `~/.pgpass`.
    #[arg(long)]
    pub admin_url: String,

    /// Folder with one file a role that holds the password to set; without it roles are made without one.
    #[arg(long)]
    pub database_secrets: Option<PathBuf>,
}

/// Makes the roles and the schema of a service, or brings them up to date.
pub async fn provision(args: &ProvisionArgs, service: &str) -> anyhow::Result<()> {
    let password = |role: &str| -> anyhow::Result<Option<String>> {
        let Some(folder) = &args.database_secrets else {
            return Ok(None);
        };
        let path = folder.join(role);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Some(text.trim().to_owned()))
    };
    let sql = statements(service, password)?;
    let mut connection = PgConnection::connect(&args.admin_url)
        .await
        .context("connecting as administrator")?;
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .context("creating roles and schema")?;
    Ok(connection.close().await?)
}

/// The SQL that does it; may run any number of times.
pub fn statements(
    service: &str,
    password: impl Fn(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<String> {
    let mut sql = String::new();
    for (kind, settings) in [
        ("owner", "lock_timeout = '5s'"),
        ("app", "lock_timeout = '1s'"),
        ("worker", "lock_timeout = '1s'"),
    ] {
        let role = format!("{service}_{kind}");
        writeln!(
            sql,
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$;"
        )?;
        writeln!(
            sql,
            "ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;"
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
            // A statement may set a shorter limit; nothing may hold locks while its client is gone.
            writeln!(sql, "ALTER ROLE {role} SET statement_timeout = '5s';")?;
            writeln!(
                sql,
                "ALTER ROLE {role} SET idle_in_transaction_session_timeout = '5s';"
            )?;
            // The pool ends every connection's use with ROLLBACK, which warns when there was nothing to end.
            writeln!(sql, "ALTER ROLE {role} SET client_min_messages = 'error';")?;
            writeln!(
                sql,
                "ALTER ROLE {role} SET default_transaction_isolation = 'read committed';"
            )?;
        }
    }
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
