use std::fmt;
use std::str::FromStr;

use crate::{IdError, Side};

/// What a member is there for (ACC-001, ACC-002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Represents the partner company; exactly one each.
    AllianceLead,
    /// Shares the administration with the lead.
    AllianceTeam,
    /// Runs the partner's pipeline.
    AceManager,
    /// Works on its own opportunities.
    AceUser,
    /// Works on all opportunities of the company.
    MarketingStaff,
    /// Manages its own opportunities, submits none.
    TechnicalStaff,
    /// Administers access, without the pipeline.
    CloudAdmin,
    /// No access to the pipeline.
    ChannelUser,
    /// No access to the pipeline.
    StandardUser,
    /// Reviews submissions for AWS.
    Reviewer,
    /// Sells for AWS.
    SalesRepresentative,
    /// Manages the customer's account at AWS.
    AccountOwner,
    /// Partner development manager.
    Pdm,
    /// Worldwide public sector partner development manager.
    WwpsPdm,
    /// Partner success manager.
    Psm,
    /// ISV success manager.
    IsvSuccessManager,
}

impl Role {
    /// Every role, partner side first.
    pub const ALL: [Role; 16] = [
        Role::AllianceLead,
        Role::AllianceTeam,
        Role::AceManager,
        Role::AceUser,
        Role::MarketingStaff,
        Role::TechnicalStaff,
        Role::CloudAdmin,
        Role::ChannelUser,
        Role::StandardUser,
        Role::Reviewer,
        Role::SalesRepresentative,
        Role::AccountOwner,
        Role::Pdm,
        Role::WwpsPdm,
        Role::Psm,
        Role::IsvSuccessManager,
    ];

    /// The side on which the role exists; nobody can hold a role of the other side.
    pub fn side(self) -> Side {
        if self < Role::Reviewer {
            Side::Partner
        } else {
            Side::Aws
        }
    }

    /// The role's name in tokens and documents.
    pub fn name(self) -> &'static str {
        match self {
            Role::AllianceLead => "alliance_lead",
            Role::AllianceTeam => "alliance_team",
            Role::AceManager => "ace_manager",
            Role::AceUser => "ace_user",
            Role::MarketingStaff => "marketing_staff",
            Role::TechnicalStaff => "technical_staff",
            Role::CloudAdmin => "cloud_admin",
            Role::ChannelUser => "channel_user",
            Role::StandardUser => "standard_user",
            Role::Reviewer => "reviewer",
            Role::SalesRepresentative => "sales_representative",
            Role::AccountOwner => "account_owner",
            Role::Pdm => "pdm",
            Role::WwpsPdm => "wwps_pdm",
            Role::Psm => "psm",
            Role::IsvSuccessManager => "isv_success_manager",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Role::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(IdError {
                kind: "role",
                expected: "a role name such as ace_user",
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>(), Ok(role));
        }
    }

    #[test]
    fn nine_roles_are_the_partners_and_seven_are_of_aws() {
        assert_eq!(
            Role::ALL
                .iter()
                .filter(|role| role.side() == Side::Partner)
                .count(),
            9
        );
        assert_eq!(
            Role::ALL.iter().filter(|role| role.side() == Side::Aws).count(),
            7
        );
    }
}
