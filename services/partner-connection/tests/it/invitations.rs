//! Invitations between companies (CON-001 to CON-004, CON-010, CON-030, CON-031, CON-040, CON-050).

use cosell_partner_connection::Partners;
use cosell_proto::EventDetail as _;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{App, Refusal, refused};

use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, CEDAR, SHARING, accepting, account_record, apply, by, canceling, company, connected,
    invite, invited, last_event, lead, profile_id, rejecting, request_id, start, subjects, who,
};

fn reading(id: &str) -> pb::GetConnectionInvitationRequest {
    pb::GetConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn con_002_both_see_it_without_accounts_until_it_is_accepted() {
    let app = start().await;
    let before = last_event(&app).await;
    let sent = invited(&app, ALDER, BIRCH).await;
    let id = sent.connection_invitation_id.clone();
    assert_eq!(
        (sent.status(), sent.participant_type()),
        (pb::ConnectionInvitationStatus::Pending, ParticipantType::Sender)
    );
    assert_eq!(sent.other_account_id, "");
    let received = lead(&app, BIRCH)
        .connections()
        .get_connection_invitation(reading(&id))
        .await
        .expect("it")
        .into_inner();
    let received = received.connection_invitation.expect("an invitation");
    assert_eq!(received.participant_type(), ParticipantType::Receiver);
    assert_eq!(
        (
            received.sender_company_name.as_str(),
            received.other_account_id.as_str()
        ),
        ("Alder", "")
    );
    assert!(!format!("{received:?}").contains("Jane"), "{received:?}");

    let accepted = lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepting(&id))
        .await
        .expect("it")
        .into_inner();
    let (invitation, connection) = (accepted.connection_invitation, accepted.connection);
    let (invitation, connection) = (invitation.expect("one"), connection.expect("one"));
    assert_eq!(
        (invitation.status(), invitation.other_account_id.as_str()),
        (pb::ConnectionInvitationStatus::Accepted, ALDER)
    );
    assert_eq!(invitation.connection_id, connection.connection_id);
    assert_eq!(
        (
            connection.other_account_id.as_str(),
            connection.other_company_name.as_str()
        ),
        (ALDER, "Alder")
    );
    let connection = connection.connection_id;
    assert_eq!(
        subjects(&app, before).await,
        [
            format!("cosell.partner.v1.{ALDER}.{id}.connection_invitation_created"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_invitation_created"),
            format!("cosell.partner.v1.{ALDER}.{id}.connection_invitation_accepted"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_invitation_accepted"),
            format!("cosell.partner.v1.{ALDER}.{connection}.connection_established"),
            format!("cosell.partner.v1.{BIRCH}.{connection}.connection_established"),
        ]
    );
    app.finish::<Partners>().await;
}

/// What an account was last told about an invitation.
async fn last_invitation(app: &App, account: &str) -> pb::ConnectionInvitationEventDetail {
    let mut admin = app.database.admin::<Partners>().await;
    let (type_name, payload): (String, Vec<u8>) = sqlx::query_as(
        "SELECT type, payload FROM event_journal WHERE account_id = $1 AND aggregate_type = 'connection_invitation'
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(account)
    .fetch_one(&mut admin)
    .await
    .expect("an event");
    let detail = pb::ConnectionInvitationEventDetail::read(&type_name, &payload);
    detail.expect("an event of an invitation").expect("the message")
}

#[tokio::test]
async fn con_001_002_who_can_be_invited_how() {
    let app = start().await;
    let (alder, birch) = (profile_id(&app, ALDER).await, profile_id(&app, BIRCH).await);
    let mut hidden = company(CEDAR, "Cedar");
    hidden.visibility = pb::ProfileVisibility::Private.into();
    let request = "INCOMPATIBLE_CONNECTION_INVITATION_REQUEST";
    let nobody = "RECEIVER_PROFILE_NOT_FOUND";
    let subsidiary = pb::ConnectionType::Subsidiary;
    for (from, receiver, kind, reason) in [
        (ALDER, alder.as_str(), SHARING, request),
        (ALDER, BIRCH, SHARING, request),
        (ALDER, birch.as_str(), subsidiary, request),
        (ALDER, ALDER, subsidiary, request),
        (ALDER, "pprofile-0000000000000", SHARING, nobody),
        (ALDER, "888888888888", subsidiary, nobody),
        (ALDER, AWS, subsidiary, nobody),
        (CEDAR, birch.as_str(), SHARING, "SENDER_PROFILE_NOT_FOUND"),
    ] {
        let status = lead(&app, from)
            .connections()
            .create_connection_invitation(invite(receiver, kind))
            .await;
        let refusal = Refusal::from(&status.expect_err("a refusal"));
        assert_eq!(refusal.reason, reason, "{from} invites {receiver} for {kind:?}");
    }
    apply(&app, vec![account_record(hidden)]).await;
    let hidden = profile_id(&app, CEDAR).await;
    let status = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(&hidden, SHARING))
        .await;
    refused(status, Code::NotFound, nobody);
    // A subsidiary is named by its account, also one that hides.
    let made = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(CEDAR, subsidiary))
        .await;
    let made = made
        .expect("an invitation")
        .into_inner()
        .connection_invitation
        .expect("one");
    assert_eq!(made.other_account_id, CEDAR, "the sender has named it");
    // Whose profile that is the sender does not learn before the answer, by no way of asking.
    assert_eq!(
        (
            made.receiver_profile_id.as_str(),
            made.other_company_name.as_str()
        ),
        ("", "")
    );
    let by_profile = pb::ListConnectionInvitationsRequest {
        filter: Some(pb::ConnectionInvitationFilter {
            other_profile_ids: vec![hidden.clone()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let found = lead(&app, ALDER)
        .connections()
        .list_connection_invitations(by_profile.clone())
        .await
        .expect("a list");
    assert_eq!(found.into_inner().connection_invitations, []);
    let told = last_invitation(&app, ALDER).await;
    assert_eq!(told.receiver_profile_id, "", "nor by the event");
    let accepted = lead(&app, CEDAR)
        .connections()
        .accept_connection_invitation(accepting(&made.connection_invitation_id))
        .await;
    accepted.expect("a connection");
    let found = lead(&app, ALDER)
        .connections()
        .list_connection_invitations(by_profile)
        .await
        .expect("a list");
    let found = found.into_inner().connection_invitations;
    assert_eq!(found[0].receiver_profile_id, hidden, "with the answer it does");

    let empty = pb::CreateConnectionInvitationRequest::default();
    let empty = refused(
        lead(&app, ALDER)
            .connections()
            .create_connection_invitation(empty)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        empty.paths(),
        ["type", "receiver_id", "inviter_name", "inviter_email", "message"]
    );
    let mut suspended = company(BIRCH, "Birch");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_record(suspended)]).await;
    let status = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(&birch, SHARING))
        .await;
    refused(
        status,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_RECEIVER",
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_003_004_there_is_one_of_each() {
    let app = start().await;
    let first = invited(&app, ALDER, BIRCH).await;
    for (from, to) in [(ALDER, BIRCH), (BIRCH, ALDER)] {
        let receiver = profile_id(&app, to).await;
        let twice = lead(&app, from)
            .connections()
            .create_connection_invitation(invite(&receiver, SHARING))
            .await;
        let twice = refused(twice, Code::AlreadyExists, "DUPLICATE_CONNECTION_INVITATION");
        assert_eq!(
            twice.metadata["connection_invitation_id"],
            first.connection_invitation_id
        );
    }
    let accepted = accepting(&first.connection_invitation_id);
    lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepted)
        .await
        .expect("a connection");
    let receiver = profile_id(&app, ALDER).await;
    let again = lead(&app, BIRCH)
        .connections()
        .create_connection_invitation(invite(&receiver, SHARING))
        .await;
    refused(again, Code::AlreadyExists, "DUPLICATE_CONNECTION");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_010_who_may_answer_and_only_once() {
    let app = start().await;
    let id = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
    let wrong = "INCOMPATIBLE_PARTICIPANT_TYPE";
    refused(
        lead(&app, ALDER)
            .connections()
            .accept_connection_invitation(accepting(&id))
            .await,
        Code::FailedPrecondition,
        wrong,
    );
    refused(
        lead(&app, ALDER)
            .connections()
            .reject_connection_invitation(rejecting(&id, ""))
            .await,
        Code::FailedPrecondition,
        wrong,
    );
    refused(
        lead(&app, BIRCH)
            .connections()
            .cancel_connection_invitation(canceling(&id))
            .await,
        Code::FailedPrecondition,
        wrong,
    );
    let stale = pb::AcceptConnectionInvitationRequest {
        etag: "\"9\"".to_owned(),
        ..accepting(&id)
    };
    refused(
        lead(&app, BIRCH)
            .connections()
            .accept_connection_invitation(stale)
            .await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let rehearsal = pb::AcceptConnectionInvitationRequest {
        validate_only: true,
        ..accepting(&id)
    };
    lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(rehearsal)
        .await
        .expect("a rehearsal");

    let rejecting = pb::RejectConnectionInvitationRequest {
        request_id: request_id(),
        ..rejecting(&id, "Not now")
    };
    for _ in 0..2 {
        let answer = lead(&app, BIRCH)
            .connections()
            .reject_connection_invitation(rejecting.clone())
            .await
            .expect("it")
            .into_inner();
        let seen = answer.connection_invitation.expect("one");
        assert_eq!(
            (seen.status(), seen.revision),
            (pb::ConnectionInvitationStatus::Rejected, 2)
        );
    }
    let seen = lead(&app, ALDER)
        .connections()
        .get_connection_invitation(reading(&id))
        .await
        .expect("it")
        .into_inner();
    assert_eq!(
        seen.connection_invitation.expect("one").rejection_reason,
        "Not now"
    );
    let late = lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepting(&id))
        .await;
    let late = refused(
        late,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_STATE",
    );
    assert_eq!(
        (late.metadata["status"].as_str(), late.metadata["action"].as_str()),
        ("REJECTED", "ACCEPT")
    );

    let id = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
    lead(&app, ALDER)
        .connections()
        .cancel_connection_invitation(canceling(&id))
        .await
        .expect("an end");
    let never = "pacinv-0000000000000";
    for stranger in [lead(&app, CEDAR), by(&app, &who(CEDAR, "cedar-user"))] {
        let (one, two) = (stranger.clone(), stranger);
        let theirs = one.connections().get_connection_invitation(reading(&id)).await;
        let theirs = refused(theirs, Code::NotFound, "CONNECTION_INVITATION_NOT_FOUND");
        let nobodys = two.connections().get_connection_invitation(reading(never)).await;
        let nobodys = refused(nobodys, Code::NotFound, "CONNECTION_INVITATION_NOT_FOUND");
        assert_eq!(
            theirs.message.replace(&id, ""),
            nobodys.message.replace(never, "")
        );
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_004_dir_001_a_suspended_account_connects_with_nobody() {
    let app = start().await;
    let id = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
    let mut suspended = company(ALDER, "Alder");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_record(suspended)]).await;
    let status = lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepting(&id))
        .await;
    refused(status, Code::FailedPrecondition, "INVALID_ACCOUNT_STATE");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_050_invitations_are_listed_the_newest_first() {
    let app = start().await;
    apply(&app, vec![account_record(company(CEDAR, "Cedar"))]).await;
    connected(&app, ALDER, BIRCH).await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let pending = invited(&app, ALDER, CEDAR).await.connection_invitation_id;
    let birch = profile_id(&app, BIRCH).await;
    let count = async |account: &str, filter: pb::ConnectionInvitationFilter| {
        let mut request = pb::ListConnectionInvitationsRequest {
            filter: Some(filter),
            page_size: 1,
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let page = lead(&app, account)
                .connections()
                .list_connection_invitations(request.clone())
                .await
                .expect("a page");
            let page = page.into_inner();
            found.extend(page.connection_invitations);
            if page.next_page_token.is_empty() {
                return found;
            }
            request.page_token = page.next_page_token;
        }
    };
    let none = pb::ConnectionInvitationFilter::default;
    let all = count(ALDER, none()).await;
    assert_eq!((all.len(), &all[0].connection_invitation_id), (2, &pending));
    let open = vec![pb::ConnectionInvitationStatus::Pending.into()];
    for (account, filter, expected) in [
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                statuses: open.clone(),
                ..none()
            },
            1,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                other_profile_ids: vec![birch],
                ..none()
            },
            1,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                participant_types: vec![ParticipantType::Receiver.into()],
                ..none()
            },
            0,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                types: vec![pb::ConnectionType::Subsidiary.into()],
                ..none()
            },
            0,
        ),
        (BIRCH, none(), 1),
        (
            CEDAR,
            pb::ConnectionInvitationFilter {
                statuses: open,
                ..none()
            },
            1,
        ),
    ] {
        assert_eq!(
            count(account, filter.clone()).await.len(),
            expected,
            "{account} {filter:?}"
        );
    }
    app.finish::<Partners>().await;
}
