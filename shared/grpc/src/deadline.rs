//! Deadlines. tonic answers an expired deadline with CANCELLED; callers are owed DEADLINE_EXCEEDED, so the service
//! answers by itself a moment earlier (PLT-008).

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

/// The longest that a call may take, whatever the client allows.
const LONGEST: Duration = Duration::from_secs(5);
/// A call with less time than this left is refused at once.
const SHORTEST: Duration = Duration::from_millis(5);

/// When a call has to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call that arrived now: the client's or the service's, whichever comes first. `None` when
    /// there is no time to begin.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let stated = headers
            .get("grpc-timeout")
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        let allowed = stated.map_or(LONGEST, |stated| {
            // A tenth earlier, so that the answer is there before anybody else gives up on the call.
            (stated - (stated / 10).clamp(Duration::ZERO, Duration::from_millis(50))).min(LONGEST)
        });
        (allowed >= SHORTEST).then(|| Deadline(Instant::now() + allowed))
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left for work further down, with something kept back for the way home.
    pub fn left(self) -> Duration {
        self.0
            .saturating_duration_since(Instant::now())
            .saturating_sub(Duration::from_millis(20))
    }
}

/// `grpc-timeout`: at most eight digits and a unit.
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

    fn left(timeout: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", timeout.parse().expect("a header value"));
        Deadline::of(&headers).map(|deadline| deadline.0.saturating_duration_since(Instant::now()))
    }

    #[test]
    fn the_earlier_of_both_limits_holds() {
        assert!(left("1S").expect("time to work") <= Duration::from_millis(950));
        assert!(left("1H").expect("time to work") <= LONGEST);
        assert!(left("nonsense").expect("the service's own limit") <= LONGEST);
        assert!(
            left("é").is_some() || left("1é").is_some(),
            "odd bytes never panic"
        );
    }

    #[test]
    fn a_call_without_time_is_not_begun() {
        assert!(left("4m").is_none());
        assert!(left("0n").is_none());
    }
}
