//! Answers as tables and as JSON.

use anyhow::Context as _;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};

use super::{Output, values};

/// The longest text in a table; what is longer is cut.
const WIDEST: usize = 48;

/// Records one below the other.
pub fn list(rows: &[DynamicMessage], columns: &[&str], output: Output) -> anyhow::Result<String> {
    if output == Output::Json {
        return Ok(serde_json::to_string_pretty(rows)?);
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
    // An answer that is a record shows the record.
    let mut fields = answer.fields();
    let answer = match (fields.next(), fields.next()) {
        (Some((_, Value::Message(record))), None) => record,
        _ => answer,
    };
    if output == Output::Json {
        return serde_json::to_string_pretty(answer).context("an answer as JSON");
    }
    let mut lines = Vec::new();
    flatten(answer, "", &mut lines);
    Ok(table(&lines))
}

fn flatten(message: &DynamicMessage, above: &str, lines: &mut Vec<Vec<String>>) {
    for (field, value) in message.fields() {
        let path = if above.is_empty() {
            field.name().to_owned()
        } else {
            format!("{above}.{}", field.name())
        };
        match value {
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
