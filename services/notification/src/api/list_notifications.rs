use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::store::{InboxEntry, PageCursor, list_inbox};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListNotificationsRequest>,
) -> Result<pb::ListNotificationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PageCursor::is_valid)?;
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    let unread_only = call.message.unread_only;
    let (account, member) = (&member.account, &member.id);
    let entries = list_inbox(&mut tx, account, member, unread_only, cursor, size + 1).await?;
    let (notifications, next_page_token) = query.page(&entries, size, notification, PageCursor::after)?;
    Ok(pb::ListNotificationsResponse {
        notifications,
        next_page_token,
    })
}

fn notification(entry: &InboxEntry) -> pb::Notification {
    pb::Notification {
        notification_id: entry.id.clone(),
        kind: entry.kind.number(),
        subject: entry.subject.clone(),
        body: entry.body.clone(),
        opportunity_id: entry
            .related
            .opportunity
            .map(|id| id.to_string())
            .unwrap_or_default(),
        connection_invitation_id: entry.related.connection_invitation.clone().unwrap_or_default(),
        create_time: Some(timestamp(entry.create_time)),
        read_time: entry.read_time.map(timestamp),
    }
}
