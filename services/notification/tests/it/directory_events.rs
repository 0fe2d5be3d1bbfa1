//! Covers notifications about events of the directory: connection invitations, role changes, deactivated members, and
//! invitations to join (NOT-001).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_types::{ClosedList as _, Role};

use crate::email::Email;
use crate::support::{ALDER, ace_user, address, alliance_lead, start};

const INVITATION: &str = "pacinv-0000000000000";

fn invitation(
    id: &str,
    revision: i64,
    participant: ParticipantType,
) -> Option<directory::ConnectionInvitationEventDetail> {
    Some(directory::ConnectionInvitationEventDetail {
        connection_invitation_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        participant_type: participant.into(),
        connection_type: directory::ConnectionType::OpportunityCollaboration.into(),
        ..Default::default()
    })
}

#[tokio::test]
async fn not_001_alliance_lead_is_notified_of_connection_invitations() {
    let scenario = start().await;
    let accepted = "pacinv-0000000000001";
    let rejected = "pacinv-0000000000002";
    let event = directory::ConnectionInvitationCreated {
        detail: invitation(INVITATION, 1, ParticipantType::Receiver),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, INVITATION, 1, &event)
        .await;
    let event = directory::ConnectionInvitationAccepted {
        detail: invitation(accepted, 1, ParticipantType::Sender),
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("partner", ALDER, accepted, 1, &event)
        .await;
    let event = directory::ConnectionInvitationRejected {
        detail: invitation(rejected, 1, ParticipantType::Sender),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, rejected, 1, &event)
        .await;
    for (id, kind, text) in [
        (
            INVITATION,
            pb::NotificationKind::ConnectionInvitationCreated,
            "Sender:   Jane Roe <jane@birch.example>\nDeadline: 2026-03-20 09:00 UTC\n\n\
             Message:\n> Let us work together\n",
        ),
        (
            accepted,
            pb::NotificationKind::ConnectionInvitationAccepted,
            "You are connected with Birch now.",
        ),
        (
            rejected,
            pb::NotificationKind::ConnectionInvitationRejected,
            "Reason:\n> Not now\n",
        ),
    ] {
        let notification = scenario.wait_for_kind(&alliance_lead(), kind).await;
        assert_eq!(
            (
                notification.connection_invitation_id.as_str(),
                notification.opportunity_id.as_str()
            ),
            (id, "")
        );
        assert!(notification.subject.contains("Birch"));
        let email = scenario.email(&address("mem-lead"), &notification.subject).await;
        let path = format!("/connection-invitations/{id}");
        email.require(&[text], &path, &format!("Connection invitation {id}"));
    }
    // An account is not notified of its own invitations.
    let own = directory::ConnectionInvitationCreated {
        detail: invitation(INVITATION, 2, ParticipantType::Sender),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, INVITATION, 2, &own)
        .await;
    assert!(
        scenario.inbox(&ace_user()).await.is_empty(),
        "only the alliance lead must be notified"
    );
    scenario.recipients(3).await;
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_001_role_change_and_deactivation_notify_member_and_alliance_lead() {
    let scenario = start().await;
    let member = |revision, status: directory::MemberStatus| {
        Some(directory::MemberEventDetail {
            member_id: "mem-user".to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: status.into(),
            roles: vec![Role::AceManager.number()],
            sees_all_opportunities: true,
        })
    };
    let roles = directory::MemberRolesChanged {
        detail: member(2, directory::MemberStatus::Active),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-user", 2, &roles)
        .await;
    let notification = scenario
        .wait_for_kind(&ace_user(), pb::NotificationKind::RolesChanged)
        .await;
    let about_member = ("/members/mem-user", "Member mem-user");
    let text = "Your roles at Alder are now ACE manager.";
    Email::from(notification).require(&[text], about_member.0, about_member.1);
    assert!(
        scenario.inbox(&alliance_lead()).await.is_empty(),
        "other members must not be notified"
    );
    let left = directory::MemberDeactivated {
        detail: member(3, directory::MemberStatus::Deactivated),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-user", 3, &left)
        .await;
    let notification = scenario
        .wait_for_kind(&alliance_lead(), pb::NotificationKind::MemberDeactivated)
        .await;
    assert_eq!(
        notification.subject,
        "Grace Hopper is no longer a member of Alder"
    );
    let texts = [
        "The membership of Grace Hopper has ended.",
        "without_active_owner",
    ];
    scenario.recipients(2).await;
    let email = scenario.email(&address("mem-lead"), &notification.subject).await;
    email.require(&texts, about_member.0, about_member.1);
    scenario.app.finish::<Notifications>().await;
}

/// An invited member receives an e-mail, but has no inbox, and its address is not stored.
#[tokio::test]
async fn not_001_invited_member_receives_email_only() {
    let scenario = start().await;
    let invited_member = directory::Member {
        member_id: "mem-new".to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        status: directory::MemberStatus::Invited.into(),
        person: Some(directory::Person {
            email: "new@alder.example".to_owned(),
            first_name: "Rosalind".to_owned(),
            last_name: "Franklin".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let account = directory::Account {
        account_id: ALDER.to_owned(),
        display_name: "Alder".to_owned(),
        ..Default::default()
    };
    scenario.app.directory.set_response(directory::GetMemberResponse {
        member: Some(invited_member),
        account: Some(account),
    });
    let invited = directory::MemberInvited {
        detail: Some(directory::MemberEventDetail {
            member_id: "mem-new".to_owned(),
            account_id: ALDER.to_owned(),
            revision: 1,
            side: directory::Side::Partner.into(),
            status: directory::MemberStatus::Invited.into(),
            roles: vec![Role::AceUser.number()],
            sees_all_opportunities: false,
        }),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-new", 1, &invited)
        .await;
    let recipients = scenario.recipients(1).await;
    assert_eq!(recipients, ["new@alder.example"]);
    let email = scenario
        .email("new@alder.example", "Alder invites you to cosell")
        .await;
    let parts = [
        "Alder has invited you, Rosalind Franklin, to its account in cosell, with the roles ACE user.",
        "\n\nSign in to join: ",
    ];
    email.require(&parts, "/members/mem-new", "Member mem-new");
    assert!(
        scenario.inbox(&alliance_lead()).await.is_empty(),
        "no other member must be notified"
    );
    let mut admin = scenario.app.database.admin::<Notifications>().await;
    let stored: Vec<String> = sqlx::query_scalar("SELECT email FROM contact WHERE member_id = 'mem-new'")
        .fetch_all(&mut admin)
        .await
        .expect("addresses");
    assert_eq!(stored, [""]);
    scenario.app.finish::<Notifications>().await;
}
