//! Partner accounts and their members as records of `ApplyDirectory`.

use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_types::{ClosedList as _, Role};

/// The request that creates a partner account with a public profile.
pub fn apply_partner(account: &str, name: &str) -> partner::ApplyDirectoryRequest {
    apply_account(partner_account(account, name))
}

/// The request that applies an account record.
pub fn apply_account(record: partner::AccountRecord) -> partner::ApplyDirectoryRequest {
    partner::ApplyDirectoryRequest {
        record: Some(Record::Account(record)),
        ..Default::default()
    }
}

/// A partner account with a public profile.
pub fn partner_account(account: &str, name: &str) -> partner::AccountRecord {
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

/// The request that creates the alliance lead of a partner account.
pub fn apply_alliance_lead(account: &str, id: &str) -> partner::ApplyDirectoryRequest {
    apply_member(account, id, Role::AllianceLead)
}

/// The request that creates a member with one role.
pub fn apply_member(account: &str, id: &str, role: Role) -> partner::ApplyDirectoryRequest {
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
