use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::domain::standard_values::{self, StandardValue, ValueList};

pub async fn handle(
    api: &Api,
    call: Call<pb::ListStandardValuesRequest>,
) -> Result<pb::ListStandardValuesResponse, Failure> {
    let (version, lists) = standard_values::all_lists(&api.policy);
    let requested = &call.message.lists;
    let is_unchanged = call.message.known_version == version;
    let lists = lists.into_iter().filter(|list| {
        !is_unchanged && (requested.is_empty() || requested.iter().any(|name| name == list.name))
    });
    Ok(pb::ListStandardValuesResponse {
        lists: lists.map(show_list).collect(),
        version,
    })
}

fn show_list(list: ValueList) -> pb::StandardValueList {
    pb::StandardValueList {
        name: list.name.to_owned(),
        values: list.values.into_iter().map(show_value).collect(),
    }
}

fn show_value(value: StandardValue) -> pb::StandardValue {
    pb::StandardValue {
        value: value.value,
        label: value.label,
        aliases: value.aliases,
        deprecated: value.is_deprecated,
        instead: value.instead,
    }
}
