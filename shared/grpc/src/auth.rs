//! Authentication (ACC-003): verifies the bearer token and converts it to a [`Caller`].

use std::sync::Arc;

use cosell_types::{Caller, Clock, Member, Side};
use futures::future::BoxFuture;
use http::HeaderMap;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Failure;
use crate::jwks::Keys;

/// Accepted signature algorithms: asymmetric ones only.
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// Maximum length of a token in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Accepted clock skew in seconds.
const LEEWAY: i64 = 30;
/// Maximum validity of a token in seconds.
const MAX_VALIDITY: i64 = 3600;

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
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    side: String,
    account_id: Option<String>,
}

impl Verifier {
    /// Creates a verifier; the issuer's keys are read on first use.
    pub fn new(args: &AuthArgs, clock: Clock) -> Self {
        Verifier(Arc::new(Inner {
            keys: Keys::new(&args.jwks),
            issuer: args.token_issuer.clone(),
            audience: args.token_audience.clone(),
            clock,
        }))
    }

    /// Whether valid keys of the issuer are loaded; without them every token is refused.
    pub fn is_ready(&self) -> bool {
        self.0.keys.are_loaded()
    }

    /// The caller of the bearer token in the headers; `None` if it is missing or invalid for any reason.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let token = token
            .strip_prefix("Bearer ")
            .or_else(|| token.strip_prefix("bearer "))?;
        match self.verify(token).await {
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
        let header = decode_header(token).map_err(|_| "no readable header")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("algorithm not allowed");
        }
        // RFC 9068: prevents the use of an identity token as an access token.
        if !header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")) {
            return Err("not an access token");
        }
        let kid = header.kid.ok_or("no key id")?;
        let key = self.0.keys.find(&kid, header.alg).await.ok_or("no such key")?;

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

        let now = self.0.clock.now().timestamp();
        if claims.exp + LEEWAY <= now {
            return Err("expired");
        }
        if claims.nbf.is_some_and(|nbf| nbf > now + LEEWAY) || claims.iat > now + LEEWAY {
            return Err("not valid yet");
        }
        if claims.exp - claims.iat > MAX_VALIDITY {
            return Err("valid for too long");
        }
        caller_of(claims)
    }
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
