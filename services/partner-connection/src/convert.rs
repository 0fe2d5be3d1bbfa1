//! Converts proto messages to domain values and back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_grpc::convert::timestamp;
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{AccountId, ClosedList, ParticipantType, Role, comparable_email};

use crate::domain::values::{ConnectionType, SolutionType};
use crate::domain::{
    Account, Connection, ConnectionTypeDetail, Invitation, LocalizedContent, Member, Person, Preferences,
    Profile, ProfileText,
};
use crate::store::list::PartnerEntry;

/// The value of an enum field that the interface has validated.
pub fn closed_list_value<T: ClosedList>(number: i32) -> Result<T, Failure> {
    T::from_number(number)
        .ok_or_else(|| Failure::internal("a validated enum field has a number without a value"))
}

/// The values of a repeated enum field. Numbers without a value are omitted.
pub fn closed_list_values<T: ClosedList>(numbers: &[i32]) -> Vec<T> {
    numbers
        .iter()
        .filter_map(|number| T::from_number(*number))
        .collect()
}

fn closed_list_numbers<'a, T: ClosedList>(values: impl IntoIterator<Item = &'a T>) -> Vec<i32> {
    values.into_iter().map(|value| value.number()).collect()
}

/// The roles of a repeated enum field, without duplicates.
pub fn role_set(numbers: &[i32]) -> BTreeSet<Role> {
    closed_list_values(numbers).into_iter().collect()
}

/// Name and contact details of a member. The e-mail address is compared in its stored form (DIR-013).
pub fn person_from_proto(person: &pb::Person) -> Person {
    Person {
        first_name: person.first_name.clone().into(),
        last_name: person.last_name.clone().into(),
        email: comparable_email(&person.email).into(),
        title: person.title.clone().into(),
        phone: person.phone.clone().into(),
    }
}

/// The content of a validated profile.
pub fn profile_text_from_proto(profile: &pb::Profile) -> Result<ProfileText, Failure> {
    Ok(ProfileText {
        display_name: profile.display_name.clone(),
        description: profile.description.clone(),
        website_url: profile.website_url.clone(),
        logo_url: profile.logo_url.clone(),
        solution_type: closed_list_value::<SolutionType>(profile.primary_solution_type)?,
        industries: profile.industry_segments.clone(),
        locale: profile.locale.clone(),
        localized: profile
            .localized_contents
            .iter()
            .map(|content| LocalizedContent {
                locale: content.locale.clone(),
                display_name: content.display_name.clone(),
                description: content.description.clone(),
            })
            .collect(),
        country_code: profile.headquarters_country_code.clone(),
    })
}

/// The message for an account, with its profile.
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
        partner_types: closed_list_numbers(&facts.partner_types),
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

/// The message for an account in the partner search.
pub fn partner(entry: &PartnerEntry) -> pb::Partner {
    pb::Partner {
        profile: Some(profile(&entry.profile)),
        partner_types: closed_list_numbers(&entry.partner_types),
        programs: entry.programs.clone(),
        specializations: entry.specializations.clone(),
        connected: entry.is_connected,
        tier: entry.tier.number(),
    }
}

/// The message for a member.
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
        roles: closed_list_numbers(&facts.roles),
        person: Some(pb::Person {
            first_name: person.first_name.reveal().clone(),
            last_name: person.last_name.reveal().clone(),
            email: person.email.reveal().clone(),
            title: person.title.reveal().clone(),
            phone: person.phone.reveal().clone(),
        }),
        sees_all_opportunities: member.sees_all_opportunities(),
    }
}

/// The message for an invitation as `account`, one of the two, sees it at `now`. The counterparty's account is visible
/// once the two are connected, and to a sender that named it (CON-002).
pub fn invitation(
    invitation: &Invitation,
    account: &AccountId,
    now: DateTime<Utc>,
) -> pb::ConnectionInvitation {
    let details = invitation.details();
    let participant = invitation.participant_type(account);
    let is_named_by_id = participant == ParticipantType::Sender && details.kind == ConnectionType::Subsidiary;
    let profile_id = |party: &crate::domain::Party| {
        let id = party.profile.as_ref();
        id.map(ToString::to_string).unwrap_or_default()
    };
    let receiver = invitation.receiver_visible_to(account);
    let visible_counterparty = match participant {
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
        r#type: details.kind.number(),
        status: invitation.status_at(now).number(),
        participant_type: participant.number(),
        sender_profile_id: profile_id(invitation.sender()),
        receiver_profile_id: receiver.map(profile_id).unwrap_or_default(),
        sender_company_name: invitation.sender().company_name.clone(),
        inviter_name: details.inviter_name.reveal().clone(),
        inviter_email: details.inviter_email.reveal().clone(),
        message: details.message.reveal().clone(),
        rejection_reason: invitation.rejection_reason().reveal().clone(),
        other_company_name: visible_counterparty
            .map(|party| party.company_name.clone())
            .unwrap_or_default(),
        other_account_id: if is_named_by_id || invitation.connection().is_some() {
            invitation.counterparty(account).account.to_string()
        } else {
            String::new()
        },
        connection_id: invitation
            .connection()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The message for a connection as `account`, one of the two, sees it.
pub fn connection(connection: &Connection, account: &AccountId) -> pb::Connection {
    let counterparty = connection.counterparty(account);
    pb::Connection {
        connection_id: connection.id().to_string(),
        etag: etags::of(connection.revision()),
        revision: connection.revision(),
        create_time: Some(timestamp(connection.create_time())),
        update_time: Some(timestamp(connection.update_time())),
        status: connection.status().number(),
        other_account_id: counterparty.account.to_string(),
        other_profile_id: counterparty
            .profile
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        other_company_name: counterparty.company_name.clone(),
        type_details: connection
            .type_details()
            .iter()
            .map(|detail| connection_type_detail(detail, account))
            .collect(),
    }
}

fn connection_type_detail(detail: &ConnectionTypeDetail, account: &AccountId) -> pb::ConnectionTypeDetail {
    let participant = if detail.sender == *account {
        ParticipantType::Sender
    } else {
        ParticipantType::Receiver
    };
    let cancellation = detail.cancellation.as_ref();
    pb::ConnectionTypeDetail {
        r#type: detail.kind.number(),
        status: detail.status().number(),
        connection_invitation_id: detail.invitation.to_string(),
        participant_type: participant.number(),
        create_time: Some(timestamp(detail.create_time)),
        cancel_time: cancellation.map(|cancellation| timestamp(cancellation.time)),
        canceled_by_account_id: cancellation
            .map(|cancellation| cancellation.by.to_string())
            .unwrap_or_default(),
        cancel_reason: cancellation
            .map(|cancellation| cancellation.reason.reveal().clone())
            .unwrap_or_default(),
    }
}

/// The message for connection preferences. Their etag is independent of the account's (CON-031).
pub fn preferences(preferences: &Preferences) -> pb::ConnectionPreferences {
    pb::ConnectionPreferences {
        access_type: preferences.access.number(),
        excluded_profile_ids: preferences.excluded.iter().map(ToString::to_string).collect(),
        etag: etags::of(preferences.revision),
        update_time: preferences.update_time.map(timestamp),
    }
}
