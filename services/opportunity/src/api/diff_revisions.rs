use std::sync::LazyLock;

use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Tx;
use cosell_types::{Caller, FieldPath, Violation, ViolationCode};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use prost_types::value::Kind as Form;
use serde_json::Value;

use super::{Api, past, shown, visible};
use crate::domain::Opportunity;
use crate::store;

/// What differs between any two revisions, what is no part of the record, and what follows from other fields.
const LEFT_OUT: [&str; 6] = [
    "etag",
    "revision",
    "update_time",
    "last_modified_by",
    "flagged_for_follow_up",
    "life_cycle.next_steps_history",
];

/// How many revisions are read at a time.
const STEP: i64 = 20;

pub async fn handle(
    api: &Api,
    call: Call<pb::DiffRevisionsRequest>,
) -> Result<pb::DiffRevisionsResponse, Failure> {
    let pb::DiffRevisionsRequest {
        opportunity_id,
        from_revision,
        to_revision,
    } = &call.message;
    if to_revision < from_revision {
        let text = "must not be less than from_revision";
        let at = FieldPath::root();
        let at = at.field("to_revision");
        return Err(Failure::invalid(vec![Violation::new(
            &at,
            ViolationCode::ValueOutOfRange,
            text,
        )]));
    }
    let mut tx = api.begin(&call).await?;
    let current = visible(&mut tx, &call, opportunity_id).await?;
    let from = past(&mut tx, &call, &current, *from_revision).await?;
    let to = past(&mut tx, &call, &current, *to_revision).await?;
    let (old, new) = (json(api, &call.caller, &from)?, json(api, &call.caller, &to)?);
    let mut found: Vec<_> = paths()
        .into_iter()
        .map(|path| (at(&old, &path).clone(), at(&new, &path).clone(), path))
        .filter(|(old, new, _)| old != new)
        .map(|(old, new, field)| pb::FieldDifference {
            field,
            old_value: Some(form(old)),
            new_value: Some(form(new)),
            ..Default::default()
        })
        .collect();
    trace(api, &call, &mut tx, (&from, to, new), &mut found).await?;
    Ok(pb::DiffRevisionsResponse { differences: found })
}

/// Finds the last change of each field, from the later revision back.
async fn trace(
    api: &Api,
    call: &Call<pb::DiffRevisionsRequest>,
    tx: &mut Tx,
    (from, mut later, mut later_json): (&Opportunity, Opportunity, Value),
    found: &mut [pb::FieldDifference],
) -> Result<(), Failure> {
    let member = call.member()?;
    while later.revision() > from.revision() && found.iter().any(|field| field.revision == 0) {
        let before = later.revision();
        for earlier in store::list_revisions(tx, member, from, before, STEP).await? {
            let earlier_record = earlier.record.beside(from);
            let earlier_json = json(api, &call.caller, &earlier_record)?;
            for field in found.iter_mut().filter(|field| field.revision == 0) {
                if at(&earlier_json, &field.field) != at(&later_json, &field.field) {
                    field.revision = later.revision();
                    field.time = Some(timestamp(later.update_time()));
                    field.actor_member_id = later
                        .last_modified_by()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                }
            }
            (later, later_json) = (earlier_record, earlier_json);
        }
        if later.revision() == before {
            break;
        }
    }
    Ok(())
}

static RECORD: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("cosell.opportunity.v1.Opportunity")
});

/// Every field of a record that is compared.
fn paths() -> Vec<String> {
    let mut found = Vec::new();
    if let Some(record) = &*RECORD {
        collect(record, "", &mut found);
    }
    found.retain(|path| !LEFT_OUT.contains(&path.as_str()));
    found
}

fn collect(message: &MessageDescriptor, above: &str, found: &mut Vec<String>) {
    for field in message.fields() {
        let path = format!("{above}{}", field.name());
        match field.kind() {
            Kind::Message(inner) if !field.is_list() && inner.full_name().starts_with("cosell.") => {
                collect(&inner, &format!("{path}."), found);
            }
            _ => found.push(path),
        }
    }
}

/// A revision as the caller may see it, in the JSON form of the interface.
fn json(api: &Api, caller: &Caller, record: &Opportunity) -> Result<Value, Failure> {
    let descriptor = RECORD
        .clone()
        .ok_or_else(|| Failure::internal("the interface defines no opportunity"))?;
    let bytes = shown(api, caller, record).encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(Failure::internal)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(Failure::internal)
}

/// The value at a path; null when it has none.
fn at<'a>(record: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(record, |value, step| &value[step])
}

fn form(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Form::NullValue(0),
        Value::Bool(value) => Form::BoolValue(value),
        Value::Number(value) => Form::NumberValue(value.as_f64().unwrap_or_default()),
        Value::String(value) => Form::StringValue(value),
        Value::Array(values) => Form::ListValue(prost_types::ListValue {
            values: values.into_iter().map(form).collect(),
        }),
        Value::Object(fields) => Form::StructValue(prost_types::Struct {
            fields: fields
                .into_iter()
                .map(|(name, value)| (name, form(value)))
                .collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
