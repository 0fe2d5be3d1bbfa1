//! Covers the tokens of links: what is signed, forged tokens, the key, and the options (NOT-008).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cosell_types::ClosedList as _;
use tempfile::TempDir;

use super::{MAX_TOKEN, UnsubscribeArgs, UnsubscribeLinks, UnsubscribeTarget};
use crate::domain::values::NotificationKind;

/// Links with a key, and the folder of the key.
fn links() -> (UnsubscribeLinks, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, [1; 32]).expect("a key");
    let links = UnsubscribeLinks::new("https://cosell.example/mail/", &key).expect("links");
    (links, folder)
}

fn target(member: &str, kind: NotificationKind) -> UnsubscribeTarget {
    UnsubscribeTarget {
        account: "111111111111".parse().expect("an account"),
        member: member.parse().expect("a member"),
        kind,
    }
}

async fn token(links: &UnsubscribeLinks, target: &UnsubscribeTarget) -> String {
    let url = links.url(target).await.expect("a link");
    let token = url.strip_prefix("https://cosell.example/mail/unsubscribe/");
    token.expect("the path of links").to_owned()
}

async fn verify(links: &UnsubscribeLinks, token: &str) -> Option<UnsubscribeTarget> {
    links.verify(token).await.expect("a key")
}

#[tokio::test]
async fn not_008_token_is_that_of_one_member_and_one_kind() {
    let (links, _folder) = links();
    // The separator of the signed text is a valid character of member ids, which end the text.
    let longest = format!("{}|", "m".repeat(63));
    for member in ["mem-user", "a|b|c", "A.b:c_d-e", longest.as_str()] {
        for kind in NotificationKind::ALL {
            let target = target(member, *kind);
            let token = token(&links, &target).await;
            assert!(token.len() <= MAX_TOKEN, "{}", token.len());
            let is_permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(token.bytes().all(is_permitted), "{token}");
            assert_eq!(verify(&links, &token).await, Some(target));
        }
    }
}

/// The signature of one token with the text of another.
fn with_text(token: &str, text: &str) -> String {
    let decoded = URL_SAFE_NO_PAD.decode(token).expect("a token");
    URL_SAFE_NO_PAD.encode([&decoded[..super::SIGNATURE], text.as_bytes()].concat())
}

#[tokio::test]
async fn not_008_forged_truncated_and_overlong_tokens_are_invalid() {
    let (links, _folder) = links();
    let token = token(&links, &target("mem-user", NotificationKind::ActionRequired)).await;
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'x' { b'y' } else { b'x' };
        let forged = String::from_utf8(forged).expect("a token");
        assert_eq!(verify(&links, &forged).await, None, "{at}");
        assert_eq!(verify(&links, &token[..at]).await, None, "{at}");
    }
    for forged in [
        "?".to_owned(),
        format!("{token}="),
        format!("{token}AAAA"),
        "A".repeat(token.len()),
        "A".repeat(MAX_TOKEN + 1),
        URL_SAFE_NO_PAD.encode("111111111111|ACTION_REQUIRED|mem-user"),
        with_text(&token, "111111111111|ACTION_REQUIRED|mem-lead"),
        with_text(&token, "111111111111|ROLES_CHANGED|mem-user"),
        with_text(&token, "222222222222|ACTION_REQUIRED|mem-user"),
    ] {
        assert_eq!(verify(&links, &forged).await, None, "{forged}");
    }
}

#[tokio::test]
async fn not_008_new_key_ends_earlier_links_and_missing_key_is_an_error() {
    let (links, folder) = links();
    let target = target("mem-user", NotificationKind::ActionRequired);
    let token = token(&links, &target).await;
    let key = folder.path().join("key");
    std::fs::write(&key, [2; 40]).expect("a key");
    assert_eq!(verify(&links, &token).await, None);
    std::fs::remove_file(&key).expect("a removed file");
    assert!(links.url(&target).await.is_err());
    assert!(links.verify(&token).await.is_err());
    // The bound on the length is checked without the key.
    assert_eq!(verify(&links, &"A".repeat(MAX_TOKEN + 1)).await, None);
}

#[test]
fn not_008_options_are_complete_and_secure_or_refused() {
    let (_, folder) = links();
    let all = UnsubscribeArgs {
        unsubscribe_base: "https://cosell.example".to_owned(),
        unsubscribe_listen: Some(([127, 0, 0, 1], 0).into()),
        unsubscribe_key_file: Some(folder.path().join("key")),
        unsubscribe_listener: None,
    };
    assert!(all.links().expect("links").is_some());
    assert!(UnsubscribeArgs::default().links().expect("no links").is_none());
    let names = [
        "--unsubscribe-base",
        "--unsubscribe-listen",
        "--unsubscribe-key-file",
    ];
    // Each selection of the options but none and all, as bits.
    for stated in 1..7_u32 {
        let is_stated = |option: usize| stated & (1 << option) != 0;
        let mut args = all.clone();
        if !is_stated(0) {
            args.unsubscribe_base.clear();
        }
        args.unsubscribe_listen = args.unsubscribe_listen.filter(|_| is_stated(1));
        args.unsubscribe_key_file = args.unsubscribe_key_file.filter(|_| is_stated(2));
        let error = args.links().expect_err("missing options").to_string();
        for (option, name) in names.into_iter().enumerate() {
            assert_eq!(error.contains(name), !is_stated(option), "{error}");
        }
    }
    for (base, is_valid) in [
        ("http://127.0.0.1:8080", true),
        ("http://cosell.example", false),
        ("https://cosell.example/?a=b", false),
        ("not a URL", false),
    ] {
        let unsubscribe_base = base.to_owned();
        let args = UnsubscribeArgs {
            unsubscribe_base,
            ..all.clone()
        };
        assert_eq!(args.links().is_ok(), is_valid, "{base}");
    }
    std::fs::write(folder.path().join("key"), [1; 31]).expect("a short key");
    assert!(all.links().is_err());
}
