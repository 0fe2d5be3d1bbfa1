//! Channels, with Slack and kept by hand.

use std::net::SocketAddr;

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_collaboration::provider::Kind;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{aws, eventually, folder, partner, service};
use cosell_testkit::slack::{Slack, TOKEN, Trouble, call_back, clicked, happened};
use cosell_types::{Caller, Role};
use serde_json::json;
use tonic::Code;

use crate::support::{ALDER, BIRCH, DEAL, Scene, deal, lead, request_id, sales, why};

const SECRET: &str = "signing-secret";
const AWS: &str = "999999999999";

fn owner() -> Caller {
    aws("mem-owner", Role::AccountOwner)
}

/// A member of Alder who is asked to channels.
fn user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

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

/// Everybody is known, and the deal is strategic.
async fn prepare(scene: &Scene) {
    scene.records.lock().expect("records")[0].tags = vec![opportunity::Tag {
        key: "strategic".to_owned(),
        value: String::new(),
    }];
    for caller in [user(), owner(), sales(), lead(ALDER)] {
        scene.list(&caller).await;
    }
}

fn request(members: &[&str]) -> pb::RequestChannelRequest {
    pb::RequestChannelRequest {
        opportunity_id: DEAL.to_owned(),
        member_ids: members.iter().map(ToString::to_string).collect(),
        purpose: "The migration of Nordwind".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

async fn ask(scene: &Scene, members: &[&str]) -> pb::Channel {
    let answer = scene.channels(&user()).request_channel(request(members)).await;
    answer
        .expect("asked for")
        .into_inner()
        .channel
        .expect("a channel")
}

fn approve(id: &str) -> pb::ApproveChannelRequest {
    pb::ApproveChannelRequest {
        channel_id: id.to_owned(),
        aws_member_ids: vec!["mem-sales".to_owned()],
        ..Default::default()
    }
}

async fn get(scene: &Scene, caller: &Caller, id: &str) -> Result<pb::Channel, tonic::Status> {
    let request = pb::GetChannelRequest {
        channel_id: id.to_owned(),
    };
    let answer = scene.channels(caller).get_channel(request).await?;
    Ok(answer.into_inner().channel.expect("the channel"))
}

/// Where a person stands in the channel.
fn stands(channel: &pb::Channel, member: &str) -> pb::ChannelMemberState {
    let found = channel.members.iter().find(|one| one.member_id == member);
    found.expect("one of its people").state()
}

async fn until(scene: &Scene, id: &str, is_it: impl Fn(&pb::Channel) -> bool) -> pb::Channel {
    eventually(async || {
        let channel = get(scene, &owner(), id)
            .await
            .map_err(|status| status.to_string())?;
        if is_it(&channel) {
            Ok(channel)
        } else {
            Err(format!("{channel:?}"))
        }
    })
    .await
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
    assert_eq!(why(refusal.expect_err("Slack makes it")).fields[0].0, "link");
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

#[tokio::test]
async fn chn_030_kept_by_hand_the_link_is_given_and_people_say_that_they_came() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let without = scene.channels(&owner()).approve_channel(approve(&id)).await;
    assert_eq!(why(without.expect_err("where?")).fields[0].0, "link");
    let linked = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve(&id)
    };
    let approved = scene.channels(&owner()).approve_channel(linked.clone()).await;
    let approved = approved.expect("approved").into_inner().channel.expect("it");
    assert_eq!(
        (approved.state(), approved.link.as_str()),
        (pb::ChannelState::Active, "https://chat.example/nordwind")
    );
    assert_eq!(approved.decided_by, "mem-owner");
    let twice = scene.channels(&owner()).approve_channel(linked).await;
    assert_eq!(why(twice.expect_err("decided")).reason, "ILLEGAL_TRANSITION");
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    let join = pb::JoinChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let joined = scene.channels(&user()).join_channel(join.clone()).await;
    let joined = joined.expect("joined").into_inner().channel.expect("it");
    assert_eq!(stands(&joined, "mem-user"), pb::ChannelMemberState::Joined);
    let again = scene.channels(&user()).join_channel(join.clone()).await;
    assert_eq!(why(again.expect_err("is in it")).reason, "ILLEGAL_TRANSITION");
    let stranger = scene.channels(&lead(ALDER)).join_channel(join).await;
    assert_eq!(
        why(stranger.expect_err("was not asked")).reason,
        "CHANNEL_NOT_FOUND"
    );
    // Who does not come within fourteen days is not waited for.
    scene.app.clock.advance(TimeDelta::days(14));
    until(&scene, &id, |channel| {
        stands(channel, "mem-sales") == pb::ChannelMemberState::Expired
    })
    .await;
    let leave = pb::LeaveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let left = scene.channels(&user()).leave_channel(leave).await;
    assert_eq!(
        stands(&left.expect("left").into_inner().channel.expect("it"), "mem-user"),
        pb::ChannelMemberState::Left
    );
    let add = pb::AddChannelMembersRequest {
        channel_id: id.clone(),
        aws_member_ids: vec!["mem-sales".to_owned()],
        partner_member_ids: vec!["mem-user".to_owned()],
        ..Default::default()
    };
    let added = scene.channels(&owner()).add_channel_members(add).await;
    assert_eq!(
        added
            .expect("asked again")
            .into_inner()
            .channel
            .expect("it")
            .members
            .len(),
        2
    );
    until(&scene, &id, |channel| {
        stands(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    let archive = pb::ArchiveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let archived = scene.channels(&owner()).archive_channel(archive).await;
    assert_eq!(
        archived.expect("over").into_inner().channel.expect("it").state(),
        pb::ChannelState::Archived
    );
    // And the deal can have another one.
    ask(&scene, &["mem-user"]).await;
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_001_only_strategic_or_large_co_sell_deals_from_qualified_on() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let cases: [(&str, fn(&mut opportunity::Opportunity)); 5] = [
        ("REVIEW_STATUS", |record| {
            life(record).review_status = ReviewStatus::Submitted.into()
        }),
        ("INVOLVEMENT_TYPE", |record| {
            record.involvement_type = opportunity::InvolvementType::ForVisibilityOnly.into();
        }),
        ("STAGE", |record| {
            life(record).stage = opportunity::Stage::Prospect.into()
        }),
        ("STAGE", |record| {
            life(record).stage = opportunity::Stage::Launched.into()
        }),
        ("VALUE", |record| record.tags.clear()),
    ];
    let strategic = scene.records.lock().expect("records")[0].clone();
    for (cause, change) in cases {
        let mut record = strategic.clone();
        change(&mut record);
        *scene.records.lock().expect("records") = vec![record];
        let refusal = scene
            .channels(&user())
            .request_channel(request(&["mem-user"]))
            .await;
        let refusal = why(refusal.expect_err(cause));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_ELIGIBLE", cause)
        );
    }
    let mut large = deal();
    let spend = &mut large.project.get_or_insert_default().expected_customer_spend[0];
    spend.amount.get_or_insert_default().units = 10_000;
    *scene.records.lock().expect("records") = vec![large];
    let channel = ask(&scene, &["mem-user"]).await;
    let second = scene
        .channels(&user())
        .request_channel(request(&["mem-user"]))
        .await;
    let refusal = why(second.expect_err("one at a time"));
    assert_eq!(
        (refusal.code, refusal.metadata["channel_id"].as_str()),
        (Code::AlreadyExists, channel.channel_id.as_str())
    );
    scene.app.finish::<Collaboration>().await;
}

fn life(record: &mut opportunity::Opportunity) -> &mut opportunity::LifeCycle {
    record.life_cycle.get_or_insert_default()
}

#[tokio::test]
async fn chn_003_people_are_members_with_access_and_who_sees_decides_and_asks() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    for stranger in ["mem-nobody", "mem-sales", "mem-lead-222222222222"] {
        let refusal = scene
            .channels(&user())
            .request_channel(request(&["mem-user", stranger]))
            .await;
        assert_eq!(
            why(refusal.expect_err("not of Alder")).fields[0].0,
            "member_ids[1]"
        );
    }
    let foreign = scene
        .channels(&lead(BIRCH))
        .request_channel(request(&["mem-lead-222222222222"]))
        .await;
    assert_eq!(
        why(foreign.expect_err("of Alder")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    let repeated = request(&["mem-user"]);
    let first = scene.channels(&user()).request_channel(repeated.clone()).await;
    let again = scene.channels(&user()).request_channel(repeated).await;
    let channel = first.expect("asked for").into_inner().channel.expect("it");
    assert_eq!(
        again.expect("asked before").into_inner().channel,
        Some(channel.clone())
    );
    let id = &channel.channel_id;
    for caller in [user(), lead(ALDER), sales(), owner(), service("notification")] {
        assert!(get(&scene, &caller, id).await.is_ok(), "{caller:?}");
    }
    let other = partner("mem-other", ALDER, Role::AceUser);
    for (caller, reason) in [
        (lead(BIRCH), "CHANNEL_NOT_FOUND"),
        (other, "CHANNEL_NOT_FOUND"),
        (aws("mem-reviewer", Role::Reviewer), "ROLE_NOT_PERMITTED"),
        (service("review"), "ROLE_NOT_PERMITTED"),
    ] {
        let refusal = get(&scene, &caller, id).await.expect_err("not its");
        assert_eq!(why(refusal).reason, reason, "{caller:?}");
    }
    for caller in [user(), lead(ALDER), sales()] {
        let refusal = scene.channels(&caller).approve_channel(approve(id)).await;
        assert_eq!(
            why(refusal.expect_err("not its to grant")).reason,
            "ROLE_NOT_PERMITTED"
        );
    }
    let decline = pb::DeclineChannelRequest {
        channel_id: id.clone(),
        text: "Not now".to_owned(),
        etag: "\"7\"".to_owned(),
        ..Default::default()
    };
    let stale = scene.channels(&owner()).decline_channel(decline.clone()).await;
    assert_eq!(why(stale.expect_err("stale")).reason, "ETAG_MISMATCH");
    let rehearsed = pb::DeclineChannelRequest {
        etag: String::new(),
        validate_only: true,
        ..decline.clone()
    };
    scene
        .channels(&owner())
        .decline_channel(rehearsed)
        .await
        .expect("would work");
    assert_eq!(
        get(&scene, &user(), id).await.expect("it").state(),
        pb::ChannelState::Requested
    );
    let declined = pb::DeclineChannelRequest {
        etag: channel.etag.clone(),
        ..decline
    };
    scene
        .channels(&owner())
        .decline_channel(declined)
        .await
        .expect("declined");
    let seen = get(&scene, &user(), id).await.expect("it");
    assert_eq!(
        (seen.state(), seen.decline_text.as_str()),
        (pb::ChannelState::Declined, "Not now")
    );
    assert_eq!(scene.told(ALDER, "channel_declined").await, 1);
    let listed = pb::ListChannelsRequest::default();
    for (caller, expected) in [(user(), 1), (lead(BIRCH), 0), (sales(), 1)] {
        let answer = scene.channels(&caller).list_channels(listed.clone()).await;
        assert_eq!(
            answer.expect("a list").into_inner().channels.len(),
            expected,
            "{caller:?}"
        );
    }
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_012_who_does_not_want_to_be_asked_is_not() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let opt = |opted_out: bool| pb::UpdateChannelPreferencesRequest {
        preferences: Some(pb::ChannelPreferences { opted_out }),
        request_id: request_id(),
        ..Default::default()
    };
    scene
        .channels(&sales())
        .update_channel_preferences(opt(true))
        .await
        .expect("noted");
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    // Waited for: it is taken off at once.
    scene
        .channels(&user())
        .update_channel_preferences(opt(true))
        .await
        .expect("noted");
    assert_eq!(
        stands(&get(&scene, &owner(), &id).await.expect("it"), "mem-user"),
        pb::ChannelMemberState::OptedOut
    );
    let linked = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve(&id)
    };
    scene
        .channels(&owner())
        .approve_channel(linked)
        .await
        .expect("approved");
    until(&scene, &id, |channel| {
        stands(channel, "mem-sales") == pb::ChannelMemberState::OptedOut
    })
    .await;
    scene
        .channels(&user())
        .update_channel_preferences(opt(false))
        .await
        .expect("noted");
    let wants = scene
        .channels(&user())
        .get_channel_preferences(pb::GetChannelPreferencesRequest {})
        .await;
    assert!(
        !wants
            .expect("preferences")
            .into_inner()
            .preferences
            .expect("them")
            .opted_out
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn acc_020_channels_of_a_company_are_its_own_and_of_aws() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    ask(&scene, &["mem-user"]).await;
    let opt = pb::UpdateChannelPreferencesRequest {
        preferences: Some(pb::ChannelPreferences { opted_out: true }),
        ..Default::default()
    };
    scene
        .channels(&lead(ALDER))
        .update_channel_preferences(opt)
        .await
        .expect("noted");
    for (table, alder, birch, aws, services, system) in [
        ("channel", 1, 0, 1, 1, 1),
        ("channel_member", 1, 0, 1, 0, 1),
        ("channel_opt_out", 0, 0, 0, 0, 1),
    ] {
        for (scope, expected) in [
            (Some((ALDER, "partner")), alder),
            (Some((BIRCH, "partner")), birch),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some((AWS, "aws")), aws),
            (Some(("", "service")), services),
            (Some((ALDER, "system")), system),
            (Some(("", "system")), 0),
        ] {
            let seen = scene
                .app
                .database
                .visible("collaboration_app", scope, table)
                .await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    scene.app.finish::<Collaboration>().await;
}
