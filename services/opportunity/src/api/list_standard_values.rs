use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::domain::standard_values::{self, Value, ValueList};

pub async fn handle(
    api: &Api,
    call: Call<pb::ListStandardValuesRequest>,
) -> Result<pb::ListStandardValuesResponse, Failure> {
    let (version, lists) = standard_values::all(&api.policy);
    let wanted = &call.message.lists;
    let is_known = call.message.known_version == version;
    let lists = lists
        .into_iter()
        .filter(|list| !is_known && (wanted.is_empty() || wanted.iter().any(|name| name == list.name)));
    Ok(pb::ListStandardValuesResponse {
        lists: lists.map(show).collect(),
        version,
    })
}

fn show(list: ValueList) -> pb::StandardValueList {
    pb::StandardValueList {
        name: list.name.to_owned(),
        values: list.values.into_iter().map(show_value).collect(),
    }
}

fn show_value(value: Value) -> pb::StandardValue {
    pb::StandardValue {
        value: value.value,
        label: value.label,
        aliases: value.aliases,
        deprecated: value.is_deprecated,
        instead: value.instead,
    }
}
