use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_store::Tx;
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};
use tonic::Code;

use super::{PartnerChange, PartnerEvents, PreparedNotification};
use crate::domain::values::NotificationKind;
use crate::domain::{Contact, TemplateFacts};
use crate::store::{self, RelatedRecords};

/// The e-mail address of a member at a revision; empty if the member is not active.
pub struct ContactUpdate {
    member: MemberId,
    revision: i64,
    email: Pii<String>,
}

pub async fn prepare(
    handler: &PartnerEvents,
    delivery: &Delivery,
    event: pb::MemberEventDetail,
) -> Result<PartnerChange, HandlerError> {
    let member: MemberId = event
        .member_id
        .parse()
        .map_err(|_| HandlerError::permanent("member_id is invalid"))?;
    if delivery.is::<pb::MemberInvited>() {
        return prepare_invitation(handler, event, member).await;
    }
    let notification = notification(delivery, &event, &member).map(Box::new);
    if event.status() != pb::MemberStatus::Active {
        // Deletes the address: an inactive member receives no e-mail.
        let contact = ContactUpdate {
            member,
            revision: event.revision,
            email: Pii::default(),
        };
        return Ok(PartnerChange {
            contact: Some(contact),
            notification,
        });
    }
    let loaded = load_member(handler, event).await?;
    let contact = loaded.map(|(loaded, _)| ContactUpdate {
        member,
        revision: loaded.revision,
        email: loaded.person.unwrap_or_default().email.into(),
    });
    Ok(PartnerChange {
        contact,
        notification,
    })
}

/// Prepares the e-mail to an invited person. The address is not stored, because the person is not an active member yet.
async fn prepare_invitation(
    handler: &PartnerEvents,
    event: pb::MemberEventDetail,
    member: MemberId,
) -> Result<PartnerChange, HandlerError> {
    let contact = Some(ContactUpdate {
        member: member.clone(),
        revision: event.revision,
        email: Pii::default(),
    });
    let roles = role_names(&event.roles);
    let Some((invited, company)) = load_member(handler, event).await? else {
        return Ok(PartnerChange {
            contact,
            notification: None,
        });
    };
    let facts = TemplateFacts {
        roles,
        member: member.to_string(),
        company,
        ..TemplateFacts::default()
    };
    let notification = PreparedNotification {
        kind: NotificationKind::MemberInvited,
        related: RelatedRecords::default(),
        concerned_members: Vec::new(),
        contacts: vec![Contact {
            email: invited.person.unwrap_or_default().email.into(),
        }],
        reviewer: None,
        facts,
    };
    Ok(PartnerChange {
        contact,
        notification: Some(Box::new(notification)),
    })
}

fn role_names(roles: &[i32]) -> String {
    let roles = roles.iter().filter_map(|number| Role::from_number(*number));
    roles.map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

fn notification(
    delivery: &Delivery,
    event: &pb::MemberEventDetail,
    member: &MemberId,
) -> Option<PreparedNotification> {
    let kind = if delivery.is::<pb::MemberRolesChanged>() {
        NotificationKind::RolesChanged
    } else if delivery.is::<pb::MemberDeactivated>() {
        NotificationKind::MemberDeactivated
    } else {
        return None;
    };
    let facts = TemplateFacts {
        roles: role_names(&event.roles),
        member: member.to_string(),
        ..TemplateFacts::default()
    };
    Some(PreparedNotification {
        kind,
        related: RelatedRecords::default(),
        concerned_members: vec![member.clone()],
        contacts: Vec::new(),
        reviewer: None,
        facts,
    })
}

/// Reads the current member from the directory, with the display name of its account; `None` if it does not exist.
/// Events do not contain e-mail addresses, which are personal data.
async fn load_member(
    handler: &PartnerEvents,
    event: pb::MemberEventDetail,
) -> Result<Option<(pb::Member, String)>, HandlerError> {
    let message = pb::GetMemberRequest {
        member_id: event.member_id,
        account_id: event.account_id,
    };
    let request = handler.directory.request(message)?;
    let response = MemberServiceClient::new(handler.directory.channel())
        .get_member(request)
        .await;
    match response {
        Ok(response) => {
            let response = response.into_inner();
            let company = response.account.unwrap_or_default().display_name;
            Ok(response.member.map(|member| (member, company)))
        }
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(HandlerError::from_status(&status)),
    }
}

pub async fn apply(tx: &mut Tx, account: &AccountId, contact: ContactUpdate) -> Result<(), HandlerError> {
    let ContactUpdate {
        member,
        revision,
        email,
    } = contact;
    Ok(store::save_contact(tx, account, &member, revision, &email).await?)
}
