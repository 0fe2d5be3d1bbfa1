//! What a caller may do here: the directory itself is asked, at every call, so that nothing is ever stale.

use std::sync::Arc;

use cosell_grpc::{Failure, Resolve};
use cosell_store::{Db, Scope};
use cosell_types::Member as Caller;
use futures::FutureExt as _;

use crate::domain::values::{AccountStatus, MemberStatus};
use crate::store;

/// Finds out what a member may do.
pub fn resolver(db: &Db) -> Resolve {
    let db = db.clone();
    Arc::new(move |caller| {
        let db = db.clone();
        async move { resolve(&db, caller).await }.boxed()
    })
}

async fn resolve(db: &Db, caller: Caller) -> Result<Caller, Failure> {
    let mut tx = db.tx(&Scope::account(&caller.account)).await?;
    let account = store::load_account(&mut tx, &caller.account).await?;
    let account = account
        .filter(|account| account.side() == caller.side && account.facts().status == AccountStatus::Active);
    account.ok_or_else(Failure::member_inactive)?;
    let member = store::load_member(&mut tx, &caller.account, &caller.id).await?;
    let member = member.ok_or_else(Failure::member_inactive)?;
    let facts = member.facts();
    let roles = match facts.status {
        MemberStatus::Active => facts.roles.iter().copied().collect(),
        // May join, and see itself and its account.
        MemberStatus::Invited => Vec::new(),
        MemberStatus::Deactivated => return Err(Failure::member_inactive()),
    };
    Ok(Caller { roles, ..caller })
}
