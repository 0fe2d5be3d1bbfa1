//! Between the interface's messages and the domain.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_grpc::convert::timestamp;
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{AccountId, ClosedList, ParticipantType, Role};

use crate::domain::values::{ConnectionType, SolutionType};
use crate::domain::{
    Account, Connection, Invitation, LocalizedContent, Member, Part, Person, Preferences, Profile,
    ProfileText,
};
use crate::store::list::Found;

/// The member of a closed list that the interface has checked to be one.
pub fn required<T: ClosedList>(number: i32) -> Result<T, Failure> {
    T::from_number(number).ok_or_else(|| Failure::internal("validated, but none of the list"))
}

/// The members of a closed list with these numbers.
pub fn members<T: ClosedList>(numbers: &[i32]) -> Vec<T> {
    numbers
        .iter()
        .filter_map(|number| T::from_number(*number))
        .collect()
}

/// Numbers of members of a closed list.
fn numbers<'a, T: ClosedList>(values: impl IntoIterator<Item = &'a T>) -> Vec<i32> {
    values.into_iter().map(|value| value.number()).collect()
}

/// Roles without repetition, in their order.
pub fn roles(given: &[i32]) -> BTreeSet<Role> {
    members(given).into_iter().collect()
}

/// Who is meant; addresses are the same whatever their case.
pub fn person(given: &pb::Person) -> Person {
    Person {
        first_name: given.first_name.clone().into(),
        last_name: given.last_name.clone().into(),
        email: given.email.to_lowercase().into(),
        title: given.title.clone().into(),
        phone: given.phone.clone().into(),
    }
}

/// What a profile is to say.
pub fn profile_text(given: &pb::Profile) -> Result<ProfileText, Failure> {
    Ok(ProfileText {
        display_name: given.display_name.clone(),
        description: given.description.clone(),
        website_url: given.website_url.clone(),
        logo_url: given.logo_url.clone(),
        solution_type: required::<SolutionType>(given.primary_solution_type)?,
        industries: given.industry_segments.clone(),
        locale: given.locale.clone(),
        localized: given
            .localized_contents
            .iter()
            .map(|content| LocalizedContent {
                locale: content.locale.clone(),
                display_name: content.display_name.clone(),
                description: content.description.clone(),
            })
            .collect(),
        country_code: given.headquarters_country_code.clone(),
    })
}

/// An account as the interface shows it.
pub fn account(account: &Account) -> pb::Account {
    let facts = account.facts();
    let terms = account.terms();
    pb::Account {
        account_id: account.id().to_string(),
        etag: etags::of(account.revision()),
        revision: account.revision(),
        create_time: Some(timestamp(account.create_time())),
        update_time: Some(timestamp(account.update_time())),
        side: account.side().number(),
        status: facts.status.number(),
        legal_name: facts.legal_name.clone(),
        display_name: facts.display_name.clone(),
        partner_types: numbers(&facts.partner_types),
        programs: facts.programs.iter().cloned().collect(),
        specializations: facts.specializations.iter().cloned().collect(),
        terms_accept_time: terms.map(|terms| timestamp(terms.time)),
        terms_accepted_by: terms
            .and_then(|terms| terms.by.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        profile: account.profile().map(profile),
        tier: facts.tier.number(),
    }
}

fn profile(profile: &Profile) -> pb::Profile {
    let text = profile.text.clone();
    pb::Profile {
        profile_id: profile.id.to_string(),
        visibility: profile.visibility.number(),
        display_name: text.display_name,
        description: text.description,
        website_url: text.website_url,
        logo_url: text.logo_url,
        primary_solution_type: text.solution_type.number(),
        industry_segments: text.industries,
        locale: text.locale,
        localized_contents: text
            .localized
            .into_iter()
            .map(|content| pb::LocalizedContent {
                locale: content.locale,
                display_name: content.display_name,
                description: content.description,
            })
            .collect(),
        headquarters_country_code: text.country_code,
    }
}

/// A company as others find it.
pub fn partner(found: &Found) -> pb::Partner {
    pb::Partner {
        profile: Some(profile(&found.profile)),
        partner_types: numbers(&found.partner_types),
        programs: found.programs.clone(),
        specializations: found.specializations.clone(),
        connected: found.is_connected,
        tier: found.tier.number(),
    }
}

/// A member as the interface shows it.
pub fn member(member: &Member) -> pb::Member {
    let facts = member.facts();
    let person = &facts.person;
    pb::Member {
        member_id: member.id().to_string(),
        account_id: member.account().to_string(),
        etag: etags::of(member.revision()),
        revision: member.revision(),
        create_time: Some(timestamp(member.create_time())),
        update_time: Some(timestamp(member.update_time())),
        status: facts.status.number(),
        roles: numbers(&facts.roles),
        person: Some(pb::Person {
            first_name: person.first_name.reveal().clone(),
            last_name: person.last_name.reveal().clone(),
            email: person.email.reveal().clone(),
            title: person.title.reveal().clone(),
            phone: person.phone.reveal().clone(),
        }),
    }
}

/// An invitation as one of the two companies sees it at this time. Accounts are shown once the two are connected, but a
/// sender that named an account knows it (CON-002).
pub fn invitation(
    invitation: &Invitation,
    account: &AccountId,
    now: DateTime<Utc>,
) -> pb::ConnectionInvitation {
    let offer = invitation.offer();
    let participant = invitation.participant(account);
    let named = participant == ParticipantType::Sender && offer.kind == ConnectionType::Subsidiary;
    let profile = |party: &crate::domain::Party| {
        let id = party.profile.as_ref();
        id.map(ToString::to_string).unwrap_or_default()
    };
    let receiver = invitation.receiver_for(account);
    let other = match participant {
        ParticipantType::Sender => receiver,
        ParticipantType::Receiver => Some(invitation.sender()),
    };
    pb::ConnectionInvitation {
        connection_invitation_id: invitation.id().to_string(),
        etag: etags::of(invitation.revision()),
        revision: invitation.revision(),
        create_time: Some(timestamp(invitation.create_time())),
        update_time: Some(timestamp(invitation.update_time())),
        expire_time: Some(timestamp(invitation.expire_time())),
        r#type: offer.kind.number(),
        status: invitation.status_at(now).number(),
        participant_type: participant.number(),
        sender_profile_id: profile(invitation.sender()),
        receiver_profile_id: receiver.map(profile).unwrap_or_default(),
        sender_company_name: invitation.sender().company_name.clone(),
        inviter_name: offer.inviter_name.reveal().clone(),
        inviter_email: offer.inviter_email.reveal().clone(),
        message: offer.message.reveal().clone(),
        rejection_reason: invitation.rejection_reason().reveal().clone(),
        other_company_name: other.map(|party| party.company_name.clone()).unwrap_or_default(),
        other_account_id: if named || invitation.connection().is_some() {
            invitation.other(account).account.to_string()
        } else {
            String::new()
        },
        connection_id: invitation
            .connection()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// A connection as one of the two companies sees it.
pub fn connection(connection: &Connection, account: &AccountId) -> pb::Connection {
    let other = connection.other(account);
    pb::Connection {
        connection_id: connection.id().to_string(),
        etag: etags::of(connection.revision()),
        revision: connection.revision(),
        create_time: Some(timestamp(connection.create_time())),
        update_time: Some(timestamp(connection.update_time())),
        status: connection.status().number(),
        other_account_id: other.account.to_string(),
        other_profile_id: other
            .profile
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        other_company_name: other.company_name.clone(),
        type_details: connection
            .parts()
            .iter()
            .map(|part| show_part(part, account))
            .collect(),
    }
}

fn show_part(part: &Part, account: &AccountId) -> pb::ConnectionTypeDetail {
    let participant = if part.sender == *account {
        ParticipantType::Sender
    } else {
        ParticipantType::Receiver
    };
    let end = part.end.as_ref();
    pb::ConnectionTypeDetail {
        r#type: part.kind.number(),
        status: part.status().number(),
        connection_invitation_id: part.invitation.to_string(),
        participant_type: participant.number(),
        create_time: Some(timestamp(part.create_time)),
        cancel_time: end.map(|end| timestamp(end.time)),
        canceled_by_account_id: end.map(|end| end.by.to_string()).unwrap_or_default(),
        cancel_reason: end.map(|end| end.reason.reveal().clone()).unwrap_or_default(),
    }
}

/// Preferences as the interface shows them.
pub fn preferences(preferences: &Preferences) -> pb::ConnectionPreferences {
    pb::ConnectionPreferences {
        access_type: preferences.access.number(),
        excluded_profile_ids: preferences.excluded.iter().map(ToString::to_string).collect(),
        etag: etags::of(preferences.revision),
        update_time: preferences.update_time.map(timestamp),
    }
}
