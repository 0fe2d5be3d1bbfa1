use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// The one source of time. Rules take the time as an argument; who calls them asks a clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that stands still until it is moved; all clones show the same time.
    pub fn manual(now: DateTime<Utc>) -> Self {
        Clock(Source::Manual(Arc::new(Mutex::new(now))))
    }

    /// The time now, in whole microseconds: the database keeps no more, and what is answered must equal what is stored.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's time enters"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
        .trunc_subsecs(6)
    }

    /// Moves a manual clock; a system clock stays as it is.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

/// The time of a record's next revision: now, but at least a millisecond after the last one, so that whoever asks for
/// what changed since a time misses none (PLT-013).
pub fn revision_time(last: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(last + TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_013_each_revision_is_at_least_a_millisecond_later() {
        let first = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let step = TimeDelta::milliseconds(1);
        for now in [first - TimeDelta::hours(1), first, first + step / 2] {
            assert_eq!(revision_time(first, now), first + step, "{now}");
        }
        let later = first + TimeDelta::seconds(1);
        assert_eq!(revision_time(first, later), later);
    }
}
