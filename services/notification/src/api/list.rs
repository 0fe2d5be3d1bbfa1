use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::store::{Entry, Last, list};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListNotificationsRequest>,
) -> Result<pb::ListNotificationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token)?;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let unread_only = call.message.unread_only;
    let mut entries = list(&mut tx, &member.account, &member.id, unread_only, last, size + 1).await?;
    let more = entries.len() as i64 > size;
    entries.truncate(usize::try_from(size).unwrap_or_default());
    let next_page_token = match entries.last() {
        Some(last) if more => query.token(Last(last.create_time, last.id.clone()))?,
        _ => String::new(),
    };
    Ok(pb::ListNotificationsResponse {
        notifications: entries.into_iter().map(show).collect(),
        next_page_token,
    })
}

fn show(entry: Entry) -> pb::Notification {
    pb::Notification {
        notification_id: entry.id,
        kind: entry.kind.number(),
        subject: entry.subject,
        body: entry.body,
        opportunity_id: entry.opportunity.to_string(),
        create_time: Some(timestamp(entry.create_time)),
        read_time: entry.read_time.map(timestamp),
    }
}
