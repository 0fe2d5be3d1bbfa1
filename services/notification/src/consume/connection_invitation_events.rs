use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::{Dependencies, PartnerChange, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{InvitationFacts, RecordRef, TemplateFacts};
use crate::store::RelatedRecords;

/// The sender and the receiver have an event each: the receiver is notified of the invitation, the sender of the
/// answer. Names and texts are not in the events and are read from the directory, which does not disclose the name of a
/// receiver that was invited by its account id and rejects.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
    event: pb::ConnectionInvitationEventDetail,
) -> Result<PartnerChange, HandlerError> {
    let is_sender = event.participant_type() == ParticipantType::Sender;
    let kind = if delivery.is::<pb::ConnectionInvitationCreated>() && !is_sender {
        NotificationKind::ConnectionInvitationCreated
    } else if delivery.is::<pb::ConnectionInvitationAccepted>() && is_sender {
        NotificationKind::ConnectionInvitationAccepted
    } else if delivery.is::<pb::ConnectionInvitationRejected>() && is_sender {
        NotificationKind::ConnectionInvitationRejected
    } else {
        return Ok(PartnerChange::default());
    };
    let invitation = dependencies
        .peers
        .find_connection_invitation(&event.account_id, &event.connection_invitation_id)
        .await?;
    let facts = TemplateFacts {
        records: vec![RecordRef::ConnectionInvitation(
            event.connection_invitation_id.clone(),
        )],
        invitation: invitation.map(invitation_facts).unwrap_or_default(),
        ..TemplateFacts::default()
    };
    let notification = PreparedNotification {
        related: RelatedRecords {
            opportunity: None,
            connection_invitation: Some(event.connection_invitation_id),
        },
        ..PreparedNotification::new(kind, facts)
    };
    Ok(PartnerChange {
        contact: None,
        notification: Some(Box::new(notification)),
    })
}

fn invitation_facts(invitation: pb::ConnectionInvitation) -> InvitationFacts {
    InvitationFacts {
        company: invitation.other_company_name,
        sender: format!("{} <{}>", invitation.inviter_name, invitation.inviter_email),
        message: invitation.message,
        deadline: convert::minute(invitation.expire_time.as_ref()),
        explanation: invitation.rejection_reason,
        ..InvitationFacts::default()
    }
}
