//! The lifecycle RPCs: stage changes and reopening, next steps, cloning and assignment (OPP-025, OPP-034 to OPP-037,
//! OPP-041).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, aws, partner, refused};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::reviewer::{approve, create_approved, start_with_review};
use crate::support::{
    ALDER, BIRCH, apply_catalog, client_for, create, date, get, manager, next_steps_request, record,
    request_id, start, unrelated_member, user,
};

fn reviewer() -> Caller {
    aws("aws-reviewer", Role::Reviewer)
}

fn stage_request(id: &str, stage: pb::Stage) -> pb::ChangeStageRequest {
    pb::ChangeStageRequest {
        opportunity_id: id.to_owned(),
        stage: stage.into(),
        ..Default::default()
    }
}

fn record_with_solution() -> pb::Opportunity {
    pb::Opportunity {
        related_entity_identifiers: Some(pb::RelatedEntityIdentifiers {
            solutions: vec!["S-1".to_owned()],
            ..Default::default()
        }),
        ..record("Alder")
    }
}

async fn close_as_lost(app: &App, id: &str) -> pb::Opportunity {
    let request = pb::ChangeStageRequest {
        closed_lost_reason: pb::ClosedLostReason::Price.into(),
        next_steps: "Ask again next year".to_owned(),
        ..stage_request(id, pb::Stage::ClosedLost)
    };
    let answer = client_for(app, &user()).lifecycle().change_stage(request).await;
    answer
        .expect("a change to CLOSED_LOST")
        .into_inner()
        .opportunity
        .expect("a record")
}

#[tokio::test]
async fn opp_025_034_035_stage_change_enforces_reason_and_aws_reopens_closed_record() {
    let (app, peer) = start_with_review().await;
    apply_catalog(&app).await;
    let id = create_approved(&app, &peer, record_with_solution()).await;

    let skipped = client_for(&app, &user())
        .lifecycle()
        .change_stage(stage_request(&id, pb::Stage::Committed))
        .await
        .expect("a stage")
        .into_inner()
        .opportunity
        .expect("a record");
    assert_eq!(
        skipped.life_cycle.expect("a life cycle").stage(),
        pb::Stage::Committed
    );
    let without_reason = stage_request(&id, pb::Stage::ClosedLost);
    let refusal = refused(
        client_for(&app, &user())
            .lifecycle()
            .change_stage(without_reason)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["opportunity.life_cycle.closed_lost_reason"]);
    let lost = close_as_lost(&app, &id).await.life_cycle.expect("a life cycle");
    assert_eq!(lost.closed_lost_reason(), pb::ClosedLostReason::Price);
    assert_eq!(lost.next_steps, "Ask again next year");
    refused(
        client_for(&app, &user())
            .lifecycle()
            .change_stage(stage_request(&id, pb::Stage::Qualified))
            .await,
        Code::FailedPrecondition,
        "RECORD_NOT_EDITABLE",
    );

    let request = pb::ReopenOpportunityRequest {
        opportunity_id: id.clone(),
        stage: pb::Stage::Qualified.into(),
        reason: "A new budget".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    refused(
        client_for(&app, &manager())
            .lifecycle()
            .reopen_opportunity(request.clone())
            .await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = client_for(&app, &reviewer())
            .lifecycle()
            .reopen_opportunity(request.clone())
            .await;
        answers.push(answer.expect("a reopening").into_inner());
    }
    assert_eq!(answers[0], answers[1], "a retry returns the same response");
    let reopened_record = get(&app, &user(), &id).await;
    assert_eq!(
        (
            reopened_record.revision,
            reopened_record.last_modified_by.as_str()
        ),
        (6, "")
    );
    let life_cycle = reopened_record.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.stage(), pb::Stage::Qualified);
    let reopening = life_cycle.reopening.expect("a reopening");
    assert_eq!(reopening.previous_stage(), pb::Stage::ClosedLost);
    assert_eq!(reopening.reason, "A new budget");
    refused(
        client_for(&app, &reviewer())
            .lifecycle()
            .reopen_opportunity(pb::ReopenOpportunityRequest {
                request_id: String::new(),
                ..request
            })
            .await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );

    let events = peer.first_events("opportunity", 6).await;
    let stage_changed: pb::OpportunityStageChanged = events[3].message();
    assert_eq!(
        (
            stage_changed.previous_stage(),
            stage_changed.stage(),
            stage_changed.stage_move()
        ),
        (pb::Stage::Prospect, pb::Stage::Committed, pb::StageMove::Skipped)
    );
    let lost: pb::OpportunityStageChanged = events[4].message();
    assert_eq!(lost.stage_move(), pb::StageMove::Lost);
    let reopened: pb::OpportunityReopened = events[5].message();
    assert_eq!((reopened.revision, reopened.stage()), (6, pb::Stage::Qualified));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_041_next_steps_of_approved_record_are_added_and_all_listed() {
    let (app, peer) = start_with_review().await;
    let mut first = record("Alder");
    first.life_cycle.as_mut().expect("a life cycle").next_steps = "Draft only".to_owned();
    let id = create(&app, &user(), first).await.opportunity_id;
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(next_steps_request(&id, "As submitted"))
        .await
        .expect("an update");
    approve(&app, &peer, &id).await;
    for (caller, expected) in [
        (user(), ["As submitted", "Draft only"].as_slice()),
        (reviewer(), &["As submitted"]),
    ] {
        let life_cycle = get(&app, &caller, &id).await.life_cycle.expect("a life cycle");
        let steps: Vec<_> = life_cycle
            .next_steps_history
            .into_iter()
            .map(|step| step.value)
            .collect();
        assert_eq!(steps, expected, "{caller:?}");
    }
    let draft = create(&app, &user(), record("Birch")).await.opportunity_id;
    let add_step = |id: &str, text: String| pb::AddNextStepRequest {
        opportunity_id: id.to_owned(),
        next_step: text,
        ..Default::default()
    };
    refused(
        client_for(&app, &user())
            .lifecycle()
            .add_next_step(add_step(&draft, "Call".to_owned()))
            .await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );
    for number in 1..=55 {
        let answer = client_for(&app, &user())
            .lifecycle()
            .add_next_step(add_step(&id, format!("Step {number}")))
            .await;
        answer.expect("a step");
    }
    let life_cycle = get(&app, &user(), &id).await.life_cycle.expect("a life cycle");
    assert_eq!(
        (
            life_cycle.next_steps.as_str(),
            life_cycle.next_steps_history.len()
        ),
        ("Step 55", 50)
    );

    for caller in [user(), reviewer()] {
        let mut request = pb::ListNextStepsRequest {
            opportunity_id: id.clone(),
            page_size: 20,
            ..Default::default()
        };
        let mut steps = Vec::new();
        for _ in 0..3 {
            let answer = client_for(&app, &caller)
                .lifecycle()
                .list_next_steps(request.clone())
                .await;
            let page = answer.expect("a page").into_inner();
            steps.extend(page.next_steps.into_iter().map(|step| step.value));
            request.page_token = page.next_page_token;
        }
        assert_eq!(request.page_token, "");
        let mut expected: Vec<_> = (1..=55).rev().map(|number| format!("Step {number}")).collect();
        expected.push("As submitted".to_owned());
        // AWS does not see next steps that existed only in the draft (ACC-012).
        if caller == user() {
            expected.push("Draft only".to_owned());
        }
        assert_eq!(steps, expected);
    }
    refused(
        client_for(&app, &unrelated_member())
            .lifecycle()
            .list_next_steps(pb::ListNextStepsRequest {
                opportunity_id: id,
                ..Default::default()
            })
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_037_clone_is_callers_draft_and_retry_creates_no_second_one() {
    let (app, peer) = start_with_review().await;
    let mut source = record("Alder");
    source.partner_opportunity_identifier = "CRM-1".to_owned();
    let id = create_approved(&app, &peer, source).await;
    let request = pb::CloneOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            project: Some(pb::Project {
                title: "The second phase".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let clone = client_for(&app, &manager())
        .lifecycle()
        .clone_opportunity(request.clone())
        .await
        .expect("a clone")
        .into_inner()
        .opportunity
        .expect("a record");
    assert_ne!(clone.opportunity_id, id);
    assert_eq!(clone.cloned_from_opportunity_id, id);
    assert_eq!(clone.owner_member_id, "mem-manager");
    assert_eq!(clone.partner_opportunity_identifier, "");
    let life_cycle = clone.life_cycle.clone().expect("a life cycle");
    assert_eq!(life_cycle.review_status(), ReviewStatus::PendingSubmission);
    assert_eq!(
        clone.project.clone().expect("a project").title,
        "The second phase"
    );
    let retried = client_for(&app, &manager())
        .lifecycle()
        .clone_opportunity(request)
        .await
        .expect("a clone");
    assert_eq!(retried.into_inner().opportunity, Some(clone.clone()));
    refused(
        client_for(&app, &manager())
            .lifecycle()
            .clone_opportunity(pb::CloneOpportunityRequest {
                opportunity_id: clone.opportunity_id,
                ..Default::default()
            })
            .await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_036_assignment_is_limited_to_eligible_members_of_the_account() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    // A call makes each member known to the service.
    for (caller, company) in [
        (partner("mem-other", ALDER, Role::AceUser), "Birch"),
        (partner("mem-technical", ALDER, Role::TechnicalStaff), "Cedar"),
        (partner("mem-elsewhere", BIRCH, Role::AceManager), "Elm"),
    ] {
        create(&app, &caller, record(company)).await;
    }
    let assign_request = |member: &str| pb::AssignOpportunityRequest {
        opportunity_id: id.clone(),
        owner_member_id: member.to_owned(),
        ..Default::default()
    };
    for ineligible in ["mem-technical", "mem-elsewhere", "mem-unknown"] {
        let refusal = refused(
            client_for(&app, &user())
                .lifecycle()
                .assign_opportunity(assign_request(ineligible))
                .await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        assert_eq!(refusal.paths(), ["owner_member_id"], "{ineligible}");
    }
    refused(
        client_for(&app, &partner("mem-other", ALDER, Role::AceUser))
            .lifecycle()
            .assign_opportunity(assign_request("mem-other"))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    let assigned = client_for(&app, &manager())
        .lifecycle()
        .assign_opportunity(assign_request("mem-other"))
        .await
        .expect("an assignment")
        .into_inner()
        .opportunity
        .expect("a record");
    assert_eq!(assigned.owner_member_id, "mem-other");
    assert_eq!(
        assigned
            .life_cycle
            .and_then(|life_cycle| life_cycle.target_close_date),
        date(2026, 9, 30)
    );
    let fetched = get(&app, &partner("mem-other", ALDER, Role::AceUser), &id).await;
    assert_eq!(fetched.revision, 2);
    app.finish::<Opportunities>().await;
}
