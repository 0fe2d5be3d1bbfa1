use cosell_grpc::convert::id;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::values::ChannelState;
use crate::load::visibility_scope;
use crate::store::list::{ChannelFilter, TimeCursor, list_channels};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListChannelsRequest>,
) -> Result<pb::ListChannelsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.cursor(&token, TimeCursor::is_valid)?;
    let scope = visibility_scope(call.member()?);
    let states = call.message.states.iter();
    let mut violations = Vec::new();
    let opportunity = id(&call.message.opportunity_id, "opportunity_id", &mut violations);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let filter = ChannelFilter {
        states: states
            .filter_map(|number| ChannelState::from_number(*number))
            .collect(),
        opportunity,
    };
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_channels(&mut tx, &scope, &filter, last, size + 1).await?;
    let (channels, next_page_token) = query.page(&rows, size, convert::channel, TimeCursor::of_channel)?;
    Ok(pb::ListChannelsResponse {
        channels,
        next_page_token,
    })
}
