use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cosell::StackInfo;
use cosell::demo::{MemberClient, error_reason};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{PeerStub, eventually_within};
use futures::future::join_all;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status};

use crate::{RECOVERY, valid_opportunity};

/// The calls and waits of one opportunity that count as progress.
pub const STEPS_PER_OPPORTUNITY: usize = 11;
/// The deadline of a call, after which it is retried.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Opportunities that run concurrently from creation to approval, driven by clients that retry unanswered calls.
pub struct Workload {
    thread: JoinHandle<Vec<String>>,
    progress: Progress,
}

/// Counts the completed steps of all opportunities.
#[derive(Clone)]
pub struct Progress(Arc<watch::Sender<usize>>);

impl Progress {
    fn step(&self) {
        self.0.send_modify(|steps| *steps += 1);
    }

    /// The number of completed steps.
    pub fn steps_done(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until this many steps are completed.
    pub async fn wait_for_steps(&self, steps: usize) {
        let mut seen = self.0.subscribe();
        let wait = seen.wait_for(|done| *done >= steps);
        let reached = tokio::time::timeout(RECOVERY, wait).await;
        assert!(
            reached.is_ok(),
            "only {} of {steps} steps are completed after {RECOVERY:?}",
            self.steps_done()
        );
    }
}

impl Workload {
    /// Starts `count` opportunities.
    pub fn start(info: &StackInfo, count: usize) -> Self {
        let endpoint = Endpoint::from_shared(info.address.clone()).expect("an address");
        let channel = endpoint.connect_timeout(Duration::from_secs(1)).connect_lazy();
        let client = |id: &str| MemberClient::new(&channel, &info.tokens, id).expect("a seeded member");
        let progress = Progress(Arc::new(watch::Sender::new(0)));
        let clients: Vec<_> = (0..count)
            .map(|_| (client("alder-ace-user"), client("aws-reviewer"), progress.clone()))
            .collect();
        // A separate thread and runtime: the clients are not under test and share nothing with the services.
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let runs = clients
                .iter()
                .map(|(partner, reviewer, progress)| run_to_approval(partner, reviewer, progress));
            runtime.block_on(join_all(runs))
        });
        Self { thread, progress }
    }

    /// The progress of all opportunities.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits until all opportunities are approved and returns their ids.
    pub async fn finish(self) -> Vec<String> {
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined
            .expect("an end")
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Retries a call unchanged until it is answered.
async fn call_until_answered<T>(what: &str, mut call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> T {
    let answer = eventually_within(RECOVERY, async || match call().await {
        Ok(answer) => Ok(Ok(answer)),
        Err(status) if is_retryable(&status) => Err(status),
        Err(status) => Ok(Err(status)),
    })
    .await;
    match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => panic!("{what} was refused: {status:?}"),
    }
}

/// Whether a client may retry the call: it was not answered, or the status permits it.
fn is_retryable(status: &Status) -> bool {
    // A status without a reason comes from a broken connection, not from a service.
    let codes = [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::Cancelled,
    ];
    error_reason(status).is_empty() || codes.contains(&status.code())
}

fn with_timeout<M: Clone>(message: &M) -> Request<M> {
    let mut request = Request::new(message.clone());
    request.set_timeout(CALL_TIMEOUT);
    request
}

async fn run_to_approval(partner: &MemberClient, reviewer: &MemberClient, progress: &Progress) -> String {
    let id = create(partner).await;
    progress.step();
    submit(partner, &id).await;
    progress.step();
    let remarks = "Please correct the revenue.";
    review(
        reviewer,
        &id,
        1,
        review::ReviewDecision::ActionRequired,
        remarks,
        progress,
    )
    .await;
    wait_for_status(partner, &id, ReviewStatus::ActionRequired).await;
    progress.step();
    correct(partner, &id).await;
    progress.step();
    submit(partner, &id).await;
    progress.step();
    review(reviewer, &id, 2, review::ReviewDecision::Approve, "", progress).await;
    wait_for_status(partner, &id, ReviewStatus::Approved).await;
    id
}

async fn create(partner: &MemberClient) -> String {
    let message = opportunity::CreateOpportunityRequest {
        opportunity: Some(valid_opportunity()),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let answer = call_until_answered("CreateOpportunity", async || {
        partner
            .opportunities()
            .create_opportunity(with_timeout(&message))
            .await
    });
    answer.await.opportunity.expect("an opportunity").opportunity_id
}

async fn submit(partner: &MemberClient, id: &str) {
    let message = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let answer = call_until_answered("SubmitOpportunity", async || {
        partner
            .lifecycle()
            .submit_opportunity(with_timeout(&message))
            .await
    });
    answer.await;
}

async fn correct(partner: &MemberClient, id: &str) {
    let project = opportunity::Project {
        customer_business_problem: "Dispatchers plan 900 tours a day in spreadsheets, sized anew.".to_owned(),
        ..Default::default()
    };
    let message = opportunity::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(opportunity::Opportunity {
            project: Some(project),
            ..Default::default()
        }),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let answer = call_until_answered("UpdateOpportunity", async || {
        partner
            .opportunities()
            .update_opportunity(with_timeout(&message))
            .await
    });
    answer.await;
}

async fn wait_for_status(partner: &MemberClient, id: &str, wanted: ReviewStatus) {
    eventually_within(RECOVERY, async || {
        let message = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        let answer = partner
            .opportunities()
            .get_opportunity(with_timeout(&message))
            .await;
        let found = answer
            .map_err(|status| status.to_string())?
            .into_inner()
            .opportunity;
        let status = found
            .unwrap_or_default()
            .life_cycle
            .unwrap_or_default()
            .review_status();
        if status == wanted {
            Ok(())
        } else {
            Err(format!("{id} is {status:?}, not {wanted:?}"))
        }
    })
    .await;
}

async fn review(
    reviewer: &MemberClient,
    id: &str,
    round: i32,
    decision: review::ReviewDecision,
    remarks: &str,
    progress: &Progress,
) {
    let case = wait_for_review_case(reviewer, id, round).await;
    let claim = review::ClaimReviewCaseRequest {
        review_case_id: case.clone(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    call_until_answered("ClaimReviewCase", async || {
        reviewer.reviews().claim_review_case(with_timeout(&claim)).await
    })
    .await;
    progress.step();
    let start = review::StartReviewRequest {
        review_case_id: case.clone(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    call_until_answered("StartReview", async || {
        reviewer.reviews().start_review(with_timeout(&start)).await
    })
    .await;
    progress.step();
    let mut decide = review::DecideReviewRequest {
        review_case_id: case,
        decision: decision.into(),
        review_comments: remarks.to_owned(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    if decision != review::ReviewDecision::Approve {
        decide.reason = ReviewReason::ClarifyRevenue.into();
    }
    call_until_answered("DecideReview", async || {
        reviewer.reviews().decide_review(with_timeout(&decide)).await
    })
    .await;
    progress.step();
}

/// Waits until the review case of an opportunity is in the queue and returns its id.
async fn wait_for_review_case(reviewer: &MemberClient, id: &str, round: i32) -> String {
    let filter = review::ReviewCaseFilter {
        states: vec![review::ReviewCaseState::Submitted.into()],
        opportunity_ids: vec![id.to_owned()],
        ..Default::default()
    };
    let list = review::ListReviewCasesRequest {
        filter: Some(filter),
        ..Default::default()
    };
    eventually_within(RECOVERY, async || {
        let answer = reviewer.reviews().list_review_cases(with_timeout(&list)).await;
        let cases = answer
            .map_err(|status| status.to_string())?
            .into_inner()
            .review_cases;
        let case = cases.into_iter().find(|case| case.round == round);
        case.map(|case| case.review_case_id)
            .ok_or_else(|| format!("round {round} of {id} is not in the queue"))
    })
    .await
}
