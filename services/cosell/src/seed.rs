//! The seed of a development installation: the accounts of two partners and of AWS, with a member for every role.

use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_types::{Caller, ClosedList as _, Member, Role};

/// Account id of the partner Alder Cloud Services.
pub const ALDER: &str = "111111111111";
/// Account id of the partner Birch Data.
pub const BIRCH: &str = "222222222222";
/// Account id of AWS.
pub const AWS: &str = "999999999999";

/// A seeded member.
#[derive(Clone, Copy, Debug)]
pub struct SeedMember {
    account: &'static str,
    account_name: &'static str,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    role: Role,
    /// Distinguishes members with the same role.
    number: u8,
}

const fn member(
    account_name: &'static str,
    account: &'static str,
    role: Role,
    number: u8,
    first_name: &'static str,
    last_name: &'static str,
) -> SeedMember {
    SeedMember {
        account,
        account_name,
        first_name,
        last_name,
        role,
        number,
    }
}

/// All seeded members.
pub fn seed_members() -> Vec<SeedMember> {
    use Role::{
        AccountOwner, AceManager, AceUser, AllianceLead, AllianceTeam, ChannelUser, CloudAdmin,
        IsvSuccessManager, MarketingStaff, Pdm, Psm, Reviewer, SalesRepresentative, StandardUser,
        TechnicalStaff, WwpsPdm,
    };
    vec![
        member("alder", ALDER, AllianceLead, 1, "Amara", "Okafor"),
        member("alder", ALDER, AllianceTeam, 1, "Bruno", "Keller"),
        member("alder", ALDER, AceManager, 1, "Chiara", "Rossi"),
        member("alder", ALDER, AceUser, 1, "Daniel", "Novak"),
        member("alder", ALDER, AceUser, 2, "Elif", "Demir"),
        member("alder", ALDER, MarketingStaff, 1, "Femi", "Adeyemi"),
        member("alder", ALDER, TechnicalStaff, 1, "Greta", "Lind"),
        member("alder", ALDER, CloudAdmin, 1, "Hugo", "Moreau"),
        member("alder", ALDER, ChannelUser, 1, "Ines", "Silva"),
        member("alder", ALDER, StandardUser, 1, "Jonas", "Weber"),
        member("birch", BIRCH, AllianceLead, 1, "Kavya", "Iyer"),
        member("birch", BIRCH, AllianceTeam, 1, "Liam", "Byrne"),
        member("birch", BIRCH, AceManager, 1, "Mei", "Tanaka"),
        member("birch", BIRCH, AceUser, 1, "Noah", "Fischer"),
        member("birch", BIRCH, MarketingStaff, 1, "Olga", "Petrova"),
        member("birch", BIRCH, TechnicalStaff, 1, "Pablo", "Ruiz"),
        member("birch", BIRCH, CloudAdmin, 1, "Quinn", "Walsh"),
        member("birch", BIRCH, ChannelUser, 1, "Rania", "Haddad"),
        member("birch", BIRCH, StandardUser, 1, "Sven", "Berg"),
        member("aws", AWS, Reviewer, 1, "Tara", "Nguyen"),
        member("aws", AWS, Reviewer, 2, "Umar", "Siddiqui"),
        member("aws", AWS, SalesRepresentative, 1, "Vera", "Costa"),
        member("aws", AWS, AccountOwner, 1, "Will", "Jensen"),
        member("aws", AWS, AccountOwner, 2, "Bela", "Farkas"),
        member("aws", AWS, Pdm, 1, "Xenia", "Pappas"),
        member("aws", AWS, WwpsPdm, 1, "Yusuf", "Khan"),
        member("aws", AWS, Psm, 1, "Zoe", "Martin"),
        member("aws", AWS, IsvSuccessManager, 1, "Aiko", "Sato"),
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
        format!("{}-{role}{number}", self.account_name)
    }

    /// The short name of the account, as in member ids and e-mail addresses, such as `alder`.
    pub fn account_name(&self) -> &'static str {
        self.account_name
    }

    /// The account id.
    pub fn account(&self) -> &'static str {
        self.account
    }

    /// The member's only role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The e-mail address; `.example` is a reserved domain.
    pub fn email(&self) -> String {
        format!(
            "{}.{}@{}.example",
            self.first_name, self.last_name, self.account_name
        )
        .to_lowercase()
    }

    /// The member as caller of an RPC.
    pub fn caller(&self) -> anyhow::Result<Caller> {
        Ok(Caller::Member(Member {
            id: self.id().parse()?,
            account: self.account.parse()?,
            side: self.role.side(),
            roles: vec![self.role],
            sees_all_opportunities: false,
        }))
    }
}

/// All seeded accounts and members as records of `ApplyDirectory`.
pub fn directory_records() -> Vec<pb::ApplyDirectoryRequest> {
    let accounts = [
        (ALDER, "Alder Cloud Services", pb::PartnerType::ConsultingPartner),
        (BIRCH, "Birch Data", pb::PartnerType::Isv),
        (AWS, "AWS", pb::PartnerType::Unspecified),
    ];
    let mut records = Vec::new();
    for (account, name, kind) in accounts {
        records.push(pb::ApplyDirectoryRequest {
            record: Some(Record::Account(account_record(account, name, kind))),
            ..Default::default()
        });
        let account_members = seed_members()
            .into_iter()
            .filter(|member| member.account == account);
        records.extend(account_members.map(|member| pb::ApplyDirectoryRequest {
            record: Some(Record::Member(member.record())),
            ..Default::default()
        }));
    }
    for (record, number) in records.iter_mut().zip(1..) {
        record.number = number;
    }
    records
}

fn account_record(account: &str, name: &str, kind: pb::PartnerType) -> pb::AccountRecord {
    let is_partner = kind != pb::PartnerType::Unspecified;
    let profile = pb::Profile {
        display_name: name.to_owned(),
        description: format!("{name} helps manufacturers and banks to migrate to the cloud."),
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
    fn seed_has_every_role_and_unique_member_ids() {
        let all = seed_members();
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
