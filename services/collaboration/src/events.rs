//! Published events: the only place that converts domain events to their public form.

use cosell_events::{AggregateRef, Cause, Event as Published};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_types::{AccountId, ClosedList as _, ParticipantType, RejectionReason};

use crate::domain::values::EngagementInvitationState;
use crate::domain::{
    Channel, ChannelEvent, ChannelEventKind, Engagement, EngagementEvent, EngagementEventKind, Invitation,
    InvitationEvent, MemberRef, Snapshot,
};

/// The name of this context in NATS subjects.
pub const CONTEXT: &str = "collaboration";

/// The actor of background work, and of each event whose acting member belongs to another account than the recipient.
pub const PLATFORM: &str = "service:collaboration";

/// The cause of an event as published to `recipient`. Hides the acting member and the request ID of another account;
/// `id` replaces the latter.
fn cause_for<'a>(
    recipient: &AccountId,
    cause: Cause<'a>,
    acting_account: Option<&AccountId>,
    id: &'a str,
) -> Cause<'a> {
    if acting_account == Some(recipient) {
        return cause;
    }
    Cause {
        actor: PLATFORM,
        request_id: id,
        ..cause
    }
}

/// An engagement event for one recipient. `event_number` counts the events of the engagement that this account has
/// received, so its versions have no gaps.
pub fn engagement(
    engagement: &Engagement,
    event: &EngagementEvent,
    (account, event_number): (&AccountId, i64),
    cause: Cause<'_>,
) -> Published {
    let about = AggregateRef {
        context: CONTEXT,
        aggregate: "engagement",
        account,
        id: engagement.id().as_str(),
        version: event_number,
    };
    let cause = cause_for(account, cause, engagement.modified_by(), engagement.id().as_str());
    let detail = Some(pb::EngagementEventDetail {
        engagement_id: engagement.id().to_string(),
        account_id: account.to_string(),
        revision: event_number,
        engagement_revision: event.revision,
        member_account_ids: event.members.iter().map(ToString::to_string).collect(),
    });
    macro_rules! member_event {
        ($message:ident, $member:expr) => {{
            let member_account_id = $member.to_string();
            Published::new(
                about,
                cause,
                &pb::$message {
                    detail,
                    member_account_id,
                },
            )
        }};
    }
    macro_rules! context_event {
        ($message:ident, $context:expr) => {{
            let context_id = $context.clone();
            Published::new(about, cause, &pb::$message { detail, context_id })
        }};
    }
    match &event.kind {
        EngagementEventKind::Created => {
            let message = pb::EngagementCreated {
                detail,
                created_by: engagement.created_by().to_string(),
                opportunity_id: engagement.opportunity().to_string(),
            };
            Published::new(about, cause, &message)
        }
        EngagementEventKind::MemberInvited(member) => member_event!(EngagementMemberInvited, member),
        EngagementEventKind::MemberAdded(member) => member_event!(EngagementMemberAdded, member),
        EngagementEventKind::MemberNotJoined(member) => member_event!(EngagementMemberNotJoined, member),
        EngagementEventKind::MemberLeft(member) => member_event!(EngagementMemberLeft, member),
        EngagementEventKind::MemberRemoved(member) => member_event!(EngagementMemberRemoved, member),
        EngagementEventKind::ContextCreated(context) => context_event!(EngagementContextCreated, context),
        EngagementEventKind::ContextUpdated(context) => context_event!(EngagementContextUpdated, context),
    }
}

/// An invitation event for the sender or the receiver. Each sees only its own acting member and its own opportunity; a
/// receiver that has accepted also sees the ID of the source opportunity.
pub fn invitation(
    invitation: &Invitation,
    participant: ParticipantType,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Published {
    let is_accepted = invitation.state() == EngagementInvitationState::Accepted;
    let is_sender = participant == ParticipantType::Sender;
    let (account, opportunity, source) = match participant {
        ParticipantType::Sender => (invitation.sender(), Some(invitation.source()), None),
        ParticipantType::Receiver => (
            invitation.receiver(),
            invitation.opportunity(),
            is_accepted.then_some(invitation.source()),
        ),
    };
    let sent_by = is_sender.then(|| invitation.sent_by().to_string());
    let is_canceled = invitation.state() == EngagementInvitationState::Canceled;
    let answer = invitation.answer().filter(|_| !is_sender && !is_canceled);
    let answered_by = answer.and_then(|answer| answer.by.as_ref());
    let about = AggregateRef {
        context: CONTEXT,
        aggregate: "engagement_invitation",
        account,
        id: invitation.id().as_str(),
        version: invitation.revision(),
    };
    let acting_account = match event {
        InvitationEvent::Created | InvitationEvent::Canceled => invitation.sender(),
        InvitationEvent::Accepted | InvitationEvent::Rejected | InvitationEvent::Expired => {
            invitation.receiver()
        }
    };
    let cause = cause_for(account, cause, Some(acting_account), invitation.id().as_str());
    let detail = Some(pb::EngagementInvitationEventDetail {
        engagement_invitation_id: invitation.id().to_string(),
        account_id: account.to_string(),
        revision: invitation.revision(),
        participant_type: participant.number(),
        engagement_id: invitation.engagement().to_string(),
        sender_account_id: invitation.sender().to_string(),
        receiver_account_id: invitation.receiver().to_string(),
        expire_time: Some(timestamp(invitation.expire_time())),
        payload_type: PayloadType::OpportunityInvitation.into(),
        opportunity_id: opportunity.map(|id| id.to_string()).unwrap_or_default(),
        sent_by: sent_by.unwrap_or_default(),
        answered_by: answered_by.map(ToString::to_string).unwrap_or_default(),
    });
    match event {
        InvitationEvent::Created => Published::new(about, cause, &pb::EngagementInvitationCreated { detail }),
        InvitationEvent::Accepted => {
            let message = pb::EngagementInvitationAccepted {
                detail,
                source_opportunity_id: source.map(|id| id.to_string()).unwrap_or_default(),
            };
            Published::new(about, cause, &message)
        }
        InvitationEvent::Rejected => {
            let reason = invitation.answer().and_then(|answer| answer.reason);
            let message = pb::EngagementInvitationRejected {
                detail,
                rejection_reason: reason.map_or(0, RejectionReason::number),
            };
            Published::new(about, cause, &message)
        }
        InvitationEvent::Expired => Published::new(about, cause, &pb::EngagementInvitationExpired { detail }),
        InvitationEvent::Canceled => {
            Published::new(about, cause, &pb::EngagementInvitationCanceled { detail })
        }
    }
}

/// The transition name of a new snapshot in logs and metrics.
pub const SNAPSHOT_CREATED: &str = "resource_snapshot_created";

/// The event of a new snapshot for one of the accounts that can read it. Each snapshot is an aggregate of its own with
/// version 1, so an account that joins the engagement later sees no gap.
pub fn snapshot(
    snapshot: &Snapshot,
    reader: &AccountId,
    readers: &[AccountId],
    cause: Cause<'_>,
) -> Published {
    let subject = &snapshot.subject;
    let (template, revision) = (subject.template.number(), snapshot.revision);
    let id = format!(
        "{}-{}-{template}-{revision}",
        subject.engagement, subject.opportunity
    );
    let about = AggregateRef {
        context: CONTEXT,
        aggregate: "resource_snapshot",
        account: reader,
        id: &id,
        version: 1,
    };
    let message = pb::ResourceSnapshotCreated {
        engagement_id: subject.engagement.to_string(),
        account_id: reader.to_string(),
        revision: 1,
        opportunity_id: subject.opportunity.to_string(),
        template,
        target_account_ids: readers.iter().map(ToString::to_string).collect(),
        owner_account_id: subject.account.to_string(),
        snapshot_revision: revision,
    };
    Published::new(about, cause, &message)
}

pub fn channel(channel: &Channel, event: &ChannelEvent, cause: Cause<'_>) -> Published {
    let about = AggregateRef {
        context: CONTEXT,
        aggregate: "channel",
        account: channel.account(),
        id: channel.id().as_str(),
        version: event.revision,
    };
    let detail = Some(pb::ChannelEventDetail {
        channel_id: channel.id().to_string(),
        account_id: channel.account().to_string(),
        revision: event.revision,
        opportunity_id: channel.opportunity().to_string(),
        state: event.state.number(),
        requested_by: channel.requested_by().to_string(),
    });
    macro_rules! member_event {
        ($message:ident, $member_ref:expr) => {{
            let MemberRef { account, member } = $member_ref;
            let message = pb::$message {
                detail,
                member_account_id: account.to_string(),
                member_id: member.to_string(),
            };
            Published::new(about, cause, &message)
        }};
    }
    match &event.kind {
        ChannelEventKind::Requested => Published::new(about, cause, &pb::ChannelRequested { detail }),
        ChannelEventKind::Approved => Published::new(about, cause, &pb::ChannelApproved { detail }),
        ChannelEventKind::Declined => Published::new(about, cause, &pb::ChannelDeclined { detail }),
        ChannelEventKind::Activated => Published::new(about, cause, &pb::ChannelActivated { detail }),
        ChannelEventKind::Archived => Published::new(about, cause, &pb::ChannelArchived { detail }),
        ChannelEventKind::MembersAdded => Published::new(about, cause, &pb::ChannelMembersAdded { detail }),
        ChannelEventKind::MemberInvited(member_ref) => member_event!(ChannelMemberInvited, member_ref),
        ChannelEventKind::MemberJoined(member_ref) => member_event!(ChannelMemberJoined, member_ref),
        ChannelEventKind::MemberLeft(member_ref) => member_event!(ChannelMemberLeft, member_ref),
        ChannelEventKind::MemberOptedOut(member_ref) => member_event!(ChannelMemberOptedOut, member_ref),
        ChannelEventKind::MemberExpired(member_ref) => member_event!(ChannelMemberExpired, member_ref),
    }
}
