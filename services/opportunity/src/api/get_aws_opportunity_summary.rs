use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::load::load_approved;
use crate::{store, view};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAwsOpportunitySummaryRequest>,
) -> Result<pb::GetAwsOpportunitySummaryResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let record = load_approved(&mut tx, &call, &call.message.opportunity_id).await?;
    let summary = store::load_aws_summary(&mut tx, &record).await?;
    Ok(pb::GetAwsOpportunitySummaryResponse {
        aws_opportunity_summary: Some(view::aws_summary(&call.caller, summary, &record)),
    })
}
