use std::fmt;

use crate::{ClosedList as _, Side, closed_list};

closed_list! {
    /// What a member is there for (ACC-001, ACC-002). Partner roles come first.
    Role {
        /// Represents the partner company; exactly one each.
        AllianceLead = 1 "ALLIANCE_LEAD" "",
        /// Shares the administration with the lead; at most 20 each.
        AllianceTeam = 2 "ALLIANCE_TEAM" "",
        /// Runs the partner's pipeline; at most 20 each.
        AceManager = 3 "ACE_MANAGER" "",
        /// Works on its own opportunities.
        AceUser = 4 "ACE_USER" "",
        /// Works on all opportunities of the company.
        MarketingStaff = 5 "MARKETING_STAFF" "",
        /// Manages its own opportunities, submits none.
        TechnicalStaff = 6 "TECHNICAL_STAFF" "",
        /// Administers access, without the pipeline.
        CloudAdmin = 7 "CLOUD_ADMIN" "",
        /// No access to the pipeline.
        ChannelUser = 8 "CHANNEL_USER" "",
        /// No access to the pipeline.
        StandardUser = 9 "STANDARD_USER" "",
        /// Reviews submissions for AWS.
        Reviewer = 10 "REVIEWER" "",
        /// Sells for AWS.
        SalesRepresentative = 11 "SALES_REPRESENTATIVE" "AWSSalesRep",
        /// Manages the customer's account at AWS.
        AccountOwner = 12 "ACCOUNT_OWNER" "AWSAccountOwner",
        /// Partner development manager.
        Pdm = 13 "PDM" "PDM",
        /// Worldwide public sector partner development manager.
        WwpsPdm = 14 "WWPS_PDM" "WWPSPDM",
        /// Partner success manager.
        Psm = 15 "PSM" "PSM",
        /// ISV success manager.
        IsvSuccessManager = 16 "ISV_SUCCESS_MANAGER" "ISVSM",
    }
}

impl Role {
    /// Partner roles that work on the whole pipeline of their company (ACC-010).
    pub const WHOLE_PIPELINE: [Role; 4] = [
        Role::AllianceLead,
        Role::AllianceTeam,
        Role::AceManager,
        Role::MarketingStaff,
    ];
    /// Partner roles that work on what is their own (ACC-011).
    pub const OWN_RECORDS: [Role; 2] = [Role::AceUser, Role::TechnicalStaff];
    /// Partner roles that a record can be given to (OPP-036).
    pub const OWNERS: [Role; 4] = [
        Role::AllianceLead,
        Role::AllianceTeam,
        Role::AceManager,
        Role::AceUser,
    ];
    /// AWS roles that sell or look after partners: all but reviewers.
    pub const SALES: [Role; 6] = [
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
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
