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
    let last = query.last(&token, Last::is_sound)?;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let unread_only = call.message.unread_only;
    let entries = list(&mut tx, &member.account, &member.id, unread_only, last, size + 1).await?;
    let key = |entry: &Entry| Last(entry.create_time, entry.id.clone());
    let (notifications, next_page_token) = query.page(&entries, size, show, key)?;
    Ok(pb::ListNotificationsResponse {
        notifications,
        next_page_token,
    })
}

fn show(entry: &Entry) -> pb::Notification {
    pb::Notification {
        notification_id: entry.id.clone(),
        kind: entry.kind.number(),
        subject: entry.subject.clone(),
        body: entry.body.clone(),
        opportunity_id: entry
            .about
            .opportunity
            .map(|id| id.to_string())
            .unwrap_or_default(),
        connection_invitation_id: entry.about.invitation.clone().unwrap_or_default(),
        create_time: Some(timestamp(entry.create_time)),
        read_time: entry.read_time.map(timestamp),
    }
}
