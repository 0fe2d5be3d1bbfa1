//! A token issuer for development and tests. A production installation uses its own identity provider.

use anyhow::anyhow;
use aws_lc_rs::signature::Ed25519KeyPair;
use cosell_types::{Caller, Clock, Side};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::AuthArgs;

/// The `iss` claim of development tokens.
const ISSUER: &str = "https://issuer.cosell.invalid";

/// Signs tokens with its own Ed25519 key.
#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    jwks: String,
    clock: Clock,
}

impl Issuer {
    /// Creates an issuer with a new key.
    pub fn generate(clock: Clock) -> anyhow::Result<Self> {
        Self::from_der(&Self::new_key()?, clock)
    }

    /// Generates a key (PKCS #8), to be stored and shared by processes that issue tokens.
    pub fn new_key() -> anyhow::Result<Vec<u8>> {
        let pair = Ed25519KeyPair::generate().map_err(|_| anyhow!("generating the key failed"))?;
        let der = pair
            .to_pkcs8v1()
            .map_err(|_| anyhow!("encoding the key failed"))?;
        Ok(der.as_ref().to_vec())
    }

    /// Creates an issuer with a stored key of [`Issuer::new_key`].
    pub fn from_der(der: &[u8], clock: Clock) -> anyhow::Result<Self> {
        let key = EncodingKey::from_ed_der(der);
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
        let key_id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(key_id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let jwks = serde_json::to_string(&JwkSet { keys: vec![jwk] })?;
        Ok(Self {
            key,
            key_id,
            jwks,
            clock,
        })
    }

    /// The public key as a JWK set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The options of a verifier of these tokens; `jwks` is the file or address of the JWK set.
    pub fn auth_args(&self, jwks: impl Into<String>) -> AuthArgs {
        AuthArgs {
            token_issuer: ISSUER.to_owned(),
            token_audience: "cosell".to_owned(),
            jwks: jwks.into(),
        }
    }

    /// Signs a token for a caller, valid for one hour.
    pub fn token(&self, caller: &Caller) -> anyhow::Result<String> {
        self.sign(&self.claims(caller))
    }

    /// The claims of a token for a caller.
    pub fn claims(&self, caller: &Caller) -> Value {
        let now = self.clock.now().timestamp();
        let mut claims = json!({ "iss": ISSUER, "aud": "cosell", "iat": now, "nbf": now, "exp": now + 3600 });
        match caller {
            Caller::Member(member) => {
                claims["sub"] = json!(member.id);
                claims["account_id"] = json!(member.account);
                claims["side"] = json!(match member.side {
                    Side::Partner => "partner",
                    Side::Aws => "aws",
                });
            }
            Caller::Service(_) => {
                claims["sub"] = json!(caller.actor());
                claims["side"] = json!("service");
            }
        }
        claims
    }

    /// Signs a token with any claims, including invalid ones.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        self.sign_with(&json!({}), claims)
    }

    /// Signs a token with other or further members of its header, such as the `typ` of an identity token.
    pub fn sign_with(&self, members: &Value, claims: &Value) -> anyhow::Result<String> {
        let mut header = json!({ "alg": Algorithm::EdDSA, "kid": self.key_id, "typ": "at+jwt" });
        if let (Some(header), Some(members)) = (header.as_object_mut(), members.as_object()) {
            header.extend(members.clone());
        }
        let header: Header = serde_json::from_value(header)?;
        Ok(encode(&header, claims, &self.key)?)
    }
}
