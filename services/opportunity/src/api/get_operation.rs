use cosell_grpc::{Call, Failure};
use cosell_proto::google::longrunning::{GetOperationRequest, Operation};
use cosell_store::begin;

use super::Api;
use crate::bulk::operation;
use crate::load::load_job;

pub async fn handle(api: &Api, call: Call<GetOperationRequest>) -> Result<Operation, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let job = load_job(&mut tx, &call, &call.message.name).await?;
    operation::from_job(&mut tx, &job).await
}
