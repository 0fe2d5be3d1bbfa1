use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::store::count_unread;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetUnreadCountRequest>,
) -> Result<pb::GetUnreadCountResponse, Failure> {
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    let unread_count = count_unread(&mut tx, &member.account, &member.id).await?;
    Ok(pb::GetUnreadCountResponse { unread_count })
}
