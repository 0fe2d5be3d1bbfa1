//! Opportunities in the JSON format of Protocol Buffers.

use std::sync::LazyLock;

use cosell_grpc::Failure;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Violation, ViolationCode};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

use super::violations::violation_at;
use crate::domain::job::MAX_VIOLATIONS;

static OPPORTUNITY: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("cosell.opportunity.v1.Opportunity")
});

/// Characters of the parser's error that are returned: the name of a field can be as long as its line.
const MAX_ECHOED_CHARS: usize = 200;

/// Parses an opportunity; an error is the description of a violation. Of the parser's errors only those about unknown
/// fields are returned: they name the field, others can contain values.
pub fn from_json(value: Value) -> Result<pb::Opportunity, String> {
    let descriptor = OPPORTUNITY
        .clone()
        .ok_or_else(|| "The definition of an opportunity is missing.".to_owned())?;
    let message = DynamicMessage::deserialize(descriptor, value).map_err(|error| {
        let text: String = error.to_string().chars().take(MAX_ECHOED_CHARS).collect();
        if text.starts_with("unrecognized field name") {
            format!("Must be an opportunity in the JSON format of Protocol Buffers: {text}.")
        } else {
            "Must be an opportunity in the JSON format of Protocol Buffers.".to_owned()
        }
    })?;
    pb::Opportunity::decode(message.encode_to_vec().as_slice()).map_err(|error| error.to_string())
}

/// A violation for each value that its enum does not have, with the allowed ones. The parser would name neither.
pub fn unknown_enum_values(opportunity: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(descriptor) = OPPORTUNITY.as_ref() {
        find_unknown_enum_values(descriptor, opportunity, "", &mut violations);
    }
    violations
}

fn find_unknown_enum_values(
    message: &MessageDescriptor,
    object: &Value,
    at: &str,
    violations: &mut Vec<Violation>,
) {
    for field in message.fields() {
        let Some(value) = object.get(field.name()).or_else(|| object.get(field.json_name())) else {
            continue;
        };
        let path = format!("{at}{}", field.name());
        match value {
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    check_enum_value(&field, value, &format!("{path}[{index}]"), violations);
                }
            }
            value => check_enum_value(&field, value, &path, violations),
        }
    }
}

fn check_enum_value(field: &FieldDescriptor, value: &Value, path: &str, violations: &mut Vec<Violation>) {
    match (field.kind(), value) {
        (Kind::Message(inner), Value::Object(_)) => {
            find_unknown_enum_values(&inner, value, &format!("{path}."), violations);
        }
        // Of a long list not every value is described: each text has all allowed values.
        (Kind::Enum(kind), Value::String(name))
            if kind.get_value_by_name(name).is_none() && violations.len() <= MAX_VIOLATIONS =>
        {
            let allowed: Vec<_> = kind
                .values()
                .filter(|value| value.number() != 0)
                .map(|value| value.name().to_owned())
                .collect();
            let text = format!("Must be one of {}.", allowed.join(", "));
            violations.push(violation_at(path, ViolationCode::InvalidEnumValue, text));
        }
        _ => {}
    }
}

pub fn to_json(opportunity: &pb::Opportunity) -> Result<Value, Failure> {
    let descriptor = OPPORTUNITY
        .clone()
        .ok_or_else(|| Failure::internal("the definition of an opportunity is missing"))?;
    let bytes = opportunity.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(Failure::internal)?;
    serde_json::to_value(&message).map_err(Failure::internal)
}
