//! Channels: who asks for them, who grants them, who is in them; and those that are kept by hand.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{aws, eventually, partner, refused, service};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{ALDER, BIRCH, DEAL, Scene, deal, lead, request_id, sales, why};

const AWS: &str = "999999999999";

pub fn owner() -> Caller {
    aws("mem-owner", Role::AccountOwner)
}

/// A member of Alder who is asked to channels.
pub fn user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

/// Everybody is known, and the deal is strategic.
pub async fn prepare(scene: &Scene) {
    scene.summary.lock().expect("the summary").strategic = Some(true);
    for caller in [user(), owner(), sales(), lead(ALDER)] {
        scene.list(&caller).await;
    }
}

pub fn request(members: &[&str]) -> pb::RequestChannelRequest {
    pb::RequestChannelRequest {
        opportunity_id: DEAL.to_owned(),
        member_ids: members.iter().map(ToString::to_string).collect(),
        purpose: "The migration of Nordwind".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub async fn ask(scene: &Scene, members: &[&str]) -> pb::Channel {
    let answer = scene.channels(&user()).request_channel(request(members)).await;
    answer
        .expect("asked for")
        .into_inner()
        .channel
        .expect("a channel")
}

pub fn approve(id: &str) -> pb::ApproveChannelRequest {
    pb::ApproveChannelRequest {
        channel_id: id.to_owned(),
        aws_member_ids: vec!["mem-sales".to_owned()],
        ..Default::default()
    }
}

pub async fn get(scene: &Scene, caller: &Caller, id: &str) -> Result<pb::Channel, tonic::Status> {
    let request = pb::GetChannelRequest {
        channel_id: id.to_owned(),
        account_id: ALDER.to_owned(),
    };
    let answer = scene.channels(caller).get_channel(request).await?;
    Ok(answer.into_inner().channel.expect("the channel"))
}

/// Where a person stands in the channel.
pub fn stands(channel: &pb::Channel, member: &str) -> pb::ChannelMemberState {
    let found = channel.members.iter().find(|one| one.member_id == member);
    found.expect("one of its people").state()
}

pub async fn until(scene: &Scene, id: &str, is_it: impl Fn(&pb::Channel) -> bool) -> pb::Channel {
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

#[tokio::test]
async fn chn_030_kept_by_hand_the_link_is_given_and_people_say_that_they_came() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let without = scene.channels(&owner()).approve_channel(approve(&id)).await;
    assert_eq!(why(&without.expect_err("where?")).fields[0].0, "link");
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
    assert_eq!(why(&twice.expect_err("decided")).reason, "ILLEGAL_TRANSITION");
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
    assert_eq!(why(&again.expect_err("is in it")).reason, "ILLEGAL_TRANSITION");
    let stranger = scene.channels(&lead(ALDER)).join_channel(join).await;
    assert_eq!(
        why(&stranger.expect_err("was not asked")).reason,
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
async fn chn_001_002_only_strategic_or_large_co_sell_deals_from_qualified_on() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    type Change = fn(&mut opportunity::Opportunity);
    let cases: [(&str, Change); 4] = [
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
        let refusal = why(&refusal.expect_err(cause));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_ELIGIBLE", cause)
        );
    }
    *scene.records.lock().expect("records") = vec![strategic];
    scene.summary.lock().expect("the summary").strategic = Some(false);
    let small = scene
        .channels(&user())
        .request_channel(request(&["mem-user"]))
        .await;
    assert_eq!(why(&small.expect_err("too small")).metadata["cause"], "VALUE");
    let mut large = deal();
    let spend = &mut large.project.get_or_insert_default().expected_customer_spend[0];
    spend.amount.get_or_insert_default().units = 10_000;
    *scene.records.lock().expect("records") = vec![large];
    let channel = ask(&scene, &["mem-user"]).await;
    let second = scene
        .channels(&user())
        .request_channel(request(&["mem-user"]))
        .await;
    let refusal = why(&second.expect_err("one at a time"));
    assert_eq!(refusal.reason, "CHANNEL_EXISTS");
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
            why(&refusal.expect_err("not of Alder")).fields[0].0,
            "member_ids[1]"
        );
    }
    let foreign = scene
        .channels(&lead(BIRCH))
        .request_channel(request(&["mem-lead-222222222222"]))
        .await;
    assert_eq!(
        why(&foreign.expect_err("of Alder")).reason,
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
        assert_eq!(why(&refusal).reason, reason, "{caller:?}");
    }
    for caller in [user(), lead(ALDER), sales()] {
        let refusal = scene.channels(&caller).approve_channel(approve(id)).await;
        assert_eq!(
            why(&refusal.expect_err("not its to grant")).reason,
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
    assert_eq!(why(&stale.expect_err("stale")).reason, "ETAG_MISMATCH");
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
        opted_out: Some(opted_out),
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
    let wants = wants.expect("preferences").into_inner().channel_preferences;
    let wants = wants.expect("them");
    assert_eq!((wants.opted_out, wants.etag.as_str()), (false, "\"2\""));
    // The second time with one etag somebody else has been faster, also where that was the caller itself (PLT-003).
    let stale = pb::UpdateChannelPreferencesRequest {
        etag: "\"1\"".to_owned(),
        ..opt(true)
    };
    let answer = scene.channels(&user()).update_channel_preferences(stale).await;
    refused(answer, Code::Aborted, "ETAG_MISMATCH");
    let current = pb::UpdateChannelPreferencesRequest {
        etag: wants.etag,
        ..opt(true)
    };
    let answer = scene.channels(&user()).update_channel_preferences(current).await;
    let wants = answer
        .expect("noted")
        .into_inner()
        .channel_preferences
        .expect("them");
    assert_eq!((wants.opted_out, wants.etag.as_str()), (true, "\"3\""));
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn acc_020_channels_of_a_company_are_its_own_and_of_aws() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    ask(&scene, &["mem-user"]).await;
    let opt = pb::UpdateChannelPreferencesRequest {
        opted_out: Some(true),
        ..Default::default()
    };
    scene
        .channels(&lead(ALDER))
        .update_channel_preferences(opt)
        .await
        .expect("noted");
    for (table, alder, birch, aws, services, system) in [
        ("channel", 1, 0, 1, 0, 1),
        ("channel_member", 1, 0, 1, 0, 1),
        ("channel_preference", 1, 0, 0, 0, 1),
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
