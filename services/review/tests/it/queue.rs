//! The queue: what waits, for whom, since when.

use std::collections::BTreeSet;

use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::ReviewCaseState as State;
use cosell_proto::cosell::r#type::v1::{SortOrder, TimestampRange};
use cosell_review::Reviews;
use cosell_testkit::harness::{App, refused};
use tonic::Code;

use crate::support::{ALDER, BIRCH, by, claim, decide, get, start, submit, tara, umar};

async fn pages(app: &App, mut request: pb::ListReviewCasesRequest) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = by(app, &tara())
            .list_review_cases(request.clone())
            .await
            .expect("a page")
            .into_inner();
        found.extend(page.review_cases.into_iter().map(|case| case.opportunity_id));
        if page.next_page_token.is_empty() {
            return found;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn rev_020_the_longest_waiting_come_first_and_every_filter_holds() {
    let (app, far) = start().await;
    let mut made = Vec::new();
    for number in 0..7 {
        let account = if number < 5 { ALDER } else { BIRCH };
        made.push(submit(&app, &far, account, &format!("O{number}")).await);
    }
    for (number, reviewer) in [(1, tara()), (2, tara()), (3, umar())] {
        by(&app, &reviewer)
            .claim_review_case(claim(&made[number].review_case_id))
            .await
            .expect("a claim");
    }
    let approved = decide(&made[2].review_case_id, pb::ReviewDecision::Approve);
    by(&app, &tara())
        .decide_review(approved)
        .await
        .expect("a decision");

    let all: Vec<_> = (0..7).map(|number| format!("O{number}")).collect();
    for page_size in [0, 1, 2, 7, 100] {
        let request = pb::ListReviewCasesRequest {
            page_size,
            ..Default::default()
        };
        assert_eq!(pages(&app, request.clone()).await, all, "pages of {page_size}");
        let newest = pb::ListReviewCasesRequest {
            sort_order: SortOrder::Descending.into(),
            ..request
        };
        assert_eq!(
            pages(&app, newest).await,
            all.iter().rev().cloned().collect::<Vec<_>>()
        );
    }
    let filtered = async |filter: pb::ReviewCaseFilter| -> BTreeSet<String> {
        let request = pb::ListReviewCasesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        pages(&app, request).await.into_iter().collect()
    };
    let those = |numbers: &[i32]| {
        numbers
            .iter()
            .map(|number| format!("O{number}"))
            .collect::<BTreeSet<_>>()
    };
    let none = pb::ReviewCaseFilter::default;
    let states = vec![State::Approved.into(), State::Rejected.into()];
    assert_eq!(
        filtered(pb::ReviewCaseFilter { states, ..none() }).await,
        those(&[2])
    );
    let account_ids = vec![BIRCH.to_owned()];
    assert_eq!(
        filtered(pb::ReviewCaseFilter {
            account_ids,
            ..none()
        })
        .await,
        those(&[5, 6])
    );
    let assignee_member_ids = vec!["mem-tara".to_owned()];
    let filter = pb::ReviewCaseFilter {
        assignee_member_ids: assignee_member_ids.clone(),
        ..none()
    };
    assert_eq!(filtered(filter.clone()).await, those(&[1, 2]));
    let mine_or_free = pb::ReviewCaseFilter {
        unassigned: true,
        ..filter
    };
    assert_eq!(filtered(mine_or_free).await, those(&[0, 1, 2, 4, 5, 6]));
    let free = pb::ReviewCaseFilter {
        unassigned: true,
        ..none()
    };
    assert_eq!(filtered(free).await, those(&[0, 4, 5, 6]));
    let opportunity_ids = vec!["O3".to_owned(), "O9999999999999999999".to_owned()];
    assert_eq!(
        filtered(pb::ReviewCaseFilter {
            opportunity_ids,
            ..none()
        })
        .await,
        those(&[3])
    );
    let span = TimestampRange {
        start: made[1].submit_time,
        end: made[4].submit_time,
    };
    let waiting = pb::ReviewCaseFilter {
        submit_time: Some(span),
        ..none()
    };
    assert_eq!(filtered(waiting).await, those(&[1, 2, 3]), "the end is outside");
    assert!(
        get(&app, &made[0].review_case_id).await.rounds[0]
            .opportunity
            .is_some()
    );
    app.finish::<Reviews>().await;
}

#[tokio::test]
async fn plt_005_a_page_token_belongs_to_its_query() {
    let (app, far) = start().await;
    for number in 0..3 {
        submit(&app, &far, ALDER, &format!("O{number}")).await;
    }
    let first = pb::ListReviewCasesRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = by(&app, &tara())
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
        by(&app, &tara()).list_review_cases(other).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    refused(
        by(&app, &umar()).list_review_cases(next.clone()).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    assert!(by(&app, &tara()).list_review_cases(next).await.is_ok());
    app.finish::<Reviews>().await;
}
