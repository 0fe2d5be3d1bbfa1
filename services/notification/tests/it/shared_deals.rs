//! Deals that partners share, and channels, are told to those whom they concern, once.

use cosell_notification::Notifications;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{CHANNEL_LINK, eventually};

use crate::support::{ALDER, AWS, BIRCH, address, count, lead, start, stranger, tara, user, vera};

const INVITATION: &str = "engi-a000000000004";
const CHANNEL: &str = "chan-0000000000004";
const DEAL: &str = "O900719925474090104";

fn invited(account: &str, revision: i64) -> Option<collaboration::EngagementInvitationEventDetail> {
    let is_sender = account == ALDER;
    let participant = if is_sender {
        ParticipantType::Sender
    } else {
        ParticipantType::Receiver
    };
    let of_sender = |text: &str| if is_sender { text.to_owned() } else { String::new() };
    Some(collaboration::EngagementInvitationEventDetail {
        engagement_invitation_id: INVITATION.to_owned(),
        account_id: account.to_owned(),
        revision,
        participant_type: participant.into(),
        sender_account_id: ALDER.to_owned(),
        receiver_account_id: BIRCH.to_owned(),
        opportunity_id: of_sender(DEAL),
        sent_by: of_sender("mem-user"),
        ..Default::default()
    })
}

#[tokio::test]
async fn not_001_of_a_shared_deal_the_receiver_is_told_and_of_the_answer_who_shares_it() {
    let stage = start().await;
    // Each comes twice.
    for _ in 0..2 {
        for account in [ALDER, BIRCH] {
            let created = collaboration::EngagementInvitationCreated {
                detail: invited(account, 1),
            };
            let accepted = collaboration::EngagementInvitationAccepted {
                detail: invited(account, 2),
                ..Default::default()
            };
            let far = &stage.far;
            far.tell("collaboration", account, INVITATION, 1, &created).await;
            far.tell("collaboration", account, INVITATION, 2, &accepted).await;
        }
    }
    let sent = stage.recipients(2).await;
    assert_eq!(sent, [address("mem-birch"), address("mem-user")]);
    read(&stage, 4).await;
    for (caller, expected) in [
        (stranger(), vec![Kind::EngagementInvited]),
        (user(), vec![Kind::EngagementAnswered]),
        (lead(), vec![]),
        (tara(), vec![]),
    ] {
        let kinds: Vec<_> = stage
            .inbox(&caller)
            .await
            .iter()
            .map(|entry| entry.kind())
            .collect();
        assert_eq!(kinds, expected, "{caller:?}");
    }
    stage.app.finish::<Notifications>().await;
}

async fn read(stage: &crate::support::Stage, expected: i64) {
    eventually(async || {
        let read = "SELECT count(*) FROM inbox WHERE consumer = 'notification-collaboration'";
        match count(&stage.app, read).await {
            read if read == expected => Ok(()),
            read => Err(format!("{read} of {expected} events were read")),
        }
    })
    .await;
}

#[tokio::test]
async fn not_001_of_a_channel_account_owners_are_told_then_who_asked_then_who_is_asked_to_it() {
    let stage = start().await;
    let channel = |revision: i64| {
        Some(collaboration::ChannelEventDetail {
            channel_id: CHANNEL.to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            opportunity_id: DEAL.to_owned(),
            requested_by: "mem-user".to_owned(),
            ..Default::default()
        })
    };
    let asked = |revision: i64, account: &str, member: &str| collaboration::ChannelMemberInvited {
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
    let far = &stage.far;
    far.tell("collaboration", ALDER, CHANNEL, 1, &requested).await;
    far.tell("collaboration", ALDER, CHANNEL, 2, &approved).await;
    far.tell("collaboration", ALDER, CHANNEL, 3, &asked(3, ALDER, "mem-second"))
        .await;
    far.tell("collaboration", ALDER, CHANNEL, 4, &asked(4, AWS, "mem-vera"))
        .await;
    far.tell("collaboration", ALDER, CHANNEL, 5, &joined).await;
    far.tell("collaboration", ALDER, CHANNEL, 6, &added).await;
    let sent = stage.recipients(4).await;
    assert_eq!(
        sent,
        [
            address("mem-owner"),
            address("mem-second"),
            address("mem-user"),
            address("mem-vera")
        ]
    );
    read(&stage, 6).await;
    let told = stage.inbox(&vera()).await;
    assert_eq!(told[0].kind(), Kind::ChannelInvited);
    assert!(told[0].body.contains(CHANNEL_LINK), "{told:?}");
    let told = stage.inbox(&user()).await;
    assert_eq!(told[0].kind(), Kind::ChannelDecided);
    assert!(told[0].body.contains("has been granted"), "{told:?}");
    assert_eq!(stage.inbox(&tara()).await, []);
    assert_eq!(stage.inbox(&lead()).await, []);
    stage.app.finish::<Notifications>().await;
}
