//! The issuer's public keys: read on first use, again every ten minutes, and at most every ten seconds for a key id
//! that is not known. The last good set is kept for a day while the issuer does not answer.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use http::uri::Scheme;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

const REFRESH_AFTER: Duration = Duration::from_secs(600);
const RETRY_AFTER: Duration = Duration::from_secs(10);
const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);
const FETCH_LIMIT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT: usize = 64 * 1024;

/// Clones share the keys.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Inner>);

struct Inner {
    source: String,
    known: RwLock<State>,
    /// Held while fetching: of many callers with an unknown key, one asks and the others wait for its answer.
    fetching: Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Vec<(String, Algorithm, Arc<DecodingKey>)>,
    loaded: Option<Instant>,
    tried: Option<Instant>,
}

impl Keys {
    pub(crate) fn new(source: &str) -> Self {
        Keys(Arc::new(Inner {
            source: source.to_owned(),
            known: RwLock::default(),
            fetching: Mutex::default(),
        }))
    }

    /// Whether there are keys. When they are due, they are asked for, but not waited for.
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

    /// The key with this id for this algorithm. Waits for the issuer only when the key is not known.
    pub(crate) async fn find(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let (key, due) = {
            let state = self.read();
            (state.get(kid, algorithm), state.is_due(false))
        };
        // A task of its own: a caller that gives up must not keep the others from the answer.
        if key.is_none() {
            let _ = tokio::spawn(self.clone().refresh(true)).await;
            return self.read().get(kid, algorithm);
        }
        if due {
            tokio::spawn(self.clone().refresh(false));
        }
        key
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(self, missing: bool) {
        let _one = self.0.fetching.lock().await;
        if !self.read().is_due(missing) {
            return;
        }
        self.write().tried = Some(Instant::now());
        match tokio::time::timeout(FETCH_LIMIT, fetch(&self.0.source)).await {
            Ok(Ok(keys)) => {
                let mut state = self.write();
                state.keys = keys;
                state.loaded = Some(Instant::now());
            }
            Ok(Err(error)) => tracing::warn!(
                error = format!("{error:#}"),
                "the issuer's keys could not be read"
            ),
            Err(_) => tracing::warn!("the issuer's keys could not be read in time"),
        }
        let state = self.read();
        if state.loaded.is_some() && !state.is_fresh() {
            tracing::error!("the issuer's keys are older than a day; no token is accepted any more");
        }
    }
}

async fn fetch(source: &str) -> anyhow::Result<Vec<(String, Algorithm, Arc<DecodingKey>)>> {
    let document = if source.contains("://") {
        download(source).await?
    } else {
        tokio::fs::read(source).await.context("reading the key file")?
    };
    let set: JwkSet = serde_json::from_slice(&document).context("not a JWK set")?;
    let keys: Vec<_> = set.keys.iter().filter_map(usable).collect();
    ensure!(!keys.is_empty(), "no usable signing key among {}", set.keys.len());
    Ok(keys)
}

impl State {
    /// Whether there are keys, and none of them may have been revoked longer ago than a day.
    fn is_fresh(&self) -> bool {
        self.loaded.is_some_and(|loaded| loaded.elapsed() < FORGET_AFTER)
    }

    fn is_due(&self, missing: bool) -> bool {
        let due = missing || self.loaded.is_none_or(|loaded| loaded.elapsed() > REFRESH_AFTER);
        due && self.tried.is_none_or(|tried| tried.elapsed() > RETRY_AFTER)
    }

    fn get(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let keys = self.is_fresh().then_some(&self.keys)?;
        keys.iter()
            .find(|(id, for_algorithm, _)| id == kid && *for_algorithm == algorithm)
            .map(|(_, _, key)| key.clone())
    }
}

/// A key for signatures, strong enough, with an id; anything else in the set is passed over.
fn usable(jwk: &Jwk) -> Option<(String, Algorithm, Arc<DecodingKey>)> {
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

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

async fn download(address: &str) -> anyhow::Result<Vec<u8>> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .context("the system's certificates")?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Empty<&[u8]>> = Client::builder(TokioExecutor::new()).build(connector);
    let address: Uri = address.parse().context("the address of the keys")?;
    // Whoever can change the keys on their way can be anybody.
    let is_safe = address.scheme() == Some(&Scheme::HTTPS) || address.host().is_some_and(is_this_machine);
    ensure!(is_safe, "the address of the keys must be https://");
    let response = client.get(address).await?;
    if !response.status().is_success() {
        bail!("the issuer answered {}", response.status());
    }
    let body = Limited::new(response.into_body(), MAX_DOCUMENT).collect().await;
    Ok(body
        .map_err(|error| anyhow::anyhow!("reading the keys: {error}"))?
        .to_bytes()
        .to_vec())
}
