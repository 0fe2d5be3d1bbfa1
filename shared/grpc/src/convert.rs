//! Converts timestamps, dates, ranges and filter ids between the wire and Rust types.

use std::str::FromStr;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use cosell_proto::cosell::r#type::v1::{DateRange, TimestampRange};
use cosell_proto::google::r#type::Date;
use cosell_types::{FieldPath, IdError, Violation, ViolationCode};
use prost_types::Timestamp;

/// A range of a filter. Ranges of times exclude their end, ranges of days include it.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<T> {
    /// The inclusive start; `None` if unbounded.
    pub start: Option<T>,
    /// The end; `None` if unbounded.
    pub end: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self {
            start: None,
            end: None,
        }
    }
}

/// Converts a time to its wire form.
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp {
        seconds: time.timestamp(),
        nanos,
    }
}

/// Converts a day to its wire form.
pub fn date(day: NaiveDate) -> Date {
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    Date {
        year: day.year(),
        month: part(day.month()),
        day: part(day.day()),
    }
}

/// Converts a date of the wire; `None` if it is not a calendar date, or if year, month or day are missing.
pub fn day(date: &Date) -> Option<NaiveDate> {
    let (month, day) = (u32::try_from(date.month).ok()?, u32::try_from(date.day).ok()?);
    NaiveDate::from_ymd_opt(date.year, month, day).filter(|day| (1..=9999).contains(&day.year()))
}

/// Converts a timestamp of the wire; `None` if it is outside the years 1 to 9999, or if the nanos are invalid.
pub fn time(timestamp: &Timestamp) -> Option<DateTime<Utc>> {
    // More nanoseconds than a second has would be read as a leap second, which the wire form does not have.
    let nanos = u32::try_from(timestamp.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    DateTime::from_timestamp(timestamp.seconds, nanos).filter(is_valid_time)
}

/// Whether a time is in the years 1 to 9999 and in no leap second, as `google.protobuf.Timestamp` and PostgreSQL require.
pub fn is_valid_time(time: &DateTime<Utc>) -> bool {
    (1..=9999).contains(&time.year()) && time.timestamp_subsec_nanos() < 1_000_000_000
}

/// Parses the ids of a filter; `at` is the path of the list.
pub fn ids<T: FromStr<Err = IdError>>(
    stated: &[String],
    at: &str,
    violations: &mut Vec<Violation>,
) -> Vec<T> {
    let mut ids = Vec::with_capacity(stated.len());
    for (index, text) in stated.iter().enumerate() {
        match text.parse::<T>() {
            Ok(id) => ids.push(id),
            Err(error) => {
                let root = FieldPath::root();
                let list = root.field(at);
                violations.push(malformed_id(&list.index(index), &error));
            }
        }
    }
    ids
}

/// Parses the id of a filter in the field `at`; `None` if the field is empty.
pub fn id<T: FromStr<Err = IdError>>(stated: &str, at: &str, violations: &mut Vec<Violation>) -> Option<T> {
    if stated.is_empty() {
        return None;
    }
    match stated.parse::<T>() {
        Ok(id) => Some(id),
        Err(error) => {
            violations.push(malformed_id(&FieldPath::root().field(at), &error));
            None
        }
    }
}

const NOT_A_TIME: &str = "Must be a valid timestamp in the years 1 to 9999.";

fn malformed_id(field: &FieldPath<'_>, error: &IdError) -> Violation {
    let text = format!("Must be {}.", error.expected);
    Violation::new(field, ViolationCode::InvalidStringFormat, text)
}

/// Converts a range of times in the field `at`; the end must be later than the start.
pub fn timestamp_range(
    range: Option<&TimestampRange>,
    at: &str,
    violations: &mut Vec<Violation>,
) -> Bounds<DateTime<Utc>> {
    let Some(range) = range else {
        return Bounds::default();
    };
    let span = Bounds {
        start: convert_bound(
            range.start.as_ref(),
            time,
            &format!("{at}.start"),
            NOT_A_TIME,
            violations,
        ),
        end: convert_bound(
            range.end.as_ref(),
            time,
            &format!("{at}.end"),
            NOT_A_TIME,
            violations,
        ),
    };
    if span
        .start
        .is_some_and(|start| span.end.is_some_and(|end| end <= start))
    {
        report(
            &format!("{at}.end"),
            ViolationCode::ValueOutOfRange,
            "Must be later than the start.",
            violations,
        );
    }
    span
}

/// Converts a range of days in the field `at`; the end must not be before the start.
pub fn date_range(range: Option<&DateRange>, at: &str, violations: &mut Vec<Violation>) -> Bounds<NaiveDate> {
    let Some(range) = range else {
        return Bounds::default();
    };
    let text = "Must be a calendar date with year, month and day.";
    let span = Bounds {
        start: convert_bound(
            range.start.as_ref(),
            day,
            &format!("{at}.start"),
            text,
            violations,
        ),
        end: convert_bound(range.end.as_ref(), day, &format!("{at}.end"), text, violations),
    };
    if span
        .start
        .is_some_and(|start| span.end.is_some_and(|end| end < start))
    {
        report(
            &format!("{at}.end"),
            ViolationCode::ValueOutOfRange,
            "Must not be before the start.",
            violations,
        );
    }
    span
}

fn convert_bound<T, U>(
    bound: Option<&T>,
    read: impl Fn(&T) -> Option<U>,
    at: &str,
    text: &str,
    violations: &mut Vec<Violation>,
) -> Option<U> {
    let value = read(bound?);
    if value.is_none() {
        report(at, ViolationCode::InvalidValue, text, violations);
    }
    value
}

fn report(at: &str, code: ViolationCode, text: &str, violations: &mut Vec<Violation>) {
    violations.push(Violation::new(&FieldPath::root().field(at), code, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(start: (i32, i32, i32), end: (i32, i32, i32)) -> Vec<String> {
        let date = |(year, month, day)| Some(Date { year, month, day });
        let mut violations = Vec::new();
        date_range(
            Some(&DateRange {
                start: date(start),
                end: date(end),
            }),
            "f",
            &mut violations,
        );
        violations.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn ranges_must_have_valid_bounds_in_ascending_order() {
        assert_eq!(days((2026, 2, 28), (2026, 2, 28)), [""; 0]);
        assert_eq!(days((2026, 2, 30), (0, 1, 1)), ["f.start", "f.end"]);
        assert_eq!(days((2026, 3, 1), (2026, 2, 28)), ["f.end"]);
        let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let mut violations = Vec::new();
        timestamp_range(
            Some(&TimestampRange {
                start: time(5),
                end: time(5),
            }),
            "t",
            &mut violations,
        );
        assert_eq!(violations.len(), 1, "an empty range of times is refused");
    }

    #[test]
    fn time_with_a_second_of_nanos_is_refused() {
        for (seconds, nanos, is_valid) in [
            (59, 999_999_999, true),
            (59, 1_000_000_000, false),
            (59, -1, false),
        ] {
            let found = time(&Timestamp { seconds, nanos });
            assert_eq!(found.is_some(), is_valid, "{seconds} {nanos}");
        }
    }

    #[test]
    fn day_round_trips_through_wire_form() {
        for text in ["0001-01-01", "2028-02-29", "9999-12-31"] {
            let expected: NaiveDate = text.parse().expect("a day");
            assert_eq!(day(&date(expected)), Some(expected));
        }
    }
}
