//! Opportunities in the JSON format of Protocol Buffers.

use std::sync::LazyLock;

use cosell_grpc::Failure;
use cosell_proto::cosell::opportunity::v1 as pb;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

static OPPORTUNITY: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("cosell.opportunity.v1.Opportunity")
});

/// Parses an opportunity; an error is the description of a violation. Of the parser's errors only those about unknown
/// fields are returned: they name the field, others can contain values.
pub fn from_json(value: Value) -> Result<pb::Opportunity, String> {
    let descriptor = OPPORTUNITY
        .clone()
        .ok_or_else(|| "The definition of an opportunity is missing.".to_owned())?;
    let message = DynamicMessage::deserialize(descriptor, value).map_err(|error| {
        let text = error.to_string();
        if text.starts_with("unrecognized field name") {
            format!("Must be an opportunity in the JSON format of Protocol Buffers: {text}.")
        } else {
            "Must be an opportunity in the JSON format of Protocol Buffers.".to_owned()
        }
    })?;
    pb::Opportunity::decode(message.encode_to_vec().as_slice()).map_err(|error| error.to_string())
}

pub fn to_json(opportunity: &pb::Opportunity) -> Result<Value, Failure> {
    let descriptor = OPPORTUNITY
        .clone()
        .ok_or_else(|| Failure::internal("the definition of an opportunity is missing"))?;
    let bytes = opportunity.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(Failure::internal)?;
    serde_json::to_value(&message).map_err(Failure::internal)
}
