use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cosell::StackInfo;
use cosell::demo::{Person, reason};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::{FarEnd, eventually_within};
use futures::future::join_all;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status};

use crate::{RECOVERY, record};

/// Calls that one traveller makes and waits that it has.
pub const STEPS: usize = 11;
/// How long a call may take before it is made again.
const CALL: Duration = Duration::from_secs(5);

/// Travellers: opportunities on their whole way, made by a client that repeats what was not answered.
pub struct Workload {
    thread: JoinHandle<Vec<String>>,
    progress: Progress,
}

/// How many steps were taken, by all travellers together.
#[derive(Clone)]
pub struct Progress(Arc<watch::Sender<usize>>);

impl Progress {
    fn step(&self) {
        self.0.send_modify(|steps| *steps += 1);
    }

    /// The steps that were taken.
    pub fn taken(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns when so many steps were taken.
    pub async fn reaches(&self, steps: usize) {
        let mut seen = self.0.subscribe();
        let wait = seen.wait_for(|taken| *taken >= steps);
        let reached = tokio::time::timeout(RECOVERY, wait).await;
        assert!(
            reached.is_ok(),
            "after {RECOVERY:?} only {} of {steps} steps were taken",
            self.taken()
        );
    }
}

impl Workload {
    /// Sends travellers on their way.
    pub fn start(info: &StackInfo, count: usize) -> Self {
        let endpoint = Endpoint::from_shared(info.address.clone()).expect("an address");
        let channel = endpoint.connect_timeout(Duration::from_secs(1)).connect_lazy();
        let person = |id: &str| Person::new(&channel, &info.tokens, id).expect("a seeded member");
        let progress = Progress(Arc::new(watch::Sender::new(0)));
        let travellers: Vec<_> = (0..count)
            .map(|_| (person("alder-ace-user"), person("aws-reviewer"), progress.clone()))
            .collect();
        // A thread of their own: clients are not part of what is tested and share nothing with it.
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let travels = travellers
                .iter()
                .map(|(partner, reviewer, progress)| travel(partner, reviewer, progress));
            runtime.block_on(join_all(travels))
        });
        Self { thread, progress }
    }

    /// How far they are.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits for all to arrive; returns their ids.
    pub async fn arrive(self) -> Vec<String> {
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined
            .expect("an end")
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Makes a call again and again, as it is, until it is answered.
async fn answered<T>(what: &str, mut call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> T {
    let answer = eventually_within(RECOVERY, async || match call().await {
        Ok(answer) => Ok(Ok(answer)),
        Err(status) if may_be_repeated(&status) => Err(status),
        Err(status) => Ok(Err(status)),
    })
    .await;
    match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => panic!("{what} was refused: {status:?}"),
    }
}

/// Whether a client may make the call again: it was not answered, or the answer says so.
fn may_be_repeated(status: &Status) -> bool {
    // Without a reason it does not come from a service, but from a connection that broke.
    let codes = [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::Cancelled,
    ];
    reason(status).is_empty() || codes.contains(&status.code())
}

fn timed<M: Clone>(message: &M) -> Request<M> {
    let mut request = Request::new(message.clone());
    request.set_timeout(CALL);
    request
}

async fn travel(partner: &Person, reviewer: &Person, progress: &Progress) -> String {
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
    until(partner, &id, ReviewStatus::ActionRequired).await;
    progress.step();
    correct(partner, &id).await;
    progress.step();
    submit(partner, &id).await;
    progress.step();
    review(reviewer, &id, 2, review::ReviewDecision::Approve, "", progress).await;
    until(partner, &id, ReviewStatus::Approved).await;
    id
}

async fn create(partner: &Person) -> String {
    let message = opportunity::CreateOpportunityRequest {
        opportunity: Some(record()),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let answer = answered("CreateOpportunity", async || {
        partner.opportunities().create_opportunity(timed(&message)).await
    });
    answer.await.opportunity.expect("a record").opportunity_id
}

async fn submit(partner: &Person, id: &str) {
    let message = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let answer = answered("SubmitOpportunity", async || {
        partner.lifecycle().submit_opportunity(timed(&message)).await
    });
    answer.await;
}

async fn correct(partner: &Person, id: &str) {
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
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let answer = answered("UpdateOpportunity", async || {
        partner.opportunities().update_opportunity(timed(&message)).await
    });
    answer.await;
}

async fn until(partner: &Person, id: &str, wanted: ReviewStatus) {
    eventually_within(RECOVERY, async || {
        let message = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        let answer = partner.opportunities().get_opportunity(timed(&message)).await;
        let record = answer
            .map_err(|status| status.to_string())?
            .into_inner()
            .opportunity;
        let status = record
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
    reviewer: &Person,
    id: &str,
    round: i32,
    decision: review::ReviewDecision,
    remarks: &str,
    progress: &Progress,
) {
    let case = waiting(reviewer, id, round).await;
    let claim = review::ClaimReviewCaseRequest {
        review_case_id: case.clone(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    answered("ClaimReviewCase", async || {
        reviewer.reviews().claim_review_case(timed(&claim)).await
    })
    .await;
    progress.step();
    let start = review::StartReviewRequest {
        review_case_id: case.clone(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    answered("StartReview", async || {
        reviewer.reviews().start_review(timed(&start)).await
    })
    .await;
    progress.step();
    let mut decide = review::DecideReviewRequest {
        review_case_id: case,
        decision: decision.into(),
        review_comments: remarks.to_owned(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    if decision != review::ReviewDecision::Approve {
        decide.reason = ReviewReason::ClarifyRevenue.into();
    }
    answered("DecideReview", async || {
        reviewer.reviews().decide_review(timed(&decide)).await
    })
    .await;
    progress.step();
}

/// The case of an opportunity once it waits in the queue.
async fn waiting(reviewer: &Person, id: &str, round: i32) -> String {
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
        let answer = reviewer.reviews().list_review_cases(timed(&list)).await;
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
