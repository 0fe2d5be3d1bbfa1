//! Signed links with which a member opts out of the e-mails of one kind without signing in (NOT-008). They are in
//! headers of these e-mails, from which mail programs and mail providers offer one click (RFC 2369, RFC 8058).
//! `endpoint.rs` serves the pages behind the links, `opt_out.rs` applies what they confirm.
//!
//! A token is the base64 form of a signature and of the signed text: account, kind and member. It is not stored
//! anywhere, and does not expire: it only stops e-mails, and a member may use the link of any e-mail that it has kept.

mod args;
pub mod endpoint;
mod form;
pub mod opt_out;
mod page;
#[cfg(test)]
mod tests_links;

use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_types::{AccountId, ClosedList as _, MemberId};
use cosell_web::{KeyFile, parse_base_url};

use crate::domain::values::NotificationKind;

pub use args::UnsubscribeArgs;
pub(crate) use form::is_one_click;

/// The maximum length of a token. The longest one has about 170 characters.
const MAX_TOKEN: usize = 256;
/// The length of a signature in bytes: HMAC-SHA-256, truncated to 128 bits (RFC 2104, 5).
const SIGNATURE: usize = 16;
/// Separates these signatures from any others that the same key might make.
const PURPOSE: &str = "cosell.notification.unsubscribe.v1";
/// Separates the parts of the signed text. No part but the last, the member, can contain it.
const SEPARATOR: char = '|';

/// What a link opts out of: the e-mails of one kind to one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsubscribeTarget {
    /// The account of the member.
    pub account: AccountId,
    /// The member who received the e-mail.
    pub member: MemberId,
    /// The kind of the notification in the e-mail.
    pub kind: NotificationKind,
}

/// Creates links and verifies their tokens.
#[derive(Clone, Debug)]
pub struct UnsubscribeLinks {
    base_url: String,
    key: KeyFile,
}

impl UnsubscribeLinks {
    /// Links under the public URL of the listener, signed with the key in this file. A new key ends earlier links.
    pub fn new(base_url: &str, key_file: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            base_url: parse_base_url(base_url).context("--unsubscribe-base")?,
            key: KeyFile::open(key_file).context("--unsubscribe-key-file")?,
        })
    }

    /// The link for a target.
    pub async fn url(&self, target: &UnsubscribeTarget) -> anyhow::Result<String> {
        let text = signed_text(target);
        let signature = sign(&self.key.read().await?, text.as_bytes());
        let token = URL_SAFE_NO_PAD.encode([signature.as_slice(), text.as_bytes()].concat());
        Ok(format!("{}/unsubscribe/{token}", self.base_url))
    }

    /// The target of a token that was signed with the current key; `None` for any other text. The error is an
    /// operational one, such as a missing key.
    pub async fn verify(&self, token: &str) -> anyhow::Result<Option<UnsubscribeTarget>> {
        if token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let decoded = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        let Some((signature, text)) = decoded.split_at_checked(SIGNATURE) else {
            return Ok(None);
        };
        let expected = sign(&self.key.read().await?, text);
        let is_signed = verify_slices_are_equal(signature, &expected).is_ok();
        Ok(if is_signed { parse_signed_text(text) } else { None })
    }
}

fn sign(key: &hmac::Key, text: &[u8]) -> [u8; SIGNATURE] {
    let signature = hmac::sign(key, &[PURPOSE.as_bytes(), b"\n", text].concat());
    let mut truncated = [0; SIGNATURE];
    truncated.copy_from_slice(&signature.as_ref()[..SIGNATURE]);
    truncated
}

pub(crate) fn signed_text(target: &UnsubscribeTarget) -> String {
    let UnsubscribeTarget {
        account,
        member,
        kind,
    } = target;
    [account.as_str(), kind.name(), member.as_str()].join(&SEPARATOR.to_string())
}

pub(crate) fn parse_signed_text(text: &[u8]) -> Option<UnsubscribeTarget> {
    let mut parts = std::str::from_utf8(text).ok()?.splitn(3, SEPARATOR);
    Some(UnsubscribeTarget {
        account: parts.next()?.parse().ok()?,
        kind: NotificationKind::from_name(parts.next()?)?,
        member: parts.next()?.parse().ok()?,
    })
}
