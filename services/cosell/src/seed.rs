//! Who exists in a development installation: two partners and AWS, with a member for every role.

use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_types::{Caller, ClosedList as _, Member, Role};

/// Account of the partner Alder Cloud Services.
pub const ALDER: &str = "111111111111";
/// Account of the partner Birch Data.
pub const BIRCH: &str = "222222222222";
/// Account of AWS.
pub const AWS: &str = "999999999999";

/// A seeded member.
#[derive(Clone, Copy, Debug)]
pub struct SeedMember {
    account: &'static str,
    company: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    role: Role,
    /// Distinguishes two members with the same role.
    number: u8,
}

const fn at(
    company: &'static str,
    account: &'static str,
    role: Role,
    number: u8,
    first_name: &'static str,
    last_name: &'static str,
) -> SeedMember {
    SeedMember {
        account,
        company,
        first_name,
        last_name,
        role,
        number,
    }
}

/// Everybody.
pub fn members() -> Vec<SeedMember> {
    use Role::{
        AccountOwner, AceManager, AceUser, AllianceLead, AllianceTeam, ChannelUser, CloudAdmin,
        IsvSuccessManager, MarketingStaff, Pdm, Psm, Reviewer, SalesRepresentative, StandardUser,
        TechnicalStaff, WwpsPdm,
    };
    vec![
        at("alder", ALDER, AllianceLead, 1, "Amara", "Okafor"),
        at("alder", ALDER, AllianceTeam, 1, "Bruno", "Keller"),
        at("alder", ALDER, AceManager, 1, "Chiara", "Rossi"),
        at("alder", ALDER, AceUser, 1, "Daniel", "Novak"),
        at("alder", ALDER, AceUser, 2, "Elif", "Demir"),
        at("alder", ALDER, MarketingStaff, 1, "Femi", "Adeyemi"),
        at("alder", ALDER, TechnicalStaff, 1, "Greta", "Lind"),
        at("alder", ALDER, CloudAdmin, 1, "Hugo", "Moreau"),
        at("alder", ALDER, ChannelUser, 1, "Ines", "Silva"),
        at("alder", ALDER, StandardUser, 1, "Jonas", "Weber"),
        at("birch", BIRCH, AllianceLead, 1, "Kavya", "Iyer"),
        at("birch", BIRCH, AllianceTeam, 1, "Liam", "Byrne"),
        at("birch", BIRCH, AceManager, 1, "Mei", "Tanaka"),
        at("birch", BIRCH, AceUser, 1, "Noah", "Fischer"),
        at("birch", BIRCH, MarketingStaff, 1, "Olga", "Petrova"),
        at("birch", BIRCH, TechnicalStaff, 1, "Pablo", "Ruiz"),
        at("birch", BIRCH, CloudAdmin, 1, "Quinn", "Walsh"),
        at("birch", BIRCH, ChannelUser, 1, "Rania", "Haddad"),
        at("birch", BIRCH, StandardUser, 1, "Sven", "Berg"),
        at("aws", AWS, Reviewer, 1, "Tara", "Nguyen"),
        at("aws", AWS, Reviewer, 2, "Umar", "Siddiqui"),
        at("aws", AWS, SalesRepresentative, 1, "Vera", "Costa"),
        at("aws", AWS, AccountOwner, 1, "Will", "Jensen"),
        at("aws", AWS, Pdm, 1, "Xenia", "Pappas"),
        at("aws", AWS, WwpsPdm, 1, "Yusuf", "Khan"),
        at("aws", AWS, Psm, 1, "Zoe", "Martin"),
        at("aws", AWS, IsvSuccessManager, 1, "Aiko", "Sato"),
    ]
}

impl SeedMember {
    /// The member's id, such as `alder-ace-user`.
    pub fn id(&self) -> String {
        let role = self.role.name().to_lowercase().replace('_', "-");
        let number = if self.number > 1 {
            format!("-{}", self.number)
        } else {
            String::new()
        };
        format!("{}-{role}{number}", self.company)
    }

    /// The company it works for, as in ids and addresses.
    pub fn company(&self) -> &'static str {
        self.company
    }

    /// The account it works for.
    pub fn account(&self) -> &'static str {
        self.account
    }

    /// What it is there for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its address, which never leaves the machine: `.example` is nobody's.
    pub fn email(&self) -> String {
        format!("{}.{}@{}.example", self.first_name, self.last_name, self.company).to_lowercase()
    }

    /// The member as the caller of a call.
    pub fn caller(&self) -> anyhow::Result<Caller> {
        Ok(Caller::Member(Member {
            id: self.id().parse()?,
            account: self.account.parse()?,
            side: self.role.side(),
            roles: vec![self.role],
        }))
    }
}

/// Everybody and the companies that they work for, as the directory takes them over.
pub fn records() -> Vec<pb::ApplyDirectoryRequest> {
    let companies = [
        (ALDER, "Alder Cloud Services", pb::PartnerType::ConsultingPartner),
        (BIRCH, "Birch Data", pb::PartnerType::Isv),
        (AWS, "AWS", pb::PartnerType::Unspecified),
    ];
    let mut records = Vec::new();
    for (account, name, kind) in companies {
        records.push(pb::ApplyDirectoryRequest {
            record: Some(Record::Account(company(account, name, kind))),
            ..Default::default()
        });
        let of_company = members().into_iter().filter(|member| member.account == account);
        records.extend(of_company.map(|member| pb::ApplyDirectoryRequest {
            record: Some(Record::Member(member.record())),
            ..Default::default()
        }));
    }
    for (record, number) in records.iter_mut().zip(1..) {
        record.number = number;
    }
    records
}

fn company(account: &str, name: &str, kind: pb::PartnerType) -> pb::AccountRecord {
    let is_partner = kind != pb::PartnerType::Unspecified;
    let profile = pb::Profile {
        display_name: name.to_owned(),
        description: format!("{name} helps manufacturers and banks into the cloud."),
        website_url: format!(
            "https://{}.example",
            name.split(' ').next().unwrap_or_default().to_lowercase()
        ),
        primary_solution_type: match kind {
            pb::PartnerType::Isv => pb::SolutionType::SoftwareProducts.into(),
            _ => pb::SolutionType::ConsultingServices.into(),
        },
        industry_segments: vec!["Manufacturing".to_owned(), "Financial Services".to_owned()],
        locale: "en-US".to_owned(),
        headquarters_country_code: "DE".to_owned(),
        ..Default::default()
    };
    pb::AccountRecord {
        account_id: account.to_owned(),
        side: if is_partner {
            pb::Side::Partner
        } else {
            pb::Side::Aws
        }
        .into(),
        legal_name: format!("{name} Ltd"),
        display_name: name.to_owned(),
        partner_types: is_partner.then_some(kind.into()).into_iter().collect(),
        terms_accepted: is_partner,
        profile: is_partner.then_some(profile),
        visibility: if is_partner {
            pb::ProfileVisibility::Public.into()
        } else {
            0
        },
        ..Default::default()
    }
}

impl SeedMember {
    fn record(&self) -> pb::MemberRecord {
        pb::MemberRecord {
            account_id: self.account.to_owned(),
            member_id: self.id(),
            person: Some(pb::Person {
                first_name: self.first_name.to_owned(),
                last_name: self.last_name.to_owned(),
                email: self.email(),
                ..Default::default()
            }),
            roles: vec![self.role.number()],
            status: pb::MemberStatus::Active.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cosell_types::Side;

    use super::*;

    #[test]
    fn every_role_is_there_and_nobody_twice() {
        let all = members();
        assert_eq!(
            all.iter().map(SeedMember::id).collect::<HashSet<_>>().len(),
            all.len()
        );
        for &role in Role::ALL {
            for account in if role.side() == Side::Aws {
                &[AWS][..]
            } else {
                &[ALDER, BIRCH][..]
            } {
                let found = all
                    .iter()
                    .any(|member| member.role == role && member.account == *account);
                assert!(found, "no {role} in {account}");
            }
        }
    }
}
