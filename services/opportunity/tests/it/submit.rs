//! Submitting, withdrawing and discarding records (OPP-019, OPP-030 to OPP-032), and who may submit (ACC-010).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{partner, refused};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, client_for, count, create, create_request, discard_request, get, get_request, manager, record,
    start, submit, submit_request, user, withdraw_request,
};

fn review_status(record: &pb::Opportunity) -> ReviewStatus {
    record.life_cycle.as_ref().expect("a life cycle").review_status()
}

#[tokio::test]
async fn opp_030_031_submission_locks_record_and_can_be_withdrawn() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let submitted = submit(&app, &user(), id).await;
    assert_eq!(review_status(&submitted), ReviewStatus::Submitted);
    assert_eq!(
        (submitted.submitted_by.as_str(), submitted.revision),
        ("mem-user", 2)
    );
    assert_eq!(submitted.involvement_type(), pb::InvolvementType::CoSell);
    assert_eq!(submitted.visibility(), pb::Visibility::Full);
    let again = client_for(&app, &user())
        .lifecycle()
        .submit_opportunity(submit_request(id))
        .await;
    let refusal = refused(again, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    assert_eq!(
        (
            refusal.metadata["action"].as_str(),
            refusal.metadata["review_status"].as_str()
        ),
        ("SUBMIT", "SUBMITTED")
    );

    let withdrawn = client_for(&app, &manager())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await
        .expect("a withdrawal");
    assert_eq!(
        review_status(&withdrawn.into_inner().opportunity.expect("the record")),
        ReviewStatus::PendingSubmission
    );
    let twice = client_for(&app, &manager())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await;
    refused(twice, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let discarded = client_for(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(id))
        .await;
    refused(discarded, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let second = submit(&app, &user(), id).await;
    assert_eq!(second.life_cycle.expect("a life cycle").review_round, 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_019_incomplete_submission_reports_all_violations_and_changes_nothing() {
    let app = start().await;
    let mut incomplete = record("Alder");
    incomplete.primary_needs_from_aws.clear();
    let project = incomplete.project.as_mut().expect("a project");
    project.customer_use_case.clear();
    project.delivery_models.clear();
    project.sales_activities.clear();
    project.other_solution_description.clear();
    incomplete.life_cycle.as_mut().expect("a life cycle").stage = pb::Stage::Launched.into();
    let created = create(&app, &user(), incomplete).await;
    let request = pb::SubmitOpportunityRequest {
        visibility: pb::Visibility::Limited.into(),
        ..submit_request(&created.opportunity_id)
    };
    let refusal = refused(
        client_for(&app, &user())
            .lifecycle()
            .submit_opportunity(request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "opportunity.project.customer_use_case",
            "opportunity.project.delivery_models",
            "opportunity.project.sales_activities",
            "opportunity.primary_needs_from_aws",
            "visibility",
            "opportunity.life_cycle.stage",
        ]
    );
    assert_eq!(get(&app, &user(), &created.opportunity_id).await, created);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_010_technical_staff_manage_own_records_but_cannot_submit() {
    let app = start().await;
    let engineer = partner("mem-engineer", ALDER, Role::TechnicalStaff);
    let created = create(&app, &engineer, record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let refusal = refused(
        client_for(&app, &engineer)
            .lifecycle()
            .submit_opportunity(submit_request(id))
            .await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    assert_eq!(
        refusal.metadata["rpc"],
        "cosell.opportunity.v1.OpportunityLifecycleService/SubmitOpportunity"
    );
    submit(&app, &manager(), id).await;
    let withdrawn = client_for(&app, &engineer)
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await;
    refused(withdrawn, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_032_discarded_draft_is_deleted_but_its_history_is_retained() {
    let app = start().await;
    let mut input = record("Alder");
    input.partner_opportunity_identifier = "CRM-9".to_owned();
    let created = create(&app, &user(), input.clone()).await;
    let id = created.opportunity_id.as_str();
    client_for(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(id))
        .await
        .expect("a discarded draft");
    refused(
        client_for(&app, &user())
            .opportunities()
            .get_opportunity(get_request(id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    refused(
        client_for(&app, &user())
            .lifecycle()
            .discard_draft(discard_request(id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM opportunity_revision WHERE action = 'discarded'"
        )
        .await,
        1
    );
    let again = client_for(&app, &user())
        .opportunities()
        .create_opportunity(create_request(input))
        .await;
    assert!(
        again.is_ok(),
        "the partner identifier must be free again: {again:?}"
    );
    app.finish::<Opportunities>().await;
}
