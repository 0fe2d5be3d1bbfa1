//! Answers as tables and as JSON.

use anyhow::Context as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, SerializeOptions, Value};
use serde::{Serialize, Serializer};

use super::{Output, values};

/// The longest text in a table; what is longer is cut.
const WIDEST: usize = 48;

/// A record for programs, which ask for fields by their names: also what is zero, false or empty. What is not there at
/// all, such as a record within it or a time, is left away.
struct Json<'a>(&'a DynamicMessage);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new().skip_default_fields(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

/// Records one below the other.
pub fn list(rows: &[DynamicMessage], columns: &[&str], output: Output) -> anyhow::Result<String> {
    if output == Output::Json {
        let rows: Vec<_> = rows.iter().map(Json).collect();
        return Ok(serde_json::to_string_pretty(&rows)?);
    }
    let heads = columns.iter().map(|path| {
        let last = path.rsplit('.').next().unwrap_or_default();
        last.to_uppercase()
    });
    let mut lines = vec![heads.collect::<Vec<_>>()];
    for row in rows {
        lines.push(columns.iter().map(|path| cut(&at(row, path))).collect());
    }
    Ok(table(&lines))
}

/// One record, or what else an answer holds: each field that is there with its path.
pub fn one(answer: &DynamicMessage, output: Output) -> anyhow::Result<String> {
    // An answer that can hold nothing but a record shows the record.
    let mut fields = answer.descriptor().fields().collect::<Vec<_>>();
    let record = match (fields.pop(), fields.is_empty()) {
        (Some(field), true) if !field.is_list() => Some(answer.get_field(&field)),
        _ => None,
    };
    let answer = record.as_deref().and_then(Value::as_message).unwrap_or(answer);
    if output == Output::Json {
        return serde_json::to_string_pretty(&Json(answer)).context("an answer as JSON");
    }
    let mut lines = Vec::new();
    flatten(answer, "", &mut lines);
    Ok(table(&lines))
}

fn flatten(message: &DynamicMessage, above: &str, lines: &mut Vec<Vec<String>>) {
    for field in message.descriptor().fields() {
        if !message.has_field(&field) && !says_something_at_zero(&field) {
            continue;
        }
        let value = message.get_field(&field);
        let path = if above.is_empty() {
            field.name().to_owned()
        } else {
            format!("{above}.{}", field.name())
        };
        match value.as_ref() {
            Value::Message(inner) if !values::has_text(&inner.descriptor()) => flatten(inner, &path, lines),
            Value::List(entries) if matches!(field.kind(), Kind::Message(_)) => {
                for (number, entry) in entries.iter().enumerate() {
                    if let Value::Message(inner) = entry {
                        flatten(inner, &format!("{path}[{number}]"), lines);
                    }
                }
            }
            value => {
                let text = values::show(&field.kind(), value);
                let mut text = text.lines();
                lines.push(vec![path, text.next().unwrap_or_default().to_owned()]);
                lines.extend(text.map(|line| vec![String::new(), line.to_owned()]));
            }
        }
    }
}

/// A count of 0 and a "no" are answers; an empty text, and a value that is none of its list, are none.
fn says_something_at_zero(field: &FieldDescriptor) -> bool {
    let is_answer = matches!(field.kind(), Kind::Bool | Kind::Int32 | Kind::Int64);
    is_answer && !field.is_list() && !field.supports_presence()
}

/// What lies at a path of a record; nothing where there is nothing.
fn at(row: &DynamicMessage, path: &str) -> String {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(field) = row.descriptor().get_field_by_name(name) else {
        return String::new();
    };
    if field.supports_presence() && !row.has_field(&field) {
        return String::new();
    }
    let value = row.get_field(&field);
    match (value.as_ref(), rest) {
        (Value::Message(inner), rest) if !rest.is_empty() => at(inner, rest),
        (value, _) => values::show(&field.kind(), value),
    }
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    let kept: String = line.chars().take(WIDEST - 1).collect();
    format!("{kept}…")
}

/// Lines with their columns one below the other.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let line = |line: &Vec<String>| {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::POOL;

    fn message(name: &str, json: serde_json::Value) -> DynamicMessage {
        let definition = POOL.get_message_by_name(name).expect("a message");
        DynamicMessage::deserialize(definition, json).expect("a message")
    }

    #[test]
    fn an_answer_of_zero_is_one() {
        let answer = message(
            "cosell.notification.v1.GetUnreadCountResponse",
            serde_json::json!({}),
        );
        assert_eq!(one(&answer, Output::Table).expect("a table"), "unread_count  0");
        let json = one(&answer, Output::Json).expect("JSON");
        assert_eq!(json, "{\n  \"unreadCount\": \"0\"\n}");
    }

    #[test]
    fn a_record_says_no_and_leaves_away_what_is_not_there() {
        let answer = message(
            "cosell.partner.v1.GetPartnerResponse",
            serde_json::json!({"partner": {"tier": "PARTNER_TIER_SELECT"}}),
        );
        assert_eq!(
            one(&answer, Output::Table).expect("a table"),
            "connected  no\ntier       SELECT"
        );
        let json = one(&answer, Output::Json).expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let expected = serde_json::json!({
            "partnerTypes": [], "programs": [], "specializations": [], "connected": false,
            "tier": "PARTNER_TIER_SELECT",
        });
        assert_eq!(json, expected, "and no profile");
        let rows = list(&[answer], &[], Output::Json).expect("JSON");
        assert!(rows.contains("\"connected\": false"), "{rows}");
    }
}
