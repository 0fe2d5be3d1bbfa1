use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, Scope, claim};
use cosell_types::{Pii, random};

use super::{Api, convert_channel, people, share, status, visible};
use crate::domain::values::ChannelProvider;
use crate::domain::{Channel, ChannelEvent, Request, Rule};
use crate::events::PLATFORM;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::RequestChannelRequest>,
) -> Result<pb::RequestChannelResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = random::prefixed("chan-");
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        let channel = visible::channel(&mut tx, &call, &done).await?;
        return Ok(respond(&channel));
    }
    // What was done is answered whatever has changed since; what is new is checked while no transaction is open.
    drop(tx);
    let (opportunity, record, summary) =
        share::record(&api, (&member.account, Some(&member.id)), &message.opportunity_id).await?;
    convert_channel::deal(&record, &summary)
        .require_eligible(opportunity, &api.channels)
        .map_err(status::broken)?;
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        let channel = visible::channel(&mut tx, &call, &done).await?;
        return Ok(respond(&channel));
    }
    let members = people::of(&mut tx, &member.account, &message.member_ids, "member_ids").await?;
    tx.act_for(&Scope::account(&member.account)).await?;
    if let Some(present) = store::open_channel(&mut tx, &member.account, opportunity).await? {
        return Err(status::broken(Rule::ChannelExists(present.id().clone())));
    }
    let actor = call.caller.actor();
    let cause = api.cause(&call, &actor);
    let request = Request {
        id: id.parse().map_err(Failure::internal)?,
        account: member.account.clone(),
        by: member.id.clone(),
        opportunity,
        purpose: message.purpose.clone().into(),
        provider: api.provider,
        members: members.into_iter().map(|person| person.member).collect(),
    };
    let (mut channel, requested) = Channel::request(request, cause.time);
    let mut names = vec![requested.name()];
    store::save_channel(&mut tx, &channel, &[requested], cause).await?;
    // Where a link is needed, somebody has to give it.
    if api.channels.auto_approve && api.provider != ChannelProvider::Manual {
        let approved = channel
            .approve(None, Vec::new(), Pii::default(), cause.time)
            .map_err(status::broken)?;
        names.extend(approved.iter().map(ChannelEvent::name));
        let cause = Cause {
            actor: PLATFORM,
            ..cause
        };
        store::save_channel(&mut tx, &channel, &approved, cause).await?;
    }
    api.conclude(tx, &call, &names).await?;
    Ok(respond(&channel))
}

fn respond(channel: &Channel) -> pb::RequestChannelResponse {
    pb::RequestChannelResponse {
        channel: Some(convert_channel::channel(channel)),
    }
}
