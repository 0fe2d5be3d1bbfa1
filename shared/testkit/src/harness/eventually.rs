use std::time::Duration;

use tokio::time::Instant;

/// How long anything may take to come about. It only guards against waiting for ever: minutes, so that no machine is too
/// slow, as waiting costs nothing when all is well.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks again and again until the answer is `Ok`, and returns what is in it. Fails with the last `Err`, which says
/// what was seen instead, when patience has run out.
#[track_caller]
pub fn eventually<T, E: std::fmt::Display>(
    ask: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    eventually_within(PATIENCE, ask)
}

/// The same, with another patience.
#[track_caller]
pub fn eventually_within<T, E: std::fmt::Display>(
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let until = Instant::now() + patience;
        loop {
            match ask().await {
                Ok(value) => return value,
                Err(seen) if Instant::now() > until => panic!("{place}: after {patience:?}: {seen}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}
