//! Channels with Slack: a stand-in that demands what its interface documents, and calls back.

use std::net::SocketAddr;

use chrono::TimeDelta;
use cosell_collaboration::provider::Kind;
use cosell_collaboration::{Collaboration, Options};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::{Setup, eventually, folder};
use cosell_testkit::slack::{BOT, Slack, TOKEN, Trouble, call_back, clicked, happened};
use serde_json::json;

use crate::channels::{approve, ask, get, owner, prepare, stands, until};
use crate::support::{ALDER, DEAL, Scene, request_id, sales, why};

const SECRET: &str = "signing-secret";
/// The service with a Slack beside it, which calls back at this address.
async fn with_slack() -> (Scene, Slack, SocketAddr) {
    let slack = Slack::start().await.expect("a Slack");
    let (url, address) = (slack.url(), address());
    let scene = Scene::configured(|options| use_slack(options, url, address)).await;
    prepare(&scene).await;
    (scene, slack, address)
}

fn address() -> SocketAddr {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("an address")
}

fn use_slack(options: &mut Options, url: String, address: SocketAddr) {
    let files = folder("slack");
    std::fs::write(files.join("token"), TOKEN).expect("a token");
    std::fs::write(files.join("secret"), SECRET).expect("a secret");
    options.provider.channel_provider = Kind::Slack;
    options.provider.slack_url = url;
    options.provider.slack_token_file = Some(files.join("token"));
    options.provider.slack_signing_secret_file = Some(files.join("secret"));
    options.provider.slack_callback_listen = Some(address);
}

/// Slack says that something happened.
async fn tell(scene: &Scene, to: SocketAddr, path: &str, body: &str) {
    let now = scene.app.clock.now().timestamp();
    let (status, answer) = call_back((to, path), SECRET, now, body, 0)
        .await
        .expect("an answer");
    assert_eq!(status, 200, "{answer}");
}

async fn came(scene: &Scene, to: SocketAddr, channel: &str, user: &str) {
    let event = json!({ "type": "member_joined_channel", "channel": channel, "user": user });
    tell(scene, to, "/slack/events", &happened(&event)).await;
}

#[tokio::test]
async fn chn_020_with_slack_a_channel_is_made_people_are_asked_come_and_go() {
    let (scene, slack, to) = with_slack().await;
    let jane = slack.add_user(Some("mem-user@example.com"), true);
    let vera = slack.add_colleague("mem-sales@example.com");
    let asked = ask(&scene, &["mem-user", "mem-lead-111111111111"]).await;
    assert_eq!(
        (asked.state(), asked.link.as_str()),
        (pb::ChannelState::Requested, "")
    );
    let id = asked.channel_id;
    let linked = pb::ApproveChannelRequest {
        link: "https://elsewhere.example/".to_owned(),
        ..approve(&id)
    };
    let refusal = scene.channels(&owner()).approve_channel(linked).await;
    assert_eq!(why(&refusal.expect_err("Slack makes it")).fields[0].0, "link");
    scene
        .channels(&owner())
        .approve_channel(approve(&id))
        .await
        .expect("approved");
    let channel = until(&scene, &id, |channel| {
        channel
            .members
            .iter()
            .all(|one| one.state() == pb::ChannelMemberState::Invited)
    })
    .await;
    assert_eq!(channel.state(), pb::ChannelState::Active);
    let there = slack.channels()[0].clone();
    assert_eq!(
        channel.link,
        format!("https://cosell-test.slack.com/archives/{}", there.id)
    );
    assert_eq!((there.pins.len(), there.invites.len()), (1, 2));
    assert!(there.members.contains(&vera), "who is of AWS is in its workspace");

    // Somebody comes with the address of who was asked, and somebody with another one, who does not stay.
    slack.join(&there.id, &jane);
    for _ in 0..2 {
        came(&scene, to, &there.id, &jane).await;
        came(&scene, to, &there.id, &vera).await;
    }
    // Nor does somebody who shows no address, or says to have that of somebody who was asked.
    for (email, is_confirmed) in [
        (Some("eve@example.com"), true),
        (None, true),
        (Some("mem-lead-111111111111@example.com"), false),
    ] {
        let eve = slack.add_user(email, is_confirmed);
        slack.join(&there.id, &eve);
        came(&scene, to, &there.id, &eve).await;
        assert!(!slack.channels()[0].members.contains(&eve), "{email:?}");
    }
    slack.join(&there.id, BOT);
    came(&scene, to, &there.id, BOT).await;
    assert!(slack.channels()[0].members.contains(BOT), "it keeps the channel");
    let channel = get(&scene, &owner(), &id).await.expect("it");
    assert_eq!(stands(&channel, "mem-user"), pb::ChannelMemberState::Joined);
    assert_eq!(stands(&channel, "mem-sales"), pb::ChannelMemberState::Joined);

    // Leaving by the first message takes the person out; said twice, it happens once.
    for _ in 0..2 {
        tell(
            &scene,
            to,
            "/slack/interactions",
            &clicked("leave", &there.id, &jane),
        )
        .await;
    }
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Left
    })
    .await;
    eventually(async || {
        if slack.channels()[0].members.contains(&jane) {
            Err("still in it".to_owned())
        } else {
            Ok(())
        }
    })
    .await;
    // Who opts out in the channel stays in it and is asked to none any more.
    tell(
        &scene,
        to,
        "/slack/interactions",
        &clicked("opt_out", &there.id, &vera),
    )
    .await;
    let wants = scene
        .channels(&sales())
        .get_channel_preferences(pb::GetChannelPreferencesRequest {})
        .await;
    assert!(
        wants
            .expect("preferences")
            .into_inner()
            .channel_preferences
            .expect("them")
            .opted_out
    );

    // The deal is launched: so the channel is over.
    let event = opportunity::OpportunityStageChanged {
        opportunity_id: DEAL.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        stage: opportunity::Stage::Launched.into(),
        ..Default::default()
    };
    scene.far.tell("opportunity", ALDER, DEAL, 1, &event).await;
    until(&scene, &id, |channel| {
        channel.state() == pb::ChannelState::Archived
    })
    .await;
    eventually(async || match slack.channels()[0].is_archived {
        true => Ok(()),
        false => Err("not put away".to_owned()),
    })
    .await;
    let bad = call_back(
        (to, "/slack/events"),
        "another secret",
        scene.app.clock.now().timestamp(),
        "{}",
        0,
    )
    .await;
    assert_eq!(bad.expect("an answer").0, 401);
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_020_what_slack_refuses_or_loses_is_done_later_and_once() {
    let (scene, slack, _) = with_slack().await;
    slack.trouble(
        "conversations.create",
        &[Trouble::LostAnswer, Trouble::RateLimited(1)],
    );
    slack.trouble("chat.postMessage", &[Trouble::Status(503)]);
    slack.trouble(
        "conversations.inviteShared",
        &[Trouble::LostAnswer, Trouble::Error("invalid_email")],
    );
    let id = ask(&scene, &["mem-user", "mem-lead-111111111111"])
        .await
        .channel_id;
    let none = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve(&id)
    };
    scene
        .channels(&owner())
        .approve_channel(none)
        .await
        .expect("approved");
    let stuck = until(&scene, &id, |channel| !channel.last_failure.is_empty()).await;
    assert_eq!(
        (stuck.state(), stuck.last_failure.as_str()),
        (pb::ChannelState::Approved, "unavailable")
    );
    // Each pause is waited for.
    let done = eventually(async || {
        scene.app.clock.advance(TimeDelta::seconds(31));
        let channel = get(&scene, &owner(), &id)
            .await
            .map_err(|status| status.to_string())?;
        let waits = channel
            .members
            .iter()
            .any(|one| one.state() == pb::ChannelMemberState::Selected);
        if channel.state() == pb::ChannelState::Active && !waits {
            Ok(channel)
        } else {
            Err(format!("{channel:?}"))
        }
    })
    .await;
    assert_eq!(slack.channels().len(), 1, "found, and not made again");
    assert_eq!(slack.channels()[0].invites.len(), 1, "asked once");
    let states: Vec<_> = done.members.iter().map(pb::ChannelMember::state).collect();
    assert!(states.contains(&pb::ChannelMemberState::Invited), "{states:?}");
    assert!(
        states.contains(&pb::ChannelMemberState::Expired),
        "{states:?}: who cannot be asked keeps nobody from it"
    );
    scene.app.finish::<Collaboration>().await;
}

/// Asks for a channel, grants it, and waits until Slack was told this.
async fn granted(scene: &Scene, slack: &Slack, method: &str) -> String {
    let id = ask(scene, &["mem-user"]).await.channel_id;
    let none = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve(&id)
    };
    let approved = scene.channels(&owner()).approve_channel(none).await;
    approved.expect("approved");
    eventually(async || match slack.calls(method).len() {
        0 => Err(format!("no {method}")),
        _ => Ok(()),
    })
    .await;
    id
}

#[tokio::test]
async fn chn_020_two_processes_do_each_thing_once() {
    let (scene, slack, _) = with_slack().await;
    let mut options = Options::new("http://127.0.0.1:9".to_owned());
    use_slack(&mut options, slack.url(), address());
    let replica = Setup::beside(&scene.app)
        .start_on::<Collaboration>(scene.app.database.shared(), options)
        .await;
    // Each looks every second what is to be done, and Slack takes longer.
    slack.trouble("pins.list", &[Trouble::Late(2500), Trouble::Late(2500)]);
    slack.trouble(
        "conversations.inviteShared",
        &[Trouble::Late(2500), Trouble::Late(2500)],
    );
    let id = granted(&scene, &slack, "pins.list").await;
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    let there = slack.channels()[0].clone();
    assert_eq!(
        (there.messages.len(), there.pins.len(), there.invites.len()),
        (1, 1, 1)
    );
    for method in ["conversations.create", "pins.list", "conversations.inviteShared"] {
        assert_eq!(slack.calls(method).len(), 1, "{method}");
    }
    assert_eq!(scene.told(ALDER, "channel_activated").await, 1);
    replica.finish::<Collaboration>().await;
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_010_a_channel_that_ends_while_it_is_made_stays_over() {
    let (scene, slack, _) = with_slack().await;
    slack.trouble("chat.postMessage", &[Trouble::Late(1500)]);
    let id = granted(&scene, &slack, "chat.postMessage").await;
    let archive = pb::ArchiveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let archived = scene.channels(&owner()).archive_channel(archive).await;
    archived.expect("over");
    eventually(async || match slack.channels()[0].is_archived {
        true => Ok(()),
        false => Err("not put away".to_owned()),
    })
    .await;
    eventually(async || match slack.calls("pins.add").len() {
        0 => Err("the message is not there yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    let channel = until(&scene, &id, |channel| channel.last_failure.is_empty()).await;
    assert_eq!(channel.state(), pb::ChannelState::Archived);
    assert_eq!(scene.told(ALDER, "channel_activated").await, 0);
    assert_eq!(slack.channels()[0].invites.len(), 0);
    scene.app.finish::<Collaboration>().await;
}

/// The operator sets up another provider while there are channels.
#[tokio::test]
async fn chn_030_a_channel_stays_with_the_provider_that_it_was_asked_for_with() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let mut admin = scene.app.database.admin::<Collaboration>().await;
    sqlx::query("UPDATE channel SET record = jsonb_set(record, '{provider}', '\"SLACK\"')")
        .execute(&mut admin)
        .await
        .expect("a channel of Slack");
    let none = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve(&id)
    };
    let approved = scene.channels(&owner()).approve_channel(none).await;
    approved.expect("approved");
    let waits = until(&scene, &id, |channel| !channel.last_failure.is_empty()).await;
    assert_eq!(
        (waits.state(), waits.last_failure.as_str()),
        (pb::ChannelState::Approved, "provider_not_set_up")
    );
    // What waits for no provider goes on: the time of an invitation.
    let invited = "UPDATE channel SET due_time = '2026-01-01', state = 'ACTIVE', record =
        jsonb_set(jsonb_set(record, '{state}', '\"ACTIVE\"'), '{members,0,state}', '\"INVITED\"')";
    sqlx::query(invited)
        .execute(&mut admin)
        .await
        .expect("somebody was asked");
    scene.app.clock.advance(TimeDelta::days(14));
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Expired
    })
    .await;
    scene.app.finish::<Collaboration>().await;

    let (scene, slack, _) = with_slack().await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let mut admin = scene.app.database.admin::<Collaboration>().await;
    sqlx::query("UPDATE channel SET record = jsonb_set(record, '{provider}', '\"MANUAL\"')")
        .execute(&mut admin)
        .await
        .expect("a channel by hand");
    let linked = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve(&id)
    };
    let approved = scene.channels(&owner()).approve_channel(linked).await;
    approved.expect("approved");
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    assert_eq!(slack.channels().len(), 0);
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_013_what_ended_meanwhile_gets_no_channel() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let linked = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        request_id: request_id(),
        ..approve(&id)
    };
    let stage = |stage: opportunity::Stage| {
        let mut records = scene.records.lock().expect("records");
        records[0].life_cycle.get_or_insert_default().stage = stage.into();
    };
    stage(opportunity::Stage::ClosedLost);
    let refusal = scene.channels(&owner()).approve_channel(linked.clone()).await;
    assert_eq!(why(&refusal.expect_err("over")).reason, "NOT_ELIGIBLE");
    stage(opportunity::Stage::Committed);
    let approved = scene.channels(&owner()).approve_channel(linked.clone()).await;
    approved.expect("approved");
    // What was done is done, whatever has become of the deal.
    stage(opportunity::Stage::Launched);
    let again = scene.channels(&owner()).approve_channel(linked).await;
    again.expect("approved before");
    scene.app.finish::<Collaboration>().await;
}
