use std::collections::BTreeMap;

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{App, aws, partner};
use cosell_types::{Caller, Role};
use prost_types::FieldMask;

use crate::support::{
    ALDER, by, create, discard_request, manager, next_steps, record, start, submit, submit_request, user,
    withdraw_request,
};

async fn ask(app: &App, caller: &Caller, id: &str) -> pb::GetAllowedActionsResponse {
    let request = pb::GetAllowedActionsRequest {
        opportunity_id: id.to_owned(),
    };
    by(app, caller)
        .opportunities()
        .get_allowed_actions(request)
        .await
        .expect("an answer")
        .into_inner()
}

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

fn reason(result: Result<impl Sized, tonic::Status>) -> String {
    result
        .err()
        .map(|status| cosell_testkit::harness::Refusal::from(&status).reason)
        .unwrap_or_default()
}

/// What is announced is what happens: for callers and positions, the reasons of the answer are those of the calls.
#[tokio::test]
async fn opp_070_the_answer_says_what_a_call_would() {
    let app = start().await;
    let engineer = partner("mem-engineer", ALDER, Role::TechnicalStaff);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    let complete = create(&app, &engineer, record("Alder")).await.opportunity_id;
    let mut bare = record("Birch");
    bare.project
        .as_mut()
        .expect("a project")
        .customer_use_case
        .clear();
    let bare = create(&app, &manager(), bare).await.opportunity_id;
    let submitted = create(&app, &manager(), record("Cedar")).await.opportunity_id;
    submit(&app, &manager(), &submitted).await;

    for (caller, id) in [
        (&manager(), &complete),
        (&engineer, &complete),
        (&manager(), &bare),
        (&manager(), &submitted),
        (&reviewer, &submitted),
    ] {
        let answer = ask(&app, caller, id).await;
        let said = reasons(&answer);
        let client = by(&app, caller);
        let update = pb::UpdateOpportunityRequest {
            validate_only: true,
            ..next_steps(id, "a step")
        };
        assert_eq!(
            said["OPPORTUNITY_ACTION_UPDATE"],
            reason(client.opportunities().update_opportunity(update).await)
        );
        let submit = pb::SubmitOpportunityRequest {
            validate_only: true,
            ..submit_request(id)
        };
        assert_eq!(
            said["OPPORTUNITY_ACTION_SUBMIT"],
            reason(client.lifecycle().submit_opportunity(submit).await)
        );
        let withdraw = pb::WithdrawSubmissionRequest {
            validate_only: true,
            ..withdraw_request(id)
        };
        let withdrawn = reason(client.lifecycle().withdraw_submission(withdraw).await);
        assert_eq!(said["OPPORTUNITY_ACTION_WITHDRAW_SUBMISSION"], withdrawn);
        let discard = pb::DiscardDraftRequest {
            validate_only: true,
            ..discard_request(id)
        };
        assert_eq!(
            said["OPPORTUNITY_ACTION_DISCARD_DRAFT"],
            reason(client.lifecycle().discard_draft(discard).await)
        );
        let editable = answer.fields.iter().filter(|field| field.editable).count();
        assert_eq!(editable == 0, !said["OPPORTUNITY_ACTION_UPDATE"].is_empty());
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_070_what_a_submission_lacks_is_listed() {
    let app = start().await;
    let mut bare = record("Alder");
    let project = bare.project.as_mut().expect("a project");
    project.customer_use_case.clear();
    project.other_solution_description.clear();
    let id = create(&app, &user(), bare).await.opportunity_id;
    let answer = ask(&app, &user(), &id).await;
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

/// Every field that is announced is a path that an update mask takes.
#[tokio::test]
async fn opp_070_fields_are_named_as_masks_name_them() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let answer = ask(&app, &user(), &made.opportunity_id).await;
    assert_eq!(answer.etag, made.etag);
    assert!(answer.fields.len() > 40 && answer.fields.iter().all(|field| field.editable));
    let request = pb::UpdateOpportunityRequest {
        opportunity_id: made.opportunity_id.clone(),
        opportunity: Some(made.clone()),
        update_mask: Some(FieldMask {
            paths: answer.fields.into_iter().map(|field| field.field).collect(),
        }),
        ..Default::default()
    };
    let updated = by(&app, &user())
        .opportunities()
        .update_opportunity(request)
        .await
        .expect("a mask of all fields");
    assert_eq!(updated.into_inner().opportunity, Some(made));
    app.finish::<Opportunities>().await;
}
