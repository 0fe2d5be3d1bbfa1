use cosell_grpc::Failure;
use cosell_store::Tx;
use cosell_types::{AccountId, FieldPath, MemberId, Role, Violation, ViolationCode};

use crate::active_member;

/// The active member with the id of `owner_member_id`, if one of its roles may own records (OPP-036, REF-056). Members
/// of other accounts are refused in the same way as members that do not exist.
pub async fn require_assignable_member(
    tx: &mut Tx,
    account: &AccountId,
    id: &str,
) -> Result<MemberId, Failure> {
    let member = match id.parse() {
        Ok(id) => active_member(tx, account, &id).await?,
        Err(_) => None,
    };
    if let Some(member) = member.filter(|member| member.has_any_role(&Role::OWNERS)) {
        return Ok(member.id);
    }
    let text = "Must be an active member of the account with one of the roles ALLIANCE_LEAD, ALLIANCE_TEAM, \
                ACE_MANAGER, ACE_USER. ListAssignableMembers returns them.";
    let root = FieldPath::root();
    let violation = Violation::new(&root.field("owner_member_id"), ViolationCode::InvalidValue, text);
    Err(Failure::invalid(vec![violation]))
}
