//! What the directory has news of: invitations to connect, roles, members who leave (NOT-001).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::eventually;
use cosell_types::{Caller, ClosedList as _, Role};

use crate::support::{ALDER, Stage, lead, start, user};

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

async fn told(stage: &Stage, caller: &Caller, kind: pb::NotificationKind) -> pb::Notification {
    eventually(async || {
        let inbox = stage.inbox(caller).await;
        let found = inbox.into_iter().find(|entry| entry.kind() == kind);
        found.ok_or_else(|| format!("no {kind:?}"))
    })
    .await
}

#[tokio::test]
async fn not_001_the_lead_is_told_of_requests_and_answers() {
    let stage = start().await;
    let accepted = "pacinv-0000000000001";
    let rejected = "pacinv-0000000000002";
    let event = directory::ConnectionInvitationCreated {
        detail: invitation(INVITATION, 1, ParticipantType::Receiver),
    };
    stage.far.tell("partner", ALDER, INVITATION, 1, &event).await;
    let event = directory::ConnectionInvitationAccepted {
        detail: invitation(accepted, 1, ParticipantType::Sender),
        ..Default::default()
    };
    stage.far.tell("partner", ALDER, accepted, 1, &event).await;
    let event = directory::ConnectionInvitationRejected {
        detail: invitation(rejected, 1, ParticipantType::Sender),
    };
    stage.far.tell("partner", ALDER, rejected, 1, &event).await;
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
        let news = told(&stage, &lead(), kind).await;
        assert!(news.body.contains(text), "{:?}: {}", news, news.body);
        assert_eq!(
            (
                news.connection_invitation_id.as_str(),
                news.opportunity_id.as_str()
            ),
            (id, "")
        );
        assert!(news.subject.contains("Birch"));
    }
    // What a company does itself is no news to it.
    let own = directory::ConnectionInvitationCreated {
        detail: invitation(INVITATION, 2, ParticipantType::Sender),
    };
    stage.far.tell("partner", ALDER, INVITATION, 2, &own).await;
    assert!(
        stage.inbox(&user()).await.is_empty(),
        "nobody but the lead is told"
    );
    stage.recipients(3).await;
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_001_a_member_is_told_of_its_roles_and_the_heads_of_who_leaves() {
    let stage = start().await;
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
    stage.far.tell("partner", ALDER, "mem-user", 2, &roles).await;
    let news = told(&stage, &user(), pb::NotificationKind::RolesChanged).await;
    assert!(news.body.contains("ACE_MANAGER"), "{}", news.body);
    assert!(stage.inbox(&lead()).await.is_empty(), "it is no news to others");
    let left = directory::MemberDeactivated {
        detail: member(3, directory::MemberStatus::Deactivated),
    };
    stage.far.tell("partner", ALDER, "mem-user", 3, &left).await;
    let news = told(&stage, &lead(), pb::NotificationKind::MemberDeactivated).await;
    assert!(
        news.body.contains("mem-user") && news.body.contains("without_active_owner"),
        "{}",
        news.body
    );
    stage.recipients(2).await;
    stage.app.finish::<Notifications>().await;
}

/// Who is asked to join is no member yet: it is written to, and has neither an inbox nor a kept address.
#[tokio::test]
async fn not_001_who_is_asked_to_join_is_written_to() {
    let stage = start().await;
    let found = directory::Member {
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
    stage.app.directory.know(directory::GetMemberResponse {
        member: Some(found),
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
    stage.far.tell("partner", ALDER, "mem-new", 1, &invited).await;
    let written_to = stage.recipients(1).await;
    assert_eq!(written_to, ["new@alder.example"]);
    assert!(stage.inbox(&lead()).await.is_empty(), "nobody else is told");
    let mut admin = stage.app.database.admin::<Notifications>().await;
    let kept: Vec<String> = sqlx::query_scalar("SELECT email FROM contact WHERE member_id = 'mem-new'")
        .fetch_all(&mut admin)
        .await
        .expect("addresses");
    assert_eq!(kept, [""]);
    stage.app.finish::<Notifications>().await;
}
