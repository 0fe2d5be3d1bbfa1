//! Formats error statuses for the terminal.

use cosell_proto::cosell::r#type::v1::{InvalidField, InvalidFields};
use prost::{Message as _, Name as _};
use tonic::Status;
use tonic_types::StatusExt as _;

/// The maximum length of a line, except for words that cannot be broken.
const WIDTH: usize = 96;
/// The maximum number of allowed values that are listed.
const MAX_VALUES: usize = 40;

/// Formats a status: message and reason, then each invalid field with its description, the rejected value, and the
/// allowed values or pattern.
pub fn explain_status(status: &Status) -> anyhow::Error {
    explain(status, str::to_owned)
}

/// Formats the status of a request whose list `name` has one record of each of these lines of a file.
pub fn explain_status_of_lines(status: &Status, name: &str, lines: &[u64]) -> anyhow::Error {
    let explained = explain(status, |field| {
        line_of(field, name, lines).unwrap_or_else(|| field.to_owned())
    });
    match lines {
        [] => explained,
        [line] => explained.context(format!("line {line}")),
        [first, .., last] => explained.context(format!("lines {first} to {last}")),
    }
}

/// The path of a field in a list, with the line of its record instead of the index.
fn line_of(field: &str, name: &str, lines: &[u64]) -> Option<String> {
    let (index, rest) = field.strip_prefix(name)?.strip_prefix('[')?.split_once(']')?;
    let line = lines.get(index.parse::<usize>().ok()?)?;
    Some(format!("line {line}: {}", rest.trim_start_matches('.')))
}

fn explain(status: &Status, show_field: impl Fn(&str) -> String) -> anyhow::Error {
    let info = status.get_details_error_info();
    let (reason, metadata) = info.map(|info| (info.reason, info.metadata)).unwrap_or_default();
    let mut text = match (reason.as_str(), metadata.get("violations")) {
        // The message repeats the first field.
        ("INVALID_FIELDS", Some(count)) if count == "1" => "1 field is invalid".to_owned(),
        ("INVALID_FIELDS", Some(count)) => format!("{count} fields are invalid"),
        _ => status.message().to_owned(),
    };
    if !reason.is_empty() {
        text = format!("{text} ({reason})");
    }
    let bad_request = status.get_details_bad_request();
    let violations = bad_request
        .map(|details| details.field_violations)
        .unwrap_or_default();
    // Both details list the same fields in the same order.
    let mut details = invalid_fields(status).into_iter();
    for violation in violations {
        let detail = details.next().filter(|detail| detail.field == violation.field);
        let words = violation.description.split_whitespace().map(str::to_owned);
        text = format!("{text}\n  {}\n{}", show_field(&violation.field), wrap("", words));
        for line in detail.iter().flat_map(detail_lines) {
            text = format!("{text}\n{line}");
        }
    }
    anyhow::Error::msg(text)
}

/// The machine-readable details of invalid fields; empty if the status has none.
fn invalid_fields(status: &Status) -> Vec<InvalidField> {
    let decoded = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
    let mut details = decoded.details.iter();
    details
        .find(|any| any.type_url == InvalidFields::type_url())
        .and_then(|any| InvalidFields::decode(any.value.as_slice()).ok())
        .map(|details| details.fields)
        .unwrap_or_default()
}

fn detail_lines(detail: &InvalidField) -> Vec<String> {
    let mut lines = Vec::new();
    if !detail.rejected_value.is_empty() {
        // Quoted, because the value may be invalid due to leading or trailing blanks.
        lines.push(wrap("given:", [format!("{:?}", detail.rejected_value)]));
    }
    let allowed = &detail.allowed_values;
    if !allowed.is_empty() {
        let shown = &allowed[..allowed.len().min(MAX_VALUES)];
        let more = allowed.len() - shown.len();
        // Separated by semicolons, because some values contain commas.
        let values = shown.iter().enumerate().map(|(index, value)| {
            let is_last = index + 1 == shown.len() && more == 0;
            if is_last {
                value.clone()
            } else {
                format!("{value};")
            }
        });
        let more = (more > 0).then(|| format!("and {more} more"));
        lines.push(wrap("allowed:", values.chain(more)));
    }
    if !detail.pattern.is_empty() {
        lines.push(wrap("pattern:", [detail.pattern.clone()]));
    }
    lines
}

/// Wraps unbreakable parts into lines, indented behind a label.
fn wrap(label: &str, parts: impl IntoIterator<Item = String>) -> String {
    let (mut line, indent) = match label {
        "" => ("    ".to_owned(), 4),
        label => (format!("    {label:<9}"), 13),
    };
    let mut lines = Vec::new();
    let mut is_empty = true;
    for part in parts {
        if !is_empty && line.chars().count() + 1 + part.chars().count() > WIDTH {
            lines.push(line);
            (line, is_empty) = (" ".repeat(indent), true);
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&part);
        is_empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    fn refusal(reason: &str, violations: &str, fields: &[(&str, InvalidField)]) -> String {
        explain_status(&status(reason, violations, fields)).to_string()
    }

    fn status(reason: &str, violations: &str, fields: &[(&str, InvalidField)]) -> Status {
        let mut details = ErrorDetails::new();
        let metadata = [("violations".to_owned(), violations.to_owned())];
        details.set_error_info(reason, "cosell", metadata);
        let violation = |(description, facts): &(&str, InvalidField)| FieldViolation {
            field: facts.field.clone(),
            description: (*description).to_owned(),
            ..FieldViolation::default()
        };
        details.set_bad_request(fields.iter().map(violation).collect::<Vec<_>>());
        let status = Status::with_error_details(Code::InvalidArgument, "the message", details);
        let mut whole = tonic_types::pb::Status::decode(status.details()).expect("details");
        let facts = InvalidFields {
            fields: fields.iter().map(|(_, facts)| facts.clone()).collect(),
        };
        whole.details.push(prost_types::Any {
            type_url: InvalidFields::type_url(),
            value: facts.encode_to_vec(),
        });
        Status::with_details(status.code(), status.message(), whole.encode_to_vec().into())
    }

    #[test]
    fn fields_of_a_list_are_named_by_the_lines_of_their_records() {
        let field = |path: &str| InvalidField {
            field: path.to_owned(),
            ..InvalidField::default()
        };
        let fields = ["products[1].name", "products[7].name", "etag"].map(|path| ("is invalid", field(path)));
        let status = status("INVALID_FIELDS", "3", &fields);
        let expected = "3 fields are invalid (INVALID_FIELDS)\n  line 4: name\n    is invalid\n  products[7].name\n    \
                        is invalid\n  etag\n    is invalid";
        assert_eq!(
            format!("{:#}", explain_status_of_lines(&status, "products", &[2, 4])),
            format!("lines 2 to 4: {expected}")
        );
    }

    #[test]
    fn invalid_fields_have_description_rejected_value_and_allowed_values() {
        let list = InvalidField {
            field: "profile.industry_segments[0]".to_owned(),
            rejected_value: "Aerospac ".to_owned(),
            allowed_values: ["Aerospace", "Configuration, Compliance & Auditing"]
                .map(str::to_owned)
                .to_vec(),
            ..InvalidField::default()
        };
        let form = InvalidField {
            field: "profile_id".to_owned(),
            pattern: "^pprofile-[0-9a-z]{13}$".to_owned(),
            ..InvalidField::default()
        };
        let text = refusal(
            "INVALID_FIELDS",
            "2",
            &[
                ("is not one of the allowed values", list),
                ("does not match the pattern", form),
            ],
        );
        let expected = r#"2 fields are invalid (INVALID_FIELDS)
  profile.industry_segments[0]
    is not one of the allowed values
    given:   "Aerospac "
    allowed: Aerospace; Configuration, Compliance & Auditing
  profile_id
    does not match the pattern
    pattern: ^pprofile-[0-9a-z]{13}$"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn long_lists_are_wrapped_and_truncated() {
        let field = InvalidField {
            field: "opportunity.customer.account.address.state_or_region".to_owned(),
            allowed_values: (0..62).map(|number| format!("State number {number}")).collect(),
            ..InvalidField::default()
        };
        let description = "one ".repeat(60);
        let text = refusal("INVALID_FIELDS", "1", &[(&description, field)]);
        assert!(
            text.starts_with("1 field is invalid (INVALID_FIELDS)\n"),
            "{text}"
        );
        assert!(text.ends_with("State number 39; and 22 more"), "{text}");
        for line in text.lines().skip(2) {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert!(line.starts_with("    "), "{line}");
        }
        assert_eq!(text.matches("one").count(), 60);
        assert_eq!(text.matches("State number").count(), MAX_VALUES);
    }

    #[test]
    fn other_statuses_keep_their_message() {
        let field = InvalidField {
            field: "opportunity.project.title".to_owned(),
            ..InvalidField::default()
        };
        assert_eq!(
            refusal("FIELD_NOT_EDITABLE", "1", &[("cannot be changed", field)]),
            "the message (FIELD_NOT_EDITABLE)\n  opportunity.project.title\n    cannot be changed"
        );
        let plain = Status::new(Code::Unavailable, "connection refused");
        assert_eq!(explain_status(&plain).to_string(), "connection refused");
    }
}
