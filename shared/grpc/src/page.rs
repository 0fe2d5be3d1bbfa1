//! Keyset pagination (PLT-005). A page token contains the sort key of the last row of a page. It is bound to one caller
//! and one query, and grants no access.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_types::Caller;
use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Failure;

/// Maximum number of rows in a page.
const MAX_PAGE_SIZE: i32 = 100;
const DEFAULT_PAGE_SIZE: i32 = 20;
/// Maximum size of the rows of a page in bytes: well below 4 MiB, the default limit of clients.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;

/// The effective page size: 20 if `stated` is 0, and at most 100.
pub fn page_size(stated: i32) -> i64 {
    i64::from(if stated == 0 {
        DEFAULT_PAGE_SIZE
    } else {
        stated.min(MAX_PAGE_SIZE)
    })
}

/// A list query of a caller, to which page tokens are bound.
pub struct PageQuery([u8; 16]);

#[derive(Serialize, Deserialize)]
struct Token<K> {
    version: u8,
    query: [u8; 16],
    last: K,
}

const VERSION: u8 = 1;

impl PageQuery {
    /// Creates the query of a caller; `request` must have no page size and no page token.
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

    /// The token of the page after the row with this sort key.
    fn token<K: Serialize>(&self, last: K) -> Result<String, Failure> {
        let token = Token {
            version: VERSION,
            query: self.0,
            last,
        };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).map_err(Failure::internal)?))
    }

    /// Builds a page of at most `size` rows that fits into a response, and the token of the next page, which is empty
    /// on the last page. `rows` must contain one row more than `size` if there are more.
    pub fn page<R, M: Message, K: Serialize>(
        &self,
        rows: &[R],
        size: i64,
        to_message: impl Fn(&R) -> M,
        key: impl Fn(&R) -> K,
    ) -> Result<(Vec<M>, String), Failure> {
        let mut bytes = 0;
        let mut messages = Vec::new();
        for row in rows.iter().take(usize::try_from(size).unwrap_or_default()) {
            let message = to_message(row);
            bytes += message.encoded_len();
            // The first row is always included, because the next page would start with it again.
            if bytes > MAX_PAGE_BYTES && !messages.is_empty() {
                break;
            }
            messages.push(message);
        }
        let token = match rows.get(messages.len().wrapping_sub(1)) {
            Some(last) if messages.len() < rows.len() => self.token(key(last))?,
            _ => String::new(),
        };
        Ok((messages, token))
    }

    /// Decodes the sort key of the previous page's last row; `None` for the first page. Tokens are not signed, so
    /// `is_valid` must validate the key.
    pub fn cursor<K: DeserializeOwned>(
        &self,
        token: &str,
        is_valid: impl FnOnce(&K) -> bool,
    ) -> Result<Option<K>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Failure::page_token_invalid())?;
        match serde_json::from_slice::<Token<K>>(&bytes) {
            Ok(token) if token.version == VERSION && token.query == self.0 && is_valid(&token.last) => {
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
            sees_all_opportunities: false,
        });
        PageQuery::new(&caller, &request.to_owned())
    }

    proptest! {
        #[test]
        fn plt_005_token_is_accepted_only_with_its_caller_and_query(
            key in any::<(i64, String)>(),
            other in "[a-z]{1,9}",
        ) {
            let token = query("mem-1", "filter").token(&key).expect("a token");
            prop_assert_eq!(query("mem-1", "filter").cursor(&token, |_| true).expect("a key"), Some(key));
            prop_assert!(query("mem-2", "filter").cursor::<(i64, String)>(&token, |_| true).is_err());
            let other_query = query("mem-1", &("filter ".to_owned() + &other)).cursor::<(i64, String)>(&token, |_| true);
            prop_assert!(other_query.is_err());
        }

        #[test]
        fn plt_005_pages_contain_each_row_once_for_any_page_and_row_size(
            rows in prop::collection::vec(0..2_000_000_usize, 0..12),
            size in 1..5_i64,
        ) {
            let rows: Vec<_> = rows.into_iter().enumerate().collect();
            let query = query("mem-1", "filter");
            let (mut seen, mut rest, mut pages) = (Vec::new(), &rows[..], 0);
            loop {
                let read = &rest[..rest.len().min(size as usize + 1)];
                let (messages, token) = query
                    .page(read, size, |(_, length)| "x".repeat(*length), |(number, _)| *number)
                    .expect("a page");
                prop_assert!(messages.iter().map(Message::encoded_len).sum::<usize>() <= 4_000_000);
                seen.extend(messages.iter().map(String::len));
                pages += 1;
                let Some(last) = query.cursor::<usize>(&token, |_| true).expect("its own") else { break };
                rest = &rows[last + 1..];
                prop_assert!(!rest.is_empty() && pages <= rows.len());
            }
            let all: Vec<_> = rows.iter().map(|(_, length)| *length).collect();
            prop_assert_eq!(seen, all);
        }

        #[test]
        fn plt_005_malformed_token_is_refused(token in "\\PC{1,80}") {
            prop_assert!(query("mem-1", "filter").cursor::<(i64, String)>(&token, |_| true).is_err());
        }
    }

    #[test]
    fn plt_005_page_size_defaults_to_20_and_is_limited_to_100() {
        assert_eq!([0, 1, 100, 101, i32::MAX].map(page_size), [20, 1, 100, 100, 100]);
    }
}
