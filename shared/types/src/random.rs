//! The only source of randomness. Domain rules take ids as arguments; their callers generate them here.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::RngExt as _;
use uuid::{NoContext, Timestamp, Uuid};

use crate::OpportunityId;

/// 2020-01-01T00:00:00Z: 41 bits of milliseconds since then last until 2089.
const EPOCH_MILLIS: i64 = 1_577_836_800_000;

/// Milliseconds and lower bits of the last opportunity id that this process generated.
static LAST: Mutex<(i64, i64)> = Mutex::new((-1, 0));

/// Generates an opportunity id: milliseconds in the upper 41 bits; the lower 22 are random for the first id of a
/// millisecond in this process and count up from there (OPP-001). With random bits alone, the rows of one import would
/// collide about once in a few hundred files.
pub fn opportunity_id(now: DateTime<Utc>) -> OpportunityId {
    let millis = (now.timestamp_millis() - EPOCH_MILLIS).clamp(0, (1 << 41) - 1);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let lower = match *last {
        (last_millis, lower) if last_millis == millis => (lower + 1) % (1 << 22),
        _ => generator().random_range(0..1 << 22),
    };
    *last = (millis, lower);
    OpportunityId::from_number(millis << 22 | lower)
        .unwrap_or_else(|| unreachable!("63 bits are never negative"))
}

/// Generates a UUID version 7, which sorts by time: an event id, error id or the like.
pub fn uuid(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

/// Generates an id: the prefix and 13 lower-case letters or digits, 67 bits of entropy.
pub fn prefixed(prefix: &str) -> String {
    with_first(prefix, ALPHANUMERIC, 13)
}

/// Generates an id that referral mints: the prefix, a digit and 12 lower-case letters or digits (PLT-012).
pub fn prefixed_digit(prefix: &str) -> String {
    with_first(prefix, &ALPHANUMERIC[..10], 13)
}

/// Generates an id that collaboration mints: the prefix, a letter and lower-case letters or digits, `length` characters
/// in total without the prefix (PLT-012).
pub fn prefixed_letter(prefix: &str, length: usize) -> String {
    with_first(prefix, &ALPHANUMERIC[10..], length)
}

const ALPHANUMERIC: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn with_first(prefix: &str, first: &[u8], length: usize) -> String {
    let mut generator = generator();
    let mut id = String::from(prefix);
    for index in 0..length {
        let alphabet = if index == 0 { first } else { ALPHANUMERIC };
        id.push(char::from(alphabet[generator.random_range(0..alphabet.len())]));
    }
    id
}

/// A random factor in 0.5..1.5, to spread concurrent retries.
pub fn jitter() -> f64 {
    generator().random_range(0.5..1.5)
}

/// Random bytes for a secret, from a cryptographically secure generator.
pub fn secret<const N: usize>() -> [u8; N] {
    generator().random()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place that creates random values"
)]
fn generator() -> rand::rngs::ThreadRng {
    rand::rng()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn opp_001_ids_sort_by_time() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let mut last = opportunity_id(start);
        for millis in 1..1000 {
            let next = opportunity_id(start + TimeDelta::milliseconds(millis));
            assert!(next > last, "{next} must sort after {last}");
            last = next;
        }
    }

    #[test]
    fn opp_001_ids_of_one_millisecond_are_distinct() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let ids: BTreeSet<_> = (0..20_000).map(|_| opportunity_id(now)).collect();
        assert_eq!(ids.len(), 20_000);
    }

    #[test]
    fn prefixed_id_has_the_required_format() {
        assert!(crate::id::is_prefixed(&prefixed("rc-"), "rc-"));
    }

    #[test]
    fn plt_012_first_character_identifies_the_minting_service() {
        for _ in 0..1000 {
            let (offer, invitation) = (prefixed_digit("engi-"), prefixed_letter("engi-", 13));
            assert!(crate::id::is_digit_first(&offer, "engi-"), "{offer}");
            assert!(!crate::id::is_letter_first(&offer, "engi-", 13), "{offer}");
            assert!(
                crate::id::is_letter_first(&invitation, "engi-", 13),
                "{invitation}"
            );
            assert!(!crate::id::is_digit_first(&invitation, "engi-"), "{invitation}");
        }
    }
}
