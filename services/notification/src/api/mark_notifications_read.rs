use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::Claim;

use super::Api;
use crate::status;
use crate::store::{count_unread, mark_notifications_read};
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::MarkNotificationsReadRequest>,
) -> Result<pb::MarkNotificationsReadResponse, Failure> {
    let member = call.member()?;
    let unread_count = change(&api.db, &call, async |tx, claimed| {
        if claimed == Claim::New {
            let mut ids = call.message.notification_ids.clone();
            ids.sort_unstable();
            ids.dedup();
            let now = api.clock.now();
            let marked = mark_notifications_read(tx, &member.account, &member.id, &ids, now).await?;
            if marked != ids.len() as u64 {
                return Err(status::not_found());
            }
        }
        Ok(count_unread(tx, &member.account, &member.id).await?)
    });
    Ok(pb::MarkNotificationsReadResponse {
        unread_count: unread_count.await?,
    })
}
