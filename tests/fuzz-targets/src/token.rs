//! Bearer tokens (ACC-003).

use std::sync::LazyLock;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use cosell_grpc::{Issuer, Verifier, fuzzing};
use cosell_types::{Caller, Clock};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::support::{NOW, block_on};

/// No accepted token is valid any more: it was issued at most 30 s from now, is valid for an hour, and 30 s of clock skew
/// are accepted.
const LATER: i64 = NOW + 3600 + 60;

/// An issuer whose key is always the same, so that the corpus can have signed tokens.
struct Tokens {
    key: Ed25519KeyPair,
    issuer: Issuer,
    now: Verifier,
    later: Verifier,
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let der = key.to_pkcs8v1().expect("an encoded key");
    let clock = |seconds| Clock::manual(DateTime::from_timestamp(seconds, 0).expect("a time"));
    let issuer = Issuer::from_der(der.as_ref(), clock(NOW)).expect("an issuer");
    let args = issuer.auth_args("");
    let verifier =
        |seconds| fuzzing::verifier(&args, clock(seconds), issuer.jwks().as_bytes()).expect("a verifier");
    Tokens {
        now: verifier(NOW),
        later: verifier(LATER),
        key,
        issuer,
    }
});

/// A text that begins with `{` is the header of a token, and the text after its first line the claims: both are signed.
/// Any other text has the values of `authorization` headers, one in each line.
pub fn token(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if first.starts_with(b"{") {
        let token = sign(first, lines.next().unwrap_or_default());
        check(&[format!("Bearer {token}").into_bytes()]);
        // Without the signature, and with the signature of other claims.
        let unsigned = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        for forged in [format!("Bearer {unsigned}."), format!("Bearer {token}x")] {
            assert_eq!(authenticate(&TOKENS.now, &[forged.into_bytes()]), None);
        }
    } else {
        let values: Vec<_> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        check(&values);
    }
}

fn sign(header: &[u8], claims: &[u8]) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = TOKENS.key.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn check(values: &[Vec<u8>]) {
    let Some(caller) = authenticate(&TOKENS.now, values) else {
        return;
    };
    assert_eq!(values.len(), 1, "several headers");
    assert_eq!(
        authenticate(&TOKENS.now, values),
        Some(caller.clone()),
        "the cached caller is another"
    );
    assert_eq!(authenticate(&TOKENS.later, values), None, "valid for too long");
    let issued = TOKENS.issuer.token(&caller).expect("a token of the same caller");
    let value = format!("Bearer {issued}").into_bytes();
    assert_eq!(authenticate(&TOKENS.now, &[value]), Some(caller));
}

fn authenticate(verifier: &Verifier, values: &[Vec<u8>]) -> Option<Caller> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).ok()?);
    }
    block_on(fuzzing::authenticate(verifier, &headers))
}
