//! Covers the Slack provider against a fake Slack server that enforces the documented API: channels, invitations, the
//! welcome message, removal, archival, and options. Also covers the manual provider.

use std::time::Duration;

use cosell_testkit::slack::{self as fake_slack, BOT, InjectedFault, TOKEN};
use cosell_types::Pii;
use tempfile::TempDir;

use super::slack::{CALL_TIMEOUT, Slack};
use super::{
    CreatedChannel, InviteOutcome, Provider, ProviderArgs, ProviderError, ProviderKind, SecretFile,
    is_channel_name,
};

const NAME: &str = "cosell-o123";
const TITLE: &str = "Migration & more";
pub(super) const WELCOME_TEXT: &str = "This channel is for <!channel> O123 & its partners.";
/// An address that must not appear in errors or logs.
pub(super) const JANE: &str = "jane.roe@partner.example";

/// A provider that calls a fake Slack server.
pub(super) struct Scenario {
    pub(super) slack: fake_slack::Slack,
    pub(super) provider: Provider,
    pub(super) folder: TempDir,
}

impl Scenario {
    pub(super) async fn start() -> Self {
        Self::with_limit(CALL_TIMEOUT).await
    }

    pub(super) async fn with_limit(limit: Duration) -> Self {
        let slack = fake_slack::Slack::start().await.expect("a Slack");
        let folder = tempfile::tempdir().expect("a folder");
        let token = folder.path().join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).expect("a written file");
        let adapter = Slack::new(&slack.url(), SecretFile::new(token), limit).expect("an adapter");
        Self {
            slack,
            provider: Provider::Slack(adapter),
            folder,
        }
    }

    pub(super) async fn create(&self) -> CreatedChannel {
        let created = self.provider.create(NAME, TITLE).await.expect("created");
        created.expect("a channel created by the provider")
    }
}

pub(super) fn jane() -> Pii<String> {
    Pii::from(JANE)
}

pub(super) fn refused(code: &str) -> ProviderError {
    ProviderError::Refused {
        code: code.to_owned(),
    }
}

#[tokio::test]
async fn channel_is_created_private_with_its_purpose() {
    let scenario = Scenario::start().await;
    let created = scenario.create().await;
    let [channel] = scenario.slack.channels().try_into().expect("one channel");
    assert_eq!(created.external_id, channel.id);
    let link = format!("https://cosell-test.slack.com/archives/{}", channel.id);
    assert_eq!(created.link, link);
    assert!(channel.is_private);
    assert_eq!((channel.name.as_str(), channel.purpose.as_str()), (NAME, TITLE));

    let long = "ä".repeat(300);
    scenario
        .provider
        .create("cosell-o124", &long)
        .await
        .expect("created");
    assert_eq!(scenario.slack.channels()[1].purpose, "ä".repeat(250));
}

#[tokio::test]
async fn channel_creation_after_lost_response_finds_existing_channel() {
    let scenario = Scenario::start().await;
    scenario.slack.page_size(3);
    for number in 0..10 {
        scenario.slack.add_channel(&format!("other-{number}"));
    }
    scenario
        .slack
        .inject_faults("conversations.create", &[InjectedFault::LostAnswer]);
    let error = scenario
        .provider
        .create(NAME, TITLE)
        .await
        .expect_err("a lost response");
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");

    let created = scenario.create().await;
    assert_eq!(
        scenario.create().await,
        created,
        "a repeated creation must find the channel"
    );
    let channels = scenario.slack.channels();
    let created_channels: Vec<_> = channels.iter().filter(|channel| channel.name == NAME).collect();
    assert_eq!(created_channels.len(), 1);
    assert_eq!(created_channels[0].id, created.external_id);
    assert_eq!(
        created_channels[0].purpose, TITLE,
        "the interrupted creation must be completed"
    );
    assert_eq!(scenario.slack.calls("conversations.setPurpose").len(), 1);
    assert_eq!(
        scenario.slack.calls("conversations.list").len(),
        2 * 4,
        "both searches must read every page"
    );
}

#[tokio::test]
async fn channel_of_another_creator_or_archived_channel_is_not_reused() {
    let scenario = Scenario::start().await;
    scenario.slack.add_channel(NAME);
    let error = scenario.provider.create(NAME, TITLE).await.expect_err("refused");
    assert_eq!(error, refused("name_taken"));

    let scenario = Scenario::start().await;
    let created = scenario.create().await;
    scenario
        .provider
        .archive(&created.external_id)
        .await
        .expect("an archived channel");
    let error = scenario.provider.create(NAME, TITLE).await.expect_err("refused");
    assert_eq!(error, refused("name_taken"));
}

#[tokio::test]
async fn channel_search_stops_after_twenty_pages() {
    let scenario = Scenario::start().await;
    scenario.slack.page_size(1);
    for number in 0..30 {
        scenario.slack.add_channel(&format!("other-{number}"));
    }
    scenario.create().await;
    let error = scenario
        .provider
        .create(NAME, TITLE)
        .await
        .expect_err("an abandoned search");
    assert_eq!(error, refused("list_too_long"));
    assert_eq!(scenario.slack.calls("conversations.list").len(), 20);
}

#[tokio::test]
async fn channel_names_follow_slack_rules() {
    let longest = "a".repeat(80);
    for name in ["a", "cosell-o1_2", "0", longest.as_str()] {
        assert!(is_channel_name(name), "{name}");
    }
    let too_long = "a".repeat(81);
    for name in ["", "-", "_-_", "A", "a b", "ä", "a.b", "#a", too_long.as_str()] {
        assert!(!is_channel_name(name), "{name}");
    }
    let scenario = Scenario::start().await;
    let error = scenario
        .provider
        .create("Not a name", TITLE)
        .await
        .expect_err("refused");
    assert_eq!(error, refused("invalid_name"));
    assert!(scenario.slack.calls("conversations.create").is_empty());
}

#[tokio::test]
async fn invitation_after_lost_response_is_not_sent_again() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    let person = jane();
    let invite = |is_retry| scenario.provider.invite(&channel, &person, is_retry);
    scenario
        .slack
        .inject_faults("conversations.inviteShared", &[InjectedFault::LostAnswer]);
    let error = invite(false).await.expect_err("a lost response");
    assert!(!format!("{error} {error:?}").contains("jane"), "{error}");

    let invited = invite(true).await.expect("an existing invitation");
    let [(id, email)] = scenario.slack.channels()[0]
        .invites
        .clone()
        .try_into()
        .expect("one");
    assert_eq!(invited, InviteOutcome::Invited(Some(id)));
    assert_eq!(email, JANE);
    let [call] = scenario
        .slack
        .calls("conversations.inviteShared")
        .try_into()
        .expect("one");
    assert_eq!(call.arguments["external_limited"], true);

    // Without an existing invitation, one is sent.
    let other = Pii::from("john@partner.example");
    let sent = scenario
        .provider
        .invite(&channel, &other, true)
        .await
        .expect("sent");
    assert!(matches!(sent, InviteOutcome::Invited(Some(_))));
    assert_eq!(scenario.slack.channels()[0].invites.len(), 2);
}

#[tokio::test]
async fn invitation_of_present_member_succeeds() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    let user = scenario.slack.add_user(Some(JANE), true);
    scenario.slack.join(&channel, &user);
    let invited = scenario.provider.invite(&channel, &jane(), false).await;
    assert_eq!(invited.expect("a success"), InviteOutcome::AlreadyMember(None));

    let error = scenario
        .provider
        .invite("C404", &jane(), false)
        .await
        .expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn welcome_message_has_two_actions_and_is_pinned_once() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    for _ in 0..3 {
        scenario
            .provider
            .post_welcome_message(&channel, WELCOME_TEXT)
            .await
            .expect("a pinned message");
    }
    let [channel] = scenario.slack.channels().try_into().expect("one channel");
    let [(ts, message)] = channel.messages.try_into().expect("one message");
    assert_eq!(channel.pins, [ts]);
    assert_eq!(
        message["text"],
        "This channel is for &lt;!channel&gt; O123 &amp; its partners."
    );
    let blocks = &message["blocks"];
    assert_eq!(blocks[0]["text"]["text"], WELCOME_TEXT);
    assert_eq!(blocks[0]["text"]["type"], "plain_text");
    let buttons = blocks[1]["elements"].as_array().expect("elements");
    let buttons: Vec<_> = buttons
        .iter()
        .map(|button| (button["action_id"].as_str(), button["text"]["text"].as_str()))
        .collect();
    assert_eq!(
        buttons,
        [
            (Some("opt_out"), Some("Opt out of all invites")),
            (Some("leave"), Some("Leave channel")),
        ]
    );
}

#[tokio::test]
async fn welcome_message_after_lost_pin_response_is_not_pinned_again() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    scenario
        .slack
        .inject_faults("pins.add", &[InjectedFault::LostAnswer]);
    scenario
        .provider
        .post_welcome_message(&channel, WELCOME_TEXT)
        .await
        .expect_err("a lost response");
    scenario
        .provider
        .post_welcome_message(&channel, WELCOME_TEXT)
        .await
        .expect("a pinned message");
    let [channel] = scenario.slack.channels().try_into().expect("one channel");
    assert_eq!((channel.messages.len(), channel.pins.len()), (1, 1));

    scenario
        .slack
        .inject_faults("pins.list", &[InjectedFault::Error("channel_not_found")]);
    let error = scenario
        .provider
        .post_welcome_message("C404", WELCOME_TEXT)
        .await
        .expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn member_removal_and_channel_archival_are_idempotent() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    let user = scenario.slack.add_user(Some(JANE), true);
    scenario.slack.join(&channel, &user);
    for _ in 0..2 {
        scenario
            .provider
            .remove(&channel, &user)
            .await
            .expect("a removal");
        let members = &scenario.slack.channels()[0].members;
        assert_eq!(members.iter().collect::<Vec<_>>(), [BOT]);
    }
    let error = scenario
        .provider
        .remove(&channel, "U404")
        .await
        .expect_err("refused");
    assert_eq!(error, refused("user_not_found"));
    for _ in 0..2 {
        scenario
            .provider
            .archive(&channel)
            .await
            .expect("an archived channel");
        assert!(scenario.slack.channels()[0].is_archived);
    }
    let error = scenario.provider.archive("C404").await.expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn email_is_returned_only_if_confirmed() {
    let scenario = Scenario::start().await;
    let confirmed = scenario.slack.add_user(Some(JANE), true);
    let hidden = scenario.slack.add_user(None, true);
    let unconfirmed = scenario.slack.add_user(Some(JANE), false);
    let email = scenario.provider.email_of(&confirmed).await.expect("an address");
    assert_eq!(email, Some(jane()));
    for user in [hidden.as_str(), &unconfirmed, "U404"] {
        assert_eq!(
            scenario.provider.email_of(user).await.expect("a response"),
            None,
            "{user}"
        );
        assert!(
            !scenario.provider.is_own(user).await.expect("a response"),
            "{user}"
        );
    }
    assert!(scenario.provider.is_own(BOT).await.expect("a response"));
}

#[tokio::test]
async fn provider_operations_run_in_spawned_tasks() {
    let Scenario {
        slack,
        provider,
        folder: _folder,
    } = Scenario::start().await;
    let task = tokio::spawn(async move {
        let created = provider
            .create(NAME, TITLE)
            .await?
            .expect("a channel created by the provider");
        provider.invite(&created.external_id, &jane(), true).await?;
        provider
            .post_welcome_message(&created.external_id, WELCOME_TEXT)
            .await?;
        provider.archive(&created.external_id).await
    });
    task.await
        .expect("a finished task")
        .expect("completed operations");
    let [channel] = slack.channels().try_into().expect("one channel");
    assert!(channel.is_archived);
    assert_eq!((channel.invites.len(), channel.pins.len()), (1, 1));
}

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: ProviderArgs,
}

#[test]
fn provider_args_are_parsed_from_the_command_line() {
    let parse = |options: &[&str]| {
        let arguments = std::iter::once("test").chain(options.iter().copied());
        <Command as clap::Parser>::try_parse_from(arguments).map(|command| command.args)
    };
    let defaults = parse(&[]).expect("options");
    assert_eq!(format!("{defaults:?}"), format!("{:?}", ProviderArgs::default()));
    // Without Slack the listener serves only the pages of channel links, which need no signing secret.
    let listen = ["--channel-listen", "127.0.0.1:8080"];
    let args = parse(&listen).expect("options");
    assert!(args.callback_secret().expect("no secret").is_none());
    let mut with_slack = listen.to_vec();
    with_slack.extend(["--channel-provider", "slack"]);
    let args = parse(&with_slack).expect("options");
    assert!(
        args.callback_secret().is_err(),
        "callbacks of Slack must require a signing secret"
    );
    let mut all = listen.to_vec();
    all.extend([
        "--channel-provider",
        "slack",
        "--slack-url",
        "https://slack-gov.com/api/",
    ]);
    all.extend([
        "--slack-token-file",
        "token",
        "--slack-signing-secret-file",
        "secret",
    ]);
    let args = parse(&all).expect("options");
    assert_eq!(args.channel_provider, ProviderKind::Slack);
    assert!(!args.provider().expect("a provider").is_manual());
    assert!(args.callback_secret().expect("a secret").is_some());
}

#[tokio::test]
async fn manual_provider_makes_no_calls_and_needs_a_link() {
    let args = ProviderArgs::default();
    assert!(args.callback_secret().expect("no secret").is_none());
    let manual = args.provider().expect("a provider");
    assert!(manual.is_manual());
    assert_eq!(manual.create(NAME, TITLE).await.expect("a success"), None);
    let invited = manual.invite("C1", &jane(), true).await.expect("a success");
    assert_eq!(invited, InviteOutcome::Invited(None));
    manual
        .post_welcome_message("C1", WELCOME_TEXT)
        .await
        .expect("a success");
    manual.remove("C1", "U1").await.expect("a success");
    manual.archive("C1").await.expect("a success");
    assert_eq!(manual.email_of("U1").await.expect("a success"), None);

    let without_token = ProviderArgs {
        channel_provider: ProviderKind::Slack,
        ..args
    };
    assert!(without_token.provider().is_err());
    let complete = ProviderArgs {
        slack_token_file: Some("token".into()),
        slack_signing_secret_file: Some("secret".into()),
        channel_listen: Some(([127, 0, 0, 1], 0).into()),
        ..without_token
    };
    assert!(!complete.provider().expect("a provider").is_manual());
    assert!(complete.callback_secret().expect("a secret").is_some());
}

#[tokio::test]
async fn workspace_member_is_added_without_slack_connect_invitation() {
    let scenario = Scenario::start().await;
    let channel = scenario.create().await.external_id;
    let vera = scenario.slack.add_colleague("vera@amazon.example");
    let email = Pii::from("vera@amazon.example");
    for expected in [
        InviteOutcome::Invited(None),
        InviteOutcome::AlreadyMember(Some(vera.clone())),
    ] {
        let invited = scenario
            .provider
            .invite(&channel, &email, false)
            .await
            .expect("an added member");
        assert_eq!(invited, expected);
    }
    assert!(scenario.slack.channels()[0].members.contains(&vera));
    assert_eq!(scenario.slack.calls("conversations.inviteShared").len(), 0);
}
