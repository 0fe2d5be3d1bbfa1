//! Who may do what (ACC-010, DIR-012, DIR-014). The role decides whether a call may be made at all; which account it is
//! about comes from the token.

use cosell_types::{Caller, Role, ServiceName, Side};

/// What can be asked of this service, one for each RPC or for several with the same callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// GetAccount.
    GetAccount,
    /// AcceptTerms, TransferAllianceLead.
    Lead,
    /// UpdateProfile, SetProfileVisibility, and all changes of invitations, connections and preferences.
    Represent,
    /// GetPartner, ListPartners.
    FindPartners,
    /// InviteMember, SetMemberRoles, DeactivateMember.
    Administer,
    /// AcceptMembership.
    Join,
    /// GetMember.
    GetMember,
    /// ListMembers.
    ListMembers,
    /// UpdateMember.
    UpdateMember,
    /// GetConnectionInvitation.
    GetInvitation,
    /// ListAssignableMembers, and all other reads of invitations, connections and preferences.
    Work,
}

/// Roles that represent the company to others.
const REPRESENT: [Role; 2] = [Role::AllianceLead, Role::AllianceTeam];
/// Roles that decide who works for the company.
pub const ADMINISTER: [Role; 3] = [Role::AllianceLead, Role::AllianceTeam, Role::CloudAdmin];
/// Partner roles with access to the pipeline.
const PIPELINE: [Role; 6] = [
    Role::AllianceLead,
    Role::AllianceTeam,
    Role::AceManager,
    Role::AceUser,
    Role::MarketingStaff,
    Role::TechnicalStaff,
];

/// Whether the caller may make the call.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        Caller::Service(_) => {
            return matches!(
                action,
                Action::GetMember | Action::GetInvitation | Action::GetAccount
            );
        }
        Caller::Member(member) => member,
    };
    let is_aws = member.side == Side::Aws && !member.roles.is_empty();
    match action {
        // Which member it may be about, the use case decides.
        Action::GetAccount | Action::Join | Action::GetMember | Action::UpdateMember => true,
        Action::Lead => member.has_any(&[Role::AllianceLead]),
        Action::Represent => member.has_any(&REPRESENT),
        Action::FindPartners => is_aws || member.has_any(&PIPELINE),
        Action::Administer => member.has_any(&ADMINISTER),
        Action::ListMembers => is_aws || member.has_any(&PIPELINE) || member.has_any(&ADMINISTER),
        Action::Work | Action::GetInvitation => member.has_any(&PIPELINE),
    }
}

/// Whether the caller may apply records of the master list, ApplyDirectory: only services that are named for it, because
/// the list makes anybody an alliance lead or a reviewer (DIR-050).
pub fn provisions(caller: &Caller, provisioners: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if provisioners.contains(name))
}
