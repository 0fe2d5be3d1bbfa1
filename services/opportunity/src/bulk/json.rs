//! Records as JSON, in the form of Protocol Buffers.

use std::sync::LazyLock;

use cosell_grpc::Failure;
use cosell_proto::cosell::opportunity::v1 as pb;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

static RECORD: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("cosell.opportunity.v1.Opportunity")
});

/// The record that a JSON object is; in words what is wrong with it. Words of a parser name fields, not values.
pub fn read(given: Value) -> Result<pb::Opportunity, String> {
    let record = RECORD
        .clone()
        .ok_or_else(|| "there is no definition".to_owned())?;
    let message = DynamicMessage::deserialize(record, given).map_err(|error| {
        let text = error.to_string();
        let is_about_a_field = text.starts_with("unrecognized field name");
        if is_about_a_field {
            text
        } else {
            "is no opportunity in the JSON form of Protocol Buffers".to_owned()
        }
    })?;
    pb::Opportunity::decode(message.encode_to_vec().as_slice()).map_err(|error| error.to_string())
}

/// A record as JSON.
pub fn write(record: &pb::Opportunity) -> Result<Value, Failure> {
    let form = RECORD
        .clone()
        .ok_or_else(|| Failure::internal("the definition of a record is gone"))?;
    let message =
        DynamicMessage::decode(form, record.encode_to_vec().as_slice()).map_err(Failure::internal)?;
    serde_json::to_value(&message).map_err(Failure::internal)
}
