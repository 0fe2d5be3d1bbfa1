//! Times and days between the interface and Rust.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use cosell_proto::cosell::r#type::v1::{DateRange, TimestampRange};
use cosell_proto::google::r#type::Date;
use cosell_types::{FieldPath, Violation, ViolationCode};
use prost_types::Timestamp;

/// From and to. Spans of times exclude their end, spans of days include it.
#[derive(Clone, Copy, Debug)]
pub struct Span<T> {
    /// The first value inside; none for an open beginning.
    pub start: Option<T>,
    /// The bound at the end; none for an open end.
    pub end: Option<T>,
}

impl<T> Default for Span<T> {
    fn default() -> Self {
        Self {
            start: None,
            end: None,
        }
    }
}

/// A time as the interface shows it.
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp {
        seconds: time.timestamp(),
        nanos,
    }
}

/// A day as the interface shows it.
pub fn date(day: NaiveDate) -> Date {
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    Date {
        year: day.year(),
        month: part(day.month()),
        day: part(day.day()),
    }
}

/// The day that is meant; none when the calendar has no such day, or a part of it is missing.
pub fn day(date: &Date) -> Option<NaiveDate> {
    let (month, day) = (u32::try_from(date.month).ok()?, u32::try_from(date.day).ok()?);
    NaiveDate::from_ymd_opt(date.year, month, day).filter(|day| (1..=9999).contains(&day.year()))
}

/// The time that is meant; `None` outside the years 1 to 9999, or when the nanoseconds are no such.
pub fn time(given: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(given.seconds, u32::try_from(given.nanos).ok()?).filter(is_stored)
}

/// Whether a time is one that is stored: of the years 1 to 9999, as `google.protobuf.Timestamp` has it.
pub fn is_stored(time: &DateTime<Utc>) -> bool {
    (1..=9999).contains(&time.year())
}

/// A span of times in the field `at`; the end must be later than the start.
pub fn time_span(
    given: Option<&TimestampRange>,
    at: &str,
    found: &mut Vec<Violation>,
) -> Span<DateTime<Utc>> {
    let Some(given) = given else {
        return Span::default();
    };
    let span = Span {
        start: part(
            given.start.as_ref(),
            time,
            &format!("{at}.start"),
            "is no time",
            found,
        ),
        end: part(
            given.end.as_ref(),
            time,
            &format!("{at}.end"),
            "is no time",
            found,
        ),
    };
    if span
        .start
        .is_some_and(|start| span.end.is_some_and(|end| end <= start))
    {
        wrong(
            &format!("{at}.end"),
            ViolationCode::ValueOutOfRange,
            "must be later than the start",
            found,
        );
    }
    span
}

/// A span of days in the field `at`; the end must not be before the start.
pub fn day_span(given: Option<&DateRange>, at: &str, found: &mut Vec<Violation>) -> Span<NaiveDate> {
    let Some(given) = given else {
        return Span::default();
    };
    let text = "is no day of the calendar; year, month and day are required";
    let span = Span {
        start: part(given.start.as_ref(), day, &format!("{at}.start"), text, found),
        end: part(given.end.as_ref(), day, &format!("{at}.end"), text, found),
    };
    if span
        .start
        .is_some_and(|start| span.end.is_some_and(|end| end < start))
    {
        wrong(
            &format!("{at}.end"),
            ViolationCode::ValueOutOfRange,
            "must not be before the start",
            found,
        );
    }
    span
}

fn part<T, U>(
    given: Option<&T>,
    read: impl Fn(&T) -> Option<U>,
    at: &str,
    text: &str,
    found: &mut Vec<Violation>,
) -> Option<U> {
    let value = read(given?);
    if value.is_none() {
        wrong(at, ViolationCode::InvalidValue, text, found);
    }
    value
}

fn wrong(at: &str, code: ViolationCode, text: &str, found: &mut Vec<Violation>) {
    found.push(Violation::new(&FieldPath::root().field(at), code, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(start: (i32, i32, i32), end: (i32, i32, i32)) -> Vec<String> {
        let date = |(year, month, day)| Some(Date { year, month, day });
        let mut found = Vec::new();
        day_span(
            Some(&DateRange {
                start: date(start),
                end: date(end),
            }),
            "f",
            &mut found,
        );
        found.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn spans_have_real_ends_in_the_right_order() {
        assert_eq!(days((2026, 2, 28), (2026, 2, 28)), [""; 0]);
        assert_eq!(days((2026, 2, 30), (0, 1, 1)), ["f.start", "f.end"]);
        assert_eq!(days((2026, 3, 1), (2026, 2, 28)), ["f.end"]);
        let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let mut found = Vec::new();
        time_span(
            Some(&TimestampRange {
                start: time(5),
                end: time(5),
            }),
            "t",
            &mut found,
        );
        assert_eq!(found.len(), 1, "an empty span of times is a mistake");
    }

    #[test]
    fn days_come_back() {
        for text in ["0001-01-01", "2028-02-29", "9999-12-31"] {
            let given: NaiveDate = text.parse().expect("a day");
            assert_eq!(day(&date(given)), Some(given));
        }
    }
}
