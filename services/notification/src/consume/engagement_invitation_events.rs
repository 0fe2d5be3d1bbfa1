use cosell_events::Delivery;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::PreparedNotification;
use crate::domain::values::NotificationKind;
use crate::domain::{CollaborationFacts, TemplateFacts};
use crate::store::RelatedRecords;

/// The sender and the receiver have an event each: the receiver is notified of the invitation, the sender of the answer
/// or the expiry.
pub fn prepare(
    delivery: &Delivery,
    event: pb::EngagementInvitationEventDetail,
) -> Option<PreparedNotification> {
    let is_sender = event.participant_type() == ParticipantType::Sender;
    let (kind, outcome) = if delivery.is::<pb::EngagementInvitationCreated>() && !is_sender {
        (NotificationKind::EngagementInvited, "")
    } else if delivery.is::<pb::EngagementInvitationAccepted>() && is_sender {
        (
            NotificationKind::EngagementAnswered,
            "a partner accepted the invitation",
        )
    } else if delivery.is::<pb::EngagementInvitationRejected>() && is_sender {
        (
            NotificationKind::EngagementAnswered,
            "a partner rejected the invitation",
        )
    } else if delivery.is::<pb::EngagementInvitationExpired>() && is_sender {
        (
            NotificationKind::EngagementAnswered,
            "the invitation expired without an answer",
        )
    } else {
        return None;
    };
    Some(PreparedNotification {
        kind,
        related: RelatedRecords {
            opportunity: event.opportunity_id.parse().ok(),
            connection_invitation: None,
        },
        concerned_members: event.sent_by.parse().into_iter().collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: TemplateFacts {
            opportunity_id: event.opportunity_id,
            collaboration: CollaborationFacts {
                invitation_id: event.engagement_invitation_id,
                outcome,
                ..CollaborationFacts::default()
            },
            ..TemplateFacts::default()
        },
    })
}
