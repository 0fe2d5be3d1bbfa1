//! Readiness, worked out in the background and answered from memory. Liveness never asks a dependency: restarting
//! the process would not mend it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

const EVERY: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_millis(500);

/// Something that must hold for the service to do its work; the error says what does not.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Whether the process should get calls.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    checks: Mutex<Vec<Check>>,
}

impl Readiness {
    /// Adds a condition.
    pub fn require(&self, check: Check) {
        self.0
            .checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(check);
    }

    async fn holds(&self) -> Result<(), String> {
        let checks = self
            .0
            .checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for check in checks {
            tokio::time::timeout(LIMIT, check())
                .await
                .unwrap_or_else(|_| Err("a check took too long".to_owned()))?;
        }
        Ok(())
    }

    /// Keeps the answers of the health service up to date until the task is dropped.
    pub(crate) async fn report(self, reporter: HealthReporter, services: Vec<String>) {
        let mut was_ready = None;
        reporter
            .set_service_status("liveness", ServingStatus::Serving)
            .await;
        loop {
            let state = self.holds().await;
            let ready = state.is_ok();
            if was_ready != Some(ready) {
                match &state {
                    Ok(()) => tracing::info!("ready"),
                    Err(why) => tracing::warn!(why, "not ready"),
                }
                was_ready = Some(ready);
            }
            let status = if ready {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            announce(&reporter, &services, status).await;
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Answers every name by which readiness is asked for.
pub(crate) async fn announce(reporter: &HealthReporter, services: &[String], status: ServingStatus) {
    let services = services.iter().map(String::as_str);
    for name in ["", "readiness"].into_iter().chain(services) {
        reporter.set_service_status(name, status).await;
    }
}
