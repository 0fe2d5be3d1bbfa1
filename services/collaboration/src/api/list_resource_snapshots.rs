use cosell_grpc::convert::id;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;
use cosell_types::{ClosedList as _, Side};

use super::Api;
use crate::domain::access;
use crate::domain::values::SnapshotTemplate;
use crate::store;
use crate::store::list::{SnapshotCursor, SnapshotFilter, list_snapshots};
use crate::{convert, status};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListResourceSnapshotsRequest>,
) -> Result<pb::ListResourceSnapshotsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let mut violations = Vec::new();
    let opportunity = id(&call.message.opportunity_id, "opportunity_id", &mut violations);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let filter = SnapshotFilter {
        opportunity,
        template: SnapshotTemplate::from_number(call.message.template),
        newest_only: false,
    };
    let (snapshots, next_page_token) = list_page(
        api,
        &call,
        &call.message.engagement_id,
        &filter,
        (&query, &token, size),
    )
    .await?;
    Ok(pb::ListResourceSnapshotsResponse {
        resource_snapshots: snapshots,
        next_page_token,
    })
}

/// A page of the snapshots of an engagement. Fails with `ENGAGEMENT_NOT_FOUND` if the caller has no access to it.
pub async fn list_page<M>(
    api: &Api,
    call: &Call<M>,
    engagement: &str,
    filter: &SnapshotFilter,
    (query, token, size): (&PageQuery, &str, i64),
) -> Result<(Vec<pb::ResourceSnapshot>, String), Failure> {
    let last = query.cursor(token, SnapshotCursor::is_valid)?;
    let member = call.member()?;
    let mut tx = begin(&api.db, call).await?;
    let is_visible = match member.side {
        Side::Partner => {
            let joined_by = store::load_joined_by(&mut tx, &member.account, engagement).await?;
            joined_by.is_some_and(|joined_by| access::sees_records_of(member, &joined_by))
        }
        Side::Aws => match engagement.parse() {
            Ok(id) => store::load_engagement(&mut tx, &id).await?.is_some(),
            Err(_) => false,
        },
    };
    if !is_visible {
        return Err(status::engagement_not_found(engagement));
    }
    let rows = list_snapshots(&mut tx, engagement, filter, last, size + 1).await?;
    let entries = rows
        .iter()
        .map(|snapshot| Ok((SnapshotCursor::of(snapshot), convert::snapshot(snapshot, None)?)));
    let entries: Vec<_> = entries.collect::<Result<_, Failure>>()?;
    query.page(
        &entries,
        size,
        |(_, message)| message.clone(),
        |(cursor, _)| cursor.clone(),
    )
}
