//! The review service as seen by this service: its events, and a fake server that returns the remarks.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{App, PeerStub, Setup, eventually, reviews};
use cosell_types::random;

use crate::support::{ALDER, create, get, options, submit, user};

pub const CASE: &str = "rc-0000000000001";
pub const REMARKS: &str = "Explain the amount.";

/// Starts the service with a bus and a fake review server.
pub async fn start_with_review() -> (App, PeerStub) {
    let address = reviews(REMARKS).await;
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options(&address))
        .await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    (app, peer)
}

pub fn review_round_opened(id: &str, revision: i64, round: i32) -> review::ReviewRoundOpened {
    review::ReviewRoundOpened {
        review_case_id: CASE.to_owned(),
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
        assignee_member_id: String::new(),
    }
}

pub fn review_started(id: &str, revision: i64, round: i32) -> review::ReviewStarted {
    review::ReviewStarted {
        review_case_id: CASE.to_owned(),
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        round,
    }
}

pub fn review_decided(
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

/// Waits until the record has the review status.
pub async fn wait_for_status(app: &App, id: &str, wanted: ReviewStatus) {
    eventually(async || {
        let status = get(app, &user(), id)
            .await
            .life_cycle
            .expect("a life cycle")
            .review_status();
        if status == wanted {
            Ok(())
        } else {
            Err(format!("{id} is {status:?}, not {wanted:?}"))
        }
    })
    .await;
}

/// Creates an approved record of the ACE user.
pub async fn create_approved(app: &App, peer: &PeerStub, record: pb::Opportunity) -> String {
    let id = create(app, &user(), record).await.opportunity_id;
    approve(app, peer, &id).await;
    id
}

/// Submits a draft and publishes the approval.
pub async fn approve(app: &App, peer: &PeerStub, id: &str) {
    submit(app, &user(), id).await;
    let case = random::prefixed("rc-");
    peer.publish_event("review", ALDER, &case, 1, &review_round_opened(id, 1, 1))
        .await;
    let decision = review::ReviewDecided {
        review_case_id: case.clone(),
        ..review_decided(id, 2, 1, review::ReviewDecision::Approve)
    };
    peer.publish_event("review", ALDER, &case, 2, &decision).await;
    wait_for_status(app, id, ReviewStatus::Approved).await;
}
