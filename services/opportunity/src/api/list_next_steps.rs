use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_opportunity;
use crate::store;

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListNextStepsRequest>,
) -> Result<pb::ListNextStepsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let before = query.cursor(&token, |revision: &i64| *revision > 0)?;
    let mut tx = begin(&api.db, &call).await?;
    let record = load_opportunity(&mut tx, &call, &call.message.opportunity_id).await?;
    let steps = store::list_next_steps(&mut tx, call.member()?, &record, before, size + 1).await?;
    let show = |(_, step): &(i64, _)| convert::show_step(step);
    let (next_steps, next_page_token) = query.page(&steps, size, show, |(revision, _)| *revision)?;
    Ok(pb::ListNextStepsResponse {
        next_steps,
        next_page_token,
    })
}
