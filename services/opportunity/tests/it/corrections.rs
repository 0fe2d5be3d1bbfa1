//! Correcting an opportunity in ACTION_REQUIRED: what the reason of the decision opens can be changed, and no more
//! (OPP-040, OPP-045).

use std::collections::BTreeSet;

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{App, PeerStub, refused};
use cosell_types::random;
use prost_types::FieldMask;
use tonic::{Code, Response, Status};

use crate::reviewer::{review_decided, review_round_opened, start_with_review, wait_for_status};
use crate::support::{ALDER, apply_catalog, client_for, create, date, get, record, submit, user};

/// An opportunity that AWS returned for this reason.
async fn create_returned(app: &App, peer: &PeerStub, reason: ReviewReason) -> String {
    let id = create(app, &user(), record("Nordwind")).await.opportunity_id;
    submit(app, &user(), &id).await;
    let case = random::prefixed("rc-");
    peer.publish_event("review", ALDER, &case, 1, &review_round_opened(&id, 1, 1))
        .await;
    let decision = review::ReviewDecided {
        review_case_id: case.clone(),
        reason: reason.into(),
        ..review_decided(&id, 2, 1, review::ReviewDecision::ActionRequired)
    };
    peer.publish_event("review", ALDER, &case, 2, &decision).await;
    wait_for_status(app, &id, ReviewStatus::ActionRequired).await;
    id
}

/// Updates one field.
async fn update(
    app: &App,
    id: &str,
    path: &str,
    opportunity: pb::Opportunity,
) -> Result<Response<pb::UpdateOpportunityResponse>, Status> {
    let request = pb::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(opportunity),
        update_mask: Some(FieldMask {
            paths: vec![path.to_owned()],
        }),
        ..Default::default()
    };
    client_for(app, &user())
        .opportunities()
        .update_opportunity(request)
        .await
}

async fn associate_solution(app: &App, id: &str) -> Result<Response<pb::AssociateEntityResponse>, Status> {
    let request = pb::AssociateEntityRequest {
        opportunity_id: id.to_owned(),
        entity_type: pb::RelatedEntityType::Solutions.into(),
        entity_identifier: "S-1".to_owned(),
        ..Default::default()
    };
    client_for(app, &user())
        .opportunities()
        .associate_entity(request)
        .await
}

fn with_use_case(use_case: &str) -> pb::Opportunity {
    pb::Opportunity {
        project: Some(pb::Project {
            customer_use_case: use_case.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn in_stage(stage: pb::Stage) -> pb::Opportunity {
    pb::Opportunity {
        life_cycle: Some(pb::LifeCycle {
            stage: stage.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn correctable_fields(app: &App, id: &str) -> BTreeSet<String> {
    let life_cycle = get(app, &user(), id).await.life_cycle.expect("a life cycle");
    life_cycle.correctable_fields.into_iter().collect()
}

/// The paths that GetAllowedActions shows as editable, and whether entities can be associated.
async fn allowed(app: &App, id: &str) -> (BTreeSet<String>, bool) {
    let request = pb::GetAllowedActionsRequest {
        opportunity_id: id.to_owned(),
    };
    let response = client_for(app, &user())
        .opportunities()
        .get_allowed_actions(request)
        .await
        .expect("actions")
        .into_inner();
    let fields = response
        .fields
        .into_iter()
        .filter(|permission| permission.editable);
    let associates = response.actions.iter().any(|permission| {
        permission.action() == pb::OpportunityAction::AssociateEntity && permission.allowed
    });
    (fields.map(|permission| permission.field).collect(), associates)
}

#[tokio::test]
async fn opp_040_045_solution_is_corrected_and_submitted_when_aws_asks_about_it() {
    let (app, peer) = start_with_review().await;
    apply_catalog(&app).await;
    let id = create_returned(&app, &peer, ReviewReason::ClarifySolution).await;
    let open = correctable_fields(&app, &id).await;
    for path in [
        "project.title",
        "project.customer_use_case",
        "project.sub_use_case",
        "project.delivery_models",
        "project.other_solution_description",
        "project.apn_programs",
        "project.customer_business_problem",
        "related_entity_identifiers.solutions",
    ] {
        assert!(open.contains(path), "{path} must be open: {open:?}");
    }
    let (fields, associates) = allowed(&app, &id).await;
    assert!(associates);
    let open_fields: BTreeSet<_> = open
        .iter()
        .filter(|path| !path.starts_with("related_entity_identifiers."))
        .cloned()
        .collect();
    assert_eq!(fields, open_fields, "both answers name the same fields");

    let use_case = update(
        &app,
        &id,
        "project.customer_use_case",
        with_use_case("Storage & Backup"),
    )
    .await;
    use_case.expect("another use case");
    associate_solution(&app, &id).await.expect("a solution");
    let answer = pb::Opportunity {
        national_security: Some(true),
        ..Default::default()
    };
    refused(
        update(&app, &id, "national_security", answer).await,
        Code::FailedPrecondition,
        "FIELD_NOT_EDITABLE",
    );
    let submitted = submit(&app, &user(), &id).await;
    assert_eq!(submitted.life_cycle.expect("a life cycle").review_round, 2);
    assert!(correctable_fields(&app, &id).await.is_empty());
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_040_045_reason_opens_no_more_than_it_asks_about() {
    let (app, peer) = start_with_review().await;
    apply_catalog(&app).await;
    let forecast = create_returned(&app, &peer, ReviewReason::ForecastConflict).await;
    let stage = in_stage(pb::Stage::Qualified);
    update(&app, &forecast, "life_cycle.stage", stage.clone())
        .await
        .expect("another stage");
    let other = create_returned(&app, &peer, ReviewReason::Other).await;
    let open = correctable_fields(&app, &other).await;
    // The fourteen of AWS, which counts the parts of the expected spend.
    assert_eq!(open.len(), 10, "{open:?}");
    for (id, path, change) in [
        (&other, "life_cycle.stage", stage),
        (
            &other,
            "project.customer_use_case",
            with_use_case("Storage & Backup"),
        ),
        (
            &forecast,
            "project.customer_use_case",
            with_use_case("Storage & Backup"),
        ),
    ] {
        refused(
            update(&app, id, path, change).await,
            Code::FailedPrecondition,
            "FIELD_NOT_EDITABLE",
        );
    }
    for id in [&other, &forecast] {
        assert!(!allowed(&app, id).await.1);
        refused(
            associate_solution(&app, id).await,
            Code::FailedPrecondition,
            "ILLEGAL_TRANSITION",
        );
    }
    let later = pb::Opportunity {
        life_cycle: Some(pb::LifeCycle {
            target_close_date: date(2026, 12, 1),
            ..Default::default()
        }),
        ..Default::default()
    };
    update(&app, &other, "life_cycle.target_close_date", later)
        .await
        .expect("a field that every decision opens");
    app.finish::<Opportunities>().await;
}
