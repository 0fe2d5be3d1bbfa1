//! Checks the members that a call selects for a channel.

use cosell_grpc::Failure;
use cosell_members::active_member;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, FieldPath, Violation, ViolationCode};

use crate::domain::MemberRef;
use crate::domain::access;

/// The members of an account with these ids, all of whom must be active and have access to the pipeline (CHN-003). The
/// transaction has the scope of that account afterwards.
pub async fn load_channel_members(
    tx: &mut Tx,
    account: &AccountId,
    ids: &[String],
    field: &str,
) -> Result<Vec<MemberRef>, Failure> {
    tx.switch_scope(&Scope::account(account)).await?;
    let root = FieldPath::root();
    let (mut member_refs, mut violations) = (Vec::new(), Vec::new());
    for (index, id) in ids.iter().enumerate() {
        let member = match id.parse() {
            Ok(id) => active_member(tx, account, &id).await?,
            Err(_) => None,
        };
        match member.filter(access::can_join_channels) {
            Some(member) => member_refs.push(access::member_ref(&member)),
            None => {
                let field = format!("{field}[{index}]");
                let text = "Must be an active member of the account with access to the pipeline.";
                violations.push(Violation::new(
                    &root.field(&field),
                    ViolationCode::InvalidValue,
                    text,
                ));
            }
        }
    }
    if violations.is_empty() {
        Ok(member_refs)
    } else {
        Err(Failure::invalid(violations))
    }
}
