//! The periods of the presets, in UTC (OPP-063).

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The periods relative to the current time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// 7 × 24 hours ago; still part of the last seven days.
    pub week_ago: DateTime<Utc>,
    /// 14 × 24 hours ago; not yet more than two weeks ago.
    pub two_weeks_ago: DateTime<Utc>,
    /// The first day of this month and of the next.
    pub month: (NaiveDate, NaiveDate),
    /// The start of this calendar quarter and of the next.
    pub quarter: (DateTime<Utc>, DateTime<Utc>),
}

impl Periods {
    /// The periods relative to `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let first = today.with_day(1).unwrap_or(today);
        let quarter = first - Months::new(first.month0() % 3);
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        Self {
            week_ago: now - TimeDelta::days(7),
            two_weeks_ago: now - TimeDelta::days(14),
            month: (first, first + Months::new(1)),
            quarter: (midnight(quarter), midnight(quarter + Months::new(3))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opp_063_months_and_quarters_are_calendar_periods() {
        for (now, month, quarter) in [
            (
                "2026-01-01T00:00:00Z",
                ["2026-01-01", "2026-02-01"],
                ["2026-01-01", "2026-04-01"],
            ),
            (
                "2026-03-31T23:59:59.999999Z",
                ["2026-03-01", "2026-04-01"],
                ["2026-01-01", "2026-04-01"],
            ),
            (
                "2028-02-29T12:00:00Z",
                ["2028-02-01", "2028-03-01"],
                ["2028-01-01", "2028-04-01"],
            ),
            (
                "2026-05-31T12:00:00Z",
                ["2026-05-01", "2026-06-01"],
                ["2026-04-01", "2026-07-01"],
            ),
            (
                "2026-12-31T23:00:00Z",
                ["2026-12-01", "2027-01-01"],
                ["2026-10-01", "2027-01-01"],
            ),
        ] {
            let periods = Periods::at(now.parse().expect("a time"));
            let days = [periods.month.0, periods.month.1].map(|day| day.to_string());
            assert_eq!(days, month, "{now}");
            let ends = [periods.quarter.0, periods.quarter.1];
            let days = ends.map(|time| time.date_naive().to_string());
            assert_eq!(days, quarter, "{now}");
            assert!(ends.iter().all(|time| time.time() == NaiveTime::MIN), "{now}");
        }
    }
}
