use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::{FieldPath, Violation, ViolationCode};

use super::{Api, convert, people, status};
use crate::domain::values::ChannelProvider;

pub async fn handle(
    api: Api,
    call: Call<pb::ApproveChannelRequest>,
) -> Result<pb::ApproveChannelResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let added = people::of(
        &mut tx,
        &call.member()?.account,
        &message.aws_member_ids,
        "aws_member_ids",
    )
    .await?;
    drop(tx);
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        linked(channel.provider(), &message.link)?;
        channel
            .approve(Some(&member.id), added, message.link.clone().into(), now)
            .map_err(status::broken)
    });
    let channel = changed.await?;
    Ok(pb::ApproveChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
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
