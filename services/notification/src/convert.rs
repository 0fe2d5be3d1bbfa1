//! Converts between messages and the domain.

use cosell_grpc::convert::{day, time};
use cosell_grpc::etags;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1::Person;
use cosell_proto::google::r#type::Date;
use cosell_types::{ClosedList as _, RejectionReason};
use prost_types::Timestamp;

use crate::domain::{EmailPreferences, ProjectFacts};

pub fn preferences(preferences: &EmailPreferences) -> pb::NotificationPreferences {
    pb::NotificationPreferences {
        email_opt_outs: preferences.opt_outs.iter().map(|kind| kind.number()).collect(),
        etag: etags::of(preferences.revision),
    }
}

/// Customer and title of an opportunity. Empty are those of an opportunity that was not found, and what is hidden. The
/// customer of a classified one is in no notification, not even of its own account, because e-mails leave the platform
/// (OPP-017).
pub fn project(record: &opportunity::Opportunity) -> ProjectFacts {
    let account = record
        .customer
        .as_ref()
        .filter(|_| !record.national_security())
        .and_then(|customer| customer.account.as_ref());
    ProjectFacts {
        customer: account
            .map(|account| account.company_name.clone())
            .unwrap_or_default(),
        title: record
            .project
            .as_ref()
            .map(|project| project.title.clone())
            .unwrap_or_default(),
    }
}

pub fn person_name(person: &Person) -> String {
    full_name(&person.first_name, &person.last_name)
}

/// Name, title and e-mail address of each contact, as far as they are stated.
pub fn contacts(contacts: &[opportunity::Contact]) -> Vec<String> {
    contacts
        .iter()
        .map(|contact| {
            let name = full_name(&contact.first_name, &contact.last_name);
            let parts = [name.as_str(), &contact.business_title, &contact.email];
            let stated: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            stated.join(", ")
        })
        .collect()
}

/// A time to the minute, in UTC; empty if it is not stated.
pub fn minute(timestamp: Option<&Timestamp>) -> String {
    let time = timestamp.and_then(time);
    time.map(|time| time.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// A date; empty if it is not stated.
pub fn date(date: Option<&Date>) -> String {
    let day = date.and_then(day);
    day.map(|day| day.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// The reason of a rejection as AWS Partner Central displays it; empty if there is none.
pub fn rejection_reason(number: i32) -> &'static str {
    RejectionReason::from_number(number).map_or("", |reason| reason.literal())
}

fn full_name(first: &str, last: &str) -> String {
    format!("{first} {last}").trim().to_owned()
}
