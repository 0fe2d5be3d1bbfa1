//! Companies and their people, as a master list has them.

use cosell_proto::cosell::partner::v1 as partner;
use cosell_types::{ClosedList as _, Role};

/// A company with a public profile.
pub fn company(account: &str, name: &str) -> partner::ApplyDirectoryRequest {
    let profile = partner::Profile {
        display_name: name.to_owned(),
        primary_solution_type: partner::SolutionType::ManagedServices.into(),
        industry_segments: vec!["Retail".to_owned()],
        ..Default::default()
    };
    partner::ApplyDirectoryRequest {
        account: Some(partner::AccountRecord {
            account_id: account.to_owned(),
            side: partner::Side::Partner.into(),
            legal_name: format!("{name} Ltd"),
            display_name: name.to_owned(),
            terms_accepted: true,
            profile: Some(profile),
            visibility: partner::ProfileVisibility::Public.into(),
            ..Default::default()
        }),
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
        member: Some(partner::MemberRecord {
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
        }),
        ..Default::default()
    }
}
