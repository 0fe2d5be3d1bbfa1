//! Parsing and formatting of field values on the command line.

use anyhow::{Context as _, bail, ensure};
use cosell_types::json;
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

/// Whether values of a message are written as a text.
pub fn has_text(message: &MessageDescriptor) -> bool {
    [
        "google.protobuf.Timestamp",
        "google.protobuf.FieldMask",
        "google.type.Date",
        "google.type.Money",
    ]
    .contains(&message.full_name())
}

/// The names of a closed list, as options take them.
pub fn names(list: &EnumDescriptor) -> Vec<String> {
    let values = list.values().filter(|value| value.number() != 0);
    values
        .map(|value| short(list, value.name()).to_lowercase().replace('_', "-"))
        .collect()
}

/// A value's name without the prefix that all of its list have.
fn short<'a>(list: &EnumDescriptor, name: &'a str) -> &'a str {
    let first = list.values().next();
    let prefix = first
        .as_ref()
        .and_then(|value| value.name().strip_suffix("UNSPECIFIED"));
    prefix
        .and_then(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

/// A value out of a text.
pub fn read(kind: &Kind, text: &str) -> anyhow::Result<Value> {
    Ok(match kind {
        Kind::Bool => Value::Bool(text == "true"),
        Kind::Int32 => Value::I32(text.parse()?),
        Kind::Int64 => Value::I64(text.parse()?),
        Kind::String => Value::String(text.to_owned()),
        Kind::Enum(list) => {
            let wanted = text.to_uppercase().replace('-', "_");
            let mut values = list.values();
            let found = values.find(|value| short(list, value.name()) == wanted);
            Value::EnumNumber(found.context("is none of the list")?.number())
        }
        Kind::Message(message) => Value::Message(read_message(message, text)?),
        _ => bail!("this kind of field cannot be given on a command line"),
    })
}

fn read_message(message: &MessageDescriptor, text: &str) -> anyhow::Result<DynamicMessage> {
    let json = match message.full_name() {
        "google.protobuf.Timestamp" => serde_json::Value::String(text.to_owned()),
        "google.protobuf.FieldMask" => {
            let paths: Vec<_> = text.split(',').map(str::trim).map(camel).collect();
            serde_json::Value::String(paths.join(","))
        }
        "google.type.Date" => {
            let day: chrono::NaiveDate = text.parse().context("a day is written as 2026-09-30")?;
            let (year, month, day) = (
                chrono::Datelike::year(&day),
                chrono::Datelike::month(&day),
                chrono::Datelike::day(&day),
            );
            serde_json::json!({"year": year, "month": month, "day": day})
        }
        "google.type.Money" => money(text)?,
        _ => json::parse(&text_or_file(text)?).context("cannot be read as JSON")?,
    };
    DynamicMessage::deserialize(message.clone(), json).context("is not of the form of the field")
}

/// Masks are in camel case in JSON.
fn camel(path: &str) -> String {
    let mut camel = String::new();
    let mut upper = false;
    for letter in path.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.extend(letter.to_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

fn money(text: &str) -> anyhow::Result<serde_json::Value> {
    let form = "an amount is written as `USD 1200.50`";
    let (currency, amount) = text.split_once(' ').context(form)?;
    let (units, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    let mut nanos: String = decimals.to_owned();
    while nanos.len() < 9 {
        nanos.push('0');
    }
    let (units, nanos): (i64, i32) = (units.parse().context(form)?, nanos.parse().context(form)?);
    Ok(serde_json::json!({"currencyCode": currency, "units": units.to_string(), "nanos": nanos}))
}

/// Formats a value: lists in one line, enum values by name, times and dates in ISO 8601.
pub fn show(kind: &Kind, value: &Value) -> String {
    match value {
        Value::List(values) => {
            let shown: Vec<_> = values.iter().map(|value| show(kind, value)).collect();
            shown.join(", ")
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::EnumNumber(number) => match kind {
            Kind::Enum(list) if *number != 0 => list.get_value(*number).map_or_else(
                || number.to_string(),
                |value| short(list, value.name()).to_owned(),
            ),
            _ => String::new(),
        },
        Value::Message(message) => show_message(message),
        other => format!("{other:?}"),
    }
}

fn show_message(message: &DynamicMessage) -> String {
    let number = |name: &str| {
        let value = message.get_field_by_name(name).map(|value| value.into_owned());
        match value {
            Some(Value::I32(number)) => i64::from(number),
            Some(Value::I64(number)) => number,
            _ => 0,
        }
    };
    match message.descriptor().full_name() {
        "google.type.Date" => format!(
            "{:04}-{:02}-{:02}",
            number("year"),
            number("month"),
            number("day")
        ),
        "google.type.Money" => {
            let currency = message.get_field_by_name("currency_code");
            let currency = currency
                .as_ref()
                .and_then(|value| value.as_str())
                .unwrap_or_default();
            let hundredths = (number("nanos") / 10_000_000).abs();
            format!("{currency} {}.{hundredths:02}", number("units"))
        }
        _ => serde_json::to_value(message)
            .map(|json| json.as_str().map_or_else(|| json.to_string(), str::to_owned))
            .unwrap_or_default(),
    }
}

/// The text, or the content of the file that it names with `@`.
pub fn text_or_file(text: &str) -> anyhow::Result<String> {
    let Some(path) = text.strip_prefix('@') else {
        return Ok(text.to_owned());
    };
    ensure!(!path.is_empty(), "@ needs the name of a file");
    std::fs::read_to_string(path).with_context(|| format!("reading {path}"))
}
