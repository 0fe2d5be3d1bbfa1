//! Review, as far as this service hears of it.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{App, FarEnd, Setup, eventually, reviews};
use cosell_types::random;

use crate::support::{ALDER, create, get, options, submit, user};

pub const CASE: &str = "rc-0000000000001";
pub const REMARKS: &str = "Explain the amount.";

pub async fn start_with_review() -> (App, FarEnd) {
    let address = reviews(REMARKS).await;
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options(&address))
        .await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    (app, far)
}

pub fn opened(id: &str, revision: i64, round: i32) -> review::ReviewRoundOpened {
    review::ReviewRoundOpened {
        review_case_id: CASE.to_owned(),
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
        assignee_member_id: String::new(),
    }
}

pub fn started(id: &str, revision: i64, round: i32) -> review::ReviewStarted {
    review::ReviewStarted {
        review_case_id: CASE.to_owned(),
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
    }
}

pub fn decided(
    id: &str,
    revision: i64,
    round: i32,
    decision: review::ReviewDecision,
) -> review::ReviewDecided {
    let reason = match decision {
        review::ReviewDecision::Approve => ReviewReason::Unspecified,
        _ => ReviewReason::ClarifyRevenue,
    };
    review::ReviewDecided {
        review_case_id: CASE.to_owned(),
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
        decision: decision.into(),
        reason: reason.into(),
    }
}

pub async fn until(app: &App, id: &str, wanted: ReviewStatus) {
    eventually(async || {
        let seen = get(app, &user(), id)
            .await
            .life_cycle
            .expect("a life cycle")
            .review_status();
        if seen == wanted {
            Ok(())
        } else {
            Err(format!("{id} is {seen:?}, not {wanted:?}"))
        }
    })
    .await;
}

/// A record of the user that AWS has validated.
pub async fn approved(app: &App, far: &FarEnd, record: pb::Opportunity) -> String {
    let id = create(app, &user(), record).await.opportunity_id;
    approve(app, far, &id).await;
    id
}

/// Submits a draft, which AWS then approves.
pub async fn approve(app: &App, far: &FarEnd, id: &str) {
    submit(app, &user(), id).await;
    let case = random::prefixed("rc-");
    far.tell("review", ALDER, &case, 1, &opened(id, 1, 1)).await;
    let decision = review::ReviewDecided {
        review_case_id: case.clone(),
        ..decided(id, 2, 1, review::ReviewDecision::Approve)
    };
    far.tell("review", ALDER, &case, 2, &decision).await;
    until(app, id, ReviewStatus::Approved).await;
}
