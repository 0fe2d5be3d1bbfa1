//! What a caller may do comes from the directory: looked up once, then kept up to date by events (ACC-004, DIR-003).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{App, Client, FarEnd, Refusal, Setup, aws, eventually, partner, refused};
use cosell_types::{Caller, ClosedList as _, Role};
use serde_json::json;
use tonic::{Code, Response, Status};

use crate::support::{ALDER, by, create, manager, options, record, start, user};

/// A call by whom a token names, without any word of them to the directory.
async fn list(app: &App, caller: &Caller) -> Result<Response<pb::ListOpportunitiesResponse>, Status> {
    let calls = Client::new(&app.issuer, Some(caller)).over(app.channel.clone());
    OpportunityServiceClient::new(calls)
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
        }),
    }
}

fn account_changed(
    revision: i64,
    status: directory::AccountStatus,
    terms: bool,
) -> directory::AccountDetailsChanged {
    directory::AccountDetailsChanged {
        detail: Some(directory::AccountEventDetail {
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: status.into(),
            terms_accepted: terms,
            ..Default::default()
        }),
    }
}

#[tokio::test]
async fn acc_004_a_member_is_looked_up_once() {
    let app = start().await;
    refused(
        list(&app, &user()).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    app.directory.admit(&user());
    eventually(async || list(&app, &user()).await.map_err(|status| status.to_string())).await;
    let asked = app.directory.asked();
    let until = tokio::time::Instant::now() + std::time::Duration::from_millis(1500);
    // Longer than anything is kept in memory.
    while tokio::time::Instant::now() < until {
        list(&app, &user()).await.expect("a member that is known");
    }
    assert_eq!(
        app.directory.asked(),
        asked,
        "who is known is not asked for again"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_a_token_gives_no_roles_and_no_other_side() {
    let app = start().await;
    app.directory
        .admit(&partner("mem-user", ALDER, Role::StandardUser));
    let mut claims = app.issuer.claims(&user());
    claims["roles"] = json!(["ALLIANCE_LEAD", "ACE_USER"]);
    let token = |claims: &serde_json::Value| app.issuer.sign(claims).expect("a token");
    let ask = async |token: String| {
        let calls = Client::with_token(&token).over(app.channel.clone());
        OpportunityServiceClient::new(calls)
            .list_opportunities(pb::ListOpportunitiesRequest::default())
            .await
    };
    refused(
        ask(token(&claims)).await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    claims["side"] = json!("aws");
    refused(
        ask(token(&claims)).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_dir_003_events_change_what_a_member_may_do() {
    use directory::{AccountStatus, MemberStatus};
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    let becomes = async |reason: Option<&'static str>| {
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
    far.tell(
        "partner",
        ALDER,
        ALDER,
        1,
        &account_changed(1, AccountStatus::Active, false),
    )
    .await;
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        1,
        &member_changed(1, MemberStatus::Invited, &own),
    )
    .await;
    becomes(Some("MEMBER_INACTIVE")).await;
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        2,
        &member_changed(2, MemberStatus::Active, &own),
    )
    .await;
    becomes(Some("TERMS_NOT_ACCEPTED")).await;
    far.tell(
        "partner",
        ALDER,
        ALDER,
        2,
        &account_changed(2, AccountStatus::Active, true),
    )
    .await;
    becomes(None).await;
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        3,
        &member_changed(3, MemberStatus::Active, &[Role::CloudAdmin]),
    )
    .await;
    becomes(Some("ROLE_NOT_PERMITTED")).await;
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        4,
        &member_changed(4, MemberStatus::Active, &own),
    )
    .await;
    becomes(None).await;
    far.tell(
        "partner",
        ALDER,
        ALDER,
        3,
        &account_changed(3, AccountStatus::Suspended, true),
    )
    .await;
    becomes(Some("MEMBER_INACTIVE")).await;
    far.tell(
        "partner",
        ALDER,
        ALDER,
        4,
        &account_changed(4, AccountStatus::Active, true),
    )
    .await;
    becomes(None).await;
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        5,
        &member_changed(5, MemberStatus::Deactivated, &own),
    )
    .await;
    becomes(Some("MEMBER_INACTIVE")).await;
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_004_without_the_directory_those_who_are_known_go_on() {
    let app = start().await;
    app.directory.admit(&user());
    list(&app, &user()).await.expect("a known member");
    app.directory.leave();
    let stranger = partner("mem-stranger", ALDER, Role::AceUser);
    let refusal = list(&app, &stranger).await;
    refused(refusal, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    list(&app, &user()).await.expect("a known member");
    app.finish::<Opportunities>().await;
}

/// Who leaves keeps its records; what needs another owner is found.
#[tokio::test]
async fn opp_061_records_of_who_has_left_are_found() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    create(&app, &user(), record("One Ltd")).await;
    let kept = create(&app, &manager(), record("Two Ltd")).await;
    let orphans = async || {
        let filter = pb::OpportunityFilter {
            without_active_owner: true,
            ..Default::default()
        };
        let request = pb::ListOpportunitiesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let list = by(&app, &manager())
            .opportunities()
            .list_opportunities(request)
            .await
            .expect("a list");
        list.into_inner().opportunities
    };
    assert!(orphans().await.is_empty());
    far.tell(
        "partner",
        ALDER,
        "mem-user",
        1,
        &member_changed(1, directory::MemberStatus::Active, &[]),
    )
    .await;
    let left = member_changed(2, directory::MemberStatus::Deactivated, &[Role::AceUser]);
    far.tell("partner", ALDER, "mem-user", 2, &left).await;
    eventually(async || match orphans().await.as_slice() {
        [one] if one.owner_member_id == "mem-user" && one.opportunity_id != kept.opportunity_id => Ok(()),
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
    let refusal = by(&app, &reviewer)
        .opportunities()
        .list_opportunities(request)
        .await;
    let refusal = refused(refusal, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.without_active_owner"]);
    app.finish::<Opportunities>().await;
}
