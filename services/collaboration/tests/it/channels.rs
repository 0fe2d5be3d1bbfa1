//! Covers channels through the API: requests, eligibility, approval, members, opt-out, row-level security, and the
//! manual provider (CHN-001 to CHN-005, CHN-010 to CHN-013, CHN-030).

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_proto::google::r#type::Money;
use cosell_testkit::harness::{aws, eventually, partner, service};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, OPPORTUNITY_ID, Scenario, alliance_lead, approved_opportunity, parse_refusal, request_id,
    sales,
};

pub fn account_owner() -> Caller {
    aws("mem-owner", Role::AccountOwner)
}

/// An ACE user of Alder who requests channels and is invited to them.
pub fn ace_user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

/// Adds all members to the replica, and marks the opportunity as strategic.
pub async fn prepare(scenario: &Scenario) {
    scenario.summary.lock().expect("the summary").strategic = Some(true);
    for caller in [ace_user(), account_owner(), sales(), alliance_lead(ALDER)] {
        scenario.list_engagements(&caller).await;
    }
}

pub fn channel_request(members: &[&str]) -> pb::RequestChannelRequest {
    pb::RequestChannelRequest {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        member_ids: members.iter().map(ToString::to_string).collect(),
        purpose: "The migration of Nordwind".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub async fn request_channel(scenario: &Scenario, members: &[&str]) -> pb::Channel {
    let response = scenario
        .channel_client(&ace_user())
        .request_channel(channel_request(members))
        .await;
    response
        .expect("a requested channel")
        .into_inner()
        .channel
        .expect("a channel")
}

pub fn approve_request(id: &str) -> pb::ApproveChannelRequest {
    pb::ApproveChannelRequest {
        channel_id: id.to_owned(),
        aws_member_ids: vec!["mem-sales".to_owned()],
        ..Default::default()
    }
}

pub async fn get_channel(
    scenario: &Scenario,
    caller: &Caller,
    id: &str,
) -> Result<pb::Channel, tonic::Status> {
    let request = pb::GetChannelRequest {
        channel_id: id.to_owned(),
        account_id: ALDER.to_owned(),
    };
    let response = scenario.channel_client(caller).get_channel(request).await?;
    Ok(response.into_inner().channel.expect("the channel"))
}

/// The state of a channel member.
pub fn member_state(channel: &pb::Channel, member: &str) -> pb::ChannelMemberState {
    let found = channel.members.iter().find(|entry| entry.member_id == member);
    found.expect("a channel member").state()
}

pub async fn wait_for_channel(
    scenario: &Scenario,
    id: &str,
    matches: impl Fn(&pb::Channel) -> bool,
) -> pb::Channel {
    eventually(async || {
        let channel = get_channel(scenario, &account_owner(), id)
            .await
            .map_err(|status| status.to_string())?;
        if matches(&channel) {
            Ok(channel)
        } else {
            Err(format!("{channel:?}"))
        }
    })
    .await
}

#[tokio::test]
async fn chn_030_manual_channel_needs_link_and_members_confirm_joining() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let without_link = scenario
        .channel_client(&account_owner())
        .approve_channel(approve_request(&id))
        .await;
    assert_eq!(
        parse_refusal(&without_link.expect_err("a refusal without a link")).fields[0].0,
        "link"
    );
    let with_link = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve_request(&id)
    };
    let approved = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link.clone())
        .await;
    let approved = approved
        .expect("an approved channel")
        .into_inner()
        .channel
        .expect("a channel");
    assert_eq!(
        (approved.state(), approved.link.as_str()),
        (pb::ChannelState::Active, "https://chat.example/nordwind")
    );
    assert_eq!(approved.decided_by, "mem-owner");
    let approved_again = scenario
        .channel_client(&account_owner())
        .approve_channel(with_link)
        .await;
    assert_eq!(
        parse_refusal(&approved_again.expect_err("a decided request")).reason,
        "ILLEGAL_TRANSITION"
    );
    // Both, because an invitation that is sent after the clock has advanced does not expire.
    wait_for_channel(&scenario, &id, |channel| {
        ["mem-user", "mem-sales"]
            .iter()
            .all(|member| member_state(channel, member) == pb::ChannelMemberState::Invited)
    })
    .await;
    let join = pb::JoinChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let joined = scenario
        .channel_client(&ace_user())
        .join_channel(join.clone())
        .await;
    let joined = joined
        .expect("a joined member")
        .into_inner()
        .channel
        .expect("a channel");
    assert_eq!(member_state(&joined, "mem-user"), pb::ChannelMemberState::Joined);
    let again = scenario
        .channel_client(&ace_user())
        .join_channel(join.clone())
        .await;
    assert_eq!(
        parse_refusal(&again.expect_err("a member that has joined")).reason,
        "ILLEGAL_TRANSITION"
    );
    let not_invited = scenario
        .channel_client(&alliance_lead(ALDER))
        .join_channel(join)
        .await;
    assert_eq!(
        parse_refusal(&not_invited.expect_err("a member without an invitation")).reason,
        "CHANNEL_NOT_FOUND"
    );
    // The invitation of a member who does not join expires after fourteen days.
    scenario.app.clock.advance(TimeDelta::days(14));
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-sales") == pb::ChannelMemberState::Expired
    })
    .await;
    let leave = pb::LeaveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let left = scenario.channel_client(&ace_user()).leave_channel(leave).await;
    assert_eq!(
        member_state(
            &left
                .expect("a departure")
                .into_inner()
                .channel
                .expect("a channel"),
            "mem-user"
        ),
        pb::ChannelMemberState::Left
    );
    let add = pb::AddChannelMembersRequest {
        channel_id: id.clone(),
        aws_member_ids: vec!["mem-sales".to_owned()],
        partner_member_ids: vec!["mem-user".to_owned()],
        ..Default::default()
    };
    let added = scenario
        .channel_client(&account_owner())
        .add_channel_members(add)
        .await;
    assert_eq!(
        added
            .expect("added members")
            .into_inner()
            .channel
            .expect("a channel")
            .members
            .len(),
        2
    );
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-user") == pb::ChannelMemberState::Invited
    })
    .await;
    let archive = pb::ArchiveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let archived = scenario
        .channel_client(&account_owner())
        .archive_channel(archive)
        .await;
    assert_eq!(
        archived
            .expect("an archived channel")
            .into_inner()
            .channel
            .expect("a channel")
            .state(),
        pb::ChannelState::Archived
    );
    // The opportunity can have another channel.
    request_channel(&scenario, &["mem-user"]).await;
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_001_002_channel_requires_eligible_opportunity_and_is_unique() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    type Change = fn(&mut opportunity::Opportunity);
    let cases: [(&str, Change); 4] = [
        ("REVIEW_STATUS", |record| {
            life_cycle(record).review_status = ReviewStatus::Submitted.into()
        }),
        ("INVOLVEMENT_TYPE", |record| {
            record.involvement_type = opportunity::InvolvementType::ForVisibilityOnly.into();
        }),
        ("STAGE", |record| {
            life_cycle(record).stage = opportunity::Stage::Prospect.into()
        }),
        ("STAGE", |record| {
            life_cycle(record).stage = opportunity::Stage::Launched.into()
        }),
    ];
    let strategic = scenario.records.lock().expect("records")[0].clone();
    for (cause, change) in cases {
        let mut record = strategic.clone();
        change(&mut record);
        *scenario.records.lock().expect("records") = vec![record];
        let refusal = scenario
            .channel_client(&ace_user())
            .request_channel(channel_request(&["mem-user"]))
            .await;
        let refusal = parse_refusal(&refusal.expect_err(cause));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_ELIGIBLE", cause)
        );
    }
    *scenario.records.lock().expect("records") = vec![strategic];
    scenario.summary.lock().expect("the summary").strategic = Some(false);
    let small = scenario
        .channel_client(&ace_user())
        .request_channel(channel_request(&["mem-user"]))
        .await;
    assert_eq!(
        parse_refusal(&small.expect_err("a small opportunity")).metadata["cause"],
        "VALUE"
    );
    state_aws_spend(&scenario, &[("AWS", 10_000)]);
    let channel = request_channel(&scenario, &["mem-user"]).await;
    let second = scenario
        .channel_client(&ace_user())
        .request_channel(channel_request(&["mem-user"]))
        .await;
    let refusal = parse_refusal(&second.expect_err("an existing channel"));
    assert_eq!(refusal.reason, "CHANNEL_EXISTS");
    assert_eq!(
        (refusal.code, refusal.metadata["channel_id"].as_str()),
        (Code::AlreadyExists, channel.channel_id.as_str())
    );
    scenario.app.finish::<Collaboration>().await;
}

/// The value of an opportunity is what AWS states, whatever the partner states.
#[tokio::test]
async fn chn_001_partners_own_spend_of_any_size_does_not_make_eligible() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    scenario.summary.lock().expect("the summary").strategic = None;
    let mut large = approved_opportunity();
    let spend = &mut large.project.get_or_insert_default().expected_customer_spend[0];
    spend.amount.get_or_insert_default().units = i64::MAX;
    *scenario.records.lock().expect("records") = vec![large];
    let mut client = scenario.channel_client(&ace_user());
    // Spend with the partner itself is not spend with AWS.
    for aws_spend in [&[][..], &[("AWS", 9_999)], &[("AWS", 5_000), ("Self", 1_000_000)]] {
        state_aws_spend(&scenario, aws_spend);
        let refused = client.request_channel(channel_request(&["mem-user"])).await;
        let refusal = parse_refusal(&refused.expect_err("an opportunity of little value for AWS"));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_ELIGIBLE", "VALUE"),
            "{aws_spend:?}"
        );
    }
    state_aws_spend(&scenario, &[("AWS", 4_000), ("AWS", 6_000)]);
    request_channel(&scenario, &["mem-user"]).await;
    scenario.app.finish::<Collaboration>().await;
}

/// Sets the spend that AWS expects, as target companies and monthly amounts.
fn state_aws_spend(scenario: &Scenario, amounts: &[(&str, i64)]) {
    let entry = |(target, units): &(&str, i64)| opportunity::ExpectedCustomerSpend {
        amount: Some(Money {
            currency_code: "USD".to_owned(),
            units: *units,
            nanos: 0,
        }),
        target_company: (*target).to_owned(),
        ..Default::default()
    };
    let mut summary = scenario.summary.lock().expect("the summary");
    summary.project = Some(opportunity::AwsProject {
        expected_customer_spend: amounts.iter().map(entry).collect(),
        ..Default::default()
    });
}

fn life_cycle(record: &mut opportunity::Opportunity) -> &mut opportunity::LifeCycle {
    record.life_cycle.get_or_insert_default()
}

#[tokio::test]
async fn chn_003_channel_members_need_access_and_only_account_owners_decide() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    for ineligible in ["mem-unknown", "mem-sales", "mem-lead-222222222222"] {
        let refusal = scenario
            .channel_client(&ace_user())
            .request_channel(channel_request(&["mem-user", ineligible]))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("an ineligible member")).fields[0].0,
            "member_ids[1]"
        );
    }
    let other_account = scenario
        .channel_client(&alliance_lead(BIRCH))
        .request_channel(channel_request(&["mem-lead-222222222222"]))
        .await;
    assert_eq!(
        parse_refusal(&other_account.expect_err("an opportunity of another account")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    let repeated = channel_request(&["mem-user"]);
    let first = scenario
        .channel_client(&ace_user())
        .request_channel(repeated.clone())
        .await;
    let again = scenario
        .channel_client(&ace_user())
        .request_channel(repeated)
        .await;
    let channel = first
        .expect("a requested channel")
        .into_inner()
        .channel
        .expect("a channel");
    assert_eq!(
        again.expect("a repeated request").into_inner().channel,
        Some(channel.clone())
    );
    let id = &channel.channel_id;
    for caller in [
        ace_user(),
        alliance_lead(ALDER),
        sales(),
        account_owner(),
        service("notification"),
    ] {
        assert!(get_channel(&scenario, &caller, id).await.is_ok(), "{caller:?}");
    }
    let other = partner("mem-other", ALDER, Role::AceUser);
    for (caller, reason) in [
        (alliance_lead(BIRCH), "CHANNEL_NOT_FOUND"),
        (other, "CHANNEL_NOT_FOUND"),
        (aws("mem-reviewer", Role::Reviewer), "ROLE_NOT_PERMITTED"),
        (service("review"), "ROLE_NOT_PERMITTED"),
    ] {
        let refusal = get_channel(&scenario, &caller, id)
            .await
            .expect_err("an invisible channel");
        assert_eq!(parse_refusal(&refusal).reason, reason, "{caller:?}");
    }
    for caller in [ace_user(), alliance_lead(ALDER), sales()] {
        let refusal = scenario
            .channel_client(&caller)
            .approve_channel(approve_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a refused approval")).reason,
            "ROLE_NOT_PERMITTED"
        );
    }
    let decline = pb::DeclineChannelRequest {
        channel_id: id.clone(),
        text: "Not now".to_owned(),
        etag: "\"7\"".to_owned(),
        ..Default::default()
    };
    let stale = scenario
        .channel_client(&account_owner())
        .decline_channel(decline.clone())
        .await;
    assert_eq!(
        parse_refusal(&stale.expect_err("a stale etag")).reason,
        "ETAG_MISMATCH"
    );
    let dry_run = pb::DeclineChannelRequest {
        etag: String::new(),
        validate_only: true,
        ..decline.clone()
    };
    scenario
        .channel_client(&account_owner())
        .decline_channel(dry_run)
        .await
        .expect("a dry run");
    assert_eq!(
        get_channel(&scenario, &ace_user(), id)
            .await
            .expect("a response")
            .state(),
        pb::ChannelState::Requested
    );
    let declined = pb::DeclineChannelRequest {
        etag: channel.etag.clone(),
        ..decline
    };
    scenario
        .channel_client(&account_owner())
        .decline_channel(declined)
        .await
        .expect("a declined request");
    let seen = get_channel(&scenario, &ace_user(), id).await.expect("a response");
    assert_eq!(
        (seen.state(), seen.decline_text.as_str()),
        (pb::ChannelState::Declined, "Not now")
    );
    assert_eq!(scenario.event_count(ALDER, "channel_declined").await, 1);
    let listed = pb::ListChannelsRequest::default();
    for (caller, expected) in [(ace_user(), 1), (alliance_lead(BIRCH), 0), (sales(), 1)] {
        let response = scenario
            .channel_client(&caller)
            .list_channels(listed.clone())
            .await;
        assert_eq!(
            response.expect("a list").into_inner().channels.len(),
            expected,
            "{caller:?}"
        );
    }
    scenario.app.finish::<Collaboration>().await;
}
