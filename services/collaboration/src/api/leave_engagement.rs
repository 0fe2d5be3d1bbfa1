use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, begin, claim};

use super::Api;
use crate::domain::Engagement;
use crate::status;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveEngagementRequest>,
) -> Result<pb::LeaveEngagementResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = message.engagement_id.as_str();
    let mut tx = begin(&api.db, &call).await?;
    // After the first call the account has no access to the engagement any more, so a replay cannot load it.
    if let Claim::Replay(_) = claim(&mut tx, &call, id).await? {
        return Ok(pb::LeaveEngagementResponse {});
    }
    drop(tx);
    let now = api.clock.now();
    let left = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, engagement: &mut Engagement| {
            let event = engagement.leave(&member.account, now);
            Ok(vec![event.map_err(status::rule_violated)?])
        },
    );
    left.await?;
    Ok(pb::LeaveEngagementResponse {})
}
