//! People who are to be in a channel.

use cosell_grpc::Failure;
use cosell_members::active_member;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, FieldPath, Violation, ViolationCode};

use crate::domain::Person;
use crate::domain::access;

/// Members of an account with these ids, all of whom must be active and have access to the pipeline (CHN-003). The
/// transaction is for that account afterwards.
pub async fn of(
    tx: &mut Tx,
    account: &AccountId,
    ids: &[String],
    field: &str,
) -> Result<Vec<Person>, Failure> {
    tx.act_for(&Scope::account(account)).await?;
    let at = FieldPath::root();
    let (mut people, mut found) = (Vec::new(), Vec::new());
    for (index, id) in ids.iter().enumerate() {
        let member = match id.parse() {
            Ok(id) => active_member(tx, account, &id).await?,
            Err(_) => None,
        };
        match member.filter(access::can_chat) {
            Some(member) => people.push(access::person(&member)),
            None => {
                let field = format!("{field}[{index}]");
                let text = "is no active member of the company with access to the pipeline";
                found.push(Violation::new(
                    &at.field(&field),
                    ViolationCode::InvalidValue,
                    text,
                ));
            }
        }
    }
    if found.is_empty() {
        Ok(people)
    } else {
        Err(Failure::invalid(found))
    }
}
