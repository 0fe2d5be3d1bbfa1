//! Covers `ListReviewCases`: the order, filters and page tokens of the review queue (REV-020, PLT-005).

use std::collections::BTreeSet;

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::{ReviewReason, SortOrder, TimestampRange};
use cosell_review::Reviews;
use cosell_testkit::harness::{App, PeerStub, eventually, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, claim_request, client, decide_request, get_case, start, start_request, submit, tara, umar,
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

/// Opens the cases of O0 to O6 in this order. Those of O1 and O2 are decided, that of O3 is in review, that of O4 is
/// withdrawn; the others are submitted.
async fn open_cases(app: &App, peer: &PeerStub) -> Vec<pb::ReviewCase> {
    let mut cases = Vec::new();
    for number in 0..7 {
        let account = if number < 5 { ALDER } else { BIRCH };
        cases.push(submit(app, peer, account, &format!("O{number}")).await);
    }
    for (number, reviewer) in [(1, tara()), (2, tara()), (3, umar())] {
        client(app, &reviewer)
            .claim_review_case(claim_request(&cases[number].review_case_id))
            .await
            .expect("a claim");
    }
    let action_required = pb::DecideReviewRequest {
        reason: ReviewReason::Other.into(),
        review_comments: "Name the product.".to_owned(),
        ..decide_request(&cases[1].review_case_id, pb::ReviewDecision::ActionRequired)
    };
    let approved = decide_request(&cases[2].review_case_id, pb::ReviewDecision::Approve);
    for decision in [action_required, approved] {
        client(app, &tara())
            .decide_review(decision)
            .await
            .expect("a decision");
    }
    client(app, &umar())
        .start_review(start_request(&cases[3].review_case_id))
        .await
        .expect("a start");
    let withdrawn = opportunity::OpportunitySubmissionWithdrawn {
        opportunity_id: "O4".to_owned(),
        account_id: ALDER.to_owned(),
        revision: 2,
        round: 1,
    };
    peer.publish_event("opportunity", ALDER, "O4", 2, &withdrawn)
        .await;
    eventually(
        async || match get_case(app, &cases[4].review_case_id).await.state() {
            State::Withdrawn => Ok(()),
            other => Err(format!("the case is {other:?}")),
        },
    )
    .await;
    cases
}

fn opportunity_ids(numbers: &[i32]) -> Vec<String> {
    numbers.iter().map(|number| format!("O{number}")).collect()
}

/// In both directions, with pages that end before, at and after the border of the two parts.
#[tokio::test]
async fn rev_020_queue_lists_cases_that_await_a_decision_first() {
    let (app, peer) = start().await;
    open_cases(&app, &peer).await;
    for page_size in [0, 1, 2, 3, 4, 5, 7, 100] {
        for (sort_order, numbers) in [
            (SortOrder::Unspecified, [0, 3, 5, 6, 1, 2, 4]),
            (SortOrder::Ascending, [0, 3, 5, 6, 1, 2, 4]),
            (SortOrder::Descending, [6, 5, 3, 0, 4, 2, 1]),
        ] {
            let request = pb::ListReviewCasesRequest {
                page_size,
                sort_order: sort_order.into(),
                ..Default::default()
            };
            assert_eq!(
                list_all_pages(&app, request).await,
                opportunity_ids(&numbers),
                "{sort_order:?} in pages of {page_size}"
            );
        }
    }
    app.finish::<Reviews>().await;
}

/// A filter changes which cases are listed, not their order.
#[tokio::test]
async fn rev_020_filtered_queue_lists_cases_that_await_a_decision_first() {
    let (app, peer) = start().await;
    let cases = open_cases(&app, &peer).await;
    let no_filter = pb::ReviewCaseFilter::default;
    for (filter, ascending, descending) in [
        (
            pb::ReviewCaseFilter {
                account_ids: vec![ALDER.to_owned()],
                ..no_filter()
            },
            [0, 3, 1, 2, 4].as_slice(),
            [3, 0, 4, 2, 1].as_slice(),
        ),
        (
            pb::ReviewCaseFilter {
                states: vec![State::Approved.into(), State::Submitted.into()],
                ..no_filter()
            },
            &[0, 5, 6, 2],
            &[6, 5, 0, 2],
        ),
        (
            pb::ReviewCaseFilter {
                states: vec![State::ActionRequired.into(), State::Withdrawn.into()],
                ..no_filter()
            },
            &[1, 4],
            &[4, 1],
        ),
        (
            pb::ReviewCaseFilter {
                assignee_member_ids: vec!["mem-tara".to_owned()],
                unassigned: true,
                ..no_filter()
            },
            &[0, 5, 6, 1, 2, 4],
            &[6, 5, 0, 4, 2, 1],
        ),
        (
            pb::ReviewCaseFilter {
                submit_time: Some(TimestampRange {
                    start: cases[1].submit_time,
                    end: cases[5].submit_time,
                }),
                ..no_filter()
            },
            &[3, 1, 2, 4],
            &[3, 4, 2, 1],
        ),
    ] {
        for (sort_order, numbers) in [
            (SortOrder::Ascending, ascending),
            (SortOrder::Descending, descending),
        ] {
            for page_size in [1, 3, 100] {
                let request = pb::ListReviewCasesRequest {
                    page_size,
                    filter: Some(filter.clone()),
                    sort_order: sort_order.into(),
                    ..Default::default()
                };
                assert_eq!(
                    list_all_pages(&app, request).await,
                    opportunity_ids(numbers),
                    "{sort_order:?} in pages of {page_size}: {filter:?}"
                );
            }
        }
    }
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn rev_020_each_filter_selects_its_cases() {
    let (app, peer) = start().await;
    let cases = open_cases(&app, &peer).await;
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
