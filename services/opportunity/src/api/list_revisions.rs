use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::load::load_opportunity;
use crate::store::{Revision, list_revisions};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListRevisionsRequest>,
) -> Result<pb::ListRevisionsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let before = query.cursor(&token, |revision: &i64| *revision > 0)?;
    let mut tx = begin(&api.db, &call).await?;
    let record = load_opportunity(&mut tx, &call, &call.message.opportunity_id).await?;
    let before = before.unwrap_or(i64::MAX);
    let revisions = list_revisions(&mut tx, call.member()?, &record, before, size + 1).await?;
    let (revisions, next_page_token) = query.page(&revisions, size, show_revision, |revision| {
        revision.record.revision()
    })?;
    Ok(pb::ListRevisionsResponse {
        revisions,
        next_page_token,
    })
}

fn show_revision(revision: &Revision) -> pb::OpportunityRevision {
    let record = &revision.record;
    pb::OpportunityRevision {
        revision: record.revision(),
        time: Some(timestamp(record.update_time())),
        actor_member_id: record
            .last_modified_by()
            .map(ToString::to_string)
            .unwrap_or_default(),
        action: revision.action.clone(),
        changed_fields: revision.changed_fields.clone(),
        review_status: record.review().status.number(),
        stage: record.details().life_cycle.stage.number(),
    }
}
