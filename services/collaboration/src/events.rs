//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event as Published};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_types::{AccountId, ClosedList as _, ParticipantType, RejectionReason};

use crate::domain::values::EngagementInvitationState;
use crate::domain::{
    Channel, ChannelEvent, ChannelEventKind, Engagement, EngagementEvent, EngagementEventKind, Invitation,
    InvitationEvent, Person, Snapshot,
};

/// The name of this context in subjects.
pub const CONTEXT: &str = "collaboration";

/// Whose doing an event is for those to whom who did it is nobody: for another company it is the platform's.
pub const PLATFORM: &str = "service:collaboration";

/// The cause of an event as a company hears of it: who of another company did something is not for it.
fn heard<'a>(cause: Cause<'a>, account: &AccountId, by: Option<&AccountId>, id: &'a str) -> Cause<'a> {
    if by == Some(account) {
        return cause;
    }
    Cause {
        actor: PLATFORM,
        request_id: id,
        ..cause
    }
}

/// The public form of what happened to an engagement, for one company, which was told of it so often by now.
pub fn engagement(
    engagement: &Engagement,
    event: &EngagementEvent,
    (account, told): (&AccountId, i64),
    cause: Cause<'_>,
) -> Published {
    let about = About {
        context: CONTEXT,
        aggregate: "engagement",
        account,
        id: engagement.id().as_str(),
        version: told,
    };
    let cause = heard(cause, account, engagement.modified_by(), engagement.id().as_str());
    let detail = Some(pb::EngagementEventDetail {
        engagement_id: engagement.id().to_string(),
        account_id: account.to_string(),
        revision: told,
        engagement_revision: event.revision,
        member_account_ids: event.members.iter().map(ToString::to_string).collect(),
    });
    macro_rules! about_member {
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
    macro_rules! about_context {
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
        EngagementEventKind::MemberInvited(member) => about_member!(EngagementMemberInvited, member),
        EngagementEventKind::MemberAdded(member) => about_member!(EngagementMemberAdded, member),
        EngagementEventKind::MemberNotJoined(member) => about_member!(EngagementMemberNotJoined, member),
        EngagementEventKind::MemberLeft(member) => about_member!(EngagementMemberLeft, member),
        EngagementEventKind::MemberRemoved(member) => about_member!(EngagementMemberRemoved, member),
        EngagementEventKind::ContextCreated(context) => about_context!(EngagementContextCreated, context),
        EngagementEventKind::ContextUpdated(context) => about_context!(EngagementContextUpdated, context),
    }
}

/// The public form of what happened to an invitation, for one of the two companies. Neither reads of the other one's
/// people; whose record it got a copy of, the receiver knows.
pub fn invitation(
    invitation: &Invitation,
    who: ParticipantType,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Published {
    let is_accepted = invitation.state() == EngagementInvitationState::Accepted;
    let is_sender = who == ParticipantType::Sender;
    let (account, opportunity, source) = match who {
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
    let about = About {
        context: CONTEXT,
        aggregate: "engagement_invitation",
        account,
        id: invitation.id().as_str(),
        version: invitation.revision(),
    };
    let by = match event {
        InvitationEvent::Created | InvitationEvent::Canceled => invitation.sender(),
        InvitationEvent::Accepted | InvitationEvent::Rejected | InvitationEvent::Expired => {
            invitation.receiver()
        }
    };
    let cause = heard(cause, account, Some(by), invitation.id().as_str());
    let detail = Some(pb::EngagementInvitationEventDetail {
        engagement_invitation_id: invitation.id().to_string(),
        account_id: account.to_string(),
        revision: invitation.revision(),
        participant_type: who.number(),
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

/// A new snapshot in logs and metrics.
pub const SNAPSHOT_CREATED: &str = "resource_snapshot_created";

/// The public form of a new snapshot, for one of the companies that may read it. Each is a record of its own that never
/// changes, so whoever comes to the engagement later misses none.
pub fn snapshot(
    snapshot: &Snapshot,
    reader: &AccountId,
    readers: &[AccountId],
    cause: Cause<'_>,
) -> Published {
    let of = &snapshot.subject;
    let (template, number) = (of.template.number(), snapshot.revision);
    let id = format!("{}-{}-{template}-{number}", of.engagement, of.opportunity);
    let about = About {
        context: CONTEXT,
        aggregate: "resource_snapshot",
        account: reader,
        id: &id,
        version: 1,
    };
    let message = pb::ResourceSnapshotCreated {
        engagement_id: of.engagement.to_string(),
        account_id: reader.to_string(),
        revision: 1,
        opportunity_id: of.opportunity.to_string(),
        template,
        target_account_ids: readers.iter().map(ToString::to_string).collect(),
        owner_account_id: of.account.to_string(),
        snapshot_revision: number,
    };
    Published::new(about, cause, &message)
}

/// The public form of what happened to a channel.
pub fn channel(channel: &Channel, event: &ChannelEvent, cause: Cause<'_>) -> Published {
    let about = About {
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
    macro_rules! about_member {
        ($message:ident, $person:expr) => {{
            let Person { account, member } = $person;
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
        ChannelEventKind::MemberInvited(person) => about_member!(ChannelMemberInvited, person),
        ChannelEventKind::MemberJoined(person) => about_member!(ChannelMemberJoined, person),
        ChannelEventKind::MemberLeft(person) => about_member!(ChannelMemberLeft, person),
        ChannelEventKind::MemberOptedOut(person) => about_member!(ChannelMemberOptedOut, person),
        ChannelEventKind::MemberExpired(person) => about_member!(ChannelMemberExpired, person),
    }
}
