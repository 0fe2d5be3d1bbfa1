//! Covers the business-day calendar of offers (REF-020): expiry, reminder time, weekends, holidays, and properties over
//! random dates and holidays.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike as _, Utc};
use proptest::prelude::*;

use super::Calendar;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

#[test]
fn ref_020_deadline_skips_weekends_and_holidays_and_ends_at_midnight() {
    let holidays = [day("2026-12-25"), day("2027-01-01")];
    for (create_time, expire_time) in [
        // From Monday to the end of the next Monday.
        ("2026-03-02T00:00:00Z", "2026-03-10T00:00:00Z"),
        ("2026-03-02T23:59:59Z", "2026-03-10T00:00:00Z"),
        // From Friday to the end of the next Friday.
        ("2026-03-06T12:00:00Z", "2026-03-14T00:00:00Z"),
        // Saturday and Sunday are no business days, so both expire at the end of the same Friday.
        ("2026-03-07T12:00:00Z", "2026-03-14T00:00:00Z"),
        ("2026-03-08T23:00:00Z", "2026-03-14T00:00:00Z"),
        // Daylight saving time begins in Europe on the 29th; deadlines are in UTC.
        ("2026-03-27T12:00:00Z", "2026-04-04T00:00:00Z"),
        // Across Christmas and New Year.
        ("2026-12-22T12:00:00Z", "2026-12-31T00:00:00Z"),
        ("2026-12-28T12:00:00Z", "2027-01-06T00:00:00Z"),
        // A leap day counts.
        ("2028-02-25T12:00:00Z", "2028-03-04T00:00:00Z"),
    ] {
        let calendar = Calendar::new(holidays, 5);
        assert_eq!(
            calendar.deadline(time(create_time)),
            time(expire_time),
            "created at {create_time}"
        );
        let reminder = time(expire_time) - TimeDelta::days(1);
        assert_eq!(calendar.reminder(time(create_time)), Some(reminder));
    }
}

#[test]
fn ref_020_one_day_offer_has_no_reminder() {
    let calendar = Calendar::new([], 1);
    assert_eq!(calendar.reminder(time("2026-03-02T12:00:00Z")), None);
    assert_eq!(
        calendar.deadline(time("2026-03-06T12:00:00Z")),
        time("2026-03-10T00:00:00Z")
    );
}

proptest! {
    /// For any creation time and any holidays, exactly the configured number of whole business days lies between the
    /// creation of an offer and its deadline, and the last day is a business day.
    #[test]
    fn ref_020_deadline_is_exactly_the_configured_business_days_away(
        seconds in 1_700_000_000_i64..2_500_000_000,
        days in 1_u32..30,
        holidays in prop::collection::btree_set(0_u64..120, 0..40),
    ) {
        let create_time = DateTime::from_timestamp(seconds, 0).expect("a time");
        let first = create_time.date_naive();
        let holidays: Vec<_> = holidays.iter().map(|after| first + Days::new(*after)).collect();
        let calendar = Calendar::new(holidays, days);
        let expire_time = calendar.deadline(create_time);
        prop_assert_eq!(expire_time.num_seconds_from_midnight(), 0);
        let last = (expire_time - TimeDelta::days(1)).date_naive();
        prop_assert!(calendar.is_business_day(last), "{} is not a business day", last);
        let between = first.iter_days().skip(1).take_while(|day| *day <= last);
        let counted = between.filter(|day| calendar.is_business_day(*day)).count();
        prop_assert_eq!(counted, days as usize);
        let reminder = calendar.reminder(create_time);
        prop_assert!(reminder.is_none_or(|reminder| reminder > create_time && reminder < expire_time));
    }

    #[test]
    fn ref_020_deadline_is_monotonic_in_creation_time(
        first in 1_700_000_000_i64..2_500_000_000,
        after in 0_i64..2_000_000,
    ) {
        let calendar = Calendar::new([], 5);
        let at = |seconds| calendar.deadline(DateTime::from_timestamp(seconds, 0).expect("a time"));
        prop_assert!(at(first) <= at(first + after));
    }
}
