use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;

use super::Api;
use crate::store::unread;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetUnreadCountRequest>,
) -> Result<pb::GetUnreadCountResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let unread_count = unread(&mut tx, &member.account, &member.id).await?;
    Ok(pb::GetUnreadCountResponse { unread_count })
}
