use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Tx;
use cosell_types::Member;

use crate::api::list;
use crate::domain::{Opportunity, Periods};
use crate::store::list::{Asked, Filter, Key, Last, Page, list as page_of};

/// A list, some records after the others, by id, so that one that changes meanwhile is neither left out nor met twice.
pub struct Walk {
    filter: Filter,
    periods: Periods,
    last: Option<Last>,
}

impl Walk {
    pub fn new(list: &pb::ListOpportunitiesRequest, now: DateTime<Utc>) -> Result<Self, Failure> {
        Ok(Self {
            filter: list::filter(list)?,
            periods: Periods::at(now),
            last: None,
        })
    }

    /// At most so many records that the member sees; none at the end.
    pub async fn next(
        &mut self,
        tx: &mut Tx,
        member: &Member,
        limit: i64,
    ) -> Result<Vec<Opportunity>, Failure> {
        let asked = Asked {
            by: member,
            periods: &self.periods,
        };
        let page = Page {
            key: Key::Id,
            descending: false,
            last: self.last.take(),
            limit,
        };
        let records = page_of(tx, asked, &self.filter, page).await?;
        self.last = records.last().map(|record| Key::Id.last(member, record));
        Ok(records)
    }
}
