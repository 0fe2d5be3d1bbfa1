use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, Scope, claim};
use cosell_types::random;

use super::share::add_jobs;
use super::{Api, convert, status, visible};
use crate::domain::values::EngagementInvitationState;
use crate::domain::{EngagementEvent, Rule};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptEngagementInvitationRequest>,
) -> Result<pb::AcceptEngagementInvitationResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = &message.engagement_invitation_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut invitation, shown) = visible::received(&mut tx, &call, id).await?;
    let actor = call.caller.actor();
    let cause = api.cause(&call, &actor);
    if claimed == Claim::New {
        // A connection that ends at this moment ends before or after: then the invitation is gone, or the company is
        // in.
        let sender = invitation.sender().clone();
        let is_connected = store::is_connected(&mut tx, &sender, &member.account).await?;
        let mut engagement = visible::held(&mut tx, &mut invitation).await?;
        etags::check(&message.etag, invitation.revision())?;
        let opportunity = random::opportunity_id(cause.time);
        let event = invitation
            .accept(&member.id, opportunity, cause.time)
            .map_err(status::broken)?;
        if !is_connected {
            return Err(status::broken(Rule::NotConnected(sender)));
        }
        let by = Some(member.account.clone());
        let happened: Vec<_> = engagement
            .invitation_ended(&invitation, by, cause.time)
            .into_iter()
            .collect();
        store::save_invitation(&mut tx, &invitation, event, cause).await?;
        store::save_engagement(&mut tx, &engagement, &happened, cause).await?;
        add_jobs(
            &mut tx,
            &engagement,
            &member.account,
            &member.id,
            opportunity,
            &api,
        )
        .await?;
        tx.act_for(&Scope::account(&member.account)).await?;
        let mut names = vec![event.name()];
        names.extend(happened.iter().map(EngagementEvent::name));
        api.conclude(tx, &call, &names).await?;
    }
    let shown = shown.filter(|_| invitation.state() == EngagementInvitationState::Accepted);
    Ok(pb::AcceptEngagementInvitationResponse {
        engagement_invitation: Some(convert::answered(
            &invitation,
            shown,
            member,
            cause.time,
            message.validate_only,
        )?),
    })
}
