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
fn ref_020_five_business_days_end_with_the_day_and_neither_weekends_nor_holidays_count() {
    let holidays = [day("2026-12-25"), day("2027-01-01")];
    for (made, ends) in [
        // Monday to the end of the next Monday.
        ("2026-03-02T00:00:00Z", "2026-03-10T00:00:00Z"),
        ("2026-03-02T23:59:59Z", "2026-03-10T00:00:00Z"),
        // Friday to the end of the next Friday.
        ("2026-03-06T12:00:00Z", "2026-03-14T00:00:00Z"),
        // A weekend has no business day, so all of it ends with the same Friday.
        ("2026-03-07T12:00:00Z", "2026-03-14T00:00:00Z"),
        ("2026-03-08T23:00:00Z", "2026-03-14T00:00:00Z"),
        // Clocks are put forward on the 29th in Europe, and it changes nothing.
        ("2026-03-27T12:00:00Z", "2026-04-04T00:00:00Z"),
        // Over Christmas and the year's end.
        ("2026-12-22T12:00:00Z", "2026-12-31T00:00:00Z"),
        ("2026-12-28T12:00:00Z", "2027-01-06T00:00:00Z"),
        // A leap day counts.
        ("2028-02-25T12:00:00Z", "2028-03-04T00:00:00Z"),
    ] {
        let calendar = Calendar::new(holidays, 5);
        assert_eq!(calendar.deadline(time(made)), time(ends), "made at {made}");
        let reminder = time(ends) - TimeDelta::days(1);
        assert_eq!(calendar.reminder(time(made)), Some(reminder));
    }
}

#[test]
fn ref_020_an_offer_for_a_day_is_not_reminded_of() {
    let calendar = Calendar::new([], 1);
    assert_eq!(calendar.reminder(time("2026-03-02T12:00:00Z")), None);
    assert_eq!(
        calendar.deadline(time("2026-03-06T12:00:00Z")),
        time("2026-03-10T00:00:00Z")
    );
}

proptest! {
    /// Whenever it is made and whatever the holidays are, between an offer and its end there are as many whole business
    /// days as there are to be, and the last day is one of them.
    #[test]
    fn ref_020_an_offer_has_all_its_business_days_and_no_more(
        seconds in 1_700_000_000_i64..2_500_000_000,
        days in 1_u32..30,
        holidays in prop::collection::btree_set(0_u64..120, 0..40),
    ) {
        let made = DateTime::from_timestamp(seconds, 0).expect("a time");
        let first = made.date_naive();
        let holidays: Vec<_> = holidays.iter().map(|after| first + Days::new(*after)).collect();
        let calendar = Calendar::new(holidays, days);
        let ends = calendar.deadline(made);
        prop_assert_eq!(ends.num_seconds_from_midnight(), 0);
        let last = (ends - TimeDelta::days(1)).date_naive();
        prop_assert!(calendar.is_business_day(last), "{} is no business day", last);
        let between = first.iter_days().skip(1).take_while(|day| *day <= last);
        let counted = between.filter(|day| calendar.is_business_day(*day)).count();
        prop_assert_eq!(counted, days as usize);
        let reminder = calendar.reminder(made);
        prop_assert!(reminder.is_none_or(|reminder| reminder > made && reminder < ends));
    }

    /// What is offered later does not end earlier.
    #[test]
    fn ref_020_later_offers_do_not_end_earlier(first in 1_700_000_000_i64..2_500_000_000, after in 0_i64..2_000_000) {
        let calendar = Calendar::new([], 5);
        let at = |seconds| calendar.deadline(DateTime::from_timestamp(seconds, 0).expect("a time"));
        prop_assert!(at(first) <= at(first + after));
    }
}
