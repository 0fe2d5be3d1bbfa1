use std::path::PathBuf;

use cosell_testkit::postgres::Durability;

use crate::{ServiceProcess, TestServers};

/// The services in a child process, and the servers that they need, which store data durably, as in production.
pub struct Installation {
    /// The process of the services.
    pub services: ServiceProcess,
    /// PostgreSQL, NATS and the mail server.
    pub servers: TestServers,
}

impl Installation {
    /// Starts servers, and the services with these environment variables.
    pub async fn start(environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_on(TestServers::start_with(Durability::Full), environment).await
    }

    /// Starts the services on these servers.
    pub async fn start_on(servers: TestServers, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let program = program()?;
        let address = ServiceProcess::address();
        let services =
            ServiceProcess::start(&program.to_string_lossy(), &servers, address, environment).await;
        Ok(Self { services, servers })
    }
}

/// The path of the program with the services, which cargo builds into the same folder.
fn program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("cosell-under-test"))
}
