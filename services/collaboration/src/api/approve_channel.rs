use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::{FieldPath, Violation, ViolationCode};

use super::change::Held;
use super::{Api, convert_channel, people, share, status, visible};
use crate::domain::Channel;
use crate::domain::values::{ChannelProvider, ChannelState};

pub async fn handle(
    api: Api,
    call: Call<pb::ApproveChannelRequest>,
) -> Result<pb::ApproveChannelResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let seen = visible::channel(&mut tx, &call, &message.channel_id).await?;
    // What was done is answered whatever has changed since.
    if claim(&mut tx, &call, &message.channel_id).await? == Claim::New {
        drop(tx);
        require_open(&api, &seen).await?;
    }
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let channel = match api.hold_channel(&call, about).await? {
        Held::Done(channel) => channel,
        Held::Open(mut tx, mut channel) => {
            linked(channel.provider(), &message.link)?;
            let member = call.member()?;
            let ids = &message.aws_member_ids;
            let added = people::of(&mut tx, &member.account, ids, "aws_member_ids").await?;
            let happened = channel
                .approve(
                    Some(&member.id),
                    added,
                    message.link.clone().into(),
                    api.clock.now(),
                )
                .map_err(status::broken)?;
            api.keep_channel(tx, &call, channel, happened).await?
        }
    };
    Ok(pb::ApproveChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}

/// The deal may have ended since the channel was asked for, in the same moment even (CHN-013).
async fn require_open(api: &Api, channel: &Channel) -> Result<(), Failure> {
    if channel.state() != ChannelState::Requested {
        return Ok(());
    }
    let id = channel.opportunity().to_string();
    let (opportunity, record, summary) = share::record(api, (channel.account(), None), &id).await?;
    convert_channel::deal(&record, &summary)
        .require_open(opportunity)
        .map_err(status::broken)
}

/// A link is needed where people keep channels, and is none of theirs to give where a provider makes them (CHN-030).
fn linked(provider: ChannelProvider, link: &str) -> Result<(), Failure> {
    let (code, text) = match (provider, link.is_empty()) {
        (ChannelProvider::Manual, true) => (
            ViolationCode::RequiredFieldMissing,
            "is required: channels are kept by hand here",
        ),
        (ChannelProvider::Slack, false) => (
            ViolationCode::InvalidValue,
            "must be empty: the provider makes the channel",
        ),
        _ => return Ok(()),
    };
    let at = FieldPath::root();
    Err(Failure::invalid(vec![Violation::new(
        &at.field("link"),
        code,
        text,
    )]))
}
