use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::Connection;
use crate::domain::access::Action;
use crate::domain::values::ConnectionType;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::CancelConnectionRequest>,
) -> Result<pb::CancelConnectionResponse, Failure> {
    let message = &call.message;
    let own_account = &call.member()?.account;
    let target = (message.connection_id.as_str(), message.etag.as_str());
    let kind = convert::closed_list_value::<ConnectionType>(message.r#type)?;
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::RepresentAccount,
        target,
        now,
        async |_, connection: &mut Connection| {
            let event = connection.cancel(kind, own_account, message.reason.clone().into(), now);
            event
                .map(Some)
                .map_err(|rule| status::rule_violated(rule).with_resource("connection", connection.id()))
        },
    );
    let connection = changed.await?;
    Ok(pb::CancelConnectionResponse {
        connection: Some(convert::connection(&connection, own_account)),
    })
}
