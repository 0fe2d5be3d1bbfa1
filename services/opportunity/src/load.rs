//! Loads records that are visible to the caller. For an invisible record the answer is the same as for one that does
//! not exist (ACC-011).

use cosell_grpc::{Call, Failure};
use cosell_store::{Db, Scope, Tx};
use cosell_types::{Caller, FieldPath, Member, OpportunityId, Violation, ViolationCode};

use crate::domain::Opportunity;
use crate::domain::access::{self, VisibilityScope};
use crate::domain::job::Job;
use crate::domain::values::ReviewStatus;
use crate::status;
use crate::store::{self, bulk_jobs};

/// The opportunity with this id, with the member's flag.
pub async fn load_opportunity<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Opportunity, Failure> {
    let (member, opportunity_id) = (call.member()?, parse_id(id)?);
    let scope = tx.scope().clone();
    let record = store::read_opportunity(tx.conn(), &scope, member, opportunity_id).await?;
    require_visible(record, member, id)
}

/// The same outside of a transaction, in one round trip.
pub async fn read_opportunity<M>(db: &Db, call: &Call<M>, id: &str) -> Result<Opportunity, Failure> {
    let (member, opportunity_id) = (call.member()?, parse_id(id)?);
    let scope = Scope::of(call);
    let mut read = db.read(&scope).await?;
    let record = store::read_opportunity(read.conn(), &scope, member, opportunity_id).await?;
    read.end();
    require_visible(record, member, id)
}

fn parse_id(id: &str) -> Result<OpportunityId, Failure> {
    id.parse().map_err(|_| status::not_found(id))
}

fn require_visible(record: Option<Opportunity>, member: &Member, id: &str) -> Result<Opportunity, Failure> {
    let record = record.filter(|record| access::is_visible(member, record));
    record.ok_or_else(|| status::not_found(id))
}

/// A past revision of an opportunity whose current revision is visible to the member.
pub async fn load_revision<M>(
    tx: &mut Tx,
    call: &Call<M>,
    current: &Opportunity,
    revision: i64,
) -> Result<Opportunity, Failure> {
    let past = store::load_revision(tx, current.id(), revision).await?;
    let member = call.member()?;
    let past = past
        .filter(|past| access::is_revision_visible(member, past))
        .ok_or_else(|| status::not_found(&current.id().to_string()))?;
    Ok(past.with_reader_context_of(current))
}

/// The approved opportunity with this id, for its AWS summary (OPP-051).
pub async fn load_approved<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Opportunity, Failure> {
    let record = match &call.caller {
        Caller::Member(_) => load_opportunity(tx, call, id).await?,
        // Services do not see drafts, and an approved opportunity never becomes a draft again: its last revision that
        // was not a draft is the current one.
        Caller::Service(_) => {
            let not_found = || status::not_found(id);
            let id = id.parse().map_err(|_| not_found())?;
            store::load_last_visible_revision(tx, id)
                .await?
                .ok_or_else(not_found)?
        }
    };
    if record.review().status == ReviewStatus::Approved {
        Ok(record)
    } else {
        Err(status::not_approved(&record))
    }
}

/// The bulk job with the name `operations/<id>`. Members without access to all opportunities see only their own jobs.
pub async fn load_job<M>(tx: &mut Tx, call: &Call<M>, name: &str) -> Result<Job, Failure> {
    let member = call.member()?;
    let Some(id) = name.strip_prefix("operations/") else {
        let text = "Must be `operations/` followed by the id of a job.";
        let root = FieldPath::root();
        let violation = Violation::new(&root.field("name"), ViolationCode::InvalidStringFormat, text);
        return Err(Failure::invalid(vec![violation]));
    };
    let job = bulk_jobs::load_job(tx, &member.account, id).await?;
    let sees_all = access::visibility_scope(member) == VisibilityScope::Account;
    job.filter(|job| sees_all || job.member == member.id)
        .ok_or_else(|| status::operation_not_found(name))
}
