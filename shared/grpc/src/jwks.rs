//! The issuer's public keys: read on first use, again every ten minutes, and at most every ten seconds for a key id
//! that is not known. The last good set is kept for a day while the issuer does not answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

pub(crate) struct Keys {
    source: String,
    /// Held while fetching: of many callers with an unknown key, one asks and the others wait for its answer.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Vec<(String, Algorithm, Arc<DecodingKey>)>,
    loaded: Option<Instant>,
    tried: Option<Instant>,
}

impl Keys {
    pub(crate) fn new(source: &str) -> Self {
        Keys {
            source: source.to_owned(),
            state: Mutex::default(),
        }
    }

    pub(crate) async fn are_loaded(&self) -> bool {
        let mut state = self.state.lock().await;
        self.refresh(&mut state, false).await;
        state.loaded.is_some()
    }

    /// The key with this id for this algorithm.
    pub(crate) async fn find(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut state = self.state.lock().await;
        self.refresh(&mut state, false).await;
        if state.get(kid, algorithm).is_none() {
            self.refresh(&mut state, true).await;
        }
        state.get(kid, algorithm)
    }

    async fn refresh(&self, state: &mut State, missing: bool) {
        let due = missing || state.loaded.is_none_or(|loaded| loaded.elapsed() > REFRESH_AFTER);
        if !due || state.tried.is_some_and(|tried| tried.elapsed() < RETRY_AFTER) {
            return;
        }
        state.tried = Some(Instant::now());
        match tokio::time::timeout(FETCH_LIMIT, self.fetch()).await {
            Ok(Ok(keys)) => {
                state.keys = keys;
                state.loaded = Some(Instant::now());
            }
            Ok(Err(error)) => tracing::warn!(
                error = format!("{error:#}"),
                "the issuer's keys could not be read"
            ),
            Err(_) => tracing::warn!("the issuer's keys could not be read in time"),
        }
        if state.loaded.is_some_and(|loaded| loaded.elapsed() > FORGET_AFTER) {
            tracing::error!("the issuer's keys are older than a day; no token is accepted any more");
            *state = State {
                tried: state.tried,
                ..State::default()
            };
        }
    }

    async fn fetch(&self) -> anyhow::Result<Vec<(String, Algorithm, Arc<DecodingKey>)>> {
        let document = if self.source.starts_with("https://") || self.source.starts_with("http://") {
            download(&self.source).await?
        } else {
            tokio::fs::read(&self.source)
                .await
                .context("reading the key file")?
        };
        let set: JwkSet = serde_json::from_slice(&document).context("not a JWK set")?;
        let keys: Vec<_> = set.keys.iter().filter_map(usable).collect();
        ensure!(!keys.is_empty(), "no usable signing key among {}", set.keys.len());
        Ok(keys)
    }
}

impl State {
    fn get(&self, kid: &str, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        self.keys
            .iter()
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

async fn download(address: &str) -> anyhow::Result<Vec<u8>> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .context("the system's certificates")?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Empty<&[u8]>> = Client::builder(TokioExecutor::new()).build(connector);
    let response = client
        .get(address.parse().context("the address of the keys")?)
        .await?;
    if !response.status().is_success() {
        bail!("the issuer answered {}", response.status());
    }
    let body = Limited::new(response.into_body(), MAX_DOCUMENT).collect().await;
    Ok(body
        .map_err(|error| anyhow::anyhow!("reading the keys: {error}"))?
        .to_bytes()
        .to_vec())
}
