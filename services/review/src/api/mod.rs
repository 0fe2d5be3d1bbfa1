//! The RPCs: one handler a file, named after its RPC. `<service>.rs` lists the RPCs of a gRPC service with the access
//! that each requires.

mod claim_review_case;
mod decide_review;
mod get_review_case;
mod list_review_cases;
mod review_service;
mod start_review;

use cosell_store::Db;
use cosell_types::{Caller, Clock};
use tonic::{Response, Status};

use crate::domain::access::{self, Action};

/// The dependencies of the handlers.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

type RpcResult<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}
