use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Limits the use of a resource: in total, and by each key, so that none takes it from all others. The last quarter of
/// the total is for keys that use at most an eighth of what a key may use, so that a few keys together do not either.
/// Where one key may use the total, nothing is kept for others.
pub struct KeyedLimit<K> {
    total: usize,
    per_key: usize,
    used: Arc<Mutex<Used<K>>>,
    /// Notified when a permit is dropped.
    released: Arc<Notify>,
}

struct Used<K> {
    total: usize,
    /// Only keys with a permit, so that its size is bounded by the limit.
    by_key: HashMap<K, usize>,
}

/// The right to use an amount of the resource, released when it is dropped.
pub struct Permit<K: Eq + Hash> {
    limit: KeyedLimit<K>,
    key: K,
    amount: usize,
}

impl<K> Clone for KeyedLimit<K> {
    fn clone(&self) -> Self {
        Self {
            total: self.total,
            per_key: self.per_key,
            used: self.used.clone(),
            released: self.released.clone(),
        }
    }
}

impl<K: Eq + Hash + Clone> KeyedLimit<K> {
    /// Creates a limit: of all keys, and of each.
    pub fn new(total: usize, per_key: usize) -> Self {
        let used = Used {
            total: 0,
            by_key: HashMap::new(),
        };
        Self {
            total,
            per_key,
            used: Arc::new(Mutex::new(used)),
            released: Arc::default(),
        }
    }

    /// Acquires an amount for a key. Returns `None` if a limit would be exceeded.
    pub fn acquire(&self, key: &K, amount: usize) -> Option<Permit<K>> {
        let mut permit = Permit {
            limit: self.clone(),
            key: key.clone(),
            amount: 0,
        };
        permit.grow(amount).then_some(permit)
    }

    /// Acquires an amount for a key, and waits while a limit would be exceeded. Those that wait have no order.
    pub async fn acquire_when_free(&self, key: &K, amount: usize) -> Permit<K> {
        loop {
            let mut released = pin!(self.released.notified());
            // From here on, no release is missed.
            released.as_mut().enable();
            if let Some(permit) = self.acquire(key, amount) {
                return permit;
            }
            released.await;
        }
    }
}

impl<K> KeyedLimit<K> {
    fn lock(&self) -> MutexGuard<'_, Used<K>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone> Permit<K> {
    /// Adds an amount to the permit. Returns `false`, without a change, if a limit would be exceeded.
    pub fn grow(&mut self, amount: usize) -> bool {
        let mut used = self.limit.lock();
        let by_key = used.by_key.get(&self.key).copied().unwrap_or_default();
        let (total, per_key) = (self.limit.total, self.limit.per_key);
        let uses_little = by_key + amount <= (per_key / 8).max(1);
        let total = match uses_little || per_key >= total {
            true => total,
            false => total - total / 4,
        };
        if used.total + amount > total || by_key + amount > per_key {
            return false;
        }
        used.total += amount;
        used.by_key.insert(self.key.clone(), by_key + amount);
        self.amount += amount;
        true
    }
}

impl<K: Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut used = self.limit.lock();
        used.total -= self.amount;
        let left = used.by_key.get_mut(&self.key).map(|by_key| {
            *by_key -= self.amount;
            *by_key
        });
        if left == Some(0) {
            used.by_key.remove(&self.key);
        }
        drop(used);
        // An empty permit is that of a refused key, which would wake itself.
        if self.amount > 0 {
            self.limit.released.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn plt_015_waiting_key_waits_for_its_own_permit_and_delays_no_other() {
        let limit = KeyedLimit::new(2, 1);
        let first = limit.acquire_when_free(&"a", 1).await;
        let mut second = pin!(limit.acquire_when_free(&"a", 1));
        assert!(second.as_mut().now_or_never().is_none(), "the key has its permit");
        let other = limit.acquire_when_free(&"b", 1).now_or_never();
        assert!(other.is_some(), "another key has a permit at once");
        drop(first);
        assert!(second.now_or_never().is_some(), "the permit was released");
    }

    #[test]
    fn plt_015_no_key_uses_the_limit_of_all_others() {
        let limit = KeyedLimit::new(40, 16);
        let mut first = limit.acquire(&"a", 15).expect("a permit");
        assert!(first.grow(1));
        assert!(!first.grow(1), "the limit of the key");
        assert!(limit.acquire(&"a", 1).is_none());
        let second = limit.acquire(&"b", 14).expect("a permit for another key");
        assert!(limit.acquire(&"c", 3).is_none(), "the last quarter");
        let third = limit
            .acquire(&"c", 2)
            .expect("a permit for a key that uses little");
        let others: Vec<_> = ["d", "e", "f", "g"]
            .iter()
            .filter_map(|key| limit.acquire(key, 2))
            .collect();
        assert_eq!(others.len(), 4);
        assert!(limit.acquire(&"h", 1).is_none(), "the limit of all keys");
        drop((first, second));
        assert!(limit.acquire(&"h", 16).is_some(), "a released permit");
        drop((third, others));
        let used = limit.lock();
        assert_eq!((used.total, used.by_key.len()), (0, 0));
    }

    #[test]
    fn plt_015_only_key_uses_the_whole_limit() {
        let limit = KeyedLimit::new(4, 4);
        let permits: Vec<_> = (0..5).filter_map(|_| limit.acquire(&"a", 1)).collect();
        assert_eq!(permits.len(), 4);
    }
}
