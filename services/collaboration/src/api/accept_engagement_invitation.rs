use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, Scope, begin, claim, commit};
use cosell_types::random;

use super::Api;
use crate::domain::values::EngagementInvitationState;
use crate::domain::{EngagementEvent, Rule};
use crate::events::CONTEXT;
use crate::load::{LoadedInvitation, load_received_invitation, lock_invitation};
use crate::snapshot_jobs::create_default_jobs;
use crate::{convert, status, store};

/// Not a [`change`](crate::write::change): it changes the invitation and the engagement and creates snapshot jobs.
pub async fn handle(
    api: Api,
    call: Call<pb::AcceptEngagementInvitationRequest>,
) -> Result<pb::AcceptEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = &message.engagement_invitation_id;
    let mut tx = begin(&api.db, &call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let LoadedInvitation {
        mut invitation,
        content,
    } = load_received_invitation(&mut tx, &call, id).await?;
    let cause = Cause::of(&call, api.clock.now());
    if claimed == Claim::New {
        // The lock of the engagement orders this with the concurrent end of the connection: either the invitation is
        // canceled, or the receiver becomes a member.
        let sender = invitation.sender().clone();
        let is_connected = store::is_connected(&mut tx, &sender, &member.account).await?;
        let mut engagement = lock_invitation(&mut tx, &mut invitation).await?;
        etags::check(&message.etag, invitation.revision())?;
        let opportunity = random::opportunity_id(cause.time);
        let event = invitation
            .accept(&member.id, opportunity, cause.time)
            .map_err(status::rule_violated)?;
        if !is_connected {
            return Err(status::rule_violated(Rule::NotConnected(sender)));
        }
        let by = Some(member.account.clone());
        let engagement_events: Vec<_> = engagement
            .invitation_ended(&invitation, by, cause.time)
            .into_iter()
            .collect();
        store::save_invitation(&mut tx, &invitation, event, cause).await?;
        store::save_engagement(&mut tx, &engagement, &engagement_events, cause).await?;
        create_default_jobs(&mut tx, engagement.id(), member, opportunity, cause.time).await?;
        tx.switch_scope(&Scope::account(&member.account)).await?;
        let mut transitions = vec![event.name()];
        transitions.extend(engagement_events.iter().map(EngagementEvent::name));
        commit(tx, &call, CONTEXT, &transitions).await?;
    }
    let content = content.filter(|_| invitation.state() == EngagementInvitationState::Accepted);
    Ok(pb::AcceptEngagementInvitationResponse {
        engagement_invitation: Some(convert::answered_invitation(
            &invitation,
            content,
            member,
            cause.time,
            message.validate_only,
        )?),
    })
}
