//! Covers notifications about engagement invitations and channels: recipients of each kind, once per event despite
//! duplicate delivery (NOT-001).

use cosell_notification::Notifications;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::CHANNEL_LINK;

use crate::support::{
    ALDER, AWS, BIRCH, ace_user, address, alliance_lead, other_account_lead, start, tara, vera,
};

const INVITATION: &str = "engi-a000000000004";
const CHANNEL: &str = "chan-0000000000004";
const OPPORTUNITY_ID: &str = "O900719925474090104";

fn invitation_detail(account: &str, revision: i64) -> Option<collaboration::EngagementInvitationEventDetail> {
    let is_sender = account == ALDER;
    let participant = if is_sender {
        ParticipantType::Sender
    } else {
        ParticipantType::Receiver
    };
    let if_sender = |text: &str| if is_sender { text.to_owned() } else { String::new() };
    Some(collaboration::EngagementInvitationEventDetail {
        engagement_invitation_id: INVITATION.to_owned(),
        account_id: account.to_owned(),
        revision,
        participant_type: participant.into(),
        sender_account_id: ALDER.to_owned(),
        receiver_account_id: BIRCH.to_owned(),
        opportunity_id: if_sender(OPPORTUNITY_ID),
        sent_by: if_sender("mem-user"),
        ..Default::default()
    })
}

#[tokio::test]
async fn not_001_invitation_notifies_receiver_and_acceptance_notifies_sender() {
    let scenario = start().await;
    // Every event is delivered twice.
    for _ in 0..2 {
        for account in [ALDER, BIRCH] {
            let created = collaboration::EngagementInvitationCreated {
                detail: invitation_detail(account, 1),
            };
            let accepted = collaboration::EngagementInvitationAccepted {
                detail: invitation_detail(account, 2),
                ..Default::default()
            };
            let peer = &scenario.peer;
            peer.publish_event("collaboration", account, INVITATION, 1, &created)
                .await;
            peer.publish_event("collaboration", account, INVITATION, 2, &accepted)
                .await;
        }
    }
    let sent = scenario.recipients(2).await;
    assert_eq!(sent, [address("mem-birch"), address("mem-user")]);
    scenario.wait_until_processed("collaboration", 4).await;
    for (caller, expected) in [
        (other_account_lead(), vec![Kind::EngagementInvited]),
        (ace_user(), vec![Kind::EngagementAnswered]),
        (alliance_lead(), vec![]),
        (tara(), vec![]),
    ] {
        let kinds: Vec<_> = scenario
            .inbox(&caller)
            .await
            .iter()
            .map(|entry| entry.kind())
            .collect();
        assert_eq!(kinds, expected, "{caller:?}");
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_001_channel_notifies_account_owner_requester_and_invited_members() {
    let scenario = start().await;
    let channel = |revision: i64| {
        Some(collaboration::ChannelEventDetail {
            channel_id: CHANNEL.to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            opportunity_id: OPPORTUNITY_ID.to_owned(),
            requested_by: "mem-user".to_owned(),
            ..Default::default()
        })
    };
    let invited = |revision: i64, account: &str, member: &str| collaboration::ChannelMemberInvited {
        detail: channel(revision),
        member_account_id: account.to_owned(),
        member_id: member.to_owned(),
    };
    let requested = collaboration::ChannelRequested { detail: channel(1) };
    let approved = collaboration::ChannelApproved { detail: channel(2) };
    let joined = collaboration::ChannelMemberJoined {
        detail: channel(5),
        member_account_id: ALDER.to_owned(),
        member_id: "mem-second".to_owned(),
    };
    let added = collaboration::ChannelMembersAdded { detail: channel(6) };
    let peer = &scenario.peer;
    peer.publish_event("collaboration", ALDER, CHANNEL, 1, &requested)
        .await;
    peer.publish_event("collaboration", ALDER, CHANNEL, 2, &approved)
        .await;
    peer.publish_event(
        "collaboration",
        ALDER,
        CHANNEL,
        3,
        &invited(3, ALDER, "mem-second"),
    )
    .await;
    peer.publish_event("collaboration", ALDER, CHANNEL, 4, &invited(4, AWS, "mem-vera"))
        .await;
    peer.publish_event("collaboration", ALDER, CHANNEL, 5, &joined)
        .await;
    peer.publish_event("collaboration", ALDER, CHANNEL, 6, &added)
        .await;
    let sent = scenario.recipients(5).await;
    assert_eq!(
        sent,
        [
            address("mem-olaf"),
            address("mem-owner"),
            address("mem-second"),
            address("mem-user"),
            address("mem-vera")
        ]
    );
    scenario.wait_until_processed("collaboration", 6).await;
    let inbox = scenario.inbox(&vera()).await;
    assert_eq!(inbox[0].kind(), Kind::ChannelInvited);
    assert!(inbox[0].body.contains(CHANNEL_LINK), "{inbox:?}");
    let inbox = scenario.inbox(&ace_user()).await;
    assert_eq!(inbox[0].kind(), Kind::ChannelDecided);
    assert!(inbox[0].body.contains("was approved"), "{inbox:?}");
    assert_eq!(scenario.inbox(&tara()).await, []);
    assert_eq!(scenario.inbox(&alliance_lead()).await, []);
    scenario.app.finish::<Notifications>().await;
}
