use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_invitation::Payload;
use cosell_proto::cosell::r#type::v1::ParticipantType;

use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{InvitationFacts, ProjectFacts, RecordRef, TemplateFacts};

/// The sender and the receiver have an event each: the receiver is notified of the invitation, the sender of the answer
/// or the expiry.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
    event: pb::EngagementInvitationEventDetail,
) -> Result<Option<PreparedNotification>, HandlerError> {
    let is_sender = event.participant_type() == ParticipantType::Sender;
    let answer = if delivery.is::<pb::EngagementInvitationCreated>() && !is_sender {
        None
    } else if delivery.is::<pb::EngagementInvitationAccepted>() && is_sender {
        Some("accepted your invitation")
    } else if delivery.is::<pb::EngagementInvitationRejected>() && is_sender {
        Some("rejected your invitation")
    } else if delivery.is::<pb::EngagementInvitationExpired>() && is_sender {
        Some("did not answer your invitation, which expired")
    } else {
        return Ok(None);
    };
    let (peers, account) = (&dependencies.peers, delivery.account.as_str());
    let invitation = peers
        .find_engagement_invitation(account, &event.engagement_invitation_id)
        .await?
        .unwrap_or_default();
    let (kind, project, facts) = match answer {
        None => (
            NotificationKind::EngagementInvited,
            shared_project(&invitation),
            invitation_facts(&event, invitation),
        ),
        Some(answer) => {
            let project = peers.own_project(account, &event.opportunity_id).await?;
            let receiver = peers.company_name(&event.receiver_account_id).await?;
            let facts = answer_facts(answer, receiver, invitation);
            (NotificationKind::EngagementAnswered, project, facts)
        }
    };
    let mut records = vec![RecordRef::EngagementInvitation(event.engagement_invitation_id)];
    if !event.opportunity_id.is_empty() {
        records.push(RecordRef::Opportunity(event.opportunity_id.clone()));
    }
    let facts = TemplateFacts {
        records,
        project,
        invitation: facts,
        ..TemplateFacts::default()
    };
    Ok(Some(PreparedNotification {
        concerned_members: event.sent_by.parse().into_iter().collect(),
        ..PreparedNotification::of_opportunity(kind, event.opportunity_id.parse().ok(), facts)
    }))
}

/// What the receiver sees of the shared opportunity before it accepts (COL-011).
fn shared_project(invitation: &pb::EngagementInvitation) -> ProjectFacts {
    let Some(Payload::OpportunityInvitation(shared)) = &invitation.payload else {
        return ProjectFacts::default();
    };
    ProjectFacts {
        customer: shared
            .customer
            .as_ref()
            .map(|customer| customer.company_name.clone())
            .unwrap_or_default(),
        title: shared
            .project
            .as_ref()
            .map(|project| project.title.clone())
            .unwrap_or_default(),
    }
}

fn invitation_facts(
    event: &pb::EngagementInvitationEventDetail,
    invitation: pb::EngagementInvitation,
) -> InvitationFacts {
    let contacts = match &invitation.payload {
        Some(Payload::OpportunityInvitation(shared)) => convert::contacts(&shared.sender_contacts),
        None => Vec::new(),
    };
    InvitationFacts {
        company: invitation.sender_company_name,
        contacts,
        message: invitation.message,
        deadline: convert::minute(event.expire_time.as_ref()),
        ..InvitationFacts::default()
    }
}

fn answer_facts(answer: &str, receiver: String, invitation: pb::EngagementInvitation) -> InvitationFacts {
    let subject = if receiver.is_empty() {
        "A partner"
    } else {
        receiver.as_str()
    };
    InvitationFacts {
        outcome: format!("{subject} {answer}"),
        reason: convert::rejection_reason(invitation.rejection_reason),
        explanation: invitation.rejection_text,
        company: receiver,
        ..InvitationFacts::default()
    }
}
