//! `GetAllowedActions` (OPP-070): the reported actions, submission blockers and editable fields agree with what the
//! calls do.

use std::collections::BTreeMap;

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{App, aws, partner};
use cosell_types::{Caller, Role};
use prost_types::FieldMask;

use crate::support::{
    ALDER, client_for, create, discard_request, manager, next_steps_request, record, start, submit,
    submit_request, user, withdraw_request,
};

async fn get_allowed_actions(app: &App, caller: &Caller, id: &str) -> pb::GetAllowedActionsResponse {
    let request = pb::GetAllowedActionsRequest {
        opportunity_id: id.to_owned(),
    };
    client_for(app, caller)
        .opportunities()
        .get_allowed_actions(request)
        .await
        .expect("a response")
        .into_inner()
}

/// The reason of each action; empty for an allowed one.
fn reasons(answer: &pb::GetAllowedActionsResponse) -> BTreeMap<&'static str, String> {
    answer
        .actions
        .iter()
        .map(|permission| {
            assert_eq!(permission.allowed, permission.reason.is_empty(), "{permission:?}");
            assert_eq!(
                permission.allowed,
                permission.explanation.is_empty(),
                "{permission:?}"
            );
            (permission.action().as_str_name(), permission.reason.clone())
        })
        .collect()
}

/// The reason of a refused call; empty for a successful one.
fn reason(result: Result<impl Sized, tonic::Status>) -> String {
    result
        .err()
        .map(|status| cosell_testkit::harness::Refusal::from(&status).reason)
        .unwrap_or_default()
}

/// For several callers and review statuses, the reported reasons equal those of the actual calls.
#[tokio::test]
async fn opp_070_allowed_actions_match_the_outcome_of_the_calls() {
    let app = start().await;
    let engineer = partner("mem-engineer", ALDER, Role::TechnicalStaff);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    let complete = create(&app, &engineer, record("Alder")).await.opportunity_id;
    let mut incomplete = record("Birch");
    incomplete
        .project
        .as_mut()
        .expect("a project")
        .customer_use_case
        .clear();
    let incomplete = create(&app, &manager(), incomplete).await.opportunity_id;
    let submitted = create(&app, &manager(), record("Cedar")).await.opportunity_id;
    submit(&app, &manager(), &submitted).await;

    for (caller, id) in [
        (&manager(), &complete),
        (&engineer, &complete),
        (&manager(), &incomplete),
        (&manager(), &submitted),
        (&reviewer, &submitted),
    ] {
        let answer = get_allowed_actions(&app, caller, id).await;
        let reported = reasons(&answer);
        let client = client_for(&app, caller);
        let update = pb::UpdateOpportunityRequest {
            validate_only: true,
            ..next_steps_request(id, "a step")
        };
        assert_eq!(
            reported["OPPORTUNITY_ACTION_UPDATE"],
            reason(client.opportunities().update_opportunity(update).await)
        );
        let submit = pb::SubmitOpportunityRequest {
            validate_only: true,
            ..submit_request(id)
        };
        assert_eq!(
            reported["OPPORTUNITY_ACTION_SUBMIT"],
            reason(client.lifecycle().submit_opportunity(submit).await)
        );
        let withdraw = pb::WithdrawSubmissionRequest {
            validate_only: true,
            ..withdraw_request(id)
        };
        let withdrawn = reason(client.lifecycle().withdraw_submission(withdraw).await);
        assert_eq!(reported["OPPORTUNITY_ACTION_WITHDRAW_SUBMISSION"], withdrawn);
        let discard = pb::DiscardDraftRequest {
            validate_only: true,
            ..discard_request(id)
        };
        assert_eq!(
            reported["OPPORTUNITY_ACTION_DISCARD_DRAFT"],
            reason(client.lifecycle().discard_draft(discard).await)
        );
        let editable = answer.fields.iter().filter(|field| field.editable).count();
        assert_eq!(editable == 0, !reported["OPPORTUNITY_ACTION_UPDATE"].is_empty());
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_070_submission_blockers_are_listed() {
    let app = start().await;
    let mut incomplete = record("Alder");
    let project = incomplete.project.as_mut().expect("a project");
    project.customer_use_case.clear();
    project.other_solution_description.clear();
    let id = create(&app, &user(), incomplete).await.opportunity_id;
    let answer = get_allowed_actions(&app, &user(), &id).await;
    let submit = answer
        .actions
        .iter()
        .find(|action| action.action() == pb::OpportunityAction::Submit);
    let blockers: Vec<_> = submit
        .expect("submit")
        .blockers
        .iter()
        .map(|blocker| blocker.field.as_str())
        .collect();
    assert_eq!(
        blockers,
        ["project.customer_use_case", "related_entity_identifiers"]
    );
    app.finish::<Opportunities>().await;
}

/// Each returned field name is a valid path of an update mask.
#[tokio::test]
async fn opp_070_field_names_are_valid_update_mask_paths() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let answer = get_allowed_actions(&app, &user(), &created.opportunity_id).await;
    assert_eq!(answer.etag, created.etag);
    assert!(answer.fields.len() > 40 && answer.fields.iter().all(|field| field.editable));
    let request = pb::UpdateOpportunityRequest {
        opportunity_id: created.opportunity_id.clone(),
        opportunity: Some(created.clone()),
        update_mask: Some(FieldMask {
            paths: answer.fields.into_iter().map(|field| field.field).collect(),
        }),
        ..Default::default()
    };
    let updated = client_for(&app, &user())
        .opportunities()
        .update_opportunity(request)
        .await
        .expect("an update with a mask of all fields");
    assert_eq!(updated.into_inner().opportunity, Some(created));
    app.finish::<Opportunities>().await;
}
