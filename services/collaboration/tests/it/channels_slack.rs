//! Covers channels with the Slack provider against a fake Slack server that sends callbacks: the full lifecycle,
//! failures, several replicas, archival during creation, and reconfiguration (CHN-010 to CHN-013, CHN-020, CHN-030).

use std::net::{SocketAddr, TcpListener};

use chrono::TimeDelta;
use cosell_collaboration::provider::ProviderKind;
use cosell_collaboration::{Collaboration, Options};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::{Setup, eventually, folder};
use cosell_testkit::slack::{BOT, InjectedFault, Slack, TOKEN, click_payload, event_payload, post_callback};
use serde_json::json;

use crate::channels::{
    account_owner, approve_request, get_channel, member_state, prepare, request_channel, wait_for_channel,
};
use crate::support::{ALDER, OPPORTUNITY_ID, Scenario, parse_refusal, request_id, sales};

const SECRET: &str = "signing-secret";

/// Starts the service with a fake Slack server, and returns the address for its callbacks.
async fn start_with_slack() -> (Scenario, Slack, SocketAddr) {
    let slack = Slack::start().await.expect("a Slack");
    let (url, mut address) = (slack.url(), None);
    let scenario = Scenario::with_options(|options| address = Some(configure_slack(options, url))).await;
    prepare(&scenario).await;
    (scenario, slack, address.expect("an address"))
}

/// Configures Slack and a free address for its callbacks, which is returned.
fn configure_slack(options: &mut Options, url: String) -> SocketAddr {
    let files = folder("slack");
    std::fs::write(files.join("token"), TOKEN).expect("a token");
    std::fs::write(files.join("secret"), SECRET).expect("a secret");
    options.provider.channel_provider = ProviderKind::Slack;
    options.provider.slack_url = url;
    options.provider.slack_token_file = Some(files.join("token"));
    options.provider.slack_signing_secret_file = Some(files.join("secret"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    options.provider.listen_on(listener).expect("an address")
}

/// Sends a signed callback as Slack does.
async fn send_callback(scenario: &Scenario, to: SocketAddr, path: &str, body: &str) {
    let now = scenario.app.clock.now().timestamp();
    let (status, response) = post_callback((to, path), SECRET, now, body, 0)
        .await
        .expect("a response");
    assert_eq!(status, 200, "{response}");
}

async fn send_member_joined(scenario: &Scenario, to: SocketAddr, channel: &str, user: &str) {
    let event = json!({ "type": "member_joined_channel", "channel": channel, "user": user });
    send_callback(scenario, to, "/slack/events", &event_payload(&event)).await;
}

#[tokio::test]
async fn chn_020_slack_channel_lifecycle_from_request_to_archival() {
    let (scenario, slack, to) = start_with_slack().await;
    let jane = slack.add_user(Some("mem-user@example.com"), true);
    let vera = slack.add_colleague("mem-sales@example.com");
    let requested = request_channel(&scenario, &["mem-user", "mem-lead-111111111111"]).await;
    assert_eq!(
        (requested.state(), requested.link.as_str()),
        (pb::ChannelState::Requested, "")
    );
    let id = requested.channel_id;
    let with_link = pb::ApproveChannelRequest {
        link: "https://elsewhere.example/".to_owned(),
        ..approve_request(&id)
    };
    let refusal = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link)
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a link for a Slack channel")).fields[0].0,
        "link"
    );
    scenario
        .channel_client(&account_owner())
        .approve_channel(approve_request(&id))
        .await
        .expect("an approved channel");
    let channel = wait_for_channel(&scenario, &id, |channel| {
        channel
            .members
            .iter()
            .all(|member| member.state() == pb::ChannelMemberState::Invited)
    })
    .await;
    assert_eq!(channel.state(), pb::ChannelState::Active);
    let slack_channel = slack.channels()[0].clone();
    assert_eq!(
        channel.link,
        format!("https://cosell-test.slack.com/archives/{}", slack_channel.id)
    );
    assert_eq!((slack_channel.pins.len(), slack_channel.invites.len()), (1, 2));
    assert!(
        slack_channel.members.contains(&vera),
        "a member of the AWS workspace must be added directly"
    );

    // Users with an invited address join the channel; repeated callbacks change nothing.
    slack.join(&slack_channel.id, &jane);
    for _ in 0..2 {
        send_member_joined(&scenario, to, &slack_channel.id, &jane).await;
        send_member_joined(&scenario, to, &slack_channel.id, &vera).await;
    }
    // Users with another, no, or an unconfirmed address are removed.
    for (email, is_confirmed) in [
        (Some("eve@example.com"), true),
        (None, true),
        (Some("mem-lead-111111111111@example.com"), false),
    ] {
        let uninvited = slack.add_user(email, is_confirmed);
        slack.join(&slack_channel.id, &uninvited);
        send_member_joined(&scenario, to, &slack_channel.id, &uninvited).await;
        assert!(!slack.channels()[0].members.contains(&uninvited), "{email:?}");
    }
    slack.join(&slack_channel.id, BOT);
    send_member_joined(&scenario, to, &slack_channel.id, BOT).await;
    assert!(
        slack.channels()[0].members.contains(BOT),
        "the bot must stay in the channel"
    );
    let channel = get_channel(&scenario, &account_owner(), &id)
        .await
        .expect("a response");
    assert_eq!(member_state(&channel, "mem-user"), pb::ChannelMemberState::Joined);
    assert_eq!(
        member_state(&channel, "mem-sales"),
        pb::ChannelMemberState::Joined
    );

    // The leave action of the welcome message removes the member; a repeated callback changes nothing.
    for _ in 0..2 {
        send_callback(
            &scenario,
            to,
            "/slack/interactions",
            &click_payload("leave", &slack_channel.id, &jane),
        )
        .await;
    }
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-user") == pb::ChannelMemberState::Left
    })
    .await;
    eventually(async || {
        if slack.channels()[0].members.contains(&jane) {
            Err("the user is still in the channel".to_owned())
        } else {
            Ok(())
        }
    })
    .await;
    // A member that opts out stays in the channel and is invited to no other one.
    send_callback(
        &scenario,
        to,
        "/slack/interactions",
        &click_payload("opt_out", &slack_channel.id, &vera),
    )
    .await;
    let preferences = scenario
        .channel_client(&sales())
        .get_channel_preferences(pb::GetChannelPreferencesRequest {})
        .await;
    assert!(
        preferences
            .expect("a response")
            .into_inner()
            .channel_preferences
            .expect("channel preferences")
            .opted_out
    );

    // Launching the opportunity archives the channel.
    let event = opportunity::OpportunityStageChanged {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        stage: opportunity::Stage::Launched.into(),
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, OPPORTUNITY_ID, 1, &event)
        .await;
    wait_for_channel(&scenario, &id, |channel| {
        channel.state() == pb::ChannelState::Archived
    })
    .await;
    eventually(async || match slack.channels()[0].is_archived {
        true => Ok(()),
        false => Err("the channel is not archived".to_owned()),
    })
    .await;
    let forged = post_callback(
        (to, "/slack/events"),
        "another secret",
        scenario.app.clock.now().timestamp(),
        "{}",
        0,
    )
    .await;
    assert_eq!(forged.expect("a response").0, 401);
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_020_failed_slack_calls_are_retried_without_duplicates() {
    let (scenario, slack, _) = start_with_slack().await;
    slack.inject_faults(
        "conversations.create",
        &[InjectedFault::LostAnswer, InjectedFault::RateLimited(1)],
    );
    slack.inject_faults("chat.postMessage", &[InjectedFault::Status(503)]);
    slack.inject_faults(
        "conversations.inviteShared",
        &[InjectedFault::LostAnswer, InjectedFault::Error("invalid_email")],
    );
    let id = request_channel(&scenario, &["mem-user", "mem-lead-111111111111"])
        .await
        .channel_id;
    let without_aws_members = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve_request(&id)
    };
    scenario
        .channel_client(&account_owner())
        .approve_channel(without_aws_members)
        .await
        .expect("an approved channel");
    let stuck = wait_for_channel(&scenario, &id, |channel| !channel.last_failure.is_empty()).await;
    assert_eq!(
        (stuck.state(), stuck.last_failure.as_str()),
        (pb::ChannelState::Approved, "unavailable")
    );
    // The clock advances past each retry pause.
    let done = eventually(async || {
        scenario.app.clock.advance(TimeDelta::seconds(31));
        let channel = get_channel(&scenario, &account_owner(), &id)
            .await
            .map_err(|status| status.to_string())?;
        let has_uninvited = channel
            .members
            .iter()
            .any(|member| member.state() == pb::ChannelMemberState::Selected);
        if channel.state() == pb::ChannelState::Active && !has_uninvited {
            Ok(channel)
        } else {
            Err(format!("{channel:?}"))
        }
    })
    .await;
    assert_eq!(
        slack.channels().len(),
        1,
        "the channel must be found, not created again"
    );
    assert_eq!(
        slack.channels()[0].invites.len(),
        1,
        "each member must be invited once"
    );
    let states: Vec<_> = done.members.iter().map(pb::ChannelMember::state).collect();
    assert!(states.contains(&pb::ChannelMemberState::Invited), "{states:?}");
    assert!(
        states.contains(&pb::ChannelMemberState::Expired),
        "{states:?}: a refused member must not block the others"
    );
    scenario.app.finish::<Collaboration>().await;
}

/// Requests and approves a channel, and waits until Slack has received a call of the given method.
async fn approve_and_wait_for_call(scenario: &Scenario, slack: &Slack, method: &str) -> String {
    let id = request_channel(scenario, &["mem-user"]).await.channel_id;
    let without_aws_members = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve_request(&id)
    };
    let approved = scenario
        .channel_client(&account_owner())
        .approve_channel(without_aws_members)
        .await;
    approved.expect("an approved channel");
    eventually(async || match slack.calls(method).len() {
        0 => Err(format!("no {method}")),
        _ => Ok(()),
    })
    .await;
    id
}

#[tokio::test]
async fn chn_020_two_replicas_run_each_step_once() {
    let (scenario, slack, _) = start_with_slack().await;
    let mut options = Options::new("http://127.0.0.1:9".to_owned());
    configure_slack(&mut options, slack.url());
    let replica = Setup::replica_of(&scenario.app)
        .start_on::<Collaboration>(scenario.app.database.shared(), options)
        .await;
    // Both replicas poll for due steps every second, and Slack responds later than that.
    slack.inject_faults(
        "pins.list",
        &[InjectedFault::Late(2500), InjectedFault::Late(2500)],
    );
    slack.inject_faults(
        "conversations.inviteShared",
        &[InjectedFault::Late(2500), InjectedFault::Late(2500)],
    );
    let id = approve_and_wait_for_call(&scenario, &slack, "pins.list").await;
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    let slack_channel = slack.channels()[0].clone();
    assert_eq!(
        (
            slack_channel.messages.len(),
            slack_channel.pins.len(),
            slack_channel.invites.len()
        ),
        (1, 1, 1)
    );
    for method in ["conversations.create", "pins.list", "conversations.inviteShared"] {
        assert_eq!(slack.calls(method).len(), 1, "{method}");
    }
    assert_eq!(scenario.event_count(ALDER, "channel_activated").await, 1);
    replica.finish::<Collaboration>().await;
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_010_channel_archived_during_creation_stays_archived() {
    let (scenario, slack, _) = start_with_slack().await;
    slack.inject_faults("chat.postMessage", &[InjectedFault::Late(1500)]);
    let id = approve_and_wait_for_call(&scenario, &slack, "chat.postMessage").await;
    let archive = pb::ArchiveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let archived = scenario
        .channel_client(&account_owner())
        .archive_channel(archive)
        .await;
    archived.expect("an archived channel");
    eventually(async || match slack.channels()[0].is_archived {
        true => Ok(()),
        false => Err("the channel is not archived".to_owned()),
    })
    .await;
    eventually(async || match slack.calls("pins.add").len() {
        0 => Err("the message is not pinned yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    let channel = wait_for_channel(&scenario, &id, |channel| channel.last_failure.is_empty()).await;
    assert_eq!(channel.state(), pb::ChannelState::Archived);
    assert_eq!(scenario.event_count(ALDER, "channel_activated").await, 0);
    assert_eq!(slack.channels()[0].invites.len(), 0);
    scenario.app.finish::<Collaboration>().await;
}

/// The operator configures another provider while channels exist.
#[tokio::test]
async fn chn_030_channel_keeps_its_provider_after_reconfiguration() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    sqlx::query("UPDATE channel SET record = jsonb_set(record, '{provider}', '\"SLACK\"')")
        .execute(&mut admin)
        .await
        .expect("a Slack channel");
    let without_aws_members = pb::ApproveChannelRequest {
        aws_member_ids: Vec::new(),
        ..approve_request(&id)
    };
    let approved = scenario
        .channel_client(&account_owner())
        .approve_channel(without_aws_members)
        .await;
    approved.expect("an approved channel");
    let blocked = wait_for_channel(&scenario, &id, |channel| !channel.last_failure.is_empty()).await;
    assert_eq!(
        (blocked.state(), blocked.last_failure.as_str()),
        (pb::ChannelState::Approved, "provider_not_set_up")
    );
    // Work that needs no provider continues: the invitation expires.
    let invited = "UPDATE channel SET due_time = '2026-01-01', state = 'ACTIVE', record =
        jsonb_set(jsonb_set(record, '{state}', '\"ACTIVE\"'), '{members,0,state}', '\"INVITED\"')";
    sqlx::query(invited)
        .execute(&mut admin)
        .await
        .expect("an invited member");
    scenario.app.clock.advance(TimeDelta::days(14));
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-user") == pb::ChannelMemberState::Expired
    })
    .await;
    scenario.app.finish::<Collaboration>().await;

    let (scenario, slack, _) = start_with_slack().await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    sqlx::query("UPDATE channel SET record = jsonb_set(record, '{provider}', '\"MANUAL\"')")
        .execute(&mut admin)
        .await
        .expect("a manual channel");
    let with_link = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve_request(&id)
    };
    let approved = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link)
        .await;
    approved.expect("an approved channel");
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    assert_eq!(slack.channels().len(), 0);
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_013_channel_of_closed_opportunity_is_not_approved() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let with_link = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        request_id: request_id(),
        ..approve_request(&id)
    };
    let set_stage = |stage: opportunity::Stage| {
        let mut records = scenario.records.lock().expect("records");
        records[0].life_cycle.get_or_insert_default().stage = stage.into();
    };
    set_stage(opportunity::Stage::ClosedLost);
    let refusal = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link.clone())
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a closed opportunity")).reason,
        "NOT_ELIGIBLE"
    );
    set_stage(opportunity::Stage::Committed);
    let approved = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link.clone())
        .await;
    approved.expect("an approved channel");
    // A repeated request succeeds, whatever the current stage of the opportunity.
    set_stage(opportunity::Stage::Launched);
    let again = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link)
        .await;
    again.expect("a repeated request");
    scenario.app.finish::<Collaboration>().await;
}
