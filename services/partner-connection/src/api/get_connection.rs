use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert, existing_connection};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionRequest>,
) -> Result<pb::GetConnectionResponse, Failure> {
    let own = &call.member()?.account;
    let mut tx = api.begin(&call).await?;
    let connection = existing_connection(&mut tx, own, &call.message.connection_id).await?;
    Ok(pb::GetConnectionResponse {
        connection: Some(convert::connection(&connection, own)),
    })
}
