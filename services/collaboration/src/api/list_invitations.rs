use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::{ClosedList as _, ParticipantType};

use super::{Api, convert};
use crate::domain::values::EngagementInvitationState;
use crate::store::list::{InvitationFilter, Last, invitations};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementInvitationsRequest>,
) -> Result<pb::ListEngagementInvitationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_sound)?;
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
    let mut tx = api.begin(&call).await?;
    let found = invitations(&mut tx, member.own_account(), &filter, now, last, size + 1).await?;
    let shown = found.into_iter().map(|(invitation, shown)| {
        let shown = convert::invitation(&invitation, shown, member, now)?;
        Ok((Last::of_invitation(&invitation), shown))
    });
    let shown: Vec<_> = shown.collect::<Result<_, Failure>>()?;
    let (invitations, next_page_token) =
        query.page(&shown, size, |(_, shown)| shown.clone(), |(last, _)| last.clone())?;
    Ok(pb::ListEngagementInvitationsResponse {
        engagement_invitations: invitations,
        next_page_token,
    })
}
