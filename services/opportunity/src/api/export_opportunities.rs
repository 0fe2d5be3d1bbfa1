use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin_with_timeout;
use cosell_types::ClosedList as _;
use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use crate::bulk::{csv_header, csv_line, opportunity_json};
use crate::convert;
use crate::convert::filter::filter;
use crate::domain::columns::{COLUMNS, OPPORTUNITY_ID, REVISION};
use crate::domain::{Opportunity, Periods};
use crate::store::list::{
    ListEntry, OpportunityFilter, PageRequest, QueryContext, SortKey, list_opportunities,
};

/// Records in one message of the stream.
const PAGE_SIZE: i64 = 200;
/// Columns with the state of the record; an import ignores them.
const REVIEW_STATUS: &str = "Review status";
const OWNER: &str = "Owner";

/// Timeout of each query: the stream outlives the deadline of its call.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

type StreamItem = Result<pb::ExportOpportunitiesResponse, Failure>;

pub async fn handle(
    api: Api,
    call: Call<pb::ExportOpportunitiesRequest>,
) -> Result<impl Stream<Item = StreamItem> + Send, Failure> {
    let message = &call.message;
    let side = call.member()?.side;
    let filter = filter("", message.filter.as_ref(), message.preset, &message.search, side)?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(failure) = send_pages(&api, &call, &filter, &sender).await {
            // Fails only when the client has disconnected.
            let _ = sender.send(Err(failure)).await;
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// Sends the records sorted by id, so that a record that changes meanwhile is neither missed nor sent twice.
async fn send_pages(
    api: &Api,
    call: &Call<pb::ExportOpportunitiesRequest>,
    filter: &OpportunityFilter,
    sender: &mpsc::Sender<StreamItem>,
) -> Result<(), Failure> {
    let member = call.member()?;
    let periods = Periods::at(api.clock.now());
    let context = QueryContext {
        member,
        periods: &periods,
    };
    let is_csv = call.message.format() == pb::FileFormat::Csv;
    let mut content = Vec::new();
    if is_csv {
        let names = COLUMNS.iter().map(|column| column.name);
        content = csv_header(
            [OPPORTUNITY_ID, REVISION, REVIEW_STATUS, OWNER]
                .into_iter()
                .chain(names),
        )?;
    }
    let mut cursor = None;
    loop {
        let mut tx = begin_with_timeout(&api.db, call, QUERY_TIMEOUT).await?;
        let page = PageRequest {
            sort_key: SortKey::Id,
            descending: false,
            cursor: cursor.take(),
            limit: PAGE_SIZE,
        };
        let entries = list_opportunities(&mut tx, context, filter, page).await?;
        drop(tx);
        for ListEntry { record, .. } in &entries {
            content.extend(if is_csv {
                format_csv_row(record)?
            } else {
                format_json_line(api, record)?
            });
        }
        cursor = entries.last().map(|last| SortKey::Id.cursor(last));
        let message = pb::ExportOpportunitiesResponse {
            content: std::mem::take(&mut content),
        };
        if sender.send(Ok(message)).await.is_err() || cursor.is_none() {
            return Ok(());
        }
    }
}

fn format_csv_row(record: &Opportunity) -> Result<Vec<u8>, Failure> {
    let mut cells = vec![
        record.id().to_string(),
        record.revision().to_string(),
        record.review().status.name().to_owned(),
        record.owner().to_string(),
    ];
    cells.extend(COLUMNS.iter().map(|column| column.show(record)));
    csv_line(cells.iter().map(String::as_str))
}

fn format_json_line(api: &Api, record: &Opportunity) -> Result<Vec<u8>, Failure> {
    let mut line = opportunity_json::to_json(&convert::opportunity(record, &api.catalog))?.to_string();
    line.push('\n');
    Ok(line.into_bytes())
}
