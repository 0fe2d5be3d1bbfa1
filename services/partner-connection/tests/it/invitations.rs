//! Covers connection invitations through the API: visibility before acceptance, eligible receivers, duplicates,
//! answers, suspended accounts, and lists (CON-001 to CON-004, CON-010, CON-050).

use cosell_partner_connection::Partners;
use cosell_proto::EventDetail as _;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{App, Refusal, refused};

use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, CEDAR, SHARING, accept_request, account_record, account_request, alliance_lead, apply,
    caller, cancel_request, clients, create_connection, create_invitation, event_subjects, get_profile_id,
    invitation_request, last_event_seq, reject_request, request_id, start,
};

fn get_request(id: &str) -> pb::GetConnectionInvitationRequest {
    pb::GetConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn con_002_pending_invitation_hides_accounts_until_accepted() {
    let app = start().await;
    let before = last_event_seq(&app).await;
    let sent = create_invitation(&app, ALDER, BIRCH).await;
    let id = sent.connection_invitation_id.clone();
    assert_eq!(
        (sent.status(), sent.participant_type()),
        (pb::ConnectionInvitationStatus::Pending, ParticipantType::Sender)
    );
    assert_eq!(sent.other_account_id, "");
    let received = alliance_lead(&app, BIRCH)
        .connections()
        .get_connection_invitation(get_request(&id))
        .await
        .expect("a response")
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

    let accepted = alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accept_request(&id))
        .await
        .expect("a response")
        .into_inner();
    let (invitation, connection) = (accepted.connection_invitation, accepted.connection);
    let (invitation, connection) = (
        invitation.expect("an invitation"),
        connection.expect("a connection"),
    );
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
        event_subjects(&app, before).await,
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

/// The last event about an invitation that was published for an account.
async fn last_invitation_event(app: &App, account: &str) -> pb::ConnectionInvitationEventDetail {
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
async fn con_001_002_invitation_to_ineligible_receiver_is_refused() {
    let app = start().await;
    let (alder, birch) = (
        get_profile_id(&app, ALDER).await,
        get_profile_id(&app, BIRCH).await,
    );
    let mut hidden = account_record(CEDAR, "Cedar");
    hidden.visibility = pb::ProfileVisibility::Private.into();
    let incompatible = "INCOMPATIBLE_CONNECTION_INVITATION_REQUEST";
    let not_found = "RECEIVER_PROFILE_NOT_FOUND";
    let subsidiary = pb::ConnectionType::Subsidiary;
    for (from, receiver, kind, reason) in [
        (ALDER, alder.as_str(), SHARING, incompatible),
        (ALDER, BIRCH, SHARING, incompatible),
        (ALDER, birch.as_str(), subsidiary, incompatible),
        (ALDER, ALDER, subsidiary, incompatible),
        (ALDER, "pprofile-0000000000000", SHARING, not_found),
        (ALDER, "888888888888", subsidiary, not_found),
        (ALDER, AWS, subsidiary, not_found),
        (CEDAR, birch.as_str(), SHARING, "SENDER_PROFILE_NOT_FOUND"),
    ] {
        let status = alliance_lead(&app, from)
            .connections()
            .create_connection_invitation(invitation_request(receiver, kind))
            .await;
        let refusal = Refusal::from(&status.expect_err("a refusal"));
        assert_eq!(refusal.reason, reason, "{from} invites {receiver} for {kind:?}");
    }
    apply(&app, vec![account_request(hidden)]).await;
    let hidden = get_profile_id(&app, CEDAR).await;
    let status = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(&hidden, SHARING))
        .await;
    refused(status, Code::NotFound, not_found);
    // A subsidiary is named by its account, even if its profile is private.
    let created = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(CEDAR, subsidiary))
        .await;
    let created = created
        .expect("an invitation")
        .into_inner()
        .connection_invitation
        .expect("a connection invitation");
    assert_eq!(
        created.other_account_id, CEDAR,
        "the sender must see the account that it named"
    );
    // Before the acceptance, no response or event reveals the receiver's profile to the sender.
    assert_eq!(
        (
            created.receiver_profile_id.as_str(),
            created.other_company_name.as_str()
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
    let response = alliance_lead(&app, ALDER)
        .connections()
        .list_connection_invitations(by_profile.clone())
        .await
        .expect("a list");
    assert_eq!(response.into_inner().connection_invitations, []);
    let event = last_invitation_event(&app, ALDER).await;
    assert_eq!(
        event.receiver_profile_id, "",
        "the event must not name the profile"
    );
    let accepted = alliance_lead(&app, CEDAR)
        .connections()
        .accept_connection_invitation(accept_request(&created.connection_invitation_id))
        .await;
    accepted.expect("a connection");
    let response = alliance_lead(&app, ALDER)
        .connections()
        .list_connection_invitations(by_profile)
        .await
        .expect("a list");
    let invitations = response.into_inner().connection_invitations;
    assert_eq!(
        invitations[0].receiver_profile_id, hidden,
        "the acceptance must reveal the profile"
    );

    let empty = pb::CreateConnectionInvitationRequest::default();
    let refusal = refused(
        alliance_lead(&app, ALDER)
            .connections()
            .create_connection_invitation(empty)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        ["type", "receiver_id", "inviter_name", "inviter_email", "message"]
    );
    let mut suspended = account_record(BIRCH, "Birch");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_request(suspended)]).await;
    let status = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(&birch, SHARING))
        .await;
    refused(
        status,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_RECEIVER",
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_003_004_duplicate_invitation_and_connection_are_refused() {
    let app = start().await;
    let first = create_invitation(&app, ALDER, BIRCH).await;
    for (from, to) in [(ALDER, BIRCH), (BIRCH, ALDER)] {
        let receiver = get_profile_id(&app, to).await;
        let duplicate = alliance_lead(&app, from)
            .connections()
            .create_connection_invitation(invitation_request(&receiver, SHARING))
            .await;
        let refusal = refused(duplicate, Code::AlreadyExists, "DUPLICATE_CONNECTION_INVITATION");
        assert_eq!(
            refusal.metadata["connection_invitation_id"],
            first.connection_invitation_id
        );
    }
    let accepted = accept_request(&first.connection_invitation_id);
    alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepted)
        .await
        .expect("a connection");
    let receiver = get_profile_id(&app, ALDER).await;
    let again = alliance_lead(&app, BIRCH)
        .connections()
        .create_connection_invitation(invitation_request(&receiver, SHARING))
        .await;
    refused(again, Code::AlreadyExists, "DUPLICATE_CONNECTION");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_010_invitation_is_answered_once_by_matching_participant() {
    let app = start().await;
    let id = create_invitation(&app, ALDER, BIRCH)
        .await
        .connection_invitation_id;
    let reason = "INCOMPATIBLE_PARTICIPANT_TYPE";
    refused(
        alliance_lead(&app, ALDER)
            .connections()
            .accept_connection_invitation(accept_request(&id))
            .await,
        Code::FailedPrecondition,
        reason,
    );
    refused(
        alliance_lead(&app, ALDER)
            .connections()
            .reject_connection_invitation(reject_request(&id, ""))
            .await,
        Code::FailedPrecondition,
        reason,
    );
    refused(
        alliance_lead(&app, BIRCH)
            .connections()
            .cancel_connection_invitation(cancel_request(&id))
            .await,
        Code::FailedPrecondition,
        reason,
    );
    let stale = pb::AcceptConnectionInvitationRequest {
        etag: "\"9\"".to_owned(),
        ..accept_request(&id)
    };
    refused(
        alliance_lead(&app, BIRCH)
            .connections()
            .accept_connection_invitation(stale)
            .await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let dry_run = pb::AcceptConnectionInvitationRequest {
        validate_only: true,
        ..accept_request(&id)
    };
    alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(dry_run)
        .await
        .expect("a dry run");

    let rejection = pb::RejectConnectionInvitationRequest {
        request_id: request_id(),
        ..reject_request(&id, "Not now")
    };
    for _ in 0..2 {
        let response = alliance_lead(&app, BIRCH)
            .connections()
            .reject_connection_invitation(rejection.clone())
            .await
            .expect("a response")
            .into_inner();
        let seen = response.connection_invitation.expect("a connection invitation");
        assert_eq!(
            (seen.status(), seen.revision),
            (pb::ConnectionInvitationStatus::Rejected, 2)
        );
    }
    let seen = alliance_lead(&app, ALDER)
        .connections()
        .get_connection_invitation(get_request(&id))
        .await
        .expect("a response")
        .into_inner();
    assert_eq!(
        seen.connection_invitation
            .expect("a connection invitation")
            .rejection_reason,
        "Not now"
    );
    let late = alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accept_request(&id))
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

    let id = create_invitation(&app, ALDER, BIRCH)
        .await
        .connection_invitation_id;
    alliance_lead(&app, ALDER)
        .connections()
        .cancel_connection_invitation(cancel_request(&id))
        .await
        .expect("a cancellation");
    let nonexistent = "pacinv-0000000000000";
    for other_account in [
        alliance_lead(&app, CEDAR),
        clients(&app, &caller(CEDAR, "cedar-user")),
    ] {
        let hidden = other_account
            .connections()
            .get_connection_invitation(get_request(&id))
            .await;
        let hidden = refused(hidden, Code::NotFound, "CONNECTION_INVITATION_NOT_FOUND");
        let absent = other_account
            .connections()
            .get_connection_invitation(get_request(nonexistent))
            .await;
        let absent = refused(absent, Code::NotFound, "CONNECTION_INVITATION_NOT_FOUND");
        assert_eq!(
            hidden.message.replace(&id, ""),
            absent.message.replace(nonexistent, "")
        );
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_004_dir_001_invitation_of_suspended_account_cannot_be_accepted() {
    let app = start().await;
    let id = create_invitation(&app, ALDER, BIRCH)
        .await
        .connection_invitation_id;
    let mut suspended = account_record(ALDER, "Alder");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_request(suspended)]).await;
    let status = alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accept_request(&id))
        .await;
    refused(status, Code::FailedPrecondition, "INVALID_ACCOUNT_STATE");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_050_invitations_are_listed_newest_first_and_filtered() {
    let app = start().await;
    apply(&app, vec![account_request(account_record(CEDAR, "Cedar"))]).await;
    create_connection(&app, ALDER, BIRCH).await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let pending = create_invitation(&app, ALDER, CEDAR)
        .await
        .connection_invitation_id;
    let birch = get_profile_id(&app, BIRCH).await;
    let list = async |account: &str, filter: pb::ConnectionInvitationFilter| {
        let mut request = pb::ListConnectionInvitationsRequest {
            filter: Some(filter),
            page_size: 1,
            ..Default::default()
        };
        let mut invitations = Vec::new();
        loop {
            let page = alliance_lead(&app, account)
                .connections()
                .list_connection_invitations(request.clone())
                .await
                .expect("a page");
            let page = page.into_inner();
            invitations.extend(page.connection_invitations);
            if page.next_page_token.is_empty() {
                return invitations;
            }
            request.page_token = page.next_page_token;
        }
    };
    let no_filter = pb::ConnectionInvitationFilter::default;
    let all = list(ALDER, no_filter()).await;
    assert_eq!((all.len(), &all[0].connection_invitation_id), (2, &pending));
    let open = vec![pb::ConnectionInvitationStatus::Pending.into()];
    for (account, filter, expected) in [
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                statuses: open.clone(),
                ..no_filter()
            },
            1,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                other_profile_ids: vec![birch],
                ..no_filter()
            },
            1,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                participant_types: vec![ParticipantType::Receiver.into()],
                ..no_filter()
            },
            0,
        ),
        (
            ALDER,
            pb::ConnectionInvitationFilter {
                types: vec![pb::ConnectionType::Subsidiary.into()],
                ..no_filter()
            },
            0,
        ),
        (BIRCH, no_filter(), 1),
        (
            CEDAR,
            pb::ConnectionInvitationFilter {
                statuses: open,
                ..no_filter()
            },
            1,
        ),
    ] {
        assert_eq!(
            list(account, filter.clone()).await.len(),
            expected,
            "{account} {filter:?}"
        );
    }
    app.finish::<Partners>().await;
}
