//! Covers how the Slack provider handles failures: error classes, rate limits, timeouts, token rotation, and insecure
//! URLs.

use std::time::Duration;

use cosell_testkit::harness::eventually;
use cosell_testkit::slack::InjectedFault;
use tokio::time::Instant;

use super::slack::{CALL_TIMEOUT, Slack};
use super::tests_slack::{JANE, Scenario, WELCOME_TEXT, jane, refused};
use super::{ProviderError, SecretFile};

impl Scenario {
    /// Injects one failure into `users.info`, and returns the resulting error.
    async fn error_of(&self, failure: InjectedFault) -> ProviderError {
        self.slack.inject_faults("users.info", &[failure]);
        self.provider.email_of("U1").await.expect_err("refused")
    }
}

#[tokio::test]
async fn errors_are_classified_by_cause() {
    let scenario = Scenario::start().await;
    for failure in [
        InjectedFault::Status(500),
        InjectedFault::Status(503),
        InjectedFault::Status(200),
        InjectedFault::Status(408),
        InjectedFault::Error("internal_error"),
        InjectedFault::Error("service_unavailable"),
        InjectedFault::Error("external_channel_migrating"),
        InjectedFault::LostAnswer,
    ] {
        let error = scenario.error_of(failure).await;
        let is_unavailable = matches!(error, ProviderError::Unavailable(_));
        assert!(
            is_unavailable && !error.is_member_refusal(),
            "{failure:?}: {error}"
        );
    }
    for (failure, code, is_member_refusal) in [
        (InjectedFault::Error("cant_invite"), "cant_invite", true),
        (InjectedFault::Error("invalid_email"), "invalid_email", true),
        (
            InjectedFault::Error("org_user_not_in_team"),
            "org_user_not_in_team",
            true,
        ),
        (
            InjectedFault::Error("user_is_restricted"),
            "user_is_restricted",
            true,
        ),
        (InjectedFault::Error("not_supported"), "not_supported", false),
        (
            InjectedFault::Error("restricted_action"),
            "restricted_action",
            false,
        ),
        (
            InjectedFault::Error("channel_not_found"),
            "channel_not_found",
            false,
        ),
        (InjectedFault::Error("invalid_auth"), "invalid_auth", false),
        (InjectedFault::Status(404), "http_404", false),
        // Not a Slack error code: it is replaced because it may hold personal data.
        (InjectedFault::Error("jane.roe@partner.example"), "unknown", false),
    ] {
        let error = scenario.error_of(failure).await;
        assert_eq!(error, refused(code), "{failure:?}");
        assert_eq!(error.is_member_refusal(), is_member_refusal, "{failure:?}");
    }
    // Without a server.
    let token = SecretFile::new(scenario.folder.path().join("token"));
    let url = scenario.slack.url();
    drop(scenario.slack);
    let adapter = Slack::new(&url, token, CALL_TIMEOUT).expect("an adapter");
    eventually(async || match adapter.archive("C1").await {
        Err(ProviderError::Unavailable(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn rate_limited_method_is_not_called_before_retry_after() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    let user = scenario.slack.add_user(Some(JANE), true);
    let error = scenario.error_of(InjectedFault::RateLimited(60)).await;
    let minute = Duration::from_secs(60);
    assert_eq!(error, ProviderError::RateLimited { retry_after: minute });
    assert!(!error.is_member_refusal());
    let start = Instant::now();

    // Other methods are not limited.
    scenario
        .provider
        .post_welcome_message(&channel, WELCOME_TEXT)
        .await
        .expect("a pinned message");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(50)).await;
    let error = scenario.provider.email_of(&user).await.expect_err("a rate limit");
    let is_limited = matches!(error, ProviderError::RateLimited { retry_after } if retry_after <= minute / 6);
    assert!(is_limited, "{error:?}");
    assert_eq!(
        scenario.slack.calls("users.info").len(),
        1,
        "a limited method must not be called"
    );
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    let email = scenario.provider.email_of(&user).await.expect("an address");
    assert_eq!(email, Some(jane()));
    let calls = scenario.slack.calls("users.info");
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at - calls[0].at >= minute);
    assert!(start.elapsed() >= minute);
}

#[tokio::test]
async fn retry_after_is_capped_and_has_a_default() {
    let scenario = Scenario::start().await;
    let error = scenario.error_of(InjectedFault::RateLimited(1_000_000)).await;
    let longest = Duration::from_secs(3600);
    assert_eq!(error, ProviderError::RateLimited { retry_after: longest });

    // A rate limit in the body has no retry time, so the default applies.
    let scenario = Scenario::start().await;
    let error = scenario.error_of(InjectedFault::Error("ratelimited")).await;
    let default = Duration::from_secs(30);
    assert_eq!(error, ProviderError::RateLimited { retry_after: default });
    let error = scenario.provider.email_of("U1").await.expect_err("a rate limit");
    assert!(matches!(error, ProviderError::RateLimited { .. }), "{error}");
    assert_eq!(scenario.slack.calls("users.info").len(), 1);
}

#[tokio::test]
async fn hanging_call_times_out() {
    let limit = Duration::from_secs(3);
    let scenario = Scenario::with_limit(limit).await;
    let start = Instant::now();
    let (error, ()) = tokio::join!(scenario.error_of(InjectedFault::Hang), async {
        eventually(async || match scenario.slack.calls("users.info").len() {
            1 => Ok(()),
            other => Err(format!("{other} calls")),
        })
        .await;
        // From here on, tokio advances time whenever all tasks are idle.
        tokio::time::pause();
    });
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    let took = start.elapsed();
    assert!(took >= limit && took < CALL_TIMEOUT, "{took:?}");
    tokio::time::resume();
    // The next call uses a new connection.
    assert_eq!(
        scenario.provider.email_of("U404").await.expect("a response"),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn operation_with_several_calls_times_out() {
    let slack =
        Slack::new("https://slack.com/api/", SecretFile::new("token"), CALL_TIMEOUT).expect("an adapter");
    let start = Instant::now();
    let outcome = slack.with_timeout(std::future::pending::<Result<(), _>>()).await;
    let error = outcome.expect_err("a timeout");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    let took = start.elapsed();
    assert!(took >= CALL_TIMEOUT && took <= 7 * CALL_TIMEOUT, "{took:?}");
}

#[tokio::test]
async fn token_file_is_read_again_without_restart() {
    let scenario = Scenario::start().await;
    scenario.create().await;
    scenario.slack.accept_tokens(&["xoxb-second"]);
    let error = scenario.provider.email_of("U1").await.expect_err("refused");
    assert_eq!(error, refused("invalid_auth"));
    let token = scenario.folder.path().join("token");
    std::fs::write(&token, "xoxb-second").expect("a written file");
    assert_eq!(scenario.provider.email_of("U1").await.expect("a response"), None);

    for invalid in ["", "xoxb-\u{7f}secret"] {
        std::fs::write(&token, invalid).expect("a written file");
        let error = scenario.provider.email_of("U1").await.expect_err("refused");
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    std::fs::remove_file(&token).expect("a removed file");
    let error = scenario.provider.email_of("U1").await.expect_err("refused");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn token_is_sent_only_over_tls_or_to_loopback() {
    let token = || SecretFile::new("token");
    for url in [
        "https://slack.com/api/",
        "http://127.0.0.1:1/",
        "http://[::1]:1/api",
    ] {
        assert!(Slack::new(url, token(), CALL_TIMEOUT).is_ok(), "{url}");
    }
    for url in [
        "http://slack.com/api/",
        "http://localhost.example/",
        "ftp://slack.com",
        "",
    ] {
        assert!(Slack::new(url, token(), CALL_TIMEOUT).is_err(), "{url}");
    }
}
