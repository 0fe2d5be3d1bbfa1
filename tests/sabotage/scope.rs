//! Services that forget to ask whose a record is: row-level security alone keeps accounts apart.

use cosell::demo::{Person, reason};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_testkit::harness::eventually;
use cosell_tests::{World, record};
use tonic::{Response, Status};

/// The reason why a call was refused.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> String {
    reason(&answer.expect_err("another partner's record must not be reached"))
}

async fn create(person: &Person) -> String {
    let request = pb::CreateOpportunityRequest {
        opportunity: Some(record()),
        ..Default::default()
    };
    let made = person
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("a record");
    made.into_inner().opportunity.expect("a record").opportunity_id
}

async fn listed(person: &Person) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest::default();
    let list = person
        .opportunities()
        .list_opportunities(request)
        .await
        .expect("a list")
        .into_inner();
    list.opportunities
        .into_iter()
        .map(|record| record.opportunity_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_without_the_services_own_care_accounts_stay_apart() {
    let world = World::start();
    let running = world.run().await;
    let people = ["alder-alliance-lead", "birch-alliance-lead"].map(|id| running.person(id));
    for (owner, stranger) in [(&people[0], &people[1]), (&people[1], &people[0])] {
        let id = create(owner).await;
        assert!(listed(owner).await.contains(&id), "its owner sees it");
        assert!(
            !listed(stranger).await.contains(&id),
            "{} lists {id}",
            stranger.id
        );
        let mut calls = stranger.opportunities();
        let opportunity_id = id.clone();
        let get = pb::GetOpportunityRequest {
            opportunity_id: id.clone(),
            revision: None,
        };
        assert_eq!(refused(calls.get_opportunity(get).await), "OPPORTUNITY_NOT_FOUND");
        let get = pb::GetOpportunityRequest {
            opportunity_id: id.clone(),
            revision: Some(1),
        };
        assert_eq!(refused(calls.get_opportunity(get).await), "OPPORTUNITY_NOT_FOUND");
        let update = pb::UpdateOpportunityRequest {
            opportunity_id: id.clone(),
            opportunity: Some(pb::Opportunity {
                project: Some(pb::Project {
                    title: "Mine now".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(
            refused(calls.update_opportunity(update).await),
            "OPPORTUNITY_NOT_FOUND"
        );
        let submit = pb::SubmitOpportunityRequest {
            opportunity_id: id.clone(),
            involvement_type: pb::InvolvementType::CoSell.into(),
            ..Default::default()
        };
        assert_eq!(
            refused(calls.submit_opportunity(submit).await),
            "OPPORTUNITY_NOT_FOUND"
        );
        let withdraw = pb::WithdrawSubmissionRequest {
            opportunity_id: id.clone(),
            ..Default::default()
        };
        assert_eq!(
            refused(calls.withdraw_submission(withdraw).await),
            "OPPORTUNITY_NOT_FOUND"
        );
        let discard = pb::DiscardDraftRequest {
            opportunity_id: id.clone(),
            ..Default::default()
        };
        assert_eq!(
            refused(calls.discard_draft(discard).await),
            "OPPORTUNITY_NOT_FOUND"
        );
        let actions = pb::GetAllowedActionsRequest { opportunity_id };
        assert_eq!(
            refused(calls.get_allowed_actions(actions).await),
            "OPPORTUNITY_NOT_FOUND"
        );
        assert!(listed(owner).await.contains(&id), "it is still there");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_partners_who_are_let_in_see_no_review_case() {
    let world = World::start();
    let running = world.run().await;
    let owner = running.person("alder-alliance-lead");
    let submit = pb::SubmitOpportunityRequest {
        opportunity_id: create(&owner).await,
        involvement_type: pb::InvolvementType::CoSell.into(),
        ..Default::default()
    };
    owner
        .opportunities()
        .submit_opportunity(submit)
        .await
        .expect("a submission");
    let cases = async |person: &Person| {
        let request = review::ListReviewCasesRequest::default();
        person
            .reviews()
            .list_review_cases(request)
            .await
            .expect("a list")
            .into_inner()
            .review_cases
    };
    let reviewer = running.person("aws-reviewer");
    let case = eventually(async || cases(&reviewer).await.pop().ok_or("the queue is empty")).await;
    for id in ["alder-alliance-lead", "birch-alliance-lead"] {
        let partner = running.person(id);
        assert_eq!(cases(&partner).await, [], "{id} lists cases");
        let get = review::GetReviewCaseRequest {
            review_case_id: case.review_case_id.clone(),
        };
        assert_eq!(
            refused(partner.reviews().get_review_case(get).await),
            "REVIEW_CASE_NOT_FOUND"
        );
        let claim = review::ClaimReviewCaseRequest {
            review_case_id: case.review_case_id.clone(),
            ..Default::default()
        };
        assert_eq!(
            refused(partner.reviews().claim_review_case(claim).await),
            "REVIEW_CASE_NOT_FOUND"
        );
    }
    running.stop().await;
}
