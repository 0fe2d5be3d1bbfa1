use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// Days that count: Monday to Friday in UTC, without holidays (REF-020).
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    holidays: BTreeSet<NaiveDate>,
    days: u32,
}

impl Calendar {
    /// A calendar without these days, by which an offer can be answered for so many business days.
    pub fn new(holidays: impl IntoIterator<Item = NaiveDate>, days: u32) -> Self {
        Self {
            holidays: holidays.into_iter().collect(),
            days,
        }
    }

    /// Whether the day counts.
    pub fn is_business_day(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&day)
    }

    /// Until when an offer made at a time can be answered: the end of the last of its business days, the first of which is
    /// the one after the day on which it was made.
    pub fn deadline(&self, made: DateTime<Utc>) -> DateTime<Utc> {
        self.end_after(made, self.days)
    }

    /// When to remind of it: as its last business day begins. An offer for one day has nothing to be reminded of.
    pub fn reminder(&self, made: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let deadline = self.deadline(made);
        (self.days > 1).then(|| deadline - TimeDelta::days(1))
    }

    /// The end of the n-th business day after a time. There is one, as holidays are finitely many.
    fn end_after(&self, from: DateTime<Utc>, days: u32) -> DateTime<Utc> {
        let mut day = from.date_naive();
        let mut left = days;
        while left > 0 {
            day = day + Days::new(1);
            if self.is_business_day(day) {
                left -= 1;
            }
        }
        (day + Days::new(1)).and_time(NaiveTime::MIN).and_utc()
    }
}
