use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::values::PartnerTier;
use super::{Limit, Rule};

/// The configured limits of every account (CON-005, CON-040, DIR-013, DIR-016, DIR-032). Days are UTC.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Connection invitations sent in a day.
    pub invitations_per_day: i64,
    /// Pending connection invitations that the account sent.
    pub open_invitations: i64,
    /// Active connections.
    pub active_connections: i64,
    /// Changes of the profile in a day.
    pub profile_updates_per_day: i64,
    /// Changes of the profile's visibility in a day.
    pub visibility_updates_per_day: i64,
    /// Domains of the members' e-mail addresses.
    pub email_domains: i64,
    /// Invitations to join that are sent to one e-mail address in a day.
    pub emails_per_day: i64,
    /// The lowest tier that may send connection invitations.
    pub connection_tier: PartnerTier,
    /// Days until a connection invitation expires.
    pub invitation_days: i64,
}

impl Quotas {
    /// The limits for provisioning, where the limit on e-mail domains does not apply (DIR-050).
    pub fn for_provisioning(self) -> Self {
        Self {
            email_domains: i64::MAX,
            ..self
        }
    }
}

/// Counts changes in a day (UTC). Counting starts again on the next day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyCounter {
    day: Option<NaiveDate>,
    count: i64,
}

impl DailyCounter {
    /// Counts one more change at `now`; fails if that exceeds `max` for the day.
    pub fn increment(&mut self, now: DateTime<Utc>, limit: Limit, max: i64) -> Result<(), Rule> {
        let today = now.date_naive();
        let current = if self.day == Some(today) { self.count } else { 0 };
        limit.check(current, max)?;
        *self = Self {
            day: Some(today),
            count: current + 1,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn con_040_dir_032_daily_limit_is_reset_at_midnight() {
        let mut counter = DailyCounter::default();
        let late: DateTime<Utc> = "2026-03-02T23:59:59Z".parse().expect("a time");
        for _ in 0..2 {
            counter
                .increment(late, Limit::ProfileUpdatesPerDay, 2)
                .expect("below the limit");
        }
        let refused = counter.increment(late, Limit::ProfileUpdatesPerDay, 2);
        assert_eq!(refused, Err(Rule::LimitExceeded(Limit::ProfileUpdatesPerDay, 2)));
        let next = late + chrono::TimeDelta::seconds(1);
        counter
            .increment(next, Limit::ProfileUpdatesPerDay, 2)
            .expect("the limit of the next day");
    }
}
