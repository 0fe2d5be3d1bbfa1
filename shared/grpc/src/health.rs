//! Readiness, evaluated in the background and served from memory. Liveness depends on no dependency, because a restart
//! of the process would not repair one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

const CHECK_INTERVAL: Duration = Duration::from_millis(500);
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);

/// A condition of readiness; the error describes why it is not met.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Whether the process is ready for calls: all its conditions are met.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    checks: Mutex<Vec<Check>>,
}

impl Readiness {
    /// Adds a condition of readiness.
    pub fn require(&self, check: Check) {
        self.0
            .checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(check);
    }

    async fn evaluate(&self) -> Result<(), String> {
        let checks = self
            .0
            .checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for check in checks {
            tokio::time::timeout(CHECK_TIMEOUT, check())
                .await
                .unwrap_or_else(|_| Err("a readiness check timed out".to_owned()))?;
        }
        Ok(())
    }

    /// Updates the health service until the task is dropped.
    pub(crate) async fn report(self, reporter: HealthReporter, services: Vec<String>) {
        let mut was_ready = None;
        reporter
            .set_service_status("liveness", ServingStatus::Serving)
            .await;
        loop {
            let state = self.evaluate().await;
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
            set_status(&reporter, &services, status).await;
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }
}

/// Sets the status of all names under which readiness can be queried.
pub(crate) async fn set_status(reporter: &HealthReporter, services: &[String], status: ServingStatus) {
    let services = services.iter().map(String::as_str);
    for name in ["", "readiness"].into_iter().chain(services) {
        reporter.set_service_status(name, status).await;
    }
}
