//! Signed links with which a member leaves a channel, or opts out of all channels, without signing in (CHN-031). They
//! are sent by e-mail for channels without a provider that could show these actions itself. `endpoint.rs` serves the
//! pages behind the links, `actions.rs` applies what they confirm.
//!
//! A token is the base64 form of a signature and of the signed text: expiry, channel and member. The signature also
//! covers the action, which only the path of the link states. A token is not stored anywhere.

pub mod actions;
pub mod endpoint;
mod page;
#[cfg(test)]
mod tests_links;

use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, MemberId};
use cosell_web::{KeyFile, parse_base_url};

use crate::domain::{ChannelId, MemberRef};

/// How long a link is valid: the 14 days of the invitation, and as long again after joining at the last moment. Later a
/// member signs in to leave or to opt out.
const LINK_VALIDITY: TimeDelta = TimeDelta::days(30);
/// The maximum length of a token. The longest one has about 200 characters.
const MAX_TOKEN: usize = 256;
/// The length of a signature in bytes.
const SIGNATURE: usize = 32;
/// Separates these signatures from any others that the same key might make.
const PURPOSE: &str = "cosell.collaboration.channel-link.v1";
/// Separates the parts of the signed text. No part but the last, the member, can contain it.
const SEPARATOR: char = '|';

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkAction {
    /// Leaves the channel.
    Leave,
    /// Opts out of all channels.
    OptOut,
}

impl LinkAction {
    /// The action in the path of a link and in its signature.
    pub fn name(self) -> &'static str {
        match self {
            LinkAction::Leave => "leave",
            LinkAction::OptOut => "opt-out",
        }
    }
}

/// The member for whom a link is, and the channel that it was invited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTarget {
    /// The partner account of the channel.
    pub account: AccountId,
    /// The channel to leave, or for which the member was invited.
    pub channel: ChannelId,
    /// The invited member, of the partner account or of AWS.
    pub member_ref: MemberRef,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// It is malformed, or was not signed for this action with the current key.
    Invalid,
    /// It was signed, and its time is over.
    Expired,
}

/// Creates links and verifies their tokens.
#[derive(Clone, Debug)]
pub struct ChannelLinks {
    base_url: String,
    key: KeyFile,
}

impl ChannelLinks {
    /// Links under the public URL of the listener, signed with the key in this file. The key is read at each use, so
    /// that it can be replaced without a restart; earlier links are invalid then.
    pub fn new(base_url: &str, key_file: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            base_url: parse_base_url(base_url).context("--channel-link-base")?,
            key: KeyFile::open(key_file)?,
        })
    }

    /// The link for an action, valid from now.
    pub async fn url(
        &self,
        action: LinkAction,
        target: &LinkTarget,
        now: DateTime<Utc>,
    ) -> anyhow::Result<String> {
        let text = signed_text(target, now + LINK_VALIDITY);
        let signature = hmac::sign(&self.key.read().await?, &message(action, text.as_bytes()));
        let token = URL_SAFE_NO_PAD.encode([signature.as_ref(), text.as_bytes()].concat());
        Ok(format!(
            "{}/channel-links/{}/{token}",
            self.base_url,
            action.name()
        ))
    }

    /// The target of a token that was signed for this action and has not expired. The outer error is an operational
    /// one, such as a missing key.
    pub async fn verify(
        &self,
        action: LinkAction,
        token: &str,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Result<LinkTarget, LinkError>> {
        if token.len() > MAX_TOKEN {
            return Ok(Err(LinkError::Invalid));
        }
        let decoded = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        let Some((signature, text)) = decoded.split_at_checked(SIGNATURE) else {
            return Ok(Err(LinkError::Invalid));
        };
        // Compares in constant time.
        if hmac::verify(&self.key.read().await?, &message(action, text), signature).is_err() {
            return Ok(Err(LinkError::Invalid));
        }
        Ok(
            parse_signed_text(text).map_or(Err(LinkError::Invalid), |(target, expire_time)| {
                if expire_time > now.timestamp() {
                    Ok(target)
                } else {
                    Err(LinkError::Expired)
                }
            }),
        )
    }
}

/// What is signed. A token of one action is no token of another.
fn message(action: LinkAction, text: &[u8]) -> Vec<u8> {
    [PURPOSE.as_bytes(), b"\n", action.name().as_bytes(), b"\n", text].concat()
}

pub(crate) fn signed_text(target: &LinkTarget, expire_time: DateTime<Utc>) -> String {
    let LinkTarget {
        account,
        channel,
        member_ref,
    } = target;
    let parts = [
        &expire_time.timestamp().to_string(),
        account.as_str(),
        channel.as_str(),
        member_ref.account.as_str(),
        member_ref.member.as_str(),
    ];
    parts.join(&SEPARATOR.to_string())
}

/// The target and the expiry, in seconds since 1970.
pub(crate) fn parse_signed_text(text: &[u8]) -> Option<(LinkTarget, i64)> {
    let mut parts = std::str::from_utf8(text).ok()?.splitn(5, SEPARATOR);
    let expire_time = parts.next()?.parse().ok()?;
    let target = LinkTarget {
        account: parts.next()?.parse().ok()?,
        channel: parts.next()?.parse().ok()?,
        member_ref: MemberRef {
            account: parts.next()?.parse().ok()?,
            member: parts.next()?.parse::<MemberId>().ok()?,
        },
    };
    Some((target, expire_time))
}
