//! Deadlines (PLT-008). tonic responds to an expired deadline with CANCELLED instead of DEADLINE_EXCEEDED, so the
//! service responds itself shortly before.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

/// Maximum duration of a call, regardless of the client's deadline.
const MAX_DURATION: Duration = Duration::from_secs(5);
/// Minimum remaining time of an incoming call; with less it is refused.
const MIN_DURATION: Duration = Duration::from_millis(5);

/// The point in time by which a call must be answered.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call that is received now: the earlier of the client's deadline and the service's limit.
    /// `None` if too little time is left.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let stated = headers
            .get("grpc-timeout")
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        let allowed = stated.map_or(MAX_DURATION, |stated| {
            // A tenth earlier, so that the response arrives before the client or a proxy times out.
            (stated - (stated / 10).clamp(Duration::ZERO, Duration::from_millis(50))).min(MAX_DURATION)
        });
        (allowed >= MIN_DURATION).then(|| Deadline(Instant::now() + allowed))
    }

    /// The deadline as an instant.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// The remaining time for downstream work, less a reserve for sending the response.
    pub fn left(self) -> Duration {
        self.0
            .saturating_duration_since(Instant::now())
            .saturating_sub(Duration::from_millis(20))
    }
}

/// Parses a `grpc-timeout` header: at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remaining(timeout: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", timeout.parse().expect("a header value"));
        Deadline::of(&headers).map(|deadline| deadline.0.saturating_duration_since(Instant::now()))
    }

    #[test]
    fn plt_008_earlier_of_client_deadline_and_service_limit_applies() {
        assert!(remaining("1S").expect("time to work") <= Duration::from_millis(950));
        assert!(remaining("1H").expect("time to work") <= MAX_DURATION);
        assert!(remaining("nonsense").expect("the limit of the service") <= MAX_DURATION);
        assert!(
            remaining("é").is_some() || remaining("1é").is_some(),
            "non-ASCII bytes do not panic"
        );
    }

    #[test]
    fn plt_008_call_without_remaining_time_is_refused() {
        assert!(remaining("4m").is_none());
        assert!(remaining("0n").is_none());
    }
}
