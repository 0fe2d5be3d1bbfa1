use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::collaboration::v1 as pb;
use pb::{InvitationState, ParticipantType};

use super::News;
use crate::domain::values::Kind;
use crate::domain::{Facts, Shared};
use crate::store::About;

/// Each of the two companies has an event of its own; that a deal is shared is news to the one, an answer to the other.
pub fn prepare(delivery: &Delivery) -> Result<Option<News>, Fault> {
    let event: pb::EngagementInvitationChanged = delivery.message()?;
    let (kind, how) = match (event.participant_type(), event.state()) {
        (ParticipantType::Receiver, InvitationState::Pending) => (Kind::EngagementInvited, ""),
        (ParticipantType::Sender, InvitationState::Accepted) => {
            (Kind::EngagementAnswered, "a partner takes part")
        }
        (ParticipantType::Sender, InvitationState::Rejected) => {
            (Kind::EngagementAnswered, "a partner does not take part")
        }
        (ParticipantType::Sender, InvitationState::Expired) => {
            (Kind::EngagementAnswered, "a partner has not answered in time")
        }
        _ => return Ok(None),
    };
    Ok(Some(News {
        kind,
        about: About {
            opportunity: event.opportunity_id.parse().ok(),
            invitation: None,
        },
        own_of: event.member_id.parse().into_iter().collect(),
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
    }))
}
