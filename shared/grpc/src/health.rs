//! Readiness, evaluated in the background and served from memory (`grpc.health.v1`). Liveness depends on no dependency,
//! because a restart of the process would not repair one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

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

    /// Updates the statuses until the task is dropped.
    pub(crate) async fn report(self, statuses: Statuses) {
        let mut was_ready = None;
        loop {
            let state = self.evaluate().await;
            let is_ready = state.is_ok();
            if was_ready != Some(is_ready) {
                match &state {
                    Ok(()) => tracing::info!("ready"),
                    Err(why) => tracing::warn!(why, "not ready"),
                }
                was_ready = Some(is_ready);
            }
            statuses.set_ready(is_ready);
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }
}

/// The name under which liveness is queried; all others are of readiness.
const LIVENESS: &str = "liveness";

/// The statuses of a process by name.
#[derive(Clone)]
pub(crate) struct Statuses(watch::Sender<BTreeMap<String, ServingStatus>>);

impl Statuses {
    /// The statuses of a process with these gRPC services, which is alive and not yet ready.
    pub(crate) fn new(services: Vec<String>) -> Self {
        let of_readiness = ["", "readiness"].map(str::to_owned).into_iter().chain(services);
        let mut statuses: BTreeMap<_, _> = of_readiness
            .map(|name| (name, ServingStatus::NotServing))
            .collect();
        statuses.insert(LIVENESS.to_owned(), ServingStatus::Serving);
        Self(watch::Sender::new(statuses))
    }

    pub(crate) fn set_ready(&self, is_ready: bool) {
        let status = match is_ready {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        self.0.send_if_modified(|statuses| {
            let mut is_modified = false;
            for (_, current) in statuses.iter_mut().filter(|(name, _)| *name != LIVENESS) {
                is_modified |= *current != status;
                *current = status;
            }
            is_modified
        });
    }
}

fn message(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl Health for Statuses {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = self.0.borrow().get(&request.get_ref().service).copied();
        #[expect(
            clippy::disallowed_methods,
            reason = "the protocol defines this error, which has no reason"
        )]
        let unknown = || Status::not_found("unknown service");
        Ok(Response::new(message(status.ok_or_else(unknown)?)))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.into_inner().service;
        let changes = stream::unfold((self.0.subscribe(), None), move |(mut statuses, sent)| {
            let name = name.clone();
            async move {
                let status = loop {
                    let status = statuses.borrow_and_update().get(&name).copied();
                    let status = status.unwrap_or(ServingStatus::ServiceUnknown);
                    if sent != Some(status) {
                        break status;
                    }
                    statuses.changed().await.ok()?;
                };
                Some((Ok(message(status)), (statuses, Some(status))))
            }
        });
        Ok(Response::new(changes.boxed()))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn watch_sends_a_message_for_each_change_only() {
        let statuses = Statuses::new(vec!["cosell.SomeService".to_owned()]);
        let watch = async |name: &str| {
            let request = Request::new(HealthCheckRequest {
                service: name.to_owned(),
            });
            statuses.watch(request).await.expect("a stream").into_inner()
        };
        let mut service = watch("cosell.SomeService").await;
        let mut liveness = watch(LIVENESS).await;
        let mut unknown = watch("cosell.NoSuchService").await;
        let mut next = |stream: &str| {
            let stream = match stream {
                "service" => &mut service,
                "liveness" => &mut liveness,
                _ => &mut unknown,
            };
            let message = stream.next().now_or_never()?.expect("an open stream");
            Some(message.expect("a message").status())
        };
        assert_eq!(next("service"), Some(ServingStatus::NotServing));
        assert_eq!(next("liveness"), Some(ServingStatus::Serving));
        assert_eq!(next("unknown"), Some(ServingStatus::ServiceUnknown));
        statuses.set_ready(true);
        assert_eq!(next("service"), Some(ServingStatus::Serving));
        statuses.set_ready(true);
        for stream in ["service", "liveness", "unknown"] {
            assert_eq!(next(stream), None, "{stream}: a message without a change");
        }
    }
}
