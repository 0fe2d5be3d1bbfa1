//! Which callers may make which calls (ACC-010, DIR-012, DIR-014). Roles decide whether a call is permitted at all; the
//! handler restricts the records, by the account in the token.

use cosell_types::{Caller, Role, ServiceName, Side};

/// A permission: of one RPC, or of several that have the same callers.
#[expect(
    missing_docs,
    reason = "a variant without a comment permits the RPC of its name"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    GetAccount,
    /// AcceptTerms, TransferAllianceLead.
    ActAsAllianceLead,
    /// UpdateProfile, SetProfileVisibility, and all changes of invitations, connections and preferences.
    RepresentAccount,
    /// GetPartner, ListPartners.
    SearchPartners,
    /// InviteMember, SetMemberRoles, DeactivateMember.
    AdministerMembers,
    AcceptMembership,
    GetMember,
    ListMembers,
    UpdateMember,
    GetConnectionInvitation,
    /// ListAssignableMembers, and all other reads of invitations, connections and preferences.
    ReadAsPipelineRole,
}

const REPRESENTATIVES: [Role; 2] = [Role::AllianceLead, Role::AllianceTeam];
/// Roles that invite, change and deactivate the members of their account.
pub const MEMBER_ADMINISTRATORS: [Role; 3] = [Role::AllianceLead, Role::AllianceTeam, Role::CloudAdmin];
const PIPELINE_ROLES: [Role; 6] = [
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
                Action::GetMember | Action::GetConnectionInvitation | Action::GetAccount
            );
        }
        Caller::Member(member) => member,
    };
    let is_aws = member.side == Side::Aws && !member.roles.is_empty();
    match action {
        // The handler decides which account or member the caller may name.
        Action::GetAccount | Action::AcceptMembership | Action::GetMember | Action::UpdateMember => true,
        Action::ActAsAllianceLead => member.has_any_role(&[Role::AllianceLead]),
        Action::RepresentAccount => member.has_any_role(&REPRESENTATIVES),
        Action::SearchPartners => is_aws || member.has_any_role(&PIPELINE_ROLES),
        Action::AdministerMembers => member.has_any_role(&MEMBER_ADMINISTRATORS),
        Action::ListMembers => {
            is_aws || member.has_any_role(&PIPELINE_ROLES) || member.has_any_role(&MEMBER_ADMINISTRATORS)
        }
        Action::ReadAsPipelineRole | Action::GetConnectionInvitation => member.has_any_role(&PIPELINE_ROLES),
    }
}

/// Whether the caller may call ApplyDirectory: only services that the operator configures for it, because a record can
/// make any member an alliance lead or a reviewer (DIR-050).
pub fn may_provision(caller: &Caller, provisioners: &[ServiceName]) -> bool {
    matches!(caller, Caller::Service(name) if provisioners.contains(name))
}
