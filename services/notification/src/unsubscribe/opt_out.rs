//! Applies the opt-outs of links, as the RPC that updates preferences does.

use cosell_grpc::{Failure, Retry};
use cosell_members::active_member;
use cosell_store::{Db, Scope, Tx};

use super::UnsubscribeTarget;
use crate::store::{load_preferences, save_preferences};

/// Attempts while the preferences of the member are changed concurrently.
const MAX_ATTEMPTS: u32 = 3;

/// Opts members out of e-mails.
#[derive(Clone)]
pub struct OptOuts {
    /// The pool of calls: a confirmed link is a call of its member.
    pub db: Db,
}

impl OptOuts {
    /// Whether the member of the link is active.
    pub async fn is_valid(&self, target: &UnsubscribeTarget) -> Result<bool, Failure> {
        Ok(self.begin(target).await?.is_some())
    }

    /// Adds the kind to the opt-outs of the member. Idempotent. False unless the member is active.
    pub async fn apply(&self, target: &UnsubscribeTarget) -> Result<bool, Failure> {
        let mut attempt = 1;
        loop {
            match self.try_apply(target).await {
                // An opt-out whose commit has an unknown outcome can be repeated too.
                Err(failure) if attempt < MAX_ATTEMPTS && failure.may_retry() != Retry::Never => attempt += 1,
                result => return result,
            }
        }
    }

    async fn try_apply(&self, target: &UnsubscribeTarget) -> Result<bool, Failure> {
        let Some(mut tx) = self.begin(target).await? else {
            return Ok(false);
        };
        let (account, member) = (&target.account, &target.member);
        let preferences = load_preferences(&mut tx, account, member).await?;
        if let Some(opted_out) = preferences.opted_out(target.kind) {
            save_preferences(&mut tx, account, member, &opted_out).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// A transaction in the scope of the account; `None` unless the member and its account are active.
    async fn begin(&self, target: &UnsubscribeTarget) -> Result<Option<Tx>, Failure> {
        let mut tx = self.db.tx(&Scope::account(&target.account)).await?;
        let member = active_member(&mut tx, &target.account, &target.member).await?;
        Ok(member.map(|_| tx))
    }
}
