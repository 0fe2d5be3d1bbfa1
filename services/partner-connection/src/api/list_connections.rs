use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::Connection;
use crate::domain::values::{ConnectionStatus, ConnectionType};
use crate::store::list::{ConnectionFilter, TimeCursor, list_connections};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListConnectionsRequest>,
) -> Result<pb::ListConnectionsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, TimeCursor::is_valid)?;
    let filter = call.message.filter.clone().unwrap_or_default();
    let type_and_status = |filter: &pb::ConnectionTypeFilter| {
        let kind = ConnectionType::from_number(filter.r#type)?;
        Some((kind, ConnectionStatus::from_number(filter.status)))
    };
    let filter = ConnectionFilter {
        types: filter.types.iter().filter_map(type_and_status).collect(),
        other_accounts: filter.other_account_ids,
    };
    let own_account = &call.member()?.account;
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_connections(&mut tx, own_account, &filter, cursor, size + 1).await?;
    let to_message = |connection: &Connection| convert::connection(connection, own_account);
    let (connections, next_page_token) = query.page(&rows, size, to_message, TimeCursor::after_connection)?;
    Ok(pb::ListConnectionsResponse {
        connections,
        next_page_token,
    })
}
