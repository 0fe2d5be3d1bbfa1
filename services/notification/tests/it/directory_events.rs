//! Covers notifications about events of the directory: connection invitations, role changes, deactivated members, and
//! invitations to join (NOT-001).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::eventually;
use cosell_types::{Caller, ClosedList as _, Role};

use crate::support::{ALDER, Scenario, ace_user, alliance_lead, start};

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

async fn wait_for_kind(scenario: &Scenario, caller: &Caller, kind: pb::NotificationKind) -> pb::Notification {
    eventually(async || {
        let inbox = scenario.inbox(caller).await;
        let notification = inbox.into_iter().find(|entry| entry.kind() == kind);
        notification.ok_or_else(|| format!("no {kind:?}"))
    })
    .await
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
            "Let us work together\n\nJane Roe <jane@birch.example>",
        ),
        (
            accepted,
            pb::NotificationKind::ConnectionInvitationAccepted,
            "You are connected with Birch",
        ),
        (
            rejected,
            pb::NotificationKind::ConnectionInvitationRejected,
            "Reason: Not now.",
        ),
    ] {
        let notification = wait_for_kind(&scenario, &alliance_lead(), kind).await;
        assert!(
            notification.body.contains(text),
            "{:?}: {}",
            notification,
            notification.body
        );
        assert_eq!(
            (
                notification.connection_invitation_id.as_str(),
                notification.opportunity_id.as_str()
            ),
            (id, "")
        );
        assert!(notification.subject.contains("Birch"));
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
        })
    };
    let roles = directory::MemberRolesChanged {
        detail: member(2, directory::MemberStatus::Active),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-user", 2, &roles)
        .await;
    let notification = wait_for_kind(&scenario, &ace_user(), pb::NotificationKind::RolesChanged).await;
    assert!(notification.body.contains("ACE_MANAGER"), "{}", notification.body);
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
    let notification = wait_for_kind(
        &scenario,
        &alliance_lead(),
        pb::NotificationKind::MemberDeactivated,
    )
    .await;
    assert!(
        notification.body.contains("mem-user") && notification.body.contains("without_active_owner"),
        "{}",
        notification.body
    );
    scenario.recipients(2).await;
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
        }),
    };
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-new", 1, &invited)
        .await;
    let recipients = scenario.recipients(1).await;
    assert_eq!(recipients, ["new@alder.example"]);
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
