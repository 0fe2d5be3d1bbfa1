//! What the adapter makes of trouble: refusals, limits, silence, tokens that change.

use std::time::Duration;

use cosell_testkit::harness::eventually;
use cosell_testkit::slack::Trouble;
use tokio::time::Instant;

use super::slack::{LIMIT, Slack};
use super::tests_slack::{ABOUT, Desk, JANE, jane, refused};
use super::{ProviderError, SecretFile};

impl Desk {
    /// What asking for a person's e-mail meets, with one trouble.
    async fn trouble(&self, trouble: Trouble) -> ProviderError {
        self.slack.trouble("users.info", &[trouble]);
        self.provider.email_of("U1").await.expect_err("refused")
    }
}

#[tokio::test]
async fn each_kind_of_trouble_is_told_apart() {
    let desk = Desk::new().await;
    for trouble in [
        Trouble::Status(500),
        Trouble::Status(503),
        Trouble::Status(200),
        Trouble::Status(408),
        Trouble::Error("internal_error"),
        Trouble::Error("service_unavailable"),
        Trouble::LostAnswer,
    ] {
        let error = desk.trouble(trouble).await;
        let is_it = matches!(error, ProviderError::Unavailable(_));
        assert!(is_it && !error.is_about_a_person(), "{trouble:?}: {error}");
    }
    for (trouble, code, is_about_a_person) in [
        (Trouble::Error("cant_invite"), "cant_invite", true),
        (Trouble::Error("invalid_email"), "invalid_email", true),
        (Trouble::Error("restricted_action"), "restricted_action", false),
        (Trouble::Error("channel_not_found"), "channel_not_found", false),
        (Trouble::Error("invalid_auth"), "invalid_auth", false),
        (Trouble::Status(404), "http_404", false),
        // Not a word: it could be anything.
        (Trouble::Error("jane.roe@partner.example"), "unknown", false),
    ] {
        let error = desk.trouble(trouble).await;
        assert_eq!(error, refused(code), "{trouble:?}");
        assert_eq!(error.is_about_a_person(), is_about_a_person, "{trouble:?}");
    }
    // With nobody there at all.
    let token = SecretFile::new(desk.folder.path().join("token"));
    let url = desk.slack.url();
    drop(desk.slack);
    let adapter = Slack::new(&url, token, LIMIT).expect("an adapter");
    eventually(async || match adapter.archive("C1").await {
        Err(ProviderError::Unavailable(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_method_is_not_called_before_its_time() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    let user = desk.slack.add_user(Some(JANE), true);
    let error = desk.trouble(Trouble::RateLimited(60)).await;
    let minute = Duration::from_secs(60);
    assert_eq!(error, ProviderError::RateLimited { retry_after: minute });
    assert!(!error.is_about_a_person());
    let start = Instant::now();

    // Others go on.
    desk.provider.greet(&channel, ABOUT).await.expect("greeted");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(50)).await;
    let error = desk.provider.email_of(&user).await.expect_err("not yet");
    let is_it = matches!(error, ProviderError::RateLimited { retry_after } if retry_after <= minute / 6);
    assert!(is_it, "{error:?}");
    assert_eq!(desk.slack.calls("users.info").len(), 1, "not called");
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    let told = desk.provider.email_of(&user).await.expect("told");
    assert_eq!(told, Some(jane()));
    let calls = desk.slack.calls("users.info");
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at - calls[0].at >= minute);
    assert!(start.elapsed() >= minute);
}

#[tokio::test]
async fn a_wait_that_slack_asks_for_has_an_end() {
    let desk = Desk::new().await;
    let error = desk.trouble(Trouble::RateLimited(1_000_000)).await;
    let longest = Duration::from_secs(3600);
    assert_eq!(error, ProviderError::RateLimited { retry_after: longest });

    // The same in the body, without a time.
    let desk = Desk::new().await;
    let error = desk.trouble(Trouble::Error("ratelimited")).await;
    let usual = Duration::from_secs(30);
    assert_eq!(error, ProviderError::RateLimited { retry_after: usual });
    let error = desk.provider.email_of("U1").await.expect_err("not yet");
    assert!(matches!(error, ProviderError::RateLimited { .. }), "{error}");
    assert_eq!(desk.slack.calls("users.info").len(), 1);
}

#[tokio::test]
async fn a_call_that_hangs_ends_in_time() {
    let limit = Duration::from_secs(3);
    let desk = Desk::with_limit(limit).await;
    let start = Instant::now();
    let (error, ()) = tokio::join!(desk.trouble(Trouble::Hang), async {
        eventually(async || match desk.slack.calls("users.info").len() {
            1 => Ok(()),
            other => Err(format!("{other} calls")),
        })
        .await;
        // From here on time runs when nothing else does.
        tokio::time::pause();
    });
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    let took = start.elapsed();
    assert!(took >= limit && took < LIMIT, "{took:?}");
    tokio::time::resume();
    // The next one has a connection of its own.
    assert_eq!(desk.provider.email_of("U404").await.expect("told"), None);
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_several_calls_ends_in_time() {
    let slack = Slack::new("https://slack.com/api/", SecretFile::new("token"), LIMIT).expect("an adapter");
    let start = Instant::now();
    let ended = slack.within(std::future::pending::<Result<(), _>>()).await;
    let error = ended.expect_err("given up");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    let took = start.elapsed();
    assert!(took >= LIMIT && took <= 7 * LIMIT, "{took:?}");
}

#[tokio::test]
async fn a_new_token_is_taken_without_a_restart() {
    let desk = Desk::new().await;
    desk.create().await;
    desk.slack.accept_tokens(&["xoxb-second"]);
    let error = desk.provider.email_of("U1").await.expect_err("refused");
    assert_eq!(error, refused("invalid_auth"));
    let token = desk.folder.path().join("token");
    std::fs::write(&token, "xoxb-second").expect("written");
    assert_eq!(desk.provider.email_of("U1").await.expect("told"), None);

    for wrong in ["", "xoxb-\u{7f}secret"] {
        std::fs::write(&token, wrong).expect("written");
        let error = desk.provider.email_of("U1").await.expect_err("refused");
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    std::fs::remove_file(&token).expect("removed");
    let error = desk.provider.email_of("U1").await.expect_err("refused");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn the_token_goes_over_tls_or_to_this_machine_only() {
    let token = || SecretFile::new("token");
    for url in [
        "https://slack.com/api/",
        "http://127.0.0.1:1/",
        "http://[::1]:1/api",
    ] {
        assert!(Slack::new(url, token(), LIMIT).is_ok(), "{url}");
    }
    for url in [
        "http://slack.com/api/",
        "http://localhost.example/",
        "ftp://slack.com",
        "",
    ] {
        assert!(Slack::new(url, token(), LIMIT).is_err(), "{url}");
    }
}
