//! The adapter against a Slack that demands what is documented.

use std::time::Duration;

use cosell_testkit::slack::{self as stand_in, BOT, TOKEN, Trouble};
use cosell_types::Pii;
use tempfile::TempDir;

use super::slack::{LIMIT, Slack};
use super::{Created, Invited, Kind, Provider, ProviderArgs, ProviderError, SecretFile, is_channel_name};

const NAME: &str = "cosell-o123";
const TITLE: &str = "Migration & more";
pub(super) const ABOUT: &str = "This channel is for <!channel> O123 & its partners.";
/// An address that must show up nowhere.
pub(super) const JANE: &str = "jane.roe@partner.example";

pub(super) struct Desk {
    pub(super) slack: stand_in::Slack,
    pub(super) provider: Provider,
    pub(super) folder: TempDir,
}

impl Desk {
    pub(super) async fn new() -> Self {
        Self::with_limit(LIMIT).await
    }

    pub(super) async fn with_limit(limit: Duration) -> Self {
        let slack = stand_in::Slack::start().await.expect("a Slack");
        let folder = tempfile::tempdir().expect("a folder");
        let token = folder.path().join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).expect("written");
        let adapter = Slack::new(&slack.url(), SecretFile::new(token), limit).expect("an adapter");
        Self {
            slack,
            provider: Provider::Slack(adapter),
            folder,
        }
    }

    pub(super) async fn create(&self) -> Created {
        let created = self.provider.create(NAME, TITLE).await.expect("created");
        created.expect("made by the provider")
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
async fn a_private_channel_is_made_and_says_what_it_is_for() {
    let desk = Desk::new().await;
    let created = desk.create().await;
    let [channel] = desk.slack.channels().try_into().expect("one channel");
    assert_eq!(created.external_id, channel.id);
    let link = format!("https://cosell-test.slack.com/archives/{}", channel.id);
    assert_eq!(created.link, link);
    assert!(channel.is_private);
    assert_eq!((channel.name.as_str(), channel.purpose.as_str()), (NAME, TITLE));

    let long = "ä".repeat(300);
    desk.provider.create("cosell-o124", &long).await.expect("created");
    assert_eq!(desk.slack.channels()[1].purpose, "ä".repeat(250));
}

#[tokio::test]
async fn a_channel_whose_answer_was_lost_is_found_and_not_made_again() {
    let desk = Desk::new().await;
    desk.slack.page_size(3);
    for number in 0..10 {
        desk.slack.add_channel(&format!("other-{number}"));
    }
    desk.slack.trouble("conversations.create", &[Trouble::LostAnswer]);
    let lost = desk.provider.create(NAME, TITLE).await.expect_err("lost");
    assert!(matches!(lost, ProviderError::Unavailable(_)), "{lost}");

    let created = desk.create().await;
    assert_eq!(desk.create().await, created, "and again");
    let channels = desk.slack.channels();
    let made: Vec<_> = channels.iter().filter(|channel| channel.name == NAME).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].id, created.external_id);
    assert_eq!(made[0].purpose, TITLE, "what was left undone is done");
    assert_eq!(desk.slack.calls("conversations.setPurpose").len(), 1);
    assert_eq!(
        desk.slack.calls("conversations.list").len(),
        2 * 4,
        "page by page"
    );
}

#[tokio::test]
async fn a_channel_of_somebody_else_or_an_ended_one_is_not_taken_for_the_own() {
    let desk = Desk::new().await;
    desk.slack.add_channel(NAME);
    let error = desk.provider.create(NAME, TITLE).await.expect_err("refused");
    assert_eq!(error, refused("name_taken"));

    let desk = Desk::new().await;
    let created = desk.create().await;
    desk.provider.archive(&created.external_id).await.expect("ended");
    let error = desk.provider.create(NAME, TITLE).await.expect_err("refused");
    assert_eq!(error, refused("name_taken"));
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let desk = Desk::new().await;
    desk.slack.page_size(1);
    for number in 0..30 {
        desk.slack.add_channel(&format!("other-{number}"));
    }
    desk.create().await;
    let error = desk.provider.create(NAME, TITLE).await.expect_err("given up");
    assert_eq!(error, refused("list_too_long"));
    assert_eq!(desk.slack.calls("conversations.list").len(), 20);
}

#[tokio::test]
async fn names_are_those_that_slack_takes() {
    let longest = "a".repeat(80);
    for name in ["a", "cosell-o1_2", "0", longest.as_str()] {
        assert!(is_channel_name(name), "{name}");
    }
    let too_long = "a".repeat(81);
    for name in ["", "-", "_-_", "A", "a b", "ä", "a.b", "#a", too_long.as_str()] {
        assert!(!is_channel_name(name), "{name}");
    }
    let desk = Desk::new().await;
    let error = desk
        .provider
        .create("Not a name", TITLE)
        .await
        .expect_err("refused");
    assert_eq!(error, refused("invalid_name"));
    assert!(desk.slack.calls("conversations.create").is_empty());
}

#[tokio::test]
async fn a_person_is_invited_once() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    let person = jane();
    let invite = |again| desk.provider.invite(&channel, &person, again);
    desk.slack
        .trouble("conversations.inviteShared", &[Trouble::LostAnswer]);
    let lost = invite(false).await.expect_err("lost");
    assert!(!format!("{lost} {lost:?}").contains("jane"), "{lost}");

    let invited = invite(true).await.expect("found");
    let [(id, email)] = desk.slack.channels()[0].invites.clone().try_into().expect("one");
    assert_eq!(invited, Invited::Asked(Some(id)));
    assert_eq!(email, JANE);
    let [call] = desk
        .slack
        .calls("conversations.inviteShared")
        .try_into()
        .expect("one");
    assert_eq!(call.arguments["external_limited"], true);

    // With nothing found, it is sent.
    let other = Pii::from("john@partner.example");
    let sent = desk.provider.invite(&channel, &other, true).await.expect("sent");
    assert!(matches!(sent, Invited::Asked(Some(_))));
    assert_eq!(desk.slack.channels()[0].invites.len(), 2);
}

#[tokio::test]
async fn who_is_invited_or_in_the_channel_already_is_fine() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    let user = desk.slack.add_user(Some(JANE), true);
    desk.slack.join(&channel, &user);
    let invited = desk.provider.invite(&channel, &jane(), false).await;
    assert_eq!(invited.expect("fine"), Invited::Present(None));
    desk.slack
        .trouble("conversations.inviteShared", &[Trouble::Error("already_invited")]);
    let invited = desk.provider.invite(&channel, &jane(), false).await;
    assert_eq!(invited.expect("fine"), Invited::Asked(None));

    let error = desk
        .provider
        .invite("C404", &jane(), false)
        .await
        .expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn the_first_message_has_the_two_actions_and_is_pinned_once() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    for _ in 0..3 {
        desk.provider.greet(&channel, ABOUT).await.expect("greeted");
    }
    let [channel] = desk.slack.channels().try_into().expect("one channel");
    let [(ts, message)] = channel.messages.try_into().expect("one message");
    assert_eq!(channel.pins, [ts]);
    assert_eq!(
        message["text"],
        "This channel is for &lt;!channel&gt; O123 &amp; its partners."
    );
    let blocks = &message["blocks"];
    assert_eq!(blocks[0]["text"]["text"], ABOUT);
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
async fn a_pin_whose_answer_was_lost_is_not_repeated() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    desk.slack.trouble("pins.add", &[Trouble::LostAnswer]);
    desk.provider.greet(&channel, ABOUT).await.expect_err("lost");
    desk.provider.greet(&channel, ABOUT).await.expect("greeted");
    let [channel] = desk.slack.channels().try_into().expect("one channel");
    assert_eq!((channel.messages.len(), channel.pins.len()), (1, 1));

    desk.slack
        .trouble("pins.list", &[Trouble::Error("channel_not_found")]);
    let error = desk.provider.greet("C404", ABOUT).await.expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn a_person_is_taken_out_and_a_channel_ended_and_again() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    let user = desk.slack.add_user(Some(JANE), true);
    desk.slack.join(&channel, &user);
    for _ in 0..2 {
        desk.provider.remove(&channel, &user).await.expect("out");
        let members = &desk.slack.channels()[0].members;
        assert_eq!(members.iter().collect::<Vec<_>>(), [BOT]);
    }
    let error = desk.provider.remove(&channel, "U404").await.expect_err("refused");
    assert_eq!(error, refused("user_not_found"));
    for _ in 0..2 {
        desk.provider.archive(&channel).await.expect("ended");
        assert!(desk.slack.channels()[0].is_archived);
    }
    let error = desk.provider.archive("C404").await.expect_err("refused");
    assert_eq!(error, refused("channel_not_found"));
}

#[tokio::test]
async fn the_address_of_a_person_is_told_if_it_was_confirmed() {
    let desk = Desk::new().await;
    let confirmed = desk.slack.add_user(Some(JANE), true);
    let hidden = desk.slack.add_user(None, true);
    let claimed = desk.slack.add_user(Some(JANE), false);
    let told = desk.provider.email_of(&confirmed).await.expect("told");
    assert_eq!(told, Some(jane()));
    for user in [hidden.as_str(), &claimed, "U404"] {
        assert_eq!(desk.provider.email_of(user).await.expect("told"), None, "{user}");
        assert!(!desk.provider.is_own(user).await.expect("told"), "{user}");
    }
    assert!(desk.provider.is_own(BOT).await.expect("told"));
}

#[tokio::test]
async fn operations_run_in_tasks_of_their_own() {
    let Desk {
        slack,
        provider,
        folder: _folder,
    } = Desk::new().await;
    let task = tokio::spawn(async move {
        let created = provider.create(NAME, TITLE).await?.expect("made by the provider");
        provider.invite(&created.external_id, &jane(), true).await?;
        provider.greet(&created.external_id, ABOUT).await?;
        provider.archive(&created.external_id).await
    });
    task.await.expect("ended").expect("done");
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
fn options_are_those_of_the_command_line() {
    let parse = |options: &[&str]| {
        let words = std::iter::once("test").chain(options.iter().copied());
        <Command as clap::Parser>::try_parse_from(words).map(|command| command.args)
    };
    let usual = parse(&[]).expect("options");
    assert_eq!(format!("{usual:?}"), format!("{:?}", ProviderArgs::default()));
    let listen = ["--slack-callback-listen", "127.0.0.1:8080"];
    assert!(parse(&listen).is_err(), "without the secret");
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
    assert_eq!(args.channel_provider, Kind::Slack);
    assert!(!args.provider().expect("a provider").is_manual());
    assert!(args.callbacks().is_some());
}

#[tokio::test]
async fn by_hand_nothing_is_called_and_somebody_has_to_enter_the_link() {
    let args = ProviderArgs::default();
    assert!(args.callbacks().is_none());
    let manual = args.provider().expect("a provider");
    assert!(manual.is_manual());
    assert_eq!(manual.create(NAME, TITLE).await.expect("fine"), None);
    let invited = manual.invite("C1", &jane(), true).await.expect("fine");
    assert_eq!(invited, Invited::Asked(None));
    manual.greet("C1", ABOUT).await.expect("fine");
    manual.remove("C1", "U1").await.expect("fine");
    manual.archive("C1").await.expect("fine");
    assert_eq!(manual.email_of("U1").await.expect("fine"), None);

    let without_token = ProviderArgs {
        channel_provider: Kind::Slack,
        ..args
    };
    assert!(without_token.provider().is_err());
    let complete = ProviderArgs {
        slack_token_file: Some("token".into()),
        slack_signing_secret_file: Some("secret".into()),
        slack_callback_listen: Some(([127, 0, 0, 1], 0).into()),
        ..without_token
    };
    assert!(!complete.provider().expect("a provider").is_manual());
    assert!(complete.callbacks().is_some());
}

#[tokio::test]
async fn people_of_the_own_workspace_are_let_in_and_not_asked_by_slack_connect() {
    let desk = Desk::new().await;
    let channel = desk.create().await.external_id;
    let vera = desk.slack.add_colleague("vera@amazon.example");
    let email = Pii::from("vera@amazon.example");
    for expected in [Invited::Asked(None), Invited::Present(Some(vera.clone()))] {
        let invited = desk
            .provider
            .invite(&channel, &email, false)
            .await
            .expect("let in");
        assert_eq!(invited, expected);
    }
    assert!(desk.slack.channels()[0].members.contains(&vera));
    assert_eq!(desk.slack.calls("conversations.inviteShared").len(), 0);
}
