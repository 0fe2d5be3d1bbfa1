use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, status};
use crate::store::{mark_notifications_read, unread};

pub async fn handle(
    api: Api,
    call: Call<pb::MarkNotificationsReadRequest>,
) -> Result<pb::MarkNotificationsReadResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    if claim(&mut tx, &call, "").await? == Claim::New {
        let mut ids = call.message.notification_ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let marked =
            mark_notifications_read(&mut tx, &member.account, &member.id, &ids, api.clock.now()).await?;
        if marked != ids.len() as u64 {
            return Err(status::not_found());
        }
    }
    let unread_count = unread(&mut tx, &member.account, &member.id).await?;
    if !call.message.validate_only {
        tx.commit().await?;
    }
    Ok(pb::MarkNotificationsReadResponse { unread_count })
}
