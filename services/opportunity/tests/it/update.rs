//! `UpdateOpportunity`: update masks (PLT-006), etags and concurrent updates (PLT-003), locked records (OPP-040) and
//! visibility (ACC-011).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{partner, refused};
use cosell_types::Role;
use prost_types::FieldMask;
use tonic::Code;

use crate::support::{
    ALDER, client_for, count, create, get, manager, next_steps_request, record, start, submit,
    unrelated_member, user,
};

fn masked(id: &str, input: pb::Opportunity, paths: &[&str]) -> pb::UpdateOpportunityRequest {
    pb::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(input),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        ..Default::default()
    }
}

async fn update(
    app: &cosell_testkit::harness::App,
    request: pb::UpdateOpportunityRequest,
) -> pb::Opportunity {
    let answer = client_for(app, &user())
        .opportunities()
        .update_opportunity(request)
        .await
        .expect("an update");
    answer.into_inner().opportunity.expect("the record")
}

#[tokio::test]
async fn plt_006_update_mask_selects_fields_to_set_clear_or_keep() {
    let app = start().await;
    let mut input = record("Alder");
    input.lead_source = "Fair".to_owned();
    let created = create(&app, &user(), input).await;
    let id = created.opportunity_id.as_str();

    let mut change = pb::Opportunity {
        lead_source: "Letter".to_owned(),
        ..Default::default()
    };
    change.project = Some(pb::Project {
        title: "Another".to_owned(),
        ..Default::default()
    });
    // Fields in the mask are set; other fields are unchanged, even if the request has values for them.
    let updated = update(&app, masked(id, change.clone(), &["project.title"])).await;
    assert_eq!(updated.project.as_ref().expect("a project").title, "Another");
    assert_eq!(updated.lead_source, "Fair");
    assert_eq!(
        updated.project.as_ref().expect("a project").customer_use_case,
        "Database"
    );
    assert_eq!(updated.revision, 2);
    // A field in the mask without a value is cleared.
    let cleared = update(&app, masked(id, pb::Opportunity::default(), &["lead_source"])).await;
    assert_eq!(cleared.lead_source, "");
    // Without a mask, the fields with values are set.
    let input = pb::UpdateOpportunityRequest {
        update_mask: None,
        ..masked(id, change, &[])
    };
    assert_eq!(update(&app, input).await.lead_source, "Letter");
    // A message path covers all of its fields.
    let address = pb::Address {
        country_code: "AT".to_owned(),
        postal_code: "1020".to_owned(),
        city: "Wien".to_owned(),
        ..Default::default()
    };
    let updated = pb::Opportunity {
        customer: Some(pb::Customer {
            account: Some(pb::Account {
                address: Some(address.clone()),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        ..Default::default()
    };
    let updated = update(&app, masked(id, updated, &["customer.account.address"])).await;
    assert_eq!(
        updated
            .customer
            .expect("a customer")
            .account
            .expect("an account")
            .address,
        Some(address)
    );
    // `*` covers all fields: those without values are cleared, which is refused for required fields.
    let all = client_for(&app, &user())
        .opportunities()
        .update_opportunity(masked(id, pb::Opportunity::default(), &["*"]))
        .await;
    let refusal = refused(all, Code::InvalidArgument, "INVALID_FIELDS");
    assert!(
        refusal.paths().contains(&"opportunity.project.title"),
        "{refusal:?}"
    );
    assert_eq!(get(&app, &user(), id).await.revision, 5);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_006_invalid_mask_paths_and_values_are_reported_together() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let paths = [
        "project.customer_use_case",
        "customer.account.duns",
        "projekt",
        "origin",
        "opportunity_team",
    ];
    let request = masked(&created.opportunity_id, invalid_values(), &paths);
    let refusal = refused(
        client_for(&app, &user())
            .opportunities()
            .update_opportunity(request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "opportunity.customer.account.duns",
            "update_mask.paths[2]",
            "update_mask.paths[3]",
            "update_mask.paths[4]",
        ],
        "with an invalid path the set of changed fields is unknown, so the rules are not checked"
    );
    let request = masked(&created.opportunity_id, invalid_values(), &paths[..2]);
    let refusal = refused(
        client_for(&app, &user())
            .opportunities()
            .update_opportunity(request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "opportunity.customer.account.duns",
            "opportunity.project.customer_use_case"
        ]
    );
    app.finish::<Opportunities>().await;
}

/// Values that violate a field format (`duns`) and a rule (`customer_use_case`).
fn invalid_values() -> pb::Opportunity {
    pb::Opportunity {
        project: Some(pb::Project {
            customer_use_case: "Magic".to_owned(),
            ..Default::default()
        }),
        customer: Some(pb::Customer {
            account: Some(pb::Account {
                duns: "12".to_owned(),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn plt_003_stale_etag_is_refused_with_the_current_one() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let update_with = |etag: &str, text: &str| pb::UpdateOpportunityRequest {
        etag: etag.to_owned(),
        ..next_steps_request(id, text)
    };
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(update_with(&created.etag, "one"))
        .await
        .expect("an update with the current etag");
    let stale = client_for(&app, &user())
        .opportunities()
        .update_opportunity(update_with(&created.etag, "two"))
        .await;
    let refusal = refused(stale, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(update_with(&refusal.metadata["current_etag"], "two"))
        .await
        .expect("an update with the returned etag");
    assert_eq!(get(&app, &user(), id).await.revision, 3);
    app.finish::<Opportunities>().await;
}

/// Of concurrent updates with the same etag one succeeds and the others are refused. Without etags, updates are applied
/// sequentially.
#[tokio::test]
async fn plt_003_concurrent_updates_lose_nothing() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let update_concurrently = |etag: &str| {
        let calls: Vec<_> = (0..8)
            .map(|number| {
                let client = client_for(&app, &user());
                let request = pb::UpdateOpportunityRequest {
                    etag: etag.to_owned(),
                    ..next_steps_request(id, &format!("step {number} {etag}"))
                };
                tokio::spawn(async move { client.opportunities().update_opportunity(request).await })
            })
            .collect();
        async move {
            let mut succeeded = 0;
            for call in calls {
                match call.await.expect("no panic") {
                    Ok(_) => succeeded += 1,
                    Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
                }
            }
            succeeded
        }
    };
    assert_eq!(update_concurrently(&created.etag).await, 1);
    let succeeded = update_concurrently("").await;
    assert!(succeeded >= 1);
    assert_eq!(get(&app, &user(), id).await.revision, 2 + succeeded);
    let versions = "SELECT count(*) FROM event_journal";
    assert_eq!(
        count(&app, versions).await,
        2 + succeeded,
        "there must be one event for each revision"
    );
    let gaps = "SELECT count(*) FROM (SELECT aggregate_version - lag(aggregate_version, 1, 0) OVER \
                 (ORDER BY seq) AS step FROM event_journal) AS steps WHERE step <> 1";
    assert_eq!(
        count(&app, gaps).await,
        0,
        "versions must be consecutive in journal order"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_040_submitted_record_cannot_be_updated() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    submit(&app, &user(), id).await;
    let locked = client_for(&app, &user())
        .opportunities()
        .update_opportunity(next_steps_request(id, "late"))
        .await;
    let refusal = refused(locked, Code::FailedPrecondition, "RECORD_NOT_EDITABLE");
    assert_eq!(refusal.metadata["review_status"], "SUBMITTED");
    assert_eq!(refusal.metadata["opportunity_id"], id);
    assert_eq!(get(&app, &user(), id).await.revision, 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_record_not_visible_to_caller_cannot_be_updated() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    for caller in [partner("mem-colleague", ALDER, Role::AceUser), unrelated_member()] {
        let hidden = client_for(&app, &caller)
            .opportunities()
            .update_opportunity(next_steps_request(id, "mine"))
            .await;
        refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    assert!(
        client_for(&app, &manager())
            .opportunities()
            .update_opportunity(next_steps_request(id, "ours"))
            .await
            .is_ok()
    );
    let updated = get(&app, &user(), id).await;
    assert_eq!(
        (updated.revision, updated.last_modified_by.as_str()),
        (2, "mem-manager")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn update_without_a_change_creates_no_revision() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    update(&app, next_steps_request(id, "Workshop")).await;
    assert_eq!(update(&app, next_steps_request(id, "Workshop")).await.revision, 2);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_revision").await, 2);
    app.finish::<Opportunities>().await;
}
