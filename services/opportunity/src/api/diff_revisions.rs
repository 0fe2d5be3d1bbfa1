use std::sync::LazyLock;

use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Tx, begin};
use cosell_types::{Caller, FieldPath, Violation, ViolationCode};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use prost_types::value::Kind as ValueKind;
use serde_json::Value;

use super::Api;
use crate::domain::Opportunity;
use crate::load::{load_opportunity, load_revision};
use crate::store;
use crate::view;

/// Fields that are not compared: they differ in every revision, are not part of the record, or follow from other
/// fields.
const EXCLUDED_FIELDS: [&str; 6] = [
    "etag",
    "revision",
    "update_time",
    "last_modified_by",
    "flagged_for_follow_up",
    "life_cycle.next_steps_history",
];

/// Revisions that one query reads.
const BATCH_SIZE: i64 = 20;

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
        let text = "Must not be less than from_revision.";
        let root = FieldPath::root();
        return Err(Failure::invalid(vec![Violation::new(
            &root.field("to_revision"),
            ViolationCode::ValueOutOfRange,
            text,
        )]));
    }
    let mut tx = begin(&api.db, &call).await?;
    let current = load_opportunity(&mut tx, &call, opportunity_id).await?;
    let from = load_revision(&mut tx, &call, &current, *from_revision).await?;
    let to = load_revision(&mut tx, &call, &current, *to_revision).await?;
    let old = to_json(api, &call.caller, &from)?;
    let new = to_json(api, &call.caller, &to)?;
    let mut differences: Vec<_> = compared_paths()
        .into_iter()
        .map(|path| (value_at(&old, &path).clone(), value_at(&new, &path).clone(), path))
        .filter(|(old, new, _)| old != new)
        .map(|(old, new, field)| pb::FieldDifference {
            field,
            old_value: Some(to_proto_value(old)),
            new_value: Some(to_proto_value(new)),
            ..Default::default()
        })
        .collect();
    set_last_changes(api, &call, &mut tx, (&from, to, new), &mut differences).await?;
    Ok(pb::DiffRevisionsResponse { differences })
}

/// Sets the revision that last changed each field, with its time and member. Reads the revisions backwards from the
/// later one.
async fn set_last_changes(
    api: &Api,
    call: &Call<pb::DiffRevisionsRequest>,
    tx: &mut Tx,
    (from, mut later, mut later_json): (&Opportunity, Opportunity, Value),
    differences: &mut [pb::FieldDifference],
) -> Result<(), Failure> {
    let member = call.member()?;
    let is_open = |difference: &pb::FieldDifference| difference.revision == 0;
    while later.revision() > from.revision() && differences.iter().any(is_open) {
        let before = later.revision();
        for earlier in store::list_revisions(tx, member, from, before, BATCH_SIZE).await? {
            let earlier_record = earlier.record.with_reader_context_of(from);
            let earlier_json = to_json(api, &call.caller, &earlier_record)?;
            for difference in differences.iter_mut().filter(|difference| is_open(difference)) {
                if value_at(&earlier_json, &difference.field) != value_at(&later_json, &difference.field) {
                    difference.revision = later.revision();
                    difference.time = Some(timestamp(later.update_time()));
                    difference.actor_member_id = later
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

static OPPORTUNITY: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("cosell.opportunity.v1.Opportunity")
});

/// The paths of all fields that are compared.
fn compared_paths() -> Vec<String> {
    let mut paths = Vec::new();
    if let Some(opportunity) = &*OPPORTUNITY {
        collect_paths(opportunity, "", &mut paths);
    }
    paths.retain(|path| !EXCLUDED_FIELDS.contains(&path.as_str()));
    paths
}

fn collect_paths(message: &MessageDescriptor, prefix: &str, paths: &mut Vec<String>) {
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        match field.kind() {
            Kind::Message(inner) if !field.is_list() && inner.full_name().starts_with("cosell.") => {
                collect_paths(&inner, &format!("{path}."), paths);
            }
            _ => paths.push(path),
        }
    }
}

/// Converts a revision, as it is visible to the caller, to the JSON format of Protocol Buffers.
fn to_json(api: &Api, caller: &Caller, record: &Opportunity) -> Result<Value, Failure> {
    let descriptor = OPPORTUNITY
        .clone()
        .ok_or_else(|| Failure::internal("the definition of an opportunity is missing"))?;
    let bytes = view::opportunity(record, caller, &api.catalog).encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(Failure::internal)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(Failure::internal)
}

/// The value at a path, or null.
fn value_at<'a>(opportunity: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(opportunity, |value, name| &value[name])
}

fn to_proto_value(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => ValueKind::NullValue(0),
        Value::Bool(value) => ValueKind::BoolValue(value),
        Value::Number(value) => ValueKind::NumberValue(value.as_f64().unwrap_or_default()),
        Value::String(value) => ValueKind::StringValue(value),
        Value::Array(values) => ValueKind::ListValue(prost_types::ListValue {
            values: values.into_iter().map(to_proto_value).collect(),
        }),
        Value::Object(fields) => ValueKind::StructValue(prost_types::Struct {
            fields: fields
                .into_iter()
                .map(|(name, value)| (name, to_proto_value(value)))
                .collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
