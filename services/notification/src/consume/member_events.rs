use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Tx;
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};

use super::{Dependencies, PartnerChange, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{Contact, MemberFacts, RecordRef, TemplateFacts, in_words};
use crate::store;

/// The e-mail address of a member at a revision; empty if the member is not active.
pub struct ContactUpdate {
    member: MemberId,
    revision: i64,
    email: Pii<String>,
}

/// Reads the current member from the directory, because events contain neither names nor addresses, which are personal
/// data.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
    event: pb::MemberEventDetail,
) -> Result<PartnerChange, HandlerError> {
    let member: MemberId = event
        .member_id
        .parse()
        .map_err(|_| HandlerError::permanent("member_id is invalid"))?;
    let loaded = dependencies
        .peers
        .find_member(&event.account_id, &event.member_id)
        .await?;
    let is_active = event.status() == pb::MemberStatus::Active;
    let contact = match &loaded {
        Some(response) if is_active => response.member.as_ref().map(|current| ContactUpdate {
            member: member.clone(),
            revision: current.revision,
            email: email(current),
        }),
        None if is_active => None,
        // Deletes the address: an inactive member receives no e-mail. That of an invited person is not stored, because
        // it is not an active member yet.
        _ => Some(ContactUpdate {
            member: member.clone(),
            revision: event.revision,
            email: Pii::default(),
        }),
    };
    Ok(PartnerChange {
        contact,
        notification: prepare_notification(delivery, &event, &member, loaded).map(Box::new),
    })
}

fn prepare_notification(
    delivery: &Delivery,
    event: &pb::MemberEventDetail,
    member: &MemberId,
    loaded: Option<pb::GetMemberResponse>,
) -> Option<PreparedNotification> {
    let kind = if delivery.is::<pb::MemberRolesChanged>() {
        NotificationKind::RolesChanged
    } else if delivery.is::<pb::MemberDeactivated>() {
        NotificationKind::MemberDeactivated
    } else if delivery.is::<pb::MemberInvited>() {
        NotificationKind::MemberInvited
    } else {
        return None;
    };
    let response = loaded.unwrap_or_default();
    let current = response.member.unwrap_or_default();
    let person = current.person.clone().unwrap_or_default();
    let contacts = if kind == NotificationKind::MemberInvited {
        vec![Contact {
            email: email(&current),
        }]
    } else {
        Vec::new()
    };
    let roles = event.roles.iter().filter_map(|number| Role::from_number(*number));
    let roles = roles.map(|role| in_words(role.name()));
    let facts = TemplateFacts {
        records: vec![RecordRef::Member(member.to_string())],
        member: MemberFacts {
            name: convert::person_name(&person),
            company: response.account.unwrap_or_default().display_name,
            roles: roles.collect::<Vec<_>>().join(", "),
        },
        ..TemplateFacts::default()
    };
    Some(PreparedNotification {
        concerned_members: vec![member.clone()],
        contacts,
        ..PreparedNotification::new(kind, facts)
    })
}

fn email(member: &pb::Member) -> Pii<String> {
    let person = member.person.as_ref();
    person
        .map(|person| person.email.clone())
        .unwrap_or_default()
        .into()
}

pub async fn apply(tx: &mut Tx, account: &AccountId, contact: ContactUpdate) -> Result<(), HandlerError> {
    let ContactUpdate {
        member,
        revision,
        email,
    } = contact;
    Ok(store::save_contact(tx, account, &member, revision, &email).await?)
}
