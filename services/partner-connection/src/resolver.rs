//! Resolves the roles of callers from the service's own tables at every call, so they are never stale. The other
//! services resolve them from a replica.

use std::sync::Arc;

use cosell_grpc::{Failure, MemberResolver};
use cosell_store::{Db, Scope};
use cosell_types::Member as Caller;
use futures::FutureExt as _;

use crate::domain::values::{AccountStatus, MemberStatus};
use crate::store;

/// Returns the function that sets the roles of a member who calls, and refuses one who is not active.
pub fn resolver(db: &Db) -> MemberResolver {
    let db = db.clone();
    Arc::new(move |caller| {
        let db = db.clone();
        async move { resolve_roles(&db, caller).await }.boxed()
    })
}

async fn resolve_roles(db: &Db, caller: Caller) -> Result<Caller, Failure> {
    let mut tx = db
        .tx(&Scope::account(&caller.account).in_class(caller.class()))
        .await?;
    let account = store::load_account(&mut tx, &caller.account).await?;
    let account = account
        .filter(|account| account.side() == caller.side && account.facts().status == AccountStatus::Active);
    account.ok_or_else(Failure::member_inactive)?;
    let member = store::load_member(&mut tx, &caller.account, &caller.id).await?;
    let member = member.ok_or_else(Failure::member_inactive)?;
    let facts = member.facts();
    let roles = match facts.status {
        MemberStatus::Active => facts.roles.iter().copied().collect(),
        // Without roles it can still accept the membership, and read itself and its account.
        MemberStatus::Invited => Vec::new(),
        MemberStatus::Deactivated => return Err(Failure::member_inactive()),
    };
    Ok(Caller {
        sees_all_opportunities: facts.status == MemberStatus::Active && member.sees_all_opportunities(),
        roles,
        ..caller
    })
}
