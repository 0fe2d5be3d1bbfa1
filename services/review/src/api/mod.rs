//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod claim;
mod convert;
mod decide;
mod get;
mod list;
mod start;
mod status;

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, read, write};
use cosell_proto::Mutation;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::review_service_server::ReviewService;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock};
use opentelemetry::KeyValue;
use tonic::{Request, Response, Status};

use crate::domain::access::{self, Action};
use crate::domain::{Event, ReviewCase};
use crate::store;

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ReviewService for Api {
    async fn list_review_cases(
        &self,
        request: Request<pb::ListReviewCasesRequest>,
    ) -> Answer<pb::ListReviewCasesResponse> {
        read(request, permit(Action::List), |call| list::handle(self, call)).await
    }

    async fn get_review_case(
        &self,
        request: Request<pb::GetReviewCaseRequest>,
    ) -> Answer<pb::GetReviewCaseResponse> {
        read(request, permit(Action::Get), |call| get::handle(self, call)).await
    }

    async fn claim_review_case(
        &self,
        request: Request<pb::ClaimReviewCaseRequest>,
    ) -> Answer<pb::ClaimReviewCaseResponse> {
        let api = self.clone();
        write(request, permit(Action::Claim), move |call| {
            claim::handle(api.clone(), call)
        })
        .await
    }

    async fn start_review(
        &self,
        request: Request<pb::StartReviewRequest>,
    ) -> Answer<pb::StartReviewResponse> {
        let api = self.clone();
        write(request, permit(Action::Start), move |call| {
            start::handle(api.clone(), call)
        })
        .await
    }

    async fn decide_review(
        &self,
        request: Request<pb::DecideReviewRequest>,
    ) -> Answer<pb::DecideReviewResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            decide::handle(api.clone(), call)
        })
        .await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// The case that is asked for.
async fn existing(tx: &mut Tx, id: &str) -> Result<ReviewCase, Failure> {
    let not_found = || status::not_found(id);
    let case_id = id.parse().map_err(|_| not_found())?;
    store::load(tx, &case_id).await?.ok_or_else(not_found)
}

/// Saves what happened and makes it durable, unless the call only asked whether it would work. Returns the case with
/// all its rounds as the answer shows it.
async fn conclude<M: Mutation>(
    mut tx: Tx,
    call: &Call<M>,
    case: &ReviewCase,
    event: &Event,
) -> Result<pb::ReviewCase, Failure> {
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: case.update_time(),
    };
    store::save(&mut tx, case, event, cause).await?;
    let shown = whole(&mut tx, case).await?;
    if call.message.validate_only() {
        return Ok(shown);
    }
    tx.commit().await?;
    metrics::TRANSITIONS.add(
        1,
        &[KeyValue::new("transition", format!("review.{}", event.name()))],
    );
    tracing::info!(review_case.id = %case.id(), revision = case.revision(), "review case {}", event.name());
    Ok(shown)
}

/// The case as the interface shows it, with what was submitted in each round.
async fn whole(tx: &mut Tx, case: &ReviewCase) -> Result<pb::ReviewCase, Failure> {
    let snapshots = store::snapshots(tx, case).await?;
    convert::whole(case, &snapshots)
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }
}
