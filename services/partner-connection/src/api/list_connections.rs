use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert};
use crate::domain::Connection;
use crate::domain::values::{ConnectionStatus, ConnectionType};
use crate::store::list::{ConnectionFilter, LastByTime, connections};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListConnectionsRequest>,
) -> Result<pb::ListConnectionsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, LastByTime::is_sound)?;
    let stated = call.message.filter.clone().unwrap_or_default();
    let wanted = |given: &pb::ConnectionTypeFilter| {
        let kind = ConnectionType::from_number(given.r#type)?;
        Some((kind, ConnectionStatus::from_number(given.status)))
    };
    let filter = ConnectionFilter {
        types: stated.types.iter().filter_map(wanted).collect(),
        other_accounts: stated.other_account_ids,
    };
    let own = &call.member()?.account;
    let mut tx = api.begin(&call).await?;
    let found = connections(&mut tx, own, &filter, last, size + 1).await?;
    let show = |connection: &Connection| convert::connection(connection, own);
    let (connections, next_page_token) = query.page(&found, size, show, LastByTime::connection)?;
    Ok(pb::ListConnectionsResponse {
        connections,
        next_page_token,
    })
}
