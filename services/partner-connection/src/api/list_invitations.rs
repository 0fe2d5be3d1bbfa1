use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::partner::v1 as pb;

use super::{Api, convert};
use crate::domain::Invitation;
use crate::store::list::{InvitationFilter, LastByTime, invitations};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListConnectionInvitationsRequest>,
) -> Result<pb::ListConnectionInvitationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, LastByTime::is_sound)?;
    let stated = call.message.filter.clone().unwrap_or_default();
    let filter = InvitationFilter {
        types: convert::members(&stated.types),
        statuses: convert::members(&stated.statuses),
        participant_types: convert::members(&stated.participant_types),
        other_profiles: stated.other_profile_ids,
    };
    let own = &call.member()?.account;
    let now = api.clock.now();
    let mut tx = api.begin(&call).await?;
    let found = invitations(&mut tx, own, &filter, now, last, size + 1).await?;
    let show = |invitation: &Invitation| convert::invitation(invitation, own, now);
    let (connection_invitations, next_page_token) = query.page(&found, size, show, LastByTime::invitation)?;
    Ok(pb::ListConnectionInvitationsResponse {
        connection_invitations,
        next_page_token,
    })
}
