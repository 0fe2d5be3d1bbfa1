//! Refusals, as people read them.

use cosell_proto::cosell::r#type::v1::{InvalidField, InvalidFields};
use prost::{Message as _, Name as _};
use tonic::Status;
use tonic_types::StatusExt as _;

/// The longest line, but for what cannot be broken.
const WIDTH: usize = 96;
/// The most allowed values that are listed.
const MOST_VALUES: usize = 40;

/// The sentence and the reason; then each field at fault, with what was given and what would be right.
pub fn explained(status: &Status) -> anyhow::Error {
    let info = status.get_details_error_info();
    let (reason, metadata) = info.map(|info| (info.reason, info.metadata)).unwrap_or_default();
    let mut text = match (reason.as_str(), metadata.get("violations")) {
        // The sentence repeats the first of the fields.
        ("INVALID_FIELDS", Some(count)) if count == "1" => "1 field is invalid".to_owned(),
        ("INVALID_FIELDS", Some(count)) => format!("{count} fields are invalid"),
        _ => status.message().to_owned(),
    };
    if !reason.is_empty() {
        text = format!("{text} ({reason})");
    }
    let sentences = status.get_details_bad_request();
    let sentences = sentences
        .map(|details| details.field_violations)
        .unwrap_or_default();
    // Both details list the same fields in the same order.
    let mut facts = facts(status).into_iter();
    for sentence in sentences {
        let facts = facts.next().filter(|facts| facts.field == sentence.field);
        let words = sentence.description.split_whitespace().map(str::to_owned);
        text = format!("{text}\n  {}\n{}", sentence.field, wrapped("", words));
        for line in facts.iter().flat_map(help) {
            text = format!("{text}\n{line}");
        }
    }
    anyhow::Error::msg(text)
}

/// What is said of the fields for programs; none when the service says nothing of the kind.
fn facts(status: &Status) -> Vec<InvalidField> {
    let whole = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
    let mut details = whole.details.iter();
    details
        .find(|any| any.type_url == InvalidFields::type_url())
        .and_then(|any| InvalidFields::decode(any.value.as_slice()).ok())
        .map(|details| details.fields)
        .unwrap_or_default()
}

fn help(facts: &InvalidField) -> Vec<String> {
    let mut lines = Vec::new();
    if !facts.rejected_value.is_empty() {
        // In quotes: blanks at its ends may be what is wrong.
        lines.push(wrapped("given:", [format!("{:?}", facts.rejected_value)]));
    }
    let allowed = &facts.allowed_values;
    if !allowed.is_empty() {
        let shown = &allowed[..allowed.len().min(MOST_VALUES)];
        let more = allowed.len() - shown.len();
        // Some values have commas.
        let values = shown.iter().enumerate().map(|(index, value)| {
            let ends = index + 1 == shown.len() && more == 0;
            if ends { value.clone() } else { format!("{value};") }
        });
        let more = (more > 0).then(|| format!("and {more} more"));
        lines.push(wrapped("allowed:", values.chain(more)));
    }
    if !facts.pattern.is_empty() {
        lines.push(wrapped("pattern:", [facts.pattern.clone()]));
    }
    lines
}

/// A label, and beside it parts that are not broken, in as many lines as they take.
fn wrapped(label: &str, parts: impl IntoIterator<Item = String>) -> String {
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
        let mut details = ErrorDetails::new();
        let metadata = [("violations".to_owned(), violations.to_owned())];
        details.set_error_info(reason, "cosell", metadata);
        let sentence = |(description, facts): &(&str, InvalidField)| FieldViolation {
            field: facts.field.clone(),
            description: (*description).to_owned(),
            ..FieldViolation::default()
        };
        details.set_bad_request(fields.iter().map(sentence).collect::<Vec<_>>());
        let status = Status::with_error_details(Code::InvalidArgument, "the sentence", details);
        let mut whole = tonic_types::pb::Status::decode(status.details()).expect("details");
        let facts = InvalidFields {
            fields: fields.iter().map(|(_, facts)| facts.clone()).collect(),
        };
        whole.details.push(prost_types::Any {
            type_url: InvalidFields::type_url(),
            value: facts.encode_to_vec(),
        });
        let status = Status::with_details(status.code(), status.message(), whole.encode_to_vec().into());
        explained(&status).to_string()
    }

    #[test]
    fn each_field_has_its_sentence_what_was_given_and_what_would_be_right() {
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
                ("is none of the list", list),
                ("does not have the right form", form),
            ],
        );
        let expected = r#"2 fields are invalid (INVALID_FIELDS)
  profile.industry_segments[0]
    is none of the list
    given:   "Aerospac "
    allowed: Aerospace; Configuration, Compliance & Auditing
  profile_id
    does not have the right form
    pattern: ^pprofile-[0-9a-z]{13}$"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn long_lists_are_wrapped_and_cut() {
        let field = InvalidField {
            field: "opportunity.customer.account.address.state_or_region".to_owned(),
            allowed_values: (0..62).map(|number| format!("State number {number}")).collect(),
            ..InvalidField::default()
        };
        let sentence = "one ".repeat(60);
        let text = refusal("INVALID_FIELDS", "1", &[(&sentence, field)]);
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
        assert_eq!(text.matches("State number").count(), MOST_VALUES);
    }

    #[test]
    fn other_refusals_have_their_sentence() {
        let field = InvalidField {
            field: "opportunity.project.title".to_owned(),
            ..InvalidField::default()
        };
        assert_eq!(
            refusal("FIELD_NOT_EDITABLE", "1", &[("cannot be changed", field)]),
            "the sentence (FIELD_NOT_EDITABLE)\n  opportunity.project.title\n    cannot be changed"
        );
        let plain = Status::new(Code::Unavailable, "nobody is there");
        assert_eq!(explained(&plain).to_string(), "nobody is there");
    }
}
