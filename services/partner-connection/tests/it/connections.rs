//! Covers connections through the API: types, cancellation, visibility, concurrent cancellation, and lists (CON-004,
//! CON-020, CON-021, CON-050).

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{App, Refusal, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, SHARING, accept_request, alliance_lead, create_connection, event_subjects,
    invitation_request, last_event_seq, request_id, start,
};

const SUBSIDIARY: pb::ConnectionType = pb::ConnectionType::Subsidiary;

fn cancel_request(id: &str, kind: pb::ConnectionType) -> pb::CancelConnectionRequest {
    pb::CancelConnectionRequest {
        connection_id: id.to_owned(),
        r#type: kind.into(),
        reason: "We go other ways".to_owned(),
        ..Default::default()
    }
}

/// Connects the second account as a subsidiary of the first one.
async fn create_subsidiary(app: &App, from: &str, to: &str) {
    let response = alliance_lead(app, from)
        .connections()
        .create_connection_invitation(invitation_request(to, SUBSIDIARY))
        .await;
    let invitation = response
        .expect("a response")
        .into_inner()
        .connection_invitation
        .expect("a connection invitation");
    let acceptance = accept_request(&invitation.connection_invitation_id);
    alliance_lead(app, to)
        .connections()
        .accept_connection_invitation(acceptance)
        .await
        .expect("a connection");
}

#[tokio::test]
async fn con_004_020_021_types_are_canceled_separately_and_last_ends_connection() {
    let app = start().await;
    let id = create_connection(&app, ALDER, BIRCH).await.connection_id;
    create_subsidiary(&app, BIRCH, ALDER).await;
    let request = pb::GetConnectionRequest {
        connection_id: id.clone(),
    };
    let seen = alliance_lead(&app, ALDER)
        .connections()
        .get_connection(request.clone())
        .await
        .expect("a response")
        .into_inner();
    let seen = seen.connection.expect("a connection");
    let parts: Vec<_> = seen
        .type_details
        .iter()
        .map(|part| (part.r#type(), part.participant_type()))
        .collect();
    assert_eq!(
        parts,
        [
            (SHARING, ParticipantType::Sender),
            (SUBSIDIARY, ParticipantType::Receiver)
        ],
        "the connection must have two types"
    );
    let before = last_event_seq(&app).await;
    let canceled = pb::CancelConnectionRequest {
        request_id: request_id(),
        ..cancel_request(&id, SHARING)
    };
    for _ in 0..2 {
        let response = alliance_lead(&app, BIRCH)
            .connections()
            .cancel_connection(canceled.clone())
            .await
            .expect("a response")
            .into_inner();
        let seen = response.connection.expect("a connection");
        assert_eq!(
            (seen.status(), seen.revision),
            (pb::ConnectionStatus::Active, 3),
            "the other type must stay active"
        );
        assert_eq!(seen.type_details[0].canceled_by_account_id, BIRCH);
        assert_eq!(seen.type_details[0].cancel_reason, "We go other ways");
    }
    let canceled_again = alliance_lead(&app, ALDER)
        .connections()
        .cancel_connection(cancel_request(&id, SHARING))
        .await;
    refused(
        canceled_again,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_STATE",
    );
    let stale = pb::CancelConnectionRequest {
        etag: "\"2\"".to_owned(),
        ..cancel_request(&id, SUBSIDIARY)
    };
    refused(
        alliance_lead(&app, ALDER)
            .connections()
            .cancel_connection(stale)
            .await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let without_reason = pb::CancelConnectionRequest {
        reason: String::new(),
        ..cancel_request(&id, SUBSIDIARY)
    };
    let refusal = refused(
        alliance_lead(&app, ALDER)
            .connections()
            .cancel_connection(without_reason)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["reason"]);
    alliance_lead(&app, ALDER)
        .connections()
        .cancel_connection(cancel_request(&id, SUBSIDIARY))
        .await
        .expect("a cancellation");
    let seen = alliance_lead(&app, BIRCH)
        .connections()
        .get_connection(request)
        .await
        .expect("a canceled connection")
        .into_inner();
    assert_eq!(
        seen.connection.expect("a connection").status(),
        pb::ConnectionStatus::Canceled
    );
    assert_eq!(
        event_subjects(&app, before).await,
        [
            format!("cosell.partner.v1.{ALDER}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{ALDER}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_canceled"),
        ]
    );
    let reconnected = create_connection(&app, BIRCH, ALDER).await;
    assert_ne!(
        reconnected.connection_id, id,
        "a new connection must have a new id"
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_020_connection_of_other_accounts_is_not_found() {
    let app = start().await;
    let id = create_connection(&app, ALDER, BIRCH).await.connection_id;
    let nonexistent = "pac-0000000000000";
    let outcomes = async |id: &str| {
        let request = pb::GetConnectionRequest {
            connection_id: id.to_owned(),
        };
        let read = alliance_lead(&app, CEDAR)
            .connections()
            .get_connection(request)
            .await
            .expect_err("a refusal");
        let canceled = alliance_lead(&app, CEDAR)
            .connections()
            .cancel_connection(cancel_request(id, SHARING))
            .await
            .expect_err("a refusal");
        [read, canceled].map(|status| {
            let refusal = Refusal::from(&status);
            assert_eq!(refusal.reason, "CONNECTION_NOT_FOUND");
            refusal.message.replace(id, "")
        })
    };
    assert_eq!(outcomes(&id).await, outcomes(nonexistent).await);
    app.finish::<Partners>().await;
}

/// Both accounts cancel the same connection type concurrently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_020_concurrent_cancellations_have_one_winner() {
    let app = start().await;
    for _ in 0..5 {
        let id = create_connection(&app, ALDER, BIRCH).await.connection_id;
        let (first_client, second_client) = (alliance_lead(&app, ALDER), alliance_lead(&app, BIRCH));
        let (first, second) = tokio::join!(
            async {
                first_client
                    .connections()
                    .cancel_connection(cancel_request(&id, SHARING))
                    .await
            },
            async {
                second_client
                    .connections()
                    .cancel_connection(cancel_request(&id, SHARING))
                    .await
            },
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let status = first.err().or(second.err()).expect("a refusal");
        assert_eq!(Refusal::from(&status).reason, "INCOMPATIBLE_CONNECTION_STATE");
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_050_connections_are_listed_by_type_and_status() {
    let app = start().await;
    let id = create_connection(&app, ALDER, BIRCH).await.connection_id;
    create_subsidiary(&app, ALDER, CEDAR).await;
    alliance_lead(&app, ALDER)
        .connections()
        .cancel_connection(cancel_request(&id, SHARING))
        .await
        .expect("a cancellation");
    let kind = |kind: pb::ConnectionType, status: Option<pb::ConnectionStatus>| pb::ConnectionTypeFilter {
        r#type: kind.into(),
        status: status.map_or(0, Into::into),
    };
    let (active, canceled) = (
        Some(pb::ConnectionStatus::Active),
        Some(pb::ConnectionStatus::Canceled),
    );
    for (types, others, expected) in [
        (vec![], vec![], 2),
        (vec![kind(SHARING, None)], vec![], 1),
        (vec![kind(SHARING, active)], vec![], 0),
        (vec![kind(SHARING, canceled), kind(SUBSIDIARY, active)], vec![], 2),
        (vec![kind(SUBSIDIARY, canceled)], vec![], 0),
        (vec![], vec![CEDAR.to_owned()], 1),
        (vec![kind(SHARING, None)], vec![CEDAR.to_owned()], 0),
    ] {
        let filter = pb::ConnectionFilter {
            types,
            other_account_ids: others,
        };
        let request = pb::ListConnectionsRequest {
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let list = alliance_lead(&app, ALDER)
            .connections()
            .list_connections(request)
            .await
            .expect("a list")
            .into_inner();
        assert_eq!(list.connections.len(), expected, "{filter:?}");
    }
    app.finish::<Partners>().await;
}
