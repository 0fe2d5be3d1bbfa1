//! Connections between companies (CON-004, CON-020, CON-021, CON-050).

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{App, Refusal, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, SHARING, accepting, connected, invite, last_event, lead, request_id, start, subjects,
};

const SUBSIDIARY: pb::ConnectionType = pb::ConnectionType::Subsidiary;

fn canceling(id: &str, kind: pb::ConnectionType) -> pb::CancelConnectionRequest {
    pb::CancelConnectionRequest {
        connection_id: id.to_owned(),
        r#type: kind.into(),
        reason: "We go other ways".to_owned(),
        ..Default::default()
    }
}

/// Makes the second a subsidiary of the first.
async fn subordinate(app: &App, from: &str, to: &str) {
    let answer = lead(app, from)
        .connections()
        .create_connection_invitation(invite(to, SUBSIDIARY))
        .await;
    let invitation = answer
        .expect("one")
        .into_inner()
        .connection_invitation
        .expect("one");
    let accepting = accepting(&invitation.connection_invitation_id);
    lead(app, to)
        .connections()
        .accept_connection_invitation(accepting)
        .await
        .expect("a connection");
}

#[tokio::test]
async fn con_004_020_021_types_are_managed_apart_and_the_last_ends_it() {
    let app = start().await;
    let made = connected(&app, ALDER, BIRCH).await;
    let id = made.connection_id;
    subordinate(&app, BIRCH, ALDER).await;
    let reading = pb::GetConnectionRequest {
        connection_id: id.clone(),
    };
    let seen = lead(&app, ALDER)
        .connections()
        .get_connection(reading.clone())
        .await
        .expect("it")
        .into_inner();
    let seen = seen.connection.expect("one");
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
        "one connection of two types"
    );
    let before = last_event(&app).await;
    let canceled = pb::CancelConnectionRequest {
        request_id: request_id(),
        ..canceling(&id, SHARING)
    };
    for _ in 0..2 {
        let answer = lead(&app, BIRCH)
            .connections()
            .cancel_connection(canceled.clone())
            .await
            .expect("it")
            .into_inner();
        let seen = answer.connection.expect("one");
        assert_eq!(
            (seen.status(), seen.revision),
            (pb::ConnectionStatus::Active, 3),
            "the other type goes on"
        );
        assert_eq!(seen.type_details[0].canceled_by_account_id, BIRCH);
        assert_eq!(seen.type_details[0].cancel_reason, "We go other ways");
    }
    let twice = lead(&app, ALDER)
        .connections()
        .cancel_connection(canceling(&id, SHARING))
        .await;
    refused(twice, Code::FailedPrecondition, "INCOMPATIBLE_CONNECTION_STATE");
    let stale = pb::CancelConnectionRequest {
        etag: "\"2\"".to_owned(),
        ..canceling(&id, SUBSIDIARY)
    };
    refused(
        lead(&app, ALDER).connections().cancel_connection(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let silent = pb::CancelConnectionRequest {
        reason: String::new(),
        ..canceling(&id, SUBSIDIARY)
    };
    let silent = refused(
        lead(&app, ALDER).connections().cancel_connection(silent).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(silent.paths(), ["reason"]);
    lead(&app, ALDER)
        .connections()
        .cancel_connection(canceling(&id, SUBSIDIARY))
        .await
        .expect("an end");
    let seen = lead(&app, BIRCH)
        .connections()
        .get_connection(reading)
        .await
        .expect("history")
        .into_inner();
    assert_eq!(
        seen.connection.expect("one").status(),
        pb::ConnectionStatus::Canceled
    );
    assert_eq!(
        subjects(&app, before).await,
        [
            format!("cosell.partner.v1.{ALDER}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{ALDER}.{id}.connection_canceled"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_canceled"),
        ]
    );
    let anew = connected(&app, BIRCH, ALDER).await;
    assert_ne!(anew.connection_id, id, "what has ended does not come back");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_020_a_stranger_learns_nothing() {
    let app = start().await;
    let id = connected(&app, ALDER, BIRCH).await.connection_id;
    let never = "pac-0000000000000";
    let ask = async |id: &str| {
        let reading = pb::GetConnectionRequest {
            connection_id: id.to_owned(),
        };
        let read = lead(&app, CEDAR)
            .connections()
            .get_connection(reading)
            .await
            .expect_err("a refusal");
        let ended = lead(&app, CEDAR)
            .connections()
            .cancel_connection(canceling(id, SHARING))
            .await
            .expect_err("a refusal");
        [read, ended].map(|status| {
            let refusal = Refusal::from(&status);
            assert_eq!(refusal.reason, "CONNECTION_NOT_FOUND");
            refusal.message.replace(id, "")
        })
    };
    assert_eq!(ask(&id).await, ask(never).await);
    app.finish::<Partners>().await;
}

/// Both end it at once: one does, and both can be told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_020_two_who_end_it_at_once_end_it_once() {
    let app = start().await;
    for _ in 0..5 {
        let id = connected(&app, ALDER, BIRCH).await.connection_id;
        let (one, two) = (lead(&app, ALDER), lead(&app, BIRCH));
        let (first, second) = tokio::join!(
            async { one.connections().cancel_connection(canceling(&id, SHARING)).await },
            async { two.connections().cancel_connection(canceling(&id, SHARING)).await },
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
    let id = connected(&app, ALDER, BIRCH).await.connection_id;
    subordinate(&app, ALDER, CEDAR).await;
    lead(&app, ALDER)
        .connections()
        .cancel_connection(canceling(&id, SHARING))
        .await
        .expect("an end");
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
        let list = lead(&app, ALDER)
            .connections()
            .list_connections(request)
            .await
            .expect("a list")
            .into_inner();
        assert_eq!(list.connections.len(), expected, "{filter:?}");
    }
    app.finish::<Partners>().await;
}
