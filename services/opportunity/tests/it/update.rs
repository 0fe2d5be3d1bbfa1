use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{partner, refused};
use cosell_types::Role;
use prost_types::FieldMask;
use tonic::Code;

use crate::support::{
    ALDER, by, count, create, get, manager, next_steps, record, start, stranger, submit, user,
};

fn masked(id: &str, given: pb::Opportunity, paths: &[&str]) -> pb::UpdateOpportunityRequest {
    pb::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(given),
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
    let answer = by(app, &user())
        .opportunities()
        .update_opportunity(request)
        .await
        .expect("an update");
    answer.into_inner().opportunity.expect("the record")
}

#[tokio::test]
async fn plt_006_the_mask_says_what_is_set_and_what_is_left() {
    let app = start().await;
    let mut given = record("Alder");
    given.lead_source = "Fair".to_owned();
    let made = create(&app, &user(), given).await;
    let id = made.opportunity_id.as_str();

    let mut change = pb::Opportunity {
        lead_source: "Letter".to_owned(),
        ..Default::default()
    };
    change.project = Some(pb::Project {
        title: "Another".to_owned(),
        ..Default::default()
    });
    // Named by the mask: set. Not named: left, also when given.
    let updated = update(&app, masked(id, change.clone(), &["project.title"])).await;
    assert_eq!(updated.project.as_ref().expect("a project").title, "Another");
    assert_eq!(updated.lead_source, "Fair");
    assert_eq!(
        updated.project.as_ref().expect("a project").customer_use_case,
        "Database"
    );
    assert_eq!(updated.revision, 2);
    // Named and not given: cleared.
    let cleared = update(&app, masked(id, pb::Opportunity::default(), &["lead_source"])).await;
    assert_eq!(cleared.lead_source, "");
    // No mask: what is given.
    let given = pb::UpdateOpportunityRequest {
        update_mask: None,
        ..masked(id, change, &[])
    };
    assert_eq!(update(&app, given).await.lead_source, "Letter");
    // A message stands for everything in it.
    let address = pb::Address {
        country_code: "AT".to_owned(),
        postal_code: "1020".to_owned(),
        city: "Wien".to_owned(),
        ..Default::default()
    };
    let moved = pb::Opportunity {
        customer: Some(pb::Customer {
            account: Some(pb::Account {
                address: Some(address.clone()),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        ..Default::default()
    };
    let moved = update(&app, masked(id, moved, &["customer.account.address"])).await;
    assert_eq!(
        moved
            .customer
            .expect("a customer")
            .account
            .expect("an account")
            .address,
        Some(address)
    );
    // Everything: what is not given is cleared, which the rules refuse where it is required.
    let all = by(&app, &user())
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
async fn plt_006_unknown_paths_and_wrong_values_are_reported_together() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let wrong = pb::Opportunity {
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
    };
    let paths = [
        "project.customer_use_case",
        "customer.account.duns",
        "projekt",
        "origin",
        "opportunity_team",
    ];
    let request = masked(&made.opportunity_id, wrong, &paths);
    let refusal = refused(
        by(&app, &user())
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
        "a wrong path hides what the rules would find, because what is to change is not known"
    );
    let request = masked(&made.opportunity_id, request_value(), &paths[..2]);
    let refusal = refused(
        by(&app, &user())
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

fn request_value() -> pb::Opportunity {
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
async fn plt_003_a_stale_etag_is_refused_and_told_the_current_one() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    let with = |etag: &str, text: &str| pb::UpdateOpportunityRequest {
        etag: etag.to_owned(),
        ..next_steps(id, text)
    };
    by(&app, &user())
        .opportunities()
        .update_opportunity(with(&made.etag, "one"))
        .await
        .expect("the current etag");
    let stale = by(&app, &user())
        .opportunities()
        .update_opportunity(with(&made.etag, "two"))
        .await;
    let refusal = refused(stale, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    by(&app, &user())
        .opportunities()
        .update_opportunity(with(&refusal.metadata["current_etag"], "two"))
        .await
        .expect("the told etag");
    assert_eq!(get(&app, &user(), id).await.revision, 3);
    app.finish::<Opportunities>().await;
}

/// Many at once with the same etag: one wins, all others are told so. Without etags all of them win, one after another.
#[tokio::test]
async fn plt_003_writers_at_the_same_moment_lose_nothing() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    let race = |etag: &str| {
        let calls: Vec<_> = (0..8)
            .map(|number| {
                let client = by(&app, &user());
                let request = pb::UpdateOpportunityRequest {
                    etag: etag.to_owned(),
                    ..next_steps(id, &format!("step {number} {etag}"))
                };
                tokio::spawn(async move { client.opportunities().update_opportunity(request).await })
            })
            .collect();
        async move {
            let mut won = 0;
            for call in calls {
                match call.await.expect("no panic") {
                    Ok(_) => won += 1,
                    Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
                }
            }
            won
        }
    };
    assert_eq!(race(&made.etag).await, 1);
    let won = race("").await;
    assert!(won >= 1);
    assert_eq!(get(&app, &user(), id).await.revision, 2 + won);
    let versions = "SELECT count(*) FROM event_journal";
    assert_eq!(
        count(&app, versions).await,
        2 + won,
        "one event for each revision"
    );
    let holes = "SELECT count(*) FROM (SELECT aggregate_version - lag(aggregate_version, 1, 0) OVER \
                 (ORDER BY seq) AS step FROM event_journal) AS steps WHERE step <> 1";
    assert_eq!(
        count(&app, holes).await,
        0,
        "versions 1, 2, 3 … in the order of the journal"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_040_a_submitted_record_is_locked() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    submit(&app, &user(), id).await;
    let locked = by(&app, &user())
        .opportunities()
        .update_opportunity(next_steps(id, "late"))
        .await;
    let refusal = refused(locked, Code::FailedPrecondition, "RECORD_NOT_EDITABLE");
    assert_eq!(refusal.metadata["review_status"], "SUBMITTED");
    assert_eq!(refusal.metadata["opportunity_id"], id);
    assert_eq!(get(&app, &user(), id).await.revision, 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_only_who_sees_a_record_changes_it() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    for outsider in [partner("mem-colleague", ALDER, Role::AceUser), stranger()] {
        let hidden = by(&app, &outsider)
            .opportunities()
            .update_opportunity(next_steps(id, "mine"))
            .await;
        refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    assert!(
        by(&app, &manager())
            .opportunities()
            .update_opportunity(next_steps(id, "ours"))
            .await
            .is_ok()
    );
    let seen = get(&app, &user(), id).await;
    assert_eq!(
        (seen.revision, seen.last_modified_by.as_str()),
        (2, "mem-manager")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn an_update_without_a_change_is_not_a_revision() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    update(&app, next_steps(id, "Workshop")).await;
    assert_eq!(update(&app, next_steps(id, "Workshop")).await.revision, 2);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_revision").await, 2);
    app.finish::<Opportunities>().await;
}
