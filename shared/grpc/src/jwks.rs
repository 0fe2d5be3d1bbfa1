//! The issuer's public keys: read on first use, refreshed every ten minutes, and at most every ten seconds for an
//! unknown key id. While they cannot be read, the last valid set is used for a day.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::secure_url::is_secure_url;

const REFRESH_AFTER: Duration = Duration::from_secs(600);
const RETRY_AFTER: Duration = Duration::from_secs(10);
const EXPIRE_AFTER: Duration = Duration::from_secs(24 * 3600);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// A public key with its id, and the algorithm of its signatures.
pub(crate) type SigningKey = (String, Algorithm, Arc<DecodingKey>);

/// The key set. Clones share it.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Inner>);

struct Inner {
    source: String,
    state: RwLock<State>,
    /// Held while fetching: of many callers with an unknown key, one fetches and the others wait for the result.
    fetching: Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Vec<SigningKey>,
    loaded: Option<Instant>,
    attempted: Option<Instant>,
}

impl Keys {
    pub(crate) fn new(source: &str) -> Self {
        Keys(Arc::new(Inner {
            source: source.to_owned(),
            state: RwLock::default(),
            fetching: Mutex::default(),
        }))
    }

    /// A set that has been read already.
    pub(crate) fn with_loaded(source: &str, keys: Vec<SigningKey>) -> Self {
        let set = Self::new(source);
        let now = Some(Instant::now());
        *set.write() = State {
            keys,
            loaded: now,
            attempted: now,
        };
        set
    }

    /// Whether there are valid keys. Starts a refresh in the background if one is due.
    pub(crate) fn are_loaded(&self) -> bool {
        let (loaded, due) = {
            let state = self.read();
            (state.is_fresh(), state.is_due(false))
        };
        if due {
            tokio::spawn(self.clone().refresh(false));
        }
        loaded
    }

    /// The key with this id for this algorithm. Waits for a refresh only if the key is unknown.
    pub(crate) async fn find(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let (key, due) = {
            let state = self.read();
            (state.get(kid, algorithm), state.is_due(false))
        };
        if key.is_none() {
            if self.0.fetching.try_lock().is_err() {
                // Of many callers one fetches, and the others wait for the result.
                let _ = self.0.fetching.lock().await;
            } else if self.read().is_due(true) {
                // In a task of its own, so that a cancelled call does not cancel the refresh for the others.
                let _ = tokio::spawn(self.clone().refresh(true)).await;
            }
            return self.read().get(kid, algorithm);
        }
        if due {
            tokio::spawn(self.clone().refresh(false));
        }
        key
    }

    /// The key with this id for this algorithm, if it is among those that were read last.
    pub(crate) fn get(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        self.read().get(kid, algorithm)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(self, key_is_missing: bool) {
        let _guard = self.0.fetching.lock().await;
        if !self.read().is_due(key_is_missing) {
            return;
        }
        self.write().attempted = Some(Instant::now());
        match tokio::time::timeout(FETCH_TIMEOUT, fetch(&self.0.source)).await {
            Ok(Ok(keys)) => {
                let mut state = self.write();
                state.keys = keys;
                state.loaded = Some(Instant::now());
            }
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "reading the issuer's keys failed")
            }
            Err(_) => tracing::warn!("reading the issuer's keys timed out"),
        }
        let state = self.read();
        if state.loaded.is_some() && !state.is_fresh() {
            tracing::error!("the issuer's keys expired; all tokens are refused");
        }
    }
}

async fn fetch(source: &str) -> anyhow::Result<Vec<SigningKey>> {
    let document = if source.contains("://") {
        download(source).await?
    } else {
        tokio::fs::read(source).await.context("reading the JWKS file")?
    };
    parse_key_set(&document)
}

/// The usable keys of a JWK set. Fails if there are none.
pub(crate) fn parse_key_set(document: &[u8]) -> anyhow::Result<Vec<SigningKey>> {
    let set: JwkSet = serde_json::from_slice(document).context("parsing the JWK set")?;
    let keys: Vec<_> = set.keys.iter().filter_map(usable).collect();
    ensure!(
        !keys.is_empty(),
        "none of the {} keys is a supported signing key",
        set.keys.len()
    );
    Ok(keys)
}

impl State {
    /// Whether keys were read within the last day. Older ones may have been revoked since.
    fn is_fresh(&self) -> bool {
        self.loaded.is_some_and(|loaded| loaded.elapsed() < EXPIRE_AFTER)
    }

    fn is_due(&self, key_is_missing: bool) -> bool {
        let due = key_is_missing || self.loaded.is_none_or(|loaded| loaded.elapsed() > REFRESH_AFTER);
        due && self
            .attempted
            .is_none_or(|attempted| attempted.elapsed() > RETRY_AFTER)
    }

    fn get(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let keys = self.is_fresh().then_some(&self.keys)?;
        keys.iter()
            .find(|(id, for_algorithm, _)| id == kid && *for_algorithm == algorithm)
            .map(|(_, _, key)| key.clone())
    }
}

/// Converts a signature key with an id and sufficient strength; all other keys of the set are skipped.
fn usable(jwk: &Jwk) -> Option<SigningKey> {
    if jwk.common.public_key_use != Some(PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let bits = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?.len() * 8;
            (bits >= 2048).then_some(Algorithm::RS256)?
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, algorithm, Arc::new(key)))
}

async fn download(address: &str) -> anyhow::Result<Vec<u8>> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .context("loading the system's root certificates")?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Empty<&[u8]>> = Client::builder(TokioExecutor::new()).build(connector);
    let address: Uri = address.parse().context("parsing the JWKS address")?;
    // An attacker who can modify the keys in transit can impersonate any caller.
    ensure!(
        is_secure_url(&address),
        "the JWKS address must be https://, or http:// on the loopback interface"
    );
    let response = client.get(address).await?;
    if !response.status().is_success() {
        bail!("the issuer returned HTTP status {}", response.status());
    }
    let body = Limited::new(response.into_body(), MAX_DOCUMENT_BYTES)
        .collect()
        .await;
    Ok(body
        .map_err(|error| anyhow::anyhow!("reading the JWKS response: {error}"))?
        .to_bytes()
        .to_vec())
}
