use cosell_events::Delivery;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::News;
use crate::domain::values::Kind;
use crate::domain::{Facts, Shared};
use crate::store::About;

/// Each of the two companies has an event of its own; that a deal is shared is news to the one, an answer to the other.
pub fn prepare(delivery: &Delivery, event: pb::EngagementInvitationEventDetail) -> Option<News> {
    let is_sender = event.participant_type() == ParticipantType::Sender;
    let (kind, how) = if delivery.is::<pb::EngagementInvitationCreated>() && !is_sender {
        (Kind::EngagementInvited, "")
    } else if delivery.is::<pb::EngagementInvitationAccepted>() && is_sender {
        (Kind::EngagementAnswered, "a partner takes part")
    } else if delivery.is::<pb::EngagementInvitationRejected>() && is_sender {
        (Kind::EngagementAnswered, "a partner does not take part")
    } else if delivery.is::<pb::EngagementInvitationExpired>() && is_sender {
        (Kind::EngagementAnswered, "a partner has not answered in time")
    } else {
        return None;
    };
    Some(News {
        kind,
        about: About {
            opportunity: event.opportunity_id.parse().ok(),
            invitation: None,
        },
        own_of: event.sent_by.parse().into_iter().collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: Facts {
            opportunity_id: event.opportunity_id,
            shared: Shared {
                invitation: event.engagement_invitation_id,
                how,
                ..Shared::default()
            },
            ..Facts::default()
        },
    })
}
