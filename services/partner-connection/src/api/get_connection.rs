use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_connection;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetConnectionRequest>,
) -> Result<pb::GetConnectionResponse, Failure> {
    let own_account = &call.member()?.account;
    let mut tx = begin(&api.db, &call).await?;
    let connection = load_connection(&mut tx, own_account, &call.message.connection_id).await?;
    Ok(pb::GetConnectionResponse {
        connection: Some(convert::connection(&connection, own_account)),
    })
}
