//! The one source of chance. Rules take ids as arguments; who calls them takes the ids from here.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::RngExt as _;
use uuid::{NoContext, Timestamp, Uuid};

use crate::OpportunityId;

/// 2020-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2089.
const EPOCH_MILLIS: i64 = 1_577_836_800_000;

/// Milliseconds and lower bits of the opportunity id that this process made last.
static LAST: Mutex<(i64, i64)> = Mutex::new((-1, 0));

/// A new opportunity id: milliseconds in the upper 41 bits; the lower 22 are random for the first id of a millisecond in
/// this process and count up from there (OPP-001). With chance alone, the rows of one import would repeat an id about
/// once in a few hundred files.
pub fn opportunity_id(now: DateTime<Utc>) -> OpportunityId {
    let millis = (now.timestamp_millis() - EPOCH_MILLIS).clamp(0, (1 << 41) - 1);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let lower = match *last {
        (of, lower) if of == millis => (lower + 1) % (1 << 22),
        _ => generator().random_range(0..1 << 22),
    };
    *last = (millis, lower);
    OpportunityId::from_number(millis << 22 | lower)
        .unwrap_or_else(|| unreachable!("63 bits are never negative"))
}

/// A new event id, error id or the like: UUID version 7, sorting by time.
pub fn uuid(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

/// A new identifier of a kind: the prefix and 13 lower-case letters or digits, 67 bits of chance.
pub fn prefixed(prefix: &str) -> String {
    with_first(prefix, ALPHANUMERIC, 13)
}

/// A new identifier of a kind that referral mints: the prefix, a digit and 12 lower-case letters or digits (PLT-012).
pub fn prefixed_digit(prefix: &str) -> String {
    with_first(prefix, &ALPHANUMERIC[..10], 13)
}

/// A new identifier of a kind that collaboration mints: the prefix, a letter and lower-case letters or digits, `length`
/// characters without the prefix (PLT-012).
pub fn prefixed_letter(prefix: &str, length: usize) -> String {
    with_first(prefix, &ALPHANUMERIC[10..], length)
}

const ALPHANUMERIC: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn with_first(prefix: &str, first: &[u8], length: usize) -> String {
    let mut generator = generator();
    let mut id = String::from(prefix);
    for at in 0..length {
        let alphabet = if at == 0 { first } else { ALPHANUMERIC };
        id.push(char::from(alphabet[generator.random_range(0..alphabet.len())]));
    }
    id
}

/// A factor from 0.5 up to 1.5, to spread retries of many callers.
pub fn jitter() -> f64 {
    generator().random_range(0.5..1.5)
}

/// Bytes for a secret.
pub fn secret<const N: usize>() -> [u8; N] {
    generator().random()
}

#[expect(clippy::disallowed_methods, reason = "the one place where chance enters")]
fn generator() -> rand::rngs::ThreadRng {
    rand::rng()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn opp_001_ids_sort_by_time_and_do_not_repeat() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let mut last = opportunity_id(start);
        for millis in 1..1000 {
            let next = opportunity_id(start + TimeDelta::milliseconds(millis));
            assert!(next > last, "{next} must come after {last}");
            last = next;
        }
    }

    #[test]
    fn opp_001_ids_of_one_millisecond_do_not_repeat() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let ids: BTreeSet<_> = (0..20_000).map(|_| opportunity_id(now)).collect();
        assert_eq!(ids.len(), 20_000);
    }

    #[test]
    fn prefixed_ids_have_their_form() {
        assert!(crate::id::is_prefixed(&prefixed("rc-"), "rc-"));
    }

    #[test]
    fn plt_012_first_character_tells_which_service_minted_an_id() {
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
