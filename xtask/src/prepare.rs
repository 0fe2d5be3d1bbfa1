//! `cargo xtask sqlx`: regenerates the metadata of all SQL queries against a new database with the migrations of each
//! service. Needed after a change of a query or a migration.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::tools;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::print_status;

/// Crates with queries: name, folder, and the schema that their queries are checked against.
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

/// Runs the command for these crates; for all of them if none is given.
pub fn run(root: &Path, crates: &[String]) -> anyhow::Result<()> {
    let programs = Programs::find(&print_status)?;
    for name in crates {
        let is_known = CRATES.iter().any(|(known, ..)| known == name);
        ensure!(is_known, "{name} is no crate with queries");
    }
    // Runs side by side each have their own.
    let folder = tools::target().join(format!("sqlx-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let cluster = Cluster::start(&programs, &folder, Durability::Process)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            for (_, path, service) in CRATES.iter().filter(|(_, path, _)| path.starts_with("services/")) {
                create_schema(&cluster, &root.join(path), service)
                    .await
                    .with_context(|| format!("creating the schema of {service}"))?;
            }
            anyhow::Ok(())
        })?;
    let selected = CRATES
        .into_iter()
        .filter(|(name, ..)| crates.is_empty() || crates.iter().any(|selected| selected == name));
    for (name, path, service) in selected {
        print_status(&format!("preparing the queries of {name}"));
        let queries = root.join(path).join(".sqlx");
        let _ = std::fs::remove_dir_all(&queries);
        std::fs::create_dir_all(&queries)?;
        // Forces a rebuild: cargo does not detect changes of the database.
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
        remove_shared_queries(root, &queries)?;
    }
    drop(cluster);
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

/// Removes the queries of shared crates, which cargo may have compiled together with this crate.
fn remove_shared_queries(root: &Path, queries: &Path) -> anyhow::Result<()> {
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

async fn create_schema(cluster: &Cluster, folder: &Path, service: &str) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(&cluster.admin_url("postgres")).await?;
    let mut sql = format!("CREATE SCHEMA {service};");
    for kind in ["owner", "app", "consumer", "worker"] {
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

#[expect(clippy::disallowed_methods, reason = "a file's modification time")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
