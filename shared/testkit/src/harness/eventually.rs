use std::time::Duration;

use tokio::time::Instant;

/// Timeout of [`eventually`]. It only prevents waiting forever: it is minutes long, so that slow machines do not fail,
/// and costs nothing while tests pass.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Polls until the result is `Ok` and returns its value. Fails after the timeout, with the last `Err`, which describes
/// what was observed instead.
#[track_caller]
pub fn eventually<T, E: std::fmt::Display>(
    poll: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    eventually_within(PATIENCE, poll)
}

/// As [`eventually`], with another timeout.
#[track_caller]
pub fn eventually_within<T, E: std::fmt::Display>(
    timeout: Duration,
    mut poll: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    let location = std::panic::Location::caller();
    async move {
        let until = Instant::now() + timeout;
        loop {
            match poll().await {
                Ok(value) => return value,
                Err(observed) if Instant::now() > until => {
                    panic!("{location}: after {timeout:?}: {observed}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}
