//! Companies and their people, as a master list has them.

use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_types::{ClosedList as _, Role};

/// A company with a public profile.
pub fn company(account: &str, name: &str) -> partner::ApplyDirectoryRequest {
    account_record(company_account(account, name))
}

/// The record of an account in a list.
pub fn account_record(record: partner::AccountRecord) -> partner::ApplyDirectoryRequest {
    partner::ApplyDirectoryRequest {
        record: Some(Record::Account(record)),
        ..Default::default()
    }
}

/// The account of a company with a public profile.
pub fn company_account(account: &str, name: &str) -> partner::AccountRecord {
    partner::AccountRecord {
        account_id: account.to_owned(),
        side: partner::Side::Partner.into(),
        legal_name: format!("{name} Ltd"),
        display_name: name.to_owned(),
        terms_accepted: true,
        profile: Some(partner::Profile {
            display_name: name.to_owned(),
            primary_solution_type: partner::SolutionType::ManagedServices.into(),
            industry_segments: vec!["Retail".to_owned()],
            ..Default::default()
        }),
        visibility: partner::ProfileVisibility::Public.into(),
        ..Default::default()
    }
}

/// The alliance lead of a company, to be taken over.
pub fn lead(account: &str, id: &str) -> partner::ApplyDirectoryRequest {
    of_company(account, id, Role::AllianceLead)
}

/// Somebody of a company, to be taken over.
pub fn of_company(account: &str, id: &str, role: Role) -> partner::ApplyDirectoryRequest {
    partner::ApplyDirectoryRequest {
        record: Some(Record::Member(partner::MemberRecord {
            account_id: account.to_owned(),
            member_id: id.to_owned(),
            person: Some(partner::Person {
                first_name: "Some".to_owned(),
                last_name: "Body".to_owned(),
                email: format!("{id}@{account}.example"),
                ..Default::default()
            }),
            roles: vec![role.number()],
            ..Default::default()
        })),
        ..Default::default()
    }
}
