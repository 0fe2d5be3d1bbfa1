use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;
use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::json;
use super::result::line;
use crate::api::{Api, convert, list};
use crate::domain::columns::{COLUMNS, OPPORTUNITY_ID, REVISION};
use crate::domain::{Opportunity, Periods};
use crate::store::list::{Asked, Filter, Key, Page, list as page_of};

/// Records that are read and given out together.
const PAGE: i64 = 200;
/// Columns that say where a record stands; an import passes over them.
const REVIEW_STATUS: &str = "Review status";
const OWNER: &str = "Owner";

/// The longest that a page may take.
const STEP: Duration = Duration::from_secs(5);

type Piece = Result<pb::ExportOpportunitiesResponse, Failure>;

pub async fn handle(
    api: Api,
    call: Call<pb::ExportOpportunitiesRequest>,
) -> Result<impl Stream<Item = Piece> + Send, Failure> {
    let filter = list::filter(&pb::ListOpportunitiesRequest {
        filter: call.message.filter.clone(),
        preset: call.message.preset,
        search: call.message.search.clone(),
        ..Default::default()
    })?;
    let (pieces, received) = mpsc::channel(1);
    tokio::spawn(async move {
        // Nobody hears of a failure when nobody listens any more.
        if let Err(failure) = give_out(&api, &call, &filter, &pieces).await {
            let _ = pieces.send(Err(failure)).await;
        }
    });
    Ok(ReceiverStream::new(received))
}

/// A page after the other, by id, so that a record that changes meanwhile is neither left out nor given out twice.
async fn give_out(
    api: &Api,
    call: &Call<pb::ExportOpportunitiesRequest>,
    filter: &Filter,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), Failure> {
    let member = call.member()?;
    let periods = Periods::at(api.clock.now());
    let asked = Asked {
        by: member,
        periods: &periods,
    };
    let is_table = call.message.format() == pb::FileFormat::Csv;
    let mut content = Vec::new();
    if is_table {
        let names = COLUMNS.iter().map(|column| column.name);
        content = line(
            [OPPORTUNITY_ID, REVISION, REVIEW_STATUS, OWNER]
                .into_iter()
                .chain(names),
        )?;
    }
    let mut last = None;
    loop {
        let mut tx = api.begin_for(call, STEP).await?;
        let page = Page {
            key: Key::Id,
            descending: false,
            last: last.take(),
            limit: PAGE,
        };
        let records = page_of(&mut tx, asked, filter, page).await?;
        drop(tx);
        for record in &records {
            content.extend(if is_table {
                row(record)?
            } else {
                object(api, record)?
            });
        }
        last = records.last().map(|record| Key::Id.last(member, record));
        let piece = pb::ExportOpportunitiesResponse {
            content: std::mem::take(&mut content),
        };
        if pieces.send(Ok(piece)).await.is_err() || last.is_none() {
            return Ok(());
        }
    }
}

fn row(record: &Opportunity) -> Result<Vec<u8>, Failure> {
    let mut cells = vec![
        record.id().to_string(),
        record.revision().to_string(),
        record.review().status.name().to_owned(),
        record.owner().to_string(),
    ];
    cells.extend(COLUMNS.iter().map(|column| column.show(record)));
    line(cells.iter().map(String::as_str))
}

fn object(api: &Api, record: &Opportunity) -> Result<Vec<u8>, Failure> {
    let mut text = json::write(&convert::opportunity(record, &api.catalog))?.to_string();
    text.push('\n');
    Ok(text.into_bytes())
}
