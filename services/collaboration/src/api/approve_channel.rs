use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, begin, claim};
use cosell_types::{FieldPath, Violation, ViolationCode};

use super::Api;
use crate::channel_members::load_channel_members;
use crate::domain::Channel;
use crate::domain::values::{ChannelProvider, ChannelState};
use crate::load::load_channel;
use crate::write::change;
use crate::{convert, peers, status};

pub async fn handle(
    api: Api,
    call: Call<pb::ApproveChannelRequest>,
) -> Result<pb::ApproveChannelResponse, Failure> {
    let message = &call.message;
    let id = &message.channel_id;
    let mut tx = begin(&api.db, &call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let channel = load_channel(&mut tx, &call, id).await?;
    // Releases the connection before the call to the opportunity service. A replay succeeds whatever has changed since.
    drop(tx);
    if claimed == Claim::New {
        require_open_opportunity(&api, &channel).await?;
    }
    let now = api.clock.now();
    let approved = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |tx, channel: &mut Channel| {
            require_link(channel.provider(), &message.link)?;
            let member = call.member()?;
            let ids = &message.aws_member_ids;
            let added = load_channel_members(tx, &member.account, ids, "aws_member_ids").await?;
            let approved = channel.approve(Some(&member.id), added, message.link.clone().into(), now);
            approved.map_err(status::rule_violated)
        },
    );
    let channel = approved.await?;
    Ok(pb::ApproveChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}

/// Fails when the stage of the opportunity is not eligible any more (CHN-013).
async fn require_open_opportunity(api: &Api, channel: &Channel) -> Result<(), Failure> {
    if channel.state() != ChannelState::Requested {
        return Ok(());
    }
    let id = channel.opportunity().to_string();
    let read = peers::load_opportunity(&api.opportunity, (channel.account(), None), &id).await?;
    convert::opportunity_facts(&read.record, &read.aws_summary)
        .require_eligible_stage(read.id)
        .map_err(status::rule_violated)
}

/// A manual channel requires a link. If the provider creates the channel, the link must be empty (CHN-030).
fn require_link(provider: ChannelProvider, link: &str) -> Result<(), Failure> {
    let (code, text) = match (provider, link.is_empty()) {
        (ChannelProvider::Manual, true) => (
            ViolationCode::RequiredFieldMissing,
            "Is required: the provider of this channel is MANUAL.",
        ),
        (ChannelProvider::Slack, false) => (
            ViolationCode::InvalidValue,
            "Must be empty: the provider creates the channel.",
        ),
        _ => return Ok(()),
    };
    let root = FieldPath::root();
    Err(Failure::invalid(vec![Violation::new(
        &root.field("link"),
        code,
        text,
    )]))
}
