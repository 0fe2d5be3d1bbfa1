//! Covers the tokens of links: what is signed, forged and expired tokens, the key, and the options (CHN-031).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::{ChannelLinks, LinkAction, LinkError, LinkTarget, MAX_TOKEN};
use crate::Options;
use crate::domain::MemberRef;

const NOW: i64 = 1_800_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

/// Links with a key, and the folder of the key.
fn links() -> (ChannelLinks, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, [1; 32]).expect("a key");
    let links = ChannelLinks::new("https://cosell.example/chat/", &key).expect("links");
    (links, folder)
}

fn target(member: &str) -> LinkTarget {
    LinkTarget {
        account: "111111111111".parse().expect("an account"),
        channel: "chan-0123456789abc".parse().expect("a channel"),
        member_ref: MemberRef {
            account: "999999999999".parse().expect("an account"),
            member: member.parse().expect("a member"),
        },
    }
}

async fn token(links: &ChannelLinks, action: LinkAction, target: &LinkTarget) -> String {
    let url = links.url(action, target, now()).await.expect("a link");
    let path = format!("https://cosell.example/chat/channel-links/{}/", action.name());
    url.strip_prefix(&path)
        .expect("the path of the action")
        .to_owned()
}

async fn verify(links: &ChannelLinks, action: LinkAction, token: &str) -> Result<LinkTarget, LinkError> {
    links.verify(action, token, now()).await.expect("a key")
}

#[tokio::test]
async fn chn_031_token_is_valid_for_its_action_and_member_only() {
    let (links, _folder) = links();
    // The separator of the signed text is a valid character of member ids, which end the text.
    let longest = format!("{}|", "m".repeat(63));
    for member in ["mem-user", "a|b|c", "A.b:c_d-e", longest.as_str()] {
        let target = target(member);
        for (action, other) in [
            (LinkAction::Leave, LinkAction::OptOut),
            (LinkAction::OptOut, LinkAction::Leave),
        ] {
            let token = token(&links, action, &target).await;
            assert!(token.len() <= MAX_TOKEN, "{}", token.len());
            assert!(
                token
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            );
            assert_eq!(verify(&links, action, &token).await, Ok(target.clone()));
            assert_eq!(verify(&links, other, &token).await, Err(LinkError::Invalid));
        }
    }
}

#[tokio::test]
async fn chn_031_token_with_any_changed_character_is_invalid() {
    let (links, _folder) = links();
    let token = token(&links, LinkAction::Leave, &target("mem-user")).await;
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'x' { b'y' } else { b'x' };
        let forged = String::from_utf8(forged).expect("a token");
        assert_eq!(
            verify(&links, LinkAction::Leave, &forged).await,
            Err(LinkError::Invalid),
            "{at}"
        );
    }
    let (zeros, overlong) = ("A".repeat(token.len()), "A".repeat(MAX_TOKEN + 1));
    let truncated = &token[..token.len() - 4];
    let padded = format!("{token}=");
    let unsigned = URL_SAFE_NO_PAD.encode("1900000000|111111111111|chan-0123456789abc|999999999999|mem-user");
    for forged in ["", "A", "?", truncated, &padded, &zeros, &unsigned, &overlong] {
        assert_eq!(
            verify(&links, LinkAction::Leave, forged).await,
            Err(LinkError::Invalid),
            "{forged}"
        );
    }
}

#[tokio::test]
async fn chn_031_token_expires_after_thirty_days() {
    let (links, _folder) = links();
    let target = target("mem-user");
    let token = token(&links, LinkAction::OptOut, &target).await;
    let last = now() + TimeDelta::days(30) - TimeDelta::seconds(1);
    let at_last = links.verify(LinkAction::OptOut, &token, last).await;
    assert_eq!(at_last.expect("a key"), Ok(target));
    let later = links
        .verify(LinkAction::OptOut, &token, last + TimeDelta::seconds(1))
        .await;
    assert_eq!(later.expect("a key"), Err(LinkError::Expired));
    // Of an expired token of another action nothing is said.
    let other = links
        .verify(LinkAction::Leave, &token, last + TimeDelta::days(1))
        .await;
    assert_eq!(other.expect("a key"), Err(LinkError::Invalid));
}

#[tokio::test]
async fn chn_031_replaced_key_invalidates_links_and_missing_key_is_an_error() {
    let (links, folder) = links();
    let target = target("mem-user");
    let token = token(&links, LinkAction::Leave, &target).await;
    let key = folder.path().join("key");
    std::fs::write(&key, [2; 40]).expect("a key");
    assert_eq!(
        verify(&links, LinkAction::Leave, &token).await,
        Err(LinkError::Invalid)
    );
    std::fs::write(&key, [1; 31]).expect("a short key");
    assert!(links.url(LinkAction::Leave, &target, now()).await.is_err());
    assert!(links.verify(LinkAction::Leave, &token, now()).await.is_err());
    assert!(ChannelLinks::new("https://cosell.example", &key).is_err());
    std::fs::remove_file(&key).expect("a removed file");
    assert!(links.verify(LinkAction::Leave, &token, now()).await.is_err());
    // The bound on the length is checked without the key.
    let overlong = "A".repeat(MAX_TOKEN + 1);
    let refused = links.verify(LinkAction::Leave, &overlong, now()).await;
    assert_eq!(refused.expect("no use of the key"), Err(LinkError::Invalid));
}

#[test]
fn chn_031_link_options_are_complete_and_secure_or_refused() {
    let (_, folder) = links();
    let mut options = Options::new("http://opportunity".to_owned());
    assert!(options.channel_links().expect("no links").is_none());
    options.channel_link_base = "https://cosell.example".to_owned();
    assert!(options.channel_links().is_err(), "without a key");
    options.channel_link_key_file = Some(folder.path().join("key"));
    assert!(
        options.channel_links().is_err(),
        "without an address to listen on"
    );
    options.provider.channel_listen = Some(([127, 0, 0, 1], 0).into());
    assert!(options.channel_links().expect("links").is_some());
    for (base, is_valid) in [
        ("http://127.0.0.1:8080", true),
        ("http://cosell.example", false),
        ("https://cosell.example/?a=b", false),
        ("cosell.example", false),
        ("not a URL", false),
    ] {
        options.channel_link_base = base.to_owned();
        assert_eq!(options.channel_links().is_ok(), is_valid, "{base}");
    }
}
