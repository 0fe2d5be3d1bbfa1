//! Page tokens (PLT-005).

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use cosell_grpc::PageQuery;
use cosell_grpc::convert::is_valid_time;
use cosell_opportunity::fuzzing;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{assert_bounded, member};

/// A page token as a client sends it. The bytes are also the sort key in a token that is otherwise valid.
pub fn page_token(data: &[u8]) {
    let query = PageQuery::new(&member("mem-1"), &"filter".to_owned());
    let other = PageQuery::new(&member("mem-2"), &"filter".to_owned());
    let tokens = [
        std::str::from_utf8(data).unwrap_or_default().to_owned(),
        with_key(&query, data),
    ];
    for token in tokens.iter().filter(|token| !token.is_empty()) {
        check::<i64>(&query, &other, token, |revision| *revision > 0);
        check::<usize>(&query, &other, token, |_| true);
        check::<String>(&query, &other, token, |id| !id.contains('\0'));
        check::<(DateTime<Utc>, String)>(&query, &other, token, |(time, _)| is_valid_time(time));
        for cursor in fuzzing::decode_page_token(&query, token) {
            let written = with_key(&query, cursor.to_string().as_bytes());
            assert!(fuzzing::decode_page_token(&query, &written).contains(&cursor));
        }
    }
}

fn check<K: Clone + Debug + PartialEq + DeserializeOwned + Serialize>(
    query: &PageQuery,
    other: &PageQuery,
    token: &str,
    is_valid: impl Fn(&K) -> bool,
) {
    match query.cursor(token, &is_valid) {
        Ok(key) => {
            let key = key.expect("the sort key of a token");
            assert!(is_valid(&key));
            assert!(
                other.cursor(token, &is_valid).is_err(),
                "the token of another caller"
            );
            assert_eq!(
                query.cursor(&next_token(query, &key), &is_valid).ok(),
                Some(Some(key))
            );
        }
        Err(failure) => {
            assert_eq!(failure.reason(), "PAGE_TOKEN_INVALID");
            assert_bounded(failure.message());
        }
    }
}

/// The token of the page after the row with this key.
fn next_token<K: Clone + Serialize>(query: &PageQuery, key: &K) -> String {
    let page = query.page(&[(), ()], 1, |()| String::new(), |()| key.clone());
    page.expect("a page").1
}

/// A token of this query with any text as its sort key.
fn with_key(query: &PageQuery, key: &[u8]) -> String {
    let token = URL_SAFE_NO_PAD
        .decode(next_token(query, &0))
        .expect("the encoding of tokens");
    let mut token: Value = serde_json::from_slice(&token).expect("JSON");
    token["last"] = Value::from("<key>");
    let text = token.to_string();
    let (start, end) = text.split_once("\"<key>\"").expect("the sort key");
    URL_SAFE_NO_PAD.encode([start.as_bytes(), key, end.as_bytes()].concat())
}
