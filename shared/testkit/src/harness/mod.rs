//! The test harness: databases and buses of their own, running services, callers with tokens, stubs of peers, polling.

mod app;
mod bus;
mod callers;
mod channels;
mod database;
mod directory;
mod eventually;
mod http;
mod opportunities;
mod reasons;
mod referrals;
mod refusal;
mod reviews;

pub use app::{App, Setup};
pub use bus::{PeerStub, Published};
pub use callers::{Client, aws, member, partner, seeing_all, service};
pub use channels::{
    CHANNEL_LINK, DECLINED_CHANNEL, LEAVE_URL, OPT_OUT_URL, REJECTED_INVITATION, SLACK_CHANNEL, channels,
};
pub use database::TestDatabase;
pub use directory::Directory;
pub use eventually::{PATIENCE, eventually, eventually_within};
pub use http::{HttpResponse, send_http};
pub use opportunities::{opportunities, opportunities_with_summary};
pub use referrals::{ReferralRecord, referral_records, referrals};
pub use refusal::{Refusal, refused};
pub use reviews::reviews;

use std::path::PathBuf;

/// The environment variables that `cargo xtask test` sets for tests.
pub mod environment {
    /// URL of the run's PostgreSQL with administrator credentials, without database.
    pub const POSTGRES: &str = "COSELL_TEST_POSTGRES";
    /// Path of the program `nats-server`.
    pub const NATS: &str = "COSELL_TEST_NATS";
    /// Folder for the files of the run.
    pub const FOLDER: &str = "COSELL_TEST_FOLDER";
    /// Folder with the Python packages of the run.
    pub const PYTHON: &str = "COSELL_TEST_PYTHON";
    /// Folder with the installed client packages.
    pub const CLIENTS: &str = "COSELL_TEST_CLIENTS";

    pub(super) fn get(name: &str) -> String {
        find(name).unwrap_or_else(|| {
            panic!("{name} is not set: tests need a real PostgreSQL and NATS, which `cargo xtask test` starts for them")
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "test runners pass settings to tests only in the environment"
    )]
    pub(super) fn find(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Creates a folder for a test.
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

/// Path of the program `nats-server`.
pub fn nats_program() -> PathBuf {
    environment::get(environment::NATS).into()
}

/// Folder with the Python packages of the run.
pub fn python_packages() -> PathBuf {
    environment::get(environment::PYTHON).into()
}

/// Folder with an installed client package, such as `client-newest`.
pub fn client_package(name: &str) -> PathBuf {
    PathBuf::from(environment::get(environment::CLIENTS)).join(name)
}
