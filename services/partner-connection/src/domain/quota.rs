use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::values::PartnerTier;
use super::{Limit, Rule};

/// How much of what an account may do (CON-040, DIR-032).
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Invitations sent in a day (UTC).
    pub invitations_per_day: i64,
    /// Invitations of its own that wait for an answer.
    pub open_invitations: i64,
    /// Active connections.
    pub active_connections: i64,
    /// Changes of the profile in a day (UTC).
    pub profile_updates_per_day: i64,
    /// Changes of the visibility in a day (UTC).
    pub visibility_updates_per_day: i64,
    /// Domains of the members' e-mail addresses.
    pub domains: i64,
    /// How often one address is asked to join in a day (UTC).
    pub emails_per_day: i64,
    /// How far a company must have come to connect with others.
    pub connection_tier: PartnerTier,
    /// How long an invitation can be answered, in days.
    pub invitation_days: i64,
}

impl Quotas {
    /// Those for the master list, which is the operator's: it has as many e-mail domains as it has (DIR-050).
    pub fn for_provisioning(self) -> Self {
        Self {
            domains: i64::MAX,
            ..self
        }
    }
}

/// How often something was done on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    day: Option<NaiveDate>,
    count: i64,
}

impl Tally {
    /// Counts one more at this time, unless that would be more than the limit of the day.
    pub fn count(&mut self, now: DateTime<Utc>, limit: Limit, most: i64) -> Result<(), Rule> {
        let today = now.date_naive();
        let before = if self.day == Some(today) { self.count } else { 0 };
        limit.check(before, most)?;
        *self = Self {
            day: Some(today),
            count: before + 1,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn con_040_dir_032_a_day_has_its_limit_and_the_next_day_its_own() {
        let mut tally = Tally::default();
        let late: DateTime<Utc> = "2026-03-02T23:59:59Z".parse().expect("a time");
        for _ in 0..2 {
            tally
                .count(late, Limit::ProfileUpdates, 2)
                .expect("below the limit");
        }
        let refused = tally.count(late, Limit::ProfileUpdates, 2);
        assert_eq!(refused, Err(Rule::LimitExceeded(Limit::ProfileUpdates, 2)));
        let next = late + chrono::TimeDelta::seconds(1);
        tally.count(next, Limit::ProfileUpdates, 2).expect("a new day");
    }
}
