use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::connection_service_client::ConnectionServiceClient;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::{Change, FromPartner, News};
use crate::domain::Facts;
use crate::domain::values::Kind;
use crate::store::About;

/// Each of the two companies has an event of its own; a request is news to the one, an answer to the other. Names and
/// texts are not in the event; they are read where they are kept.
pub async fn prepare(
    handler: &FromPartner,
    delivery: &Delivery,
    event: pb::ConnectionInvitationEventDetail,
) -> Result<Change, Fault> {
    let is_sender = event.participant_type() == ParticipantType::Sender;
    let kind = if delivery.is::<pb::ConnectionInvitationCreated>() && !is_sender {
        Kind::ConnectionInvitationCreated
    } else if delivery.is::<pb::ConnectionInvitationAccepted>() && is_sender {
        Kind::ConnectionInvitationAccepted
    } else if delivery.is::<pb::ConnectionInvitationRejected>() && is_sender {
        Kind::ConnectionInvitationRejected
    } else {
        return Ok(Change::default());
    };
    let question = pb::GetConnectionInvitationRequest {
        connection_invitation_id: event.connection_invitation_id.clone(),
        account_id: event.account_id,
    };
    let request = handler.directory.request(question)?;
    let answer = ConnectionServiceClient::new(handler.directory.channel())
        .get_connection_invitation(request)
        .await;
    let answer = answer.map_err(|status| Fault::from_status(&status))?.into_inner();
    let invitation = answer
        .connection_invitation
        .ok_or_else(|| Fault::Bug("the answer holds no invitation".to_owned()))?;
    let facts = Facts {
        // A company that was named by its account and refuses stays unnamed.
        company: if invitation.other_company_name.is_empty() {
            "A company".to_owned()
        } else {
            invitation.other_company_name
        },
        inviter: format!("{} <{}>", invitation.inviter_name, invitation.inviter_email),
        remarks: invitation.message,
        reason: invitation.rejection_reason,
        connection_invitation_id: event.connection_invitation_id.clone(),
        ..Facts::default()
    };
    let news = News {
        kind,
        about: About {
            opportunity: None,
            invitation: Some(event.connection_invitation_id),
        },
        own_of: Vec::new(),
        contacts: Vec::new(),
        reviewer: None,
        facts,
    };
    Ok(Change {
        reached: None,
        news: Some(Box::new(news)),
    })
}
