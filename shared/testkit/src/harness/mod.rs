//! What tests share: a database and a bus of their own, running services, callers with tokens, waiting with a deadline.

mod app;
mod bus;
mod callers;
mod channels;
mod database;
mod directory;
mod eventually;
mod opportunities;
mod reasons;
mod referrals;
mod refusal;
mod reviews;

pub use app::{App, Setup};
pub use bus::{FarEnd, Published};
pub use callers::{Client, aws, member, partner, service};
pub use channels::{CHANNEL_LINK, channels};
pub use database::TestDatabase;
pub use directory::Directory;
pub use eventually::{PATIENCE, eventually, eventually_within};
pub use opportunities::{opportunities, opportunities_with_summary};
pub use referrals::referrals;
pub use refusal::{Refusal, refused};
pub use reviews::reviews;

use std::path::PathBuf;

/// What `cargo xtask test` tells its tests.
pub mod environment {
    /// Administrator's address of the run's PostgreSQL, without database.
    pub const POSTGRES: &str = "COSELL_TEST_POSTGRES";
    /// The program `nats-server`.
    pub const NATS: &str = "COSELL_TEST_NATS";
    /// A folder for the run's files.
    pub const FOLDER: &str = "COSELL_TEST_FOLDER";
    /// Folder with the Python packages of the run.
    pub const PYTHON: &str = "COSELL_TEST_PYTHON";

    pub(super) fn get(name: &str) -> String {
        find(name).unwrap_or_else(|| {
            panic!("{name} is not set: tests need a real PostgreSQL and NATS, which `cargo xtask test` starts for them")
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "test runners pass nothing else to tests"
    )]
    pub(super) fn find(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// A new folder under the run's.
pub fn folder(name: &str) -> PathBuf {
    let unique = format!(
        "{name}-{}-{}",
        std::process::id(),
        cosell_types::random::prefixed("")
    );
    let folder = PathBuf::from(environment::get(environment::FOLDER)).join(unique);
    std::fs::create_dir_all(&folder).expect("a folder under target/");
    folder
}

/// The program `nats-server`.
pub fn nats_program() -> PathBuf {
    environment::get(environment::NATS).into()
}

/// Folder with the Python packages of the run.
pub fn python_packages() -> PathBuf {
    environment::get(environment::PYTHON).into()
}
