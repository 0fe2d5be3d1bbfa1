use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_types::{Pii, random};

use super::Api;
use crate::channel_members::load_channel_members;
use crate::domain::values::ChannelProvider;
use crate::domain::{Channel, ChannelEvent, ChannelRequest, Rule};
use crate::events::PLATFORM;
use crate::write::{create, load_replayed};
use crate::{convert, peers, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::RequestChannelRequest>,
) -> Result<pb::RequestChannelResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = random::prefixed("chan-");
    if let Some(channel) = load_replayed::<Channel, _>(&api.db, &call, &id).await? {
        return Ok(respond(&channel));
    }
    let reader = (&member.account, Some(&member.id));
    let read = peers::load_opportunity(&api.opportunity, reader, &message.opportunity_id).await?;
    let opportunity = read.id;
    convert::opportunity_facts(&read.record, &read.aws_summary)
        .require_eligible(opportunity, &api.channel_policy)
        .map_err(status::rule_violated)?;
    let created = create(&api.db, &call, &id, async |tx| {
        let members = load_channel_members(tx, &member.account, &message.member_ids, "member_ids").await?;
        tx.switch_scope(&Scope::account(&member.account)).await?;
        if let Some(open) = store::lock_open_channel(tx, &member.account, opportunity).await? {
            return Err(status::rule_violated(Rule::ChannelExists(open.id().clone())));
        }
        let now = api.clock.now();
        let cause = Cause::of(&call, now);
        let request = ChannelRequest {
            id: id.parse().map_err(Failure::internal)?,
            account: member.account.clone(),
            requested_by: member.id.clone(),
            opportunity,
            purpose: message.purpose.clone().into(),
            provider: api.channel_provider,
            members: members.into_iter().map(|member_ref| member_ref.member).collect(),
        };
        let (mut channel, requested) = Channel::request(request, now);
        let mut transitions = vec![requested.name()];
        store::save_channel(tx, &channel, &[requested], cause).await?;
        // A manual channel needs a link, which only the approving member of AWS can state.
        if api.channel_policy.auto_approve && api.channel_provider != ChannelProvider::Manual {
            let approved = channel.approve(None, Vec::new(), Pii::default(), now);
            let approved = approved.map_err(status::rule_violated)?;
            transitions.extend(approved.iter().map(ChannelEvent::name));
            let cause = Cause {
                actor: PLATFORM,
                ..cause
            };
            store::save_channel(tx, &channel, &approved, cause).await?;
        }
        Ok((channel, transitions))
    });
    Ok(respond(&created.await?))
}

fn respond(channel: &Channel) -> pb::RequestChannelResponse {
    pb::RequestChannelResponse {
        channel: Some(convert::channel(channel)),
    }
}
