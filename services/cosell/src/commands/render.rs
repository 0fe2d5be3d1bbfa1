//! Renders responses as tables and as JSON.

use anyhow::Context as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, SerializeOptions, Value};
use serde::{Serialize, Serializer};

use super::{Output, values};
use crate::terminal::{printable, printable_json};

/// The maximum width of a table cell; longer texts are truncated.
const MAX_CELL_WIDTH: usize = 48;

/// Serializes a message with all fields, including zero, false and empty ones. Omits unset fields with presence, such
/// as messages and timestamps.
struct Json<'a>(&'a DynamicMessage);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new().skip_default_fields(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

/// Renders records as rows of a table or as a JSON array.
pub fn render_list(rows: &[DynamicMessage], columns: &[&str], output: Output) -> anyhow::Result<String> {
    if output == Output::Json {
        let rows: Vec<_> = rows.iter().map(Json).collect();
        return to_json(&rows);
    }
    let headers = columns.iter().map(|path| {
        let last = path.rsplit('.').next().unwrap_or_default();
        last.to_uppercase()
    });
    let mut lines = vec![headers.collect::<Vec<_>>()];
    for row in rows {
        lines.push(
            columns
                .iter()
                .map(|paths| truncate(&printable(&first_text(row, paths))))
                .collect(),
        );
    }
    Ok(align(&lines))
}

/// Renders a response as a table with the path and value of each set field, or as JSON.
pub fn render_record(response: &DynamicMessage, output: Output) -> anyhow::Result<String> {
    // If the response has a single message field, renders that message.
    let mut fields = response.descriptor().fields().collect::<Vec<_>>();
    let record = match (fields.pop(), fields.is_empty()) {
        (Some(field), true) if !field.is_list() => Some(response.get_field(&field)),
        _ => None,
    };
    let record = record.as_deref().and_then(Value::as_message).unwrap_or(response);
    if output == Output::Json {
        return to_json(&Json(record));
    }
    let mut lines = Vec::new();
    flatten(record, "", &mut lines);
    Ok(align(&lines))
}

fn to_json(value: &impl Serialize) -> anyhow::Result<String> {
    let json = serde_json::to_string_pretty(value).context("rendering JSON")?;
    Ok(printable_json(&json))
}

fn flatten(message: &DynamicMessage, parent: &str, lines: &mut Vec<Vec<String>>) {
    for field in message.descriptor().fields() {
        if !message.has_field(&field) && !is_shown_at_default(&field) {
            continue;
        }
        let value = message.get_field(&field);
        let path = if parent.is_empty() {
            field.name().to_owned()
        } else {
            format!("{parent}.{}", field.name())
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
                let text = printable(&values::show(&field.kind(), value));
                let mut text = text.lines();
                lines.push(vec![path, text.next().unwrap_or_default().to_owned()]);
                lines.extend(text.map(|line| vec![String::new(), line.to_owned()]));
            }
        }
    }
}

/// Whether a table shows a field with its default value: 0 and "no" are shown; empty texts and unspecified enum values
/// are not.
fn is_shown_at_default(field: &FieldDescriptor) -> bool {
    let is_scalar = matches!(field.kind(), Kind::Bool | Kind::Int32 | Kind::Int64);
    is_scalar && !field.is_list() && !field.supports_presence()
}

/// The text of the first of these paths, separated by `|`, that has one: payloads of different types share a column.
fn first_text(row: &DynamicMessage, paths: &str) -> String {
    let mut texts = paths.split('|').map(|path| field_text(row, path));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The text of the field at a path; empty if it is not set.
fn field_text(row: &DynamicMessage, path: &str) -> String {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(field) = row.descriptor().get_field_by_name(name) else {
        return String::new();
    };
    if field.supports_presence() && !row.has_field(&field) {
        return String::new();
    }
    let value = row.get_field(&field);
    match (value.as_ref(), rest) {
        (Value::Message(inner), rest) if !rest.is_empty() => field_text(inner, rest),
        (value, _) => values::show(&field.kind(), value),
    }
}

fn truncate(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_CELL_WIDTH {
        return line;
    }
    let kept: String = line.chars().take(MAX_CELL_WIDTH - 1).collect();
    format!("{kept}…")
}

/// Aligns the columns of lines.
fn align(lines: &[Vec<String>]) -> String {
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
    use crate::descriptors::POOL;

    fn message(name: &str, json: serde_json::Value) -> DynamicMessage {
        let descriptor = POOL.get_message_by_name(name).expect("a message");
        DynamicMessage::deserialize(descriptor, json).expect("a message")
    }

    #[test]
    fn zero_value_is_rendered() {
        let response = message(
            "cosell.notification.v1.GetUnreadCountResponse",
            serde_json::json!({}),
        );
        assert_eq!(
            render_record(&response, Output::Table).expect("a table"),
            "unread_count  0"
        );
        let json = render_record(&response, Output::Json).expect("JSON");
        assert_eq!(json, "{\n  \"unreadCount\": \"0\"\n}");
    }

    #[test]
    fn record_renders_false_and_omits_unset_messages() {
        let response = message(
            "cosell.partner.v1.GetPartnerResponse",
            serde_json::json!({"partner": {"tier": "PARTNER_TIER_SELECT"}}),
        );
        assert_eq!(
            render_record(&response, Output::Table).expect("a table"),
            "connected  no\ntier       SELECT"
        );
        let json = render_record(&response, Output::Json).expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let expected = serde_json::json!({
            "partnerTypes": [], "programs": [], "specializations": [], "connected": false,
            "tier": "PARTNER_TIER_SELECT",
        });
        assert_eq!(json, expected, "the unset profile is omitted");
        let rows = render_list(&[response], &[], Output::Json).expect("JSON");
        assert!(rows.contains("\"connected\": false"), "{rows}");
    }
}
