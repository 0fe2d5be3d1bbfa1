//! JWK sets of an issuer of tokens (RFC 7517).

use cosell_grpc::fuzzing;
use serde_json::Value;

use crate::support::assert_bounded;

/// A document with the keys of an issuer.
pub fn key_set(data: &[u8]) {
    let ids = match fuzzing::key_ids(data) {
        Ok(ids) => ids,
        Err(error) => {
            // The error contains the parser's, which can quote a value of the document.
            assert_bounded(&format!("{error}"));
            return;
        }
    };
    let document: Value = serde_json::from_slice(data).expect("JSON");
    let keys = document["keys"].as_array().expect("a list of keys");
    assert!(!ids.is_empty() && ids.len() <= keys.len());
    let is_usable = |key: &Value, id: &str| key["kid"] == id && key["use"] == "sig" && key["kty"] != "oct";
    // A key that repeats a member is skipped; written again, it has the member once.
    let written = serde_json::to_vec(&document).expect("JSON");
    let again = fuzzing::key_ids(&written).expect("keys");
    for id in ids {
        assert!(keys.iter().any(|key| is_usable(key, &id)), "{id}");
        assert!(again.contains(&id), "{id}");
    }
}
