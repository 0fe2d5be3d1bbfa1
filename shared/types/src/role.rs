use std::fmt;

use crate::{ClosedList as _, Side, closed_list};

closed_list! {
    /// The roles of members (ACC-001, ACC-002). Partner roles come first.
    Role {
        /// Represents the partner account; each account has exactly one.
        AllianceLead = 1 "ALLIANCE_LEAD" "",
        /// Administers the account together with the alliance lead; at most 20 per account.
        AllianceTeam = 2 "ALLIANCE_TEAM" "",
        /// Manages the pipeline of the account; at most 20 per account.
        AceManager = 3 "ACE_MANAGER" "",
        /// Manages and submits its own opportunities.
        AceUser = 4 "ACE_USER" "",
        /// Manages and submits its own opportunities, or all of the account if the operator permits that.
        MarketingStaff = 5 "MARKETING_STAFF" "",
        /// Manages its own opportunities, but cannot submit them.
        TechnicalStaff = 6 "TECHNICAL_STAFF" "",
        /// Administers access; has no access to opportunities.
        CloudAdmin = 7 "CLOUD_ADMIN" "",
        /// Has no access to opportunities.
        ChannelUser = 8 "CHANNEL_USER" "",
        /// Has no access to opportunities.
        StandardUser = 9 "STANDARD_USER" "",
        /// Reviews submitted opportunities for AWS.
        Reviewer = 10 "REVIEWER" "",
        /// AWS sales representative.
        SalesRepresentative = 11 "SALES_REPRESENTATIVE" "AWSSalesRep",
        /// AWS owner of the customer account.
        AccountOwner = 12 "ACCOUNT_OWNER" "AWSAccountOwner",
        /// Partner development manager.
        Pdm = 13 "PDM" "PDM",
        /// Worldwide public sector partner development manager.
        WwpsPdm = 14 "WWPS_PDM" "WWPSPDM",
        /// Partner success manager.
        Psm = 15 "PSM" "PSM",
        /// A manager of AWS for independent software vendors.
        IsvSuccessManager = 16 "ISV_SUCCESS_MANAGER" "ISVSM",
    }
}

impl Role {
    /// Partner roles that see all opportunities of their account (ACC-010).
    pub const WHOLE_PIPELINE: [Role; 3] = [Role::AllianceLead, Role::AllianceTeam, Role::AceManager];
    /// Partner roles that see only their own opportunities (ACC-011, ACC-013).
    pub const OWN_RECORDS: [Role; 3] = [Role::AceUser, Role::MarketingStaff, Role::TechnicalStaff];
    /// Partner roles that can own an opportunity (OPP-036).
    pub const OWNERS: [Role; 4] = [
        Role::AllianceLead,
        Role::AllianceTeam,
        Role::AceManager,
        Role::AceUser,
    ];
    /// The AWS sales roles: all AWS roles but [`Role::Reviewer`].
    pub const SALES: [Role; 6] = [
        Role::SalesRepresentative,
        Role::AccountOwner,
        Role::Pdm,
        Role::WwpsPdm,
        Role::Psm,
        Role::IsvSuccessManager,
    ];

    /// The side whose members can hold the role.
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
    fn acc_001_002_partners_have_nine_roles_and_aws_has_seven() {
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
