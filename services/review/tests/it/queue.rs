//! Covers `ListReviewCases`: the order, filters and page tokens of the review queue (REV-020, PLT-005).

use std::collections::BTreeSet;

use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::{SortOrder, TimestampRange};
use cosell_review::Reviews;
use cosell_testkit::harness::{App, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, claim_request, client, decide_request, get_case, start, submit, tara, umar,
};

async fn list_all_pages(app: &App, mut request: pb::ListReviewCasesRequest) -> Vec<String> {
    let mut opportunity_ids = Vec::new();
    loop {
        let page = client(app, &tara())
            .list_review_cases(request.clone())
            .await
            .expect("a page")
            .into_inner();
        opportunity_ids.extend(page.review_cases.into_iter().map(|case| case.opportunity_id));
        if page.next_page_token.is_empty() {
            return opportunity_ids;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn rev_020_queue_is_sorted_by_submit_time_and_filtered() {
    let (app, peer) = start().await;
    let mut cases = Vec::new();
    for number in 0..7 {
        let account = if number < 5 { ALDER } else { BIRCH };
        cases.push(submit(&app, &peer, account, &format!("O{number}")).await);
    }
    for (number, reviewer) in [(1, tara()), (2, tara()), (3, umar())] {
        client(&app, &reviewer)
            .claim_review_case(claim_request(&cases[number].review_case_id))
            .await
            .expect("a claim");
    }
    let approved = decide_request(&cases[2].review_case_id, pb::ReviewDecision::Approve);
    client(&app, &tara())
        .decide_review(approved)
        .await
        .expect("a decision");

    let all: Vec<_> = (0..7).map(|number| format!("O{number}")).collect();
    for page_size in [0, 1, 2, 7, 100] {
        let request = pb::ListReviewCasesRequest {
            page_size,
            ..Default::default()
        };
        assert_eq!(
            list_all_pages(&app, request.clone()).await,
            all,
            "pages of {page_size}"
        );
        let newest = pb::ListReviewCasesRequest {
            sort_order: SortOrder::Descending.into(),
            ..request
        };
        assert_eq!(
            list_all_pages(&app, newest).await,
            all.iter().rev().cloned().collect::<Vec<_>>()
        );
    }
    let list_filtered = async |filter: pb::ReviewCaseFilter| -> BTreeSet<String> {
        let request = pb::ListReviewCasesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        list_all_pages(&app, request).await.into_iter().collect()
    };
    let ids = |numbers: &[i32]| {
        numbers
            .iter()
            .map(|number| format!("O{number}"))
            .collect::<BTreeSet<_>>()
    };
    let no_filter = pb::ReviewCaseFilter::default;
    let states = vec![State::Approved.into(), State::Rejected.into()];
    assert_eq!(
        list_filtered(pb::ReviewCaseFilter {
            states,
            ..no_filter()
        })
        .await,
        ids(&[2])
    );
    let account_ids = vec![BIRCH.to_owned()];
    assert_eq!(
        list_filtered(pb::ReviewCaseFilter {
            account_ids,
            ..no_filter()
        })
        .await,
        ids(&[5, 6])
    );
    let assignee_member_ids = vec!["mem-tara".to_owned()];
    let filter = pb::ReviewCaseFilter {
        assignee_member_ids: assignee_member_ids.clone(),
        ..no_filter()
    };
    assert_eq!(list_filtered(filter.clone()).await, ids(&[1, 2]));
    let mine_or_unassigned = pb::ReviewCaseFilter {
        unassigned: true,
        ..filter
    };
    assert_eq!(list_filtered(mine_or_unassigned).await, ids(&[0, 1, 2, 4, 5, 6]));
    let unassigned_only = pb::ReviewCaseFilter {
        unassigned: true,
        ..no_filter()
    };
    assert_eq!(list_filtered(unassigned_only).await, ids(&[0, 4, 5, 6]));
    let opportunity_ids = vec!["O3".to_owned(), "O9223372036854775807".to_owned()];
    assert_eq!(
        list_filtered(pb::ReviewCaseFilter {
            opportunity_ids,
            ..no_filter()
        })
        .await,
        ids(&[3])
    );
    let interval = TimestampRange {
        start: cases[1].submit_time,
        end: cases[4].submit_time,
    };
    let submitted_in_interval = pb::ReviewCaseFilter {
        submit_time: Some(interval),
        ..no_filter()
    };
    assert_eq!(
        list_filtered(submitted_in_interval).await,
        ids(&[1, 2, 3]),
        "the end of the interval must be exclusive"
    );
    assert!(
        get_case(&app, &cases[0].review_case_id).await.rounds[0]
            .opportunity
            .is_some()
    );
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_005_page_token_is_refused_for_another_query_or_caller() {
    let (app, peer) = start().await;
    for number in 0..3 {
        submit(&app, &peer, ALDER, &format!("O{number}")).await;
    }
    let first = pb::ListReviewCasesRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = client(&app, &tara())
        .list_review_cases(first.clone())
        .await
        .expect("a page")
        .into_inner();
    let next = pb::ListReviewCasesRequest {
        page_token: page.next_page_token,
        ..first
    };
    let other = pb::ListReviewCasesRequest {
        sort_order: SortOrder::Descending.into(),
        ..next.clone()
    };
    refused(
        client(&app, &tara()).list_review_cases(other).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    refused(
        client(&app, &umar()).list_review_cases(next.clone()).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    assert!(client(&app, &tara()).list_review_cases(next).await.is_ok());
    app.finish::<Reviews>().await;
}
