//! Channels with Slack: a stand-in that demands what its interface documents, and calls back.

use std::net::SocketAddr;

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_collaboration::provider::Kind;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::{eventually, folder};
use cosell_testkit::slack::{Slack, TOKEN, Trouble, call_back, clicked, happened};
use serde_json::json;

use crate::channels::{approve, ask, get, owner, prepare, stands, until};
use crate::support::{ALDER, DEAL, Scene, sales, why};

const SECRET: &str = "signing-secret";
/// The service with a Slack beside it, which calls back at this address.
async fn with_slack() -> (Scene, Slack, SocketAddr) {
    let slack = Slack::start().await.expect("a Slack");
    let files = folder("slack");
    std::fs::write(files.join("token"), TOKEN).expect("a token");
    std::fs::write(files.join("secret"), SECRET).expect("a secret");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let url = slack.url();
    let scene = Scene::configured(move |options| {
        options.provider.channel_provider = Kind::Slack;
        options.provider.slack_url = url;
        options.provider.slack_token_file = Some(files.join("token"));
        options.provider.slack_signing_secret_file = Some(files.join("secret"));
        options.provider.slack_callback_listen = Some(address);
    })
    .await;
    prepare(&scene).await;
    (scene, slack, address)
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
    let eve = slack.add_user(Some("eve@example.com"), true);
    slack.join(&there.id, &eve);
    came(&scene, to, &there.id, &eve).await;
    assert!(!slack.channels()[0].members.contains(&eve));
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
            .preferences
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
