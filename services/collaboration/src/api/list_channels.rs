use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert_channel, visible};
use crate::domain::values::ChannelState;
use crate::store::list::{ChannelFilter, Last, about, channels};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListChannelsRequest>,
) -> Result<pb::ListChannelsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_sound)?;
    let reach = visible::reach(call.member()?);
    let states = call.message.states.iter();
    let filter = ChannelFilter {
        states: states
            .filter_map(|number| ChannelState::from_number(*number))
            .collect(),
        opportunity: about(&call.message.opportunity_id),
    };
    let mut tx = api.begin(&call).await?;
    let found = channels(&mut tx, &reach, &filter, last, size + 1).await?;
    let (channels, next_page_token) = query.page(&found, size, convert_channel::channel, Last::of_channel)?;
    Ok(pb::ListChannelsResponse {
        channels,
        next_page_token,
    })
}
