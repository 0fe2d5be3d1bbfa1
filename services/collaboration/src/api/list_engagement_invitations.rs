use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;
use cosell_types::{ClosedList as _, ParticipantType};

use super::Api;
use crate::convert;
use crate::domain::values::EngagementInvitationState;
use crate::store::list::{InvitationFilter, TimeCursor, list_invitations};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementInvitationsRequest>,
) -> Result<pb::ListEngagementInvitationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.cursor(&token, TimeCursor::is_valid)?;
    let member = call.member()?;
    let states = call.message.states.iter();
    let filter = InvitationFilter {
        participant: ParticipantType::from_number(call.message.participant_type),
        states: states
            .filter_map(|number| EngagementInvitationState::from_number(*number))
            .collect(),
        engagements: call.message.engagement_ids.clone(),
    };
    let now = api.clock.now();
    let mut tx = begin(&api.db, &call).await?;
    let rows = list_invitations(&mut tx, member.own_account(), &filter, now, last, size + 1).await?;
    let entries = rows.into_iter().map(|(invitation, content)| {
        let message = convert::invitation(&invitation, content, member.own_account(), now)?;
        Ok((TimeCursor::of_invitation(&invitation), message))
    });
    let entries: Vec<_> = entries.collect::<Result<_, Failure>>()?;
    let (invitations, next_page_token) = query.page(
        &entries,
        size,
        |(_, message)| message.clone(),
        |(cursor, _)| cursor.clone(),
    )?;
    Ok(pb::ListEngagementInvitationsResponse {
        engagement_invitations: invitations,
        next_page_token,
    })
}
