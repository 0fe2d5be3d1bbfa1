use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::domain::Invitation;
use crate::store::list::{InvitationFilter, TimeCursor, list_invitations};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListConnectionInvitationsRequest>,
) -> Result<pb::ListConnectionInvitationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, TimeCursor::is_valid)?;
    let filter = call.message.filter.clone().unwrap_or_default();
    let filter = InvitationFilter {
        types: convert::closed_list_values(&filter.types),
        statuses: convert::closed_list_values(&filter.statuses),
        participant_types: convert::closed_list_values(&filter.participant_types),
        other_profiles: filter.other_profile_ids,
    };
    let own_account = &call.member()?.account;
    let now = api.clock.now();
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_invitations(&mut tx, own_account, &filter, now, cursor, size + 1).await?;
    let to_message = |invitation: &Invitation| convert::invitation(invitation, own_account, now);
    let (connection_invitations, next_page_token) =
        query.page(&rows, size, to_message, TimeCursor::after_invitation)?;
    Ok(pb::ListConnectionInvitationsResponse {
        connection_invitations,
        next_page_token,
    })
}
