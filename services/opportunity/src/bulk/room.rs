use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cosell_types::AccountId;

/// Files that may come at a time, and of one account.
const PLACES: usize = 8;
const OF_ACCOUNT: usize = 2;

/// Room for files that come: none of the accounts takes all of it.
#[derive(Clone, Default)]
pub struct Room(Arc<Mutex<BTreeMap<AccountId, usize>>>);

/// A place in it, until it is dropped.
pub struct Place {
    room: Room,
    account: AccountId,
}

impl Room {
    /// A place, as long as there is one.
    pub fn enter(&self, account: &AccountId) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (
            taken.values().sum::<usize>(),
            taken.get(account).copied().unwrap_or_default(),
        );
        if all >= PLACES || own >= OF_ACCOUNT {
            return None;
        }
        taken.insert(account.clone(), own + 1);
        Some(Place {
            room: self.clone(),
            account: account.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.remove(&self.account).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            taken.insert(self.account.clone(), left);
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
    fn opp_080_no_account_takes_all_places_and_a_place_that_is_left_is_free() {
        let room = Room::default();
        let mut own: Vec<_> = (0..OF_ACCOUNT).filter_map(|_| room.enter(&account(1))).collect();
        assert_eq!(own.len(), OF_ACCOUNT);
        assert!(
            room.enter(&account(1)).is_none(),
            "more than one account may have"
        );
        let others: Vec<_> = (2..20)
            .filter_map(|number| room.enter(&account(number)))
            .collect();
        assert_eq!(others.len(), PLACES - OF_ACCOUNT);
        assert!(room.enter(&account(20)).is_none(), "more than there are");
        own.pop();
        assert!(room.enter(&account(20)).is_some(), "a place was left");
    }
}
