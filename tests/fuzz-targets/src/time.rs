//! Times and days: of requests, of ranges, and of the cells of a table (OPP-080).

use chrono::{DateTime, Datelike as _, NaiveDate};
use cosell_grpc::convert::{
    date, date_range, day, is_valid_time, time as to_time, timestamp, timestamp_range,
};
use cosell_opportunity::domain::Details;
use cosell_opportunity::domain::column_lookup::find_column;
use cosell_proto::cosell::r#type::v1::{DateRange, TimestampRange};
use cosell_proto::google::r#type::Date;
use cosell_types::Violation;
use prost::Message as _;
use prost_types::Timestamp;

use crate::support::assert_described;

/// Numbers, separated by spaces: two are a time in seconds and nanoseconds, three a day, four and six a range of them. The
/// bytes are also read as encoded messages, and as a cell of a table.
pub fn time(data: &[u8]) {
    if let Ok(message) = Timestamp::decode(data) {
        check_time(message);
    }
    if let Ok(range) = TimestampRange::decode(data) {
        check_times(range);
    }
    if let Ok(message) = Date::decode(data) {
        check_day(&message);
    }
    if let Ok(range) = DateRange::decode(data) {
        check_days(range);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    check_cell(text);
    let numbers: Result<Vec<i64>, _> = text.split_whitespace().map(str::parse).collect();
    let small = |number: i64| i32::try_from(number).ok();
    let stamp = |seconds, nanos| small(nanos).map(|nanos| Timestamp { seconds, nanos });
    let calendar = |year, month, day| {
        Some(Date {
            year: small(year)?,
            month: small(month)?,
            day: small(day)?,
        })
    };
    match numbers.as_deref() {
        Ok(&[seconds, nanos]) => {
            if let Some(message) = stamp(seconds, nanos) {
                check_time(message);
            }
        }
        Ok(&[year, month, day]) => {
            if let Some(message) = calendar(year, month, day) {
                check_day(&message);
            }
        }
        Ok(&[seconds, nanos, end_seconds, end_nanos]) => check_times(TimestampRange {
            start: stamp(seconds, nanos),
            end: stamp(end_seconds, end_nanos),
        }),
        Ok(&[year, month, day, end_year, end_month, end_day]) => check_days(DateRange {
            start: calendar(year, month, day),
            end: calendar(end_year, end_month, end_day),
        }),
        _ => {}
    }
}

fn check_time(message: Timestamp) {
    let nanos = u32::try_from(message.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    let expected = nanos
        .and_then(|nanos| DateTime::from_timestamp(message.seconds, nanos))
        .filter(is_valid_time);
    assert_eq!(to_time(&message), expected);
    if let Some(time) = expected {
        assert_eq!(timestamp(time), message);
    }
}

fn check_times(range: TimestampRange) {
    let mut violations = Vec::new();
    let bounds = timestamp_range(Some(&range), "times", &mut violations);
    assert_eq!(bounds.start, range.start.as_ref().and_then(to_time));
    assert_eq!(bounds.end, range.end.as_ref().and_then(to_time));
    let is_empty = bounds
        .start
        .zip(bounds.end)
        .is_some_and(|(start, end)| end <= start);
    let invalid = [
        range.start.is_some() && bounds.start.is_none(),
        range.end.is_some() && bounds.end.is_none(),
        is_empty,
    ];
    check_violations(&violations, &invalid);
}

fn check_day(message: &Date) {
    if let Some(found) = day(message) {
        assert!((1..=9999).contains(&found.year()));
        assert_eq!(&date(found), message);
    } else if (1..=9999).contains(&message.year) {
        let (month, day) = (message.month as u32, message.day as u32);
        assert_eq!(NaiveDate::from_ymd_opt(message.year, month, day), None);
    }
}

fn check_days(range: DateRange) {
    let mut violations = Vec::new();
    let bounds = date_range(Some(&range), "days", &mut violations);
    assert_eq!(bounds.start, range.start.as_ref().and_then(day));
    assert_eq!(bounds.end, range.end.as_ref().and_then(day));
    let is_empty = bounds
        .start
        .zip(bounds.end)
        .is_some_and(|(start, end)| end < start);
    let invalid = [
        range.start.is_some() && bounds.start.is_none(),
        range.end.is_some() && bounds.end.is_none(),
        is_empty,
    ];
    check_violations(&violations, &invalid);
}

fn check_violations(violations: &[Violation], invalid: &[bool]) {
    assert_described(violations);
    let expected = invalid.iter().filter(|is_invalid| **is_invalid).count();
    assert_eq!(violations.len(), expected);
}

/// OPP-015 limits the years of the day, when it has been read.
fn check_cell(cell: &str) {
    let column = find_column("Target close date").expect("a column");
    let (mut details, mut violations) = (Details::default(), Vec::new());
    column.read(&mut details, cell, &mut violations);
    assert_described(&violations);
    if let Some(found) = details.life_cycle.target_close_date {
        assert!(violations.is_empty());
        let mut again = Details::default();
        column.read(&mut again, &found.to_string(), &mut violations);
        assert_eq!(again.life_cycle.target_close_date, Some(found));
    }
}
