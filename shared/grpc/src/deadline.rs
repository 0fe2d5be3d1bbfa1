//! Deadlines (PLT-008). tonic responds to an expired deadline with CANCELLED instead of DEADLINE_EXCEEDED, so the
//! service responds itself shortly before.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use crate::Failure;

/// Maximum duration of a call, regardless of the client's deadline.
const MAX_DURATION: Duration = Duration::from_secs(5);
/// Minimum remaining time of an incoming call; with less it is refused.
const MIN_DURATION: Duration = Duration::from_millis(5);

/// The point in time by which a call must be answered.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call that is received now: the earlier of the client's deadline and the service's limit. Fails
    /// if too little time is left, or if what the client states is no timeout.
    pub fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let stated = headers.get("grpc-timeout").map(|value| {
            let timeout = value.to_str().ok().and_then(parse);
            timeout.ok_or_else(Failure::malformed)
        });
        let allowed = stated.transpose()?.map_or(MAX_DURATION, |stated| {
            // A tenth earlier, so that the response arrives before the client or a proxy times out.
            (stated - (stated / 10).clamp(Duration::ZERO, Duration::from_millis(50))).min(MAX_DURATION)
        });
        if allowed < MIN_DURATION {
            return Err(Failure::deadline_exceeded());
        }
        Ok(Deadline(Instant::now() + allowed))
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
    // The parser would accept a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
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

    fn remaining(timeout: &str) -> Result<Duration, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", timeout.parse().expect("a header value"));
        match Deadline::of(&headers) {
            Ok(deadline) => Ok(deadline.0.saturating_duration_since(Instant::now())),
            Err(failure) => Err(failure.reason()),
        }
    }

    #[test]
    fn plt_008_earlier_of_client_deadline_and_service_limit_applies() {
        assert!(remaining("1S").expect("time to work") <= Duration::from_millis(950));
        assert!(remaining("1H").expect("time to work") <= MAX_DURATION);
        assert!(Deadline::of(&HeaderMap::new()).is_ok(), "no timeout is stated");
    }

    #[test]
    fn plt_008_timeout_that_cannot_be_read_is_refused() {
        for timeout in [
            "",
            "S",
            "1",
            "abc",
            "-1S",
            "+1S",
            "1s",
            "1 S",
            "123456789S",
            "é",
            "1é",
        ] {
            assert_eq!(remaining(timeout), Err("MALFORMED_REQUEST"), "{timeout:?}");
        }
    }

    #[test]
    fn plt_008_call_without_remaining_time_is_refused() {
        for timeout in ["4m", "0n"] {
            assert_eq!(remaining(timeout), Err("DEADLINE_EXCEEDED"), "{timeout:?}");
        }
    }
}
