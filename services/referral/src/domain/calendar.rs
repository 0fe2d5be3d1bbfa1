use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// The business days that offer deadlines count: Monday to Friday in UTC, without holidays (REF-020).
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    holidays: BTreeSet<NaiveDate>,
    offer_days: u32,
}

impl Calendar {
    /// A calendar with these holidays. Offers expire after `offer_days` business days.
    pub fn new(holidays: impl IntoIterator<Item = NaiveDate>, offer_days: u32) -> Self {
        Self {
            holidays: holidays.into_iter().collect(),
            offer_days,
        }
    }

    /// Whether the day is a business day.
    pub fn is_business_day(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&day)
    }

    /// The deadline of an offer: the end of its last business day. The first one is after the day of the offer.
    pub fn deadline(&self, offer_time: DateTime<Utc>) -> DateTime<Utc> {
        self.end_after(offer_time, self.offer_days)
    }

    /// When to send the reminder of an offer: at the start of its last business day. `None` if it has only one.
    pub fn reminder(&self, offer_time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let deadline = self.deadline(offer_time);
        (self.offer_days > 1).then(|| deadline - TimeDelta::days(1))
    }

    /// The end of the n-th business day after a time. Terminates because the number of holidays is finite.
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
