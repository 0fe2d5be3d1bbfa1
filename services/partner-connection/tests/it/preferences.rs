//! Whose invitations a company takes, and how many there can be (CON-030, CON-031, CON-040).

use cosell_grpc::etags;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, SHARING, accepting, account_record, apply, canceling, company, end_all, invite,
    invited, lead, profile_id, start, start_with,
};

#[tokio::test]
async fn con_030_031_preferences_say_whose_invitations_are_taken() {
    let app = start().await;
    let (alder, birch) = (profile_id(&app, ALDER).await, profile_id(&app, BIRCH).await);
    let receiver = lead(&app, BIRCH);
    let read = receiver
        .connections()
        .get_connection_preferences(pb::GetConnectionPreferencesRequest {})
        .await;
    let read = read
        .expect("preferences")
        .into_inner()
        .connection_preferences
        .expect("preferences");
    assert_eq!(
        (read.access_type(), read.etag.as_str()),
        (pb::AccessType::AllowAll, "\"1\"")
    );
    let preferring = |access: pb::AccessType, excluded: &[&String], revision: i64| {
        pb::UpdateConnectionPreferencesRequest {
            access_type: access.into(),
            excluded_profile_ids: excluded.iter().map(|id| (*id).clone()).collect(),
            etag: etags::of(revision),
            ..Default::default()
        }
    };
    let denied = pb::AccessType::AllowByDefaultDenySome;
    let empty = receiver
        .connections()
        .update_connection_preferences(preferring(denied, &[], 1))
        .await;
    assert_eq!(
        refused(empty, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["excluded_profile_ids"]
    );
    receiver
        .connections()
        .update_connection_preferences(preferring(denied, &[&alder], 1))
        .await
        .expect("a change");
    let stale = receiver
        .connections()
        .update_connection_preferences(preferring(denied, &[&alder], 1))
        .await;
    let stale = refused(stale, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(stale.metadata["current_etag"], "\"2\"");
    let unstated = pb::UpdateConnectionPreferencesRequest {
        etag: String::new(),
        ..preferring(denied, &[&alder], 2)
    };
    let unstated = receiver
        .connections()
        .update_connection_preferences(unstated)
        .await;
    assert_eq!(
        refused(unstated, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["etag"]
    );
    let status = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(&birch, SHARING))
        .await;
    refused(
        status,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_RECEIVER",
    );
    receiver
        .connections()
        .update_connection_preferences(preferring(pb::AccessType::AllowAll, &[], 2))
        .await
        .expect("a change");
    invited(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_040_nobody_has_or_sends_too_many() {
    let app = start_with(Options {
        invitations_per_day: 3,
        open_invitations: 1,
        active_connections: 1,
        ..Options::default()
    })
    .await;
    apply(&app, vec![account_record(company(CEDAR, "Cedar"))]).await;
    let cedar = profile_id(&app, CEDAR).await;
    let first = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
    let second = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(&cedar, SHARING))
        .await;
    let second = refused(
        second,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_OPEN_CONNECTION_INVITATION",
    );
    assert_eq!(second.metadata["limit"], "1");
    // Cedar asks Alder, who then connects with Birch: there is no room for both.
    let asked = invited(&app, CEDAR, ALDER).await.connection_invitation_id;
    lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepting(&first))
        .await
        .expect("a connection");
    let full = lead(&app, ALDER)
        .connections()
        .accept_connection_invitation(accepting(&asked))
        .await;
    refused(
        full,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_ACTIVE_CONNECTION",
    );
    end_all(&app).await;
    lead(&app, ALDER)
        .connections()
        .accept_connection_invitation(accepting(&asked))
        .await
        .expect("room");
    end_all(&app).await;

    for _ in 0..2 {
        let id = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
        lead(&app, ALDER)
            .connections()
            .cancel_connection_invitation(canceling(&id))
            .await
            .expect("an end");
    }
    let birch = profile_id(&app, BIRCH).await;
    let fourth = lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invite(&birch, SHARING))
        .await;
    refused(
        fourth,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_CONNECTION_INVITATION_PER_DAY",
    );
    app.clock.advance(chrono::TimeDelta::hours(15));
    invited(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}
