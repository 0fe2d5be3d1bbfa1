//! Authentication (ACC-003): verifies the bearer token and converts it to a [`Caller`].

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_types::{Caller, Clock, Member, Side};
use futures::future::BoxFuture;
use http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use moka::future::Cache;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Failure;
use crate::jwks::Keys;

/// Accepted signature algorithms: asymmetric ones only.
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// Maximum length of a token in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Accepted clock skew in seconds.
const LEEWAY: f64 = 30.0;
/// Maximum validity of a token in seconds.
const MAX_VALIDITY: f64 = 3600.0;
/// Verified tokens that are cached, and for how long: calls of a client have the same token, and its signature is
/// most of the work of a refused call.
const CACHE_CAPACITY: u64 = 10_000;
const CACHE_TTL: Duration = Duration::from_secs(60);

/// Options for token verification.
#[derive(Clone, Debug, clap::Args)]
pub struct AuthArgs {
    /// Required `iss` claim of tokens.
    #[arg(long, env = "COSELL_TOKEN_ISSUER")]
    pub token_issuer: String,

    /// Required `aud` claim of tokens.
    #[arg(long, env = "COSELL_TOKEN_AUDIENCE", default_value = "cosell")]
    pub token_audience: String,

    /// The issuer's public keys (JWKS, RFC 7517): a file or an `https://` address.
    #[arg(long, env = "COSELL_JWKS")]
    pub jwks: String,
}

/// Resolves an authenticated member from the directory: returns the member with its roles, or the failure if it is not
/// an active member.
pub type MemberResolver = Arc<dyn Fn(Member) -> BoxFuture<'static, Result<Member, Failure>> + Send + Sync>;

/// Verifies the bearer tokens of one issuer.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    keys: Keys,
    issuer: String,
    audience: String,
    clock: Clock,
    /// Callers of verified tokens, by the hash of the token.
    verified: Cache<[u8; 32], Verified>,
}

/// The caller of a token whose signature and claims are valid.
#[derive(Clone)]
struct Verified {
    caller: Caller,
    exp: f64,
    key_id: String,
    algorithm: Algorithm,
    key: Arc<DecodingKey>,
}

/// The claims of a token. Times are numbers of seconds and may have fractions (RFC 7519, 2).
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// One string (RFC 7519, 4.1.1), which the library would also accept as a list.
    #[serde(rename = "iss")]
    _issuer: String,
    exp: f64,
    iat: f64,
    #[serde(default, deserialize_with = "stated_time")]
    nbf: Option<f64>,
    side: String,
    account_id: Option<String>,
}

impl Verifier {
    /// Creates a verifier; the issuer's keys are read on first use.
    pub fn new(args: &AuthArgs, clock: Clock) -> Self {
        Self::with_keys(args, clock, Keys::new(&args.jwks))
    }

    pub(crate) fn with_keys(args: &AuthArgs, clock: Clock, keys: Keys) -> Self {
        Verifier(Arc::new(Inner {
            keys,
            issuer: args.token_issuer.clone(),
            audience: args.token_audience.clone(),
            clock,
            verified: Cache::builder()
                .max_capacity(CACHE_CAPACITY)
                .time_to_live(CACHE_TTL)
                .build(),
        }))
    }

    /// Whether valid keys of the issuer are loaded; without them every token is refused.
    pub fn is_ready(&self) -> bool {
        self.0.keys.are_loaded()
    }

    /// The caller of the bearer token in the headers; `None` if it is missing or invalid for any reason.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Option<Caller> {
        match self.verify(bearer_token(headers)?).await {
            Ok(caller) => Some(caller),
            Err(why) => {
                tracing::debug!(why, "token refused");
                None
            }
        }
    }

    async fn verify(&self, token: &str) -> Result<Caller, &'static str> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err("too long");
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(verified) = self.0.verified.get(&hash).await
            && self.0.is_valid(&verified)
        {
            return Ok(verified.caller);
        }
        let verified = self.verify_signature(token).await?;
        self.0.verified.insert(hash, verified.clone()).await;
        Ok(verified.caller)
    }

    async fn verify_signature(&self, token: &str) -> Result<Verified, &'static str> {
        if has_unsupported_header(token) {
            return Err("unsupported header parameter");
        }
        let header = decode_header(token).map_err(|_| "no readable header")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("algorithm not allowed");
        }
        // Prevents the use of an identity token as an access token (RFC 9068, 2.1).
        let is_access_token = |typ: String| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").unwrap_or(&typ) == "at+jwt"
        };
        if !header.typ.is_some_and(is_access_token) {
            return Err("not an access token");
        }
        let key_id = header.kid.ok_or("no key id")?;
        let key = self.0.keys.find(&key_id, header.alg).await;
        let key = key.ok_or("no such key")?;

        let mut validation = Validation::new(header.alg);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&[&self.0.audience]);
        // Times are checked below against the injected clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(|_| "signature or claims invalid")?
            .claims;

        let now = self.0.now();
        if is_expired(claims.exp, now) {
            return Err("expired");
        }
        if claims.nbf.is_some_and(|nbf| nbf > now + LEEWAY) || claims.iat > now + LEEWAY {
            return Err("not valid yet");
        }
        if claims.exp - claims.iat > MAX_VALIDITY {
            return Err("valid for too long");
        }
        Ok(Verified {
            exp: claims.exp,
            caller: caller_of(claims)?,
            key_id,
            algorithm: header.alg,
            key,
        })
    }
}

impl Inner {
    fn now(&self) -> f64 {
        self.clock.now().timestamp() as f64
    }

    /// Whether a token that was verified earlier is still valid: it has not expired, and its key was not removed.
    fn is_valid(&self, verified: &Verified) -> bool {
        let key = self.keys.get(&verified.key_id, verified.algorithm);
        key.is_some_and(|key| Arc::ptr_eq(&key, &verified.key)) && !is_expired(verified.exp, self.now())
    }
}

/// A time that may be absent, but is no null.
fn stated_time<'de, D: Deserializer<'de>>(claim: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(claim).map(Some)
}

fn is_expired(exp: f64, now: f64) -> bool {
    exp + LEEWAY <= now
}

/// The token of the only `authorization` header. The scheme is compared without case, and any number of spaces follow
/// it (RFC 9110, 11.4).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut stated = headers.get_all(http::header::AUTHORIZATION).iter();
    let (Some(credentials), None) = (stated.next(), stated.next()) else {
        return None;
    };
    let (scheme, token) = credentials.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| token.trim_start_matches(' '))
}

/// Whether the header of a token lists extensions that must be understood (RFC 7515, 4.1.11), none of which is, or states
/// that the payload is not encoded, which tokens must not (RFC 7797, 7).
fn has_unsupported_header(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header = serde_json::from_slice::<Value>(&header).unwrap_or_default();
    header.get("crit").is_some()
        || header
            .get("b64")
            .is_some_and(|is_encoded| *is_encoded != Value::Bool(true))
}

fn caller_of(claims: Claims) -> Result<Caller, &'static str> {
    let side = match claims.side.as_str() {
        "partner" => Side::Partner,
        "aws" => Side::Aws,
        "service" => {
            let name = claims
                .sub
                .strip_prefix("service:")
                .and_then(|name| name.parse().ok());
            return name.map(Caller::Service).ok_or("not a service");
        }
        _ => return Err("unknown side"),
    };
    let account = claims
        .account_id
        .and_then(|id| id.parse().ok())
        .ok_or("no account")?;
    let id = claims.sub.parse().map_err(|_| "subject is not a member id")?;
    Ok(Caller::Member(Member {
        id,
        account,
        side,
        // Tokens carry no roles; the directory resolves them.
        roles: Vec::new(),
        sees_all_opportunities: false,
    }))
}
