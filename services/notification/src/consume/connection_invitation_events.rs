use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::connection_service_client::ConnectionServiceClient;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::{PartnerChange, PartnerEvents, PreparedNotification};
use crate::domain::TemplateFacts;
use crate::domain::values::NotificationKind;
use crate::store::RelatedRecords;

/// The sender and the receiver have an event each: the receiver is notified of the invitation, the sender of the
/// answer. Names and texts are not in the events and are read from the directory.
pub async fn prepare(
    handler: &PartnerEvents,
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
    let message = pb::GetConnectionInvitationRequest {
        connection_invitation_id: event.connection_invitation_id.clone(),
        account_id: event.account_id,
    };
    let request = handler.directory.request(message)?;
    let response = ConnectionServiceClient::new(handler.directory.channel())
        .get_connection_invitation(request)
        .await;
    let response = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner();
    let invitation = response
        .connection_invitation
        .ok_or_else(|| HandlerError::Bug("the response has no invitation".to_owned()))?;
    let facts = TemplateFacts {
        // The name of a receiver that was invited by its account id is not disclosed when it rejects.
        company: if invitation.other_company_name.is_empty() {
            "A partner".to_owned()
        } else {
            invitation.other_company_name
        },
        inviter: format!("{} <{}>", invitation.inviter_name, invitation.inviter_email),
        comments: invitation.message,
        reason: invitation.rejection_reason,
        connection_invitation_id: event.connection_invitation_id.clone(),
        ..TemplateFacts::default()
    };
    let notification = PreparedNotification {
        kind,
        related: RelatedRecords {
            opportunity: None,
            connection_invitation: Some(event.connection_invitation_id),
        },
        concerned_members: Vec::new(),
        contacts: Vec::new(),
        reviewer: None,
        facts,
    };
    Ok(PartnerChange {
        contact: None,
        notification: Some(Box::new(notification)),
    })
}
