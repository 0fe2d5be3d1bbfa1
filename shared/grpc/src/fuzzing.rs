//! Entries to the decoders of tokens and key sets, for the fuzz targets (tests/fuzz-targets) and for nothing else. Outside
//! of tests a token is read from the headers of a call, and a key set from a file or an address.

use cosell_types::{Caller, Clock};
use http::HeaderMap;

use crate::jwks::{Keys, parse_key_set};
use crate::{AuthArgs, Verifier};

/// A verifier that has read this key set.
pub fn verifier(args: &AuthArgs, clock: Clock, key_set: &[u8]) -> anyhow::Result<Verifier> {
    let keys = Keys::with_loaded(&args.jwks, parse_key_set(key_set)?);
    Ok(Verifier::with_keys(args, clock, keys))
}

/// The caller of the bearer token in the headers; `None` if it is refused.
pub async fn authenticate(verifier: &Verifier, headers: &HeaderMap) -> Option<Caller> {
    verifier.authenticate(headers).await
}

/// The ids of the usable keys of a key set. Fails if there are none.
pub fn key_ids(key_set: &[u8]) -> anyhow::Result<Vec<String>> {
    let keys = parse_key_set(key_set)?;
    Ok(keys.into_iter().map(|(id, ..)| id).collect())
}
