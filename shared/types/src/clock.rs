use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// The only source of the current time. Domain rules take the time as an argument; their callers read a clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that advances only with [`Clock::advance`]; clones share the time.
    pub fn manual(now: DateTime<Utc>) -> Self {
        Clock(Source::Manual(Arc::new(Mutex::new(now))))
    }

    /// The current time in whole microseconds, the precision of the database, so that responses equal stored values.
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the system time"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
        .trunc_subsecs(6)
    }

    /// Advances a manual clock; has no effect on the system clock.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

/// The time of a record's next revision: `now`, but at least a millisecond after `last`, so that a query for changes
/// since a time misses no revision (PLT-013).
pub fn revision_time(last: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(last + TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_013_next_revision_is_at_least_a_millisecond_later() {
        let first = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let step = TimeDelta::milliseconds(1);
        for now in [first - TimeDelta::hours(1), first, first + step / 2] {
            assert_eq!(revision_time(first, now), first + step, "{now}");
        }
        let later = first + TimeDelta::seconds(1);
        assert_eq!(revision_time(first, later), later);
    }
}
