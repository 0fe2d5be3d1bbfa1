use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cosell_types::AccountId;

/// Concurrent uploads of all accounts, and of one account.
const MAX_UPLOADS: usize = 8;
const MAX_UPLOADS_PER_ACCOUNT: usize = 2;

/// Limits concurrent uploads, so that no account takes all permits.
#[derive(Clone, Default)]
pub struct UploadLimit(Arc<Mutex<BTreeMap<AccountId, usize>>>);

/// A permit for one upload, released when it is dropped.
pub struct UploadPermit {
    limit: UploadLimit,
    account: AccountId,
}

impl UploadLimit {
    /// Acquires a permit for an account. Returns `None` when a limit is reached.
    pub fn acquire(&self, account: &AccountId) -> Option<UploadPermit> {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (
            uploads.values().sum::<usize>(),
            uploads.get(account).copied().unwrap_or_default(),
        );
        if all >= MAX_UPLOADS || own >= MAX_UPLOADS_PER_ACCOUNT {
            return None;
        }
        uploads.insert(account.clone(), own + 1);
        Some(UploadPermit {
            limit: self.clone(),
            account: account.clone(),
        })
    }
}

impl Drop for UploadPermit {
    fn drop(&mut self) {
        let mut uploads = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = uploads
            .remove(&self.account)
            .unwrap_or_default()
            .saturating_sub(1);
        if left > 0 {
            uploads.insert(self.account.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        format!("{number:012}").parse().expect("an account")
    }

    #[test]
    fn opp_080_account_cannot_take_all_upload_permits() {
        let limit = UploadLimit::default();
        let mut own: Vec<_> = (0..MAX_UPLOADS_PER_ACCOUNT)
            .filter_map(|_| limit.acquire(&account(1)))
            .collect();
        assert_eq!(own.len(), MAX_UPLOADS_PER_ACCOUNT);
        assert!(
            limit.acquire(&account(1)).is_none(),
            "the limit of one account is reached"
        );
        let others: Vec<_> = (2..20)
            .filter_map(|number| limit.acquire(&account(number)))
            .collect();
        assert_eq!(others.len(), MAX_UPLOADS - MAX_UPLOADS_PER_ACCOUNT);
        assert!(
            limit.acquire(&account(20)).is_none(),
            "the total limit is reached"
        );
        own.pop();
        assert!(limit.acquire(&account(20)).is_some(), "a permit was released");
    }
}
