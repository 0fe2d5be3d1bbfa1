//! The way of an opportunity to its AWS summary.

use cosell::demo::Person;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_testkit::harness::{FarEnd, eventually};

/// Submits a draft of somebody and has a reviewer claim its case; the case.
pub async fn claimed(owner: &Person, reviewer: &Person, id: &str) -> String {
    let submission = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        ..Default::default()
    };
    let submitted = owner.opportunities().submit_opportunity(submission).await;
    submitted.expect("a submission");
    let case = eventually(async || {
        let request = review::ListReviewCasesRequest::default();
        let list = reviewer.reviews().list_review_cases(request).await;
        let mut cases = list.expect("a queue").into_inner().review_cases.into_iter();
        cases
            .find(|case| case.opportunity_id == id)
            .ok_or("the case is not there yet")
    });
    let case = case.await.review_case_id;
    let claim = review::ClaimReviewCaseRequest {
        review_case_id: case.clone(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let claimed = reviewer.reviews().claim_review_case(claim).await;
    claimed.expect("a claim");
    case
}

/// Approves a claimed case, and has somebody of AWS name a person in the AWS summary of its opportunity.
pub async fn summarised(seller: &Person, reviewer: &Person, case: &str, id: &str, name: &str) {
    let decision = review::DecideReviewRequest {
        review_case_id: case.to_owned(),
        decision: review::Decision::Approve.into(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let decided = reviewer.reviews().decide_review(decision).await;
    decided.expect("a decision");
    let summary = opportunity::AwsOpportunitySummary {
        opportunity_team: vec![opportunity::Contact {
            last_name: name.to_owned(),
            business_title: "PSM".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let change = opportunity::UpdateAwsOpportunitySummaryRequest {
        opportunity_id: id.to_owned(),
        summary: Some(summary),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    // Possible once the record has followed the decision.
    eventually(async || {
        let mut calls = seller.opportunities();
        let answer = calls.update_aws_opportunity_summary(change.clone()).await;
        answer.map(drop).map_err(|status| status.message().to_owned())
    })
    .await;
}
