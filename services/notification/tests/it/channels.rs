//! Covers notifications about channels: the account owners who are notified of a request, the first message of a
//! manually managed channel, and invitations of Slack (NOT-006, NOT-007).

use cosell_notification::Notifications;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1::Contact;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{CHANNEL_LINK, DECLINED_CHANNEL, LEAVE_URL, OPT_OUT_URL, SLACK_CHANNEL};
use cosell_types::{ClosedList as _, Role};

use crate::support::{ALDER, AWS, PROJECT, PROJECT_LINES, Scenario, address, count, start};

const CHANNEL: &str = "chan-0000000000004";

fn detail(channel: &str, revision: i64) -> Option<collaboration::ChannelEventDetail> {
    Some(collaboration::ChannelEventDetail {
        channel_id: channel.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        opportunity_id: "O42".to_owned(),
        requested_by: "mem-user".to_owned(),
        ..Default::default()
    })
}

/// Publishes the request of a channel whose opportunity has these people with these titles in its AWS team. Returns
/// the recipients of the e-mails of this request, of which this number is expected.
async fn request(scenario: &Scenario, number: i64, team: &[(&str, &str)], expected: usize) -> Vec<String> {
    scenario.aws_summary.lock().expect("the summary").opportunity_team = team
        .iter()
        .map(|(member, title)| Contact {
            email: format!("{member}@Example.com"),
            business_title: (*title).to_owned(),
            ..Default::default()
        })
        .collect();
    let channel = format!("chan-000000000000{number}");
    let requested = collaboration::ChannelRequested {
        detail: detail(&channel, 1),
    };
    let before = scenario.smtp.mails().len();
    scenario
        .peer
        .publish_event("collaboration", ALDER, &channel, 1, &requested)
        .await;
    scenario.wait_until_processed("collaboration", number).await;
    scenario.recipients(before + expected).await;
    let new = scenario.smtp.mails().into_iter().skip(before);
    let mut recipients: Vec<_> = new.flat_map(|mail| mail.to).collect();
    recipients.sort();
    recipients
}

/// A member of AWS whose membership ends, or whose role becomes another one.
async fn change_owner(scenario: &Scenario, member: &str, status: directory::MemberStatus, roles: &[Role]) {
    let detail = directory::MemberEventDetail {
        member_id: member.to_owned(),
        account_id: AWS.to_owned(),
        revision: 2,
        side: directory::Side::Aws.into(),
        status: status.into(),
        roles: roles.iter().map(|role| role.number()).collect(),
        sees_all_opportunities: false,
    };
    let before = count(&scenario.app, PARTNER_EVENTS).await;
    let detail = Some(detail);
    let peer = &scenario.peer;
    if status == directory::MemberStatus::Deactivated {
        let event = directory::MemberDeactivated { detail };
        peer.publish_event("partner", AWS, member, 2, &event).await;
    } else {
        let event = directory::MemberJoined { detail };
        peer.publish_event("partner", AWS, member, 2, &event).await;
    }
    scenario.wait_until_processed("partner", before + 1).await;
}

const PARTNER_EVENTS: &str = "SELECT count(*) FROM inbox WHERE consumer = 'notification-partner'";

#[tokio::test]
async fn not_006_channel_request_goes_to_account_owner_of_the_aws_team() {
    let scenario = start().await;
    let team = [("mem-olaf", "AWSAccountOwner"), ("mem-vera", "AWSSalesRep")];
    assert_eq!(request(&scenario, 1, &team, 1).await, [address("mem-olaf")]);
    let email = scenario
        .email(&address("mem-olaf"), &format!("Channel requested: {PROJECT}"))
        .await;
    let parts = [
        "Grace Hopper of Alder requests a channel on an opportunity.",
        PROJECT_LINES,
        "Purpose:\n> Agree on the proposal\n",
    ];
    email.require(
        &parts,
        "/channels/chan-0000000000001",
        "Channel chan-0000000000001, opportunity O42",
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_006_channel_request_without_valid_owner_in_team_goes_to_all_owners() {
    let scenario = start().await;
    let all = [address("mem-olaf"), address("mem-owner")];
    assert_eq!(request(&scenario, 1, &[], 2).await, all);
    // An account owner with another title in the team, a member without the role, a contact without membership, and a
    // partner.
    for (number, contact) in [
        (2, ("mem-olaf", "AWSSalesRep")),
        (3, ("mem-vera", "AWSAccountOwner")),
        (4, ("nobody", "AWSAccountOwner")),
        (5, ("mem-lead", "AWSAccountOwner")),
    ] {
        assert_eq!(
            request(&scenario, number, &[contact], 2).await,
            all,
            "{contact:?}"
        );
    }
    // An account owner of the team who has left, and one who has another role now.
    let team = [("mem-olaf", "AWSAccountOwner")];
    change_owner(&scenario, "mem-olaf", directory::MemberStatus::Deactivated, &[]).await;
    assert_eq!(request(&scenario, 6, &team, 1).await, [address("mem-owner")]);
    let active = directory::MemberStatus::Active;
    change_owner(&scenario, "mem-vera", active, &[Role::AccountOwner]).await;
    change_owner(&scenario, "mem-owner", active, &[Role::Reviewer]).await;
    let team = [("mem-owner", "AWSAccountOwner")];
    assert_eq!(request(&scenario, 7, &team, 1).await, [address("mem-vera")]);
    scenario.app.finish::<Notifications>().await;
}

async fn invite(scenario: &Scenario, channel: &str, account: &str, member: &str) {
    let invited = collaboration::ChannelMemberInvited {
        detail: detail(channel, 1),
        member_account_id: account.to_owned(),
        member_id: member.to_owned(),
    };
    let peer = &scenario.peer;
    peer.publish_event("collaboration", ALDER, channel, 1, &invited)
        .await;
}

#[tokio::test]
async fn not_007_manual_channel_mail_has_links_to_leave_and_to_opt_out() {
    let scenario = start().await;
    invite(&scenario, CHANNEL, ALDER, "mem-second").await;
    let email = scenario
        .email(
            &address("mem-second"),
            &format!("Invitation to a channel: {PROJECT}"),
        )
        .await;
    let parts = [
        "Welcome! You are invited to a channel on an opportunity.\nGrace Hopper of Alder requested the channel.\n",
        PROJECT_LINES,
        &format!("Open the channel: {CHANNEL_LINK}\n"),
        &format!("Leave the channel: {LEAVE_URL}\n"),
        &format!("Opt out of all channels: {OPT_OUT_URL}\n"),
        "It works without signing in.",
    ];
    let path = format!("/channels/{CHANNEL}");
    email.require(&parts, &path, &format!("Channel {CHANNEL}, opportunity O42"));
    email.forbid(&["Slack", "Get started"]);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_007_slack_channel_mail_says_get_started_with_the_same_address() {
    let scenario = start().await;
    invite(&scenario, SLACK_CHANNEL, AWS, "mem-vera").await;
    let email = scenario
        .email(
            &address("mem-vera"),
            &format!("Invitation to a channel: {PROJECT}"),
        )
        .await;
    let parts = [
        "Grace Hopper of Alder requested the channel.",
        PROJECT_LINES,
        "Press \"Get started\" in it, and accept it in Slack with the same e-mail address\nas on this platform.",
    ];
    let path = format!("/channels/{SLACK_CHANNEL}");
    email.require(
        &parts,
        &path,
        &format!("Channel {SLACK_CHANNEL}, opportunity O42"),
    );
    // Slack sends the link itself, and its pinned message has the links to leave and to opt out.
    email.forbid(&[CHANNEL_LINK, LEAVE_URL, OPT_OUT_URL]);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_channel_decision_mail_states_the_reason_of_aws() {
    let scenario = start().await;
    let declined = collaboration::ChannelDeclined {
        detail: detail(DECLINED_CHANNEL, 1),
    };
    let peer = &scenario.peer;
    peer.publish_event("collaboration", ALDER, DECLINED_CHANNEL, 1, &declined)
        .await;
    let email = scenario
        .email(&address("mem-user"), &format!("Channel declined: {PROJECT}"))
        .await;
    let path = format!("/channels/{DECLINED_CHANNEL}");
    email.require(
        &[PROJECT_LINES, "Reason:\n> Too early\n"],
        &path,
        &format!("Channel {DECLINED_CHANNEL}, opportunity O42"),
    );
    scenario.app.finish::<Notifications>().await;
}
