//! Permissions of members come from the directory: a member is looked up once, then its replica follows events
//! (ACC-004, DIR-003). Also records whose owner is inactive (OPP-061).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{App, Client, PeerStub, Refusal, Setup, aws, eventually, partner, refused};
use cosell_types::{Caller, ClosedList as _, Role};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::support::{ALDER, client_for, create, manager, options, record, start, user};

/// Calls as the member of a token, without adding the member to the directory.
async fn list(app: &App, caller: &Caller) -> Result<Response<pb::ListOpportunitiesResponse>, Status> {
    let client = Client::new(&app.issuer, Some(caller)).with_channel(app.channel.clone());
    OpportunityServiceClient::new(client)
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await
}

fn member_changed(
    revision: i64,
    status: directory::MemberStatus,
    roles: &[Role],
) -> directory::MemberRolesChanged {
    directory::MemberRolesChanged {
        detail: Some(directory::MemberEventDetail {
            member_id: "mem-user".to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: status.into(),
            roles: roles.iter().map(|role| role.number()).collect(),
            sees_all_opportunities: false,
        }),
    }
}

fn account_changed(
    revision: i64,
    status: directory::AccountStatus,
    terms_accepted: bool,
) -> directory::AccountDetailsChanged {
    directory::AccountDetailsChanged {
        detail: Some(directory::AccountEventDetail {
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: status.into(),
            terms_accepted,
            ..Default::default()
        }),
    }
}

#[tokio::test]
async fn acc_004_member_is_looked_up_in_directory_once() {
    let app = start().await;
    refused(
        list(&app, &user()).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    app.directory.add_member(&user());
    eventually(async || list(&app, &user()).await.map_err(|status| status.to_string())).await;
    let lookups = app.directory.lookup_count();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(1500);
    // Longer than the in-memory cache retains a member.
    while tokio::time::Instant::now() < deadline {
        list(&app, &user()).await.expect("a known member");
    }
    assert_eq!(
        app.directory.lookup_count(),
        lookups,
        "a known member must not be looked up again"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_token_grants_neither_roles_nor_another_side() {
    let app = start().await;
    app.directory
        .add_member(&partner("mem-user", ALDER, Role::StandardUser));
    let mut claims = app.issuer.claims(&user());
    claims["roles"] = json!(["ALLIANCE_LEAD", "ACE_USER"]);
    let token = |claims: &serde_json::Value| app.issuer.sign(claims).expect("a token");
    let list_with = async |token: String| {
        let client = Client::with_token(&token).with_channel(app.channel.clone());
        OpportunityServiceClient::new(client)
            .list_opportunities(pb::ListOpportunitiesRequest::default())
            .await
    };
    refused(
        list_with(token(&claims)).await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    claims["side"] = json!("aws");
    refused(
        list_with(token(&claims)).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_dir_003_directory_events_update_member_permissions() {
    use directory::{AccountStatus, MemberStatus};
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    let wait_for_outcome = async |reason: Option<&'static str>| {
        eventually(async || {
            let refusal = list(&app, &user())
                .await
                .err()
                .map(|status| Refusal::from(&status).reason);
            if refusal.as_deref() == reason {
                Ok(())
            } else {
                Err(format!("{refusal:?}, not {reason:?}"))
            }
        })
        .await;
    };
    let own = [Role::AceUser];
    peer.publish_event(
        "partner",
        ALDER,
        ALDER,
        1,
        &account_changed(1, AccountStatus::Active, false),
    )
    .await;
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        1,
        &member_changed(1, MemberStatus::Invited, &own),
    )
    .await;
    wait_for_outcome(Some("MEMBER_INACTIVE")).await;
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        2,
        &member_changed(2, MemberStatus::Active, &own),
    )
    .await;
    wait_for_outcome(Some("TERMS_NOT_ACCEPTED")).await;
    peer.publish_event(
        "partner",
        ALDER,
        ALDER,
        2,
        &account_changed(2, AccountStatus::Active, true),
    )
    .await;
    wait_for_outcome(None).await;
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        3,
        &member_changed(3, MemberStatus::Active, &[Role::CloudAdmin]),
    )
    .await;
    wait_for_outcome(Some("ROLE_NOT_PERMITTED")).await;
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        4,
        &member_changed(4, MemberStatus::Active, &own),
    )
    .await;
    wait_for_outcome(None).await;
    peer.publish_event(
        "partner",
        ALDER,
        ALDER,
        3,
        &account_changed(3, AccountStatus::Suspended, true),
    )
    .await;
    wait_for_outcome(Some("MEMBER_INACTIVE")).await;
    peer.publish_event(
        "partner",
        ALDER,
        ALDER,
        4,
        &account_changed(4, AccountStatus::Active, true),
    )
    .await;
    wait_for_outcome(None).await;
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        5,
        &member_changed(5, MemberStatus::Deactivated, &own),
    )
    .await;
    wait_for_outcome(Some("MEMBER_INACTIVE")).await;
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_known_members_are_admitted_while_directory_is_down() {
    let app = start().await;
    app.directory.add_member(&user());
    list(&app, &user()).await.expect("a known member");
    app.directory.make_unavailable();
    let unknown = partner("mem-unknown", ALDER, Role::AceUser);
    let refusal = list(&app, &unknown).await;
    refused(refusal, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    list(&app, &user()).await.expect("a known member");
    app.finish::<Opportunities>().await;
}

/// Records of a deactivated member are retained and listed as records without an active owner.
#[tokio::test]
async fn opp_061_records_without_active_owner_are_listed() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    create(&app, &user(), record("One Ltd")).await;
    let active_record = create(&app, &manager(), record("Two Ltd")).await;
    let list_without_owner = async || {
        let filter = pb::OpportunityFilter {
            without_active_owner: true,
            ..Default::default()
        };
        let request = pb::ListOpportunitiesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let list = client_for(&app, &manager())
            .opportunities()
            .list_opportunities(request)
            .await
            .expect("a list");
        list.into_inner().opportunities
    };
    assert!(list_without_owner().await.is_empty());
    peer.publish_event(
        "partner",
        ALDER,
        "mem-user",
        1,
        &member_changed(1, directory::MemberStatus::Active, &[]),
    )
    .await;
    let deactivated = member_changed(2, directory::MemberStatus::Deactivated, &[Role::AceUser]);
    peer.publish_event("partner", ALDER, "mem-user", 2, &deactivated)
        .await;
    eventually(async || match list_without_owner().await.as_slice() {
        [listed]
            if listed.owner_member_id == "mem-user"
                && listed.opportunity_id != active_record.opportunity_id =>
        {
            Ok(())
        }
        found => Err(format!("{} records", found.len())),
    })
    .await;
    let request = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            without_active_owner: true,
            ..Default::default()
        }),
        ..Default::default()
    };
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    let refusal = client_for(&app, &reviewer)
        .opportunities()
        .list_opportunities(request)
        .await;
    let refusal = refused(refusal, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.without_active_owner"]);
    app.finish::<Opportunities>().await;
}
