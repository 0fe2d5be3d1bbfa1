use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::{ClosedList as _, Side};

use super::{Api, convert, status};
use crate::domain::access;
use crate::domain::values::SnapshotTemplate;
use crate::store;
use crate::store::list::{LastSnapshot, SnapshotFilter, about, snapshots};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListResourceSnapshotsRequest>,
) -> Result<pb::ListResourceSnapshotsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let filter = SnapshotFilter {
        opportunity: about(&call.message.opportunity_id),
        template: SnapshotTemplate::from_number(call.message.template),
        newest_only: false,
    };
    let (snapshots, next_page_token) = page(
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

/// A page of the snapshots of an engagement. For whoever does not work on it there is no such engagement.
pub async fn page<M>(
    api: &Api,
    call: &Call<M>,
    engagement: &str,
    filter: &SnapshotFilter,
    (query, token, size): (&PageQuery, &str, i64),
) -> Result<(Vec<pb::ResourceSnapshot>, String), Failure> {
    let last = query.last(token, LastSnapshot::is_sound)?;
    let member = call.member()?;
    let mut tx = api.begin(call).await?;
    let is_seen = match member.side {
        Side::Partner => {
            let by = store::works_for(&mut tx, &member.account, engagement).await?;
            by.is_some_and(|by| access::works_on(member, &by))
        }
        Side::Aws => match engagement.parse() {
            Ok(id) => store::load_engagement(&mut tx, &id).await?.is_some(),
            Err(_) => false,
        },
    };
    if !is_seen {
        return Err(status::engagement_not_found(engagement));
    }
    let found = snapshots(&mut tx, engagement, filter, last, size + 1).await?;
    let shown = found
        .iter()
        .map(|snapshot| Ok((LastSnapshot::of(snapshot), convert::snapshot(snapshot, None)?)));
    let shown: Vec<_> = shown.collect::<Result<_, Failure>>()?;
    query.page(&shown, size, |(_, shown)| shown.clone(), |(last, _)| last.clone())
}
