//! Covers connection preferences (CON-030, CON-031) and the limits on invitations and connections (CON-040).

use cosell_grpc::etags;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, SHARING, accept_request, account_record, account_request, alliance_lead, apply,
    cancel_all_connections, cancel_request, create_invitation, get_profile_id, invitation_request, start,
    start_with,
};

#[tokio::test]
async fn con_030_031_preferences_control_invitations_and_require_etag() {
    let app = start().await;
    let (alder, birch) = (
        get_profile_id(&app, ALDER).await,
        get_profile_id(&app, BIRCH).await,
    );
    let receiver = alliance_lead(&app, BIRCH);
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
    let update_request = |access: pb::AccessType, excluded: &[&String], revision: i64| {
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
        .update_connection_preferences(update_request(denied, &[], 1))
        .await;
    assert_eq!(
        refused(empty, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["excluded_profile_ids"]
    );
    receiver
        .connections()
        .update_connection_preferences(update_request(denied, &[&alder], 1))
        .await
        .expect("a change");
    let stale = receiver
        .connections()
        .update_connection_preferences(update_request(denied, &[&alder], 1))
        .await;
    let stale = refused(stale, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(stale.metadata["current_etag"], "\"2\"");
    let without_etag = pb::UpdateConnectionPreferencesRequest {
        etag: String::new(),
        ..update_request(denied, &[&alder], 2)
    };
    let without_etag = receiver
        .connections()
        .update_connection_preferences(without_etag)
        .await;
    assert_eq!(
        refused(without_etag, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["etag"]
    );
    let status = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(&birch, SHARING))
        .await;
    refused(
        status,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_RECEIVER",
    );
    receiver
        .connections()
        .update_connection_preferences(update_request(pb::AccessType::AllowAll, &[], 2))
        .await
        .expect("a change");
    create_invitation(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_040_limits_on_invitations_and_connections_are_enforced() {
    let app = start_with(Options {
        invitations_per_day: 3,
        open_invitations: 1,
        active_connections: 1,
        ..Options::default()
    })
    .await;
    apply(&app, vec![account_request(account_record(CEDAR, "Cedar"))]).await;
    let cedar = get_profile_id(&app, CEDAR).await;
    let first = create_invitation(&app, ALDER, BIRCH)
        .await
        .connection_invitation_id;
    let second = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(&cedar, SHARING))
        .await;
    let second = refused(
        second,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_OPEN_CONNECTION_INVITATION",
    );
    assert_eq!(second.metadata["limit"], "1");
    // Alder connects with Birch and so reaches its limit before it accepts Cedar's invitation.
    let from_cedar = create_invitation(&app, CEDAR, ALDER)
        .await
        .connection_invitation_id;
    alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accept_request(&first))
        .await
        .expect("a connection");
    let over_limit = alliance_lead(&app, ALDER)
        .connections()
        .accept_connection_invitation(accept_request(&from_cedar))
        .await;
    refused(
        over_limit,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_ACTIVE_CONNECTION",
    );
    cancel_all_connections(&app).await;
    alliance_lead(&app, ALDER)
        .connections()
        .accept_connection_invitation(accept_request(&from_cedar))
        .await
        .expect("a connection below the limit");
    cancel_all_connections(&app).await;

    for _ in 0..2 {
        let id = create_invitation(&app, ALDER, BIRCH)
            .await
            .connection_invitation_id;
        alliance_lead(&app, ALDER)
            .connections()
            .cancel_connection_invitation(cancel_request(&id))
            .await
            .expect("a cancellation");
    }
    let birch = get_profile_id(&app, BIRCH).await;
    let fourth = alliance_lead(&app, ALDER)
        .connections()
        .create_connection_invitation(invitation_request(&birch, SHARING))
        .await;
    refused(
        fourth,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_CONNECTION_INVITATION_PER_DAY",
    );
    app.clock.advance(chrono::TimeDelta::hours(15));
    create_invitation(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}
