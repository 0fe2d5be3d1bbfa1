use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, convert, existing_connection, status, still_permitted};
use crate::domain::access::Action;
use crate::domain::values::ConnectionType;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::CancelConnectionRequest>,
) -> Result<pb::CancelConnectionResponse, Failure> {
    let own = &call.member()?.account;
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, &message.connection_id).await?;
    let mut connection = existing_connection(&mut tx, own, &message.connection_id).await?;
    if claimed == Claim::New {
        let other = connection.other(own).account.clone();
        store::lock_both(&mut tx, own, &other).await?;
        still_permitted(&mut tx, &call, Action::Represent).await?;
        connection = existing_connection(&mut tx, own, &message.connection_id).await?;
        etags::check(&message.etag, connection.revision())?;
        let kind = convert::required::<ConnectionType>(message.r#type)?;
        let event = connection
            .cancel(kind, own, message.reason.clone().into(), api.clock.now())
            .map_err(|rule| status::broken(rule).about("connection", connection.id()))?;
        let actor = call.caller.actor();
        store::save_connection(&mut tx, &connection, event, api.cause(&call, &actor)).await?;
        api.conclude(tx, &call).await?;
    }
    Ok(pb::CancelConnectionResponse {
        connection: Some(convert::connection(&connection, own)),
    })
}
