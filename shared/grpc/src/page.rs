//! Keyset pages (PLT-005). A token names the last row of a page; it belongs to one caller and one query, and gives
//! no access to anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_types::Caller;
use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Failure;

/// The most rows in a page.
const MAX_PAGE_SIZE: i32 = 100;
const DEFAULT_PAGE_SIZE: i32 = 20;
/// The most bytes of rows in a page: well below what clients take by default, 4 MiB.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;

/// How many rows a page gets: 0 is 20, and more than 100 is 100.
pub fn page_size(stated: i32) -> i64 {
    i64::from(if stated == 0 {
        DEFAULT_PAGE_SIZE
    } else {
        stated.min(MAX_PAGE_SIZE)
    })
}

/// What a token is bound to.
pub struct PageQuery([u8; 16]);

#[derive(Serialize, Deserialize)]
struct Token<K> {
    version: u8,
    query: [u8; 16],
    last: K,
}

const VERSION: u8 = 1;

impl PageQuery {
    /// The query that a caller makes: the request without page size and token.
    pub fn new(caller: &Caller, request: &impl Message) -> Self {
        let mut hash = Sha256::new();
        hash.update(caller.actor());
        hash.update([0]);
        hash.update(caller.account().map_or("", |account| account.as_str()));
        hash.update([0]);
        hash.update(request.encode_to_vec());
        let mut query = [0; 16];
        query.copy_from_slice(&hash.finalize()[..16]);
        Self(query)
    }

    /// The token of the page after this row.
    fn token<K: Serialize>(&self, last: K) -> Result<String, Failure> {
        let token = Token {
            version: VERSION,
            query: self.0,
            last,
        };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).map_err(Failure::internal)?))
    }

    /// The page that these rows make, of which one more than asked for was read to see whether more follow: as many as
    /// were asked for and fit into an answer, and the token of the page after it.
    pub fn page<R, M: Message, K: Serialize>(
        &self,
        rows: &[R],
        size: i64,
        show: impl Fn(&R) -> M,
        key: impl Fn(&R) -> K,
    ) -> Result<(Vec<M>, String), Failure> {
        let mut bytes = 0;
        let mut shown = Vec::new();
        for row in rows.iter().take(usize::try_from(size).unwrap_or_default()) {
            let message = show(row);
            bytes += message.encoded_len();
            // The first is always shown: a page without rows would never end.
            if bytes > MAX_PAGE_BYTES && !shown.is_empty() {
                break;
            }
            shown.push(message);
        }
        let token = match rows.get(shown.len().wrapping_sub(1)) {
            Some(last) if shown.len() < rows.len() => self.token(key(last))?,
            _ => String::new(),
        };
        Ok((shown, token))
    }

    /// The last row of the page before; `None` for the first page. A token is not signed: `is_sound` says whether the
    /// row could be one.
    pub fn last<K: DeserializeOwned>(
        &self,
        token: &str,
        is_sound: impl FnOnce(&K) -> bool,
    ) -> Result<Option<K>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Failure::page_token_invalid())?;
        match serde_json::from_slice::<Token<K>>(&bytes) {
            Ok(token) if token.version == VERSION && token.query == self.0 && is_sound(&token.last) => {
                Ok(Some(token.last))
            }
            _ => Err(Failure::page_token_invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cosell_types::{Member, Side};
    use proptest::prelude::*;

    use super::*;

    fn query(member: &str, request: &str) -> PageQuery {
        let caller = Caller::Member(Member {
            id: member.parse().expect("a member id"),
            account: "111111111111".parse().expect("an account id"),
            side: Side::Partner,
            roles: Vec::new(),
        });
        PageQuery::new(&caller, &request.to_owned())
    }

    proptest! {
        #[test]
        fn a_token_comes_back_to_its_query_and_to_no_other(key in any::<(i64, String)>(), other in "[a-z]{1,9}") {
            let token = query("mem-1", "filter").token(&key).expect("a token");
            prop_assert_eq!(query("mem-1", "filter").last(&token, |_| true).expect("its own"), Some(key));
            prop_assert!(query("mem-2", "filter").last::<(i64, String)>(&token, |_| true).is_err());
            let foreign = query("mem-1", &("filter ".to_owned() + &other)).last::<(i64, String)>(&token, |_| true);
            prop_assert!(foreign.is_err());
        }

        /// Page after page every row comes once, whatever the size of pages and rows.
        #[test]
        fn pages_show_every_row_once(rows in prop::collection::vec(0..2_000_000_usize, 0..12), size in 1..5_i64) {
            let rows: Vec<_> = rows.into_iter().enumerate().collect();
            let query = query("mem-1", "filter");
            let (mut seen, mut rest, mut pages) = (Vec::new(), &rows[..], 0);
            loop {
                let read = &rest[..rest.len().min(size as usize + 1)];
                let (shown, token) = query
                    .page(read, size, |(_, length)| "x".repeat(*length), |(number, _)| *number)
                    .expect("a page");
                prop_assert!(shown.iter().map(Message::encoded_len).sum::<usize>() <= 4_000_000);
                seen.extend(shown.iter().map(String::len));
                pages += 1;
                let Some(last) = query.last::<usize>(&token, |_| true).expect("its own") else { break };
                rest = &rows[last + 1..];
                prop_assert!(!rest.is_empty() && pages <= rows.len());
            }
            let all: Vec<_> = rows.iter().map(|(_, length)| *length).collect();
            prop_assert_eq!(seen, all);
        }

        #[test]
        fn junk_is_refused_and_never_panics(junk in "\\PC{1,80}") {
            prop_assert!(query("mem-1", "filter").last::<(i64, String)>(&junk, |_| true).is_err());
        }
    }

    #[test]
    fn page_sizes_have_a_default_and_a_limit() {
        assert_eq!([0, 1, 100, 101, i32::MAX].map(page_size), [20, 1, 100, 100, 100]);
    }
}
