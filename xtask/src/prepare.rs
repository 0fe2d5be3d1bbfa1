//! `cargo xtask sqlx`: describes every query to the compiler again, against a fresh database with the migrations of
//! each service. Needed after a change of a query or of a migration.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::tools;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::say;

/// Crates with queries, and the schema that their queries are checked against.
const CRATES: [(&str, &str, &str); 9] = [
    ("cosell-store", "shared/store", "opportunity"),
    ("cosell-events", "shared/events", "opportunity"),
    ("cosell-members", "shared/members", "opportunity"),
    ("cosell-opportunity", "services/opportunity", "opportunity"),
    (
        "cosell-partner-connection",
        "services/partner-connection",
        "partner",
    ),
    ("cosell-collaboration", "services/collaboration", "collaboration"),
    ("cosell-referral", "services/referral", "referral"),
    ("cosell-review", "services/review", "review"),
    ("cosell-notification", "services/notification", "notification"),
];

/// Runs the command.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let programs = Programs::find(&say)?;
    let folder = tools::target().join("sqlx");
    let _ = std::fs::remove_dir_all(&folder);
    let cluster = Cluster::start(&programs, &folder, Durability::Process)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            for (_, path, service) in CRATES.iter().filter(|(_, path, _)| path.starts_with("services/")) {
                schema(&cluster, &root.join(path), service)
                    .await
                    .with_context(|| format!("the schema of {service}"))?;
            }
            anyhow::Ok(())
        })?;
    for (name, path, service) in CRATES {
        say(&format!("describing the queries of {name}"));
        let queries = root.join(path).join(".sqlx");
        let _ = std::fs::remove_dir_all(&queries);
        std::fs::create_dir_all(&queries)?;
        // cargo does not know that the database has changed.
        std::fs::File::options()
            .append(true)
            .open(root.join(path).join("src/lib.rs"))?
            .set_modified(now())?;
        let status = Command::new("cargo")
            .args(["check", "--package", name, "--lib"])
            .env(
                format!("{}_DATABASE_URL", service.to_uppercase()),
                url(&cluster, service),
            )
            .env("SQLX_OFFLINE_DIR", &queries)
            .current_dir(root)
            .status()?;
        ensure!(status.success(), "{name} does not compile against its schema");
        forget_others(root, &queries)?;
    }
    Ok(())
}

/// A shared crate that this one needs may have been compiled with it, and has left its queries here as well.
fn forget_others(root: &Path, queries: &Path) -> anyhow::Result<()> {
    let earlier = CRATES
        .iter()
        .map(|(_, path, _)| root.join(path).join(".sqlx"))
        .take_while(|others| others != queries)
        .filter(|others| others.starts_with(root.join("shared")));
    for others in earlier {
        for file in std::fs::read_dir(others)? {
            let _ = std::fs::remove_file(queries.join(file?.file_name()));
        }
    }
    Ok(())
}

fn url(cluster: &Cluster, service: &str) -> String {
    format!(
        "{}?options=-csearch_path%3D{service}",
        cluster.admin_url("postgres")
    )
}

async fn schema(cluster: &Cluster, folder: &Path, service: &str) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(&cluster.admin_url("postgres")).await?;
    let mut sql = format!("CREATE SCHEMA {service};");
    for kind in ["owner", "app", "worker"] {
        sql.push_str(&format!("CREATE ROLE {service}_{kind};"));
    }
    admin.execute(AssertSqlSafe(sql)).await?;
    let mut connection = PgConnection::connect(&url(cluster, service)).await?;
    Migrator::new(folder.join("migrations"))
        .await?
        .run(&mut connection)
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a file's time, not the product's")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
