//! The write frame of RPCs: claim the request id, load the record that is visible to the caller, answer a replay, check
//! the etag, run the domain command, save, commit. Handlers supply only the domain command.

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags, reason_name};
use cosell_proto::Mutation;
use cosell_proto::cosell::opportunity::v1::ErrorReason;
use cosell_store::{Claim, Db, Tx, begin, claim, commit};
use cosell_types::{Member, OpportunityId};

use crate::domain::{Event, Opportunity, Periods};
use crate::events::CONTEXT;
use crate::load::load_opportunity;
use crate::store::list::{OpportunityFilter, PageRequest, QueryContext, SortKey, list_opportunities};
use crate::{status, store};

/// Changes the opportunity with this id. `apply` returns no event if nothing changes. A replay returns the current
/// record without running `apply`. Saving detects concurrent modifications by the revision.
pub async fn change<M: Mutation>(
    db: &Db,
    call: &Call<M>,
    (id, etag): (&str, &str),
    apply: impl AsyncFnOnce(&mut Tx, &mut Opportunity) -> Result<Option<Event>, Failure>,
) -> Result<Opportunity, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let mut record = load_opportunity(&mut tx, call, id).await?;
    if claimed != Claim::New {
        return Ok(record);
    }
    etags::check(etag, record.revision())?;
    if let Some(event) = apply(&mut tx, &mut record).await? {
        let saved = save(tx, call, &record, &event).await;
        name_holder(db, call, &record, saved).await?;
    }
    Ok(record)
}

/// Creates an opportunity under this id. A replay returns the one that the first call created.
pub async fn create<M: Mutation>(
    db: &Db,
    call: &Call<M>,
    id: &str,
    apply: impl AsyncFnOnce(&mut Tx) -> Result<(Opportunity, Event), Failure>,
) -> Result<Opportunity, Failure> {
    let mut tx = begin(db, call).await?;
    if let Claim::Replay(created) = claim(&mut tx, call, id).await? {
        return load_opportunity(&mut tx, call, &created).await;
    }
    let (record, event) = apply(&mut tx).await?;
    let saved = save(tx, call, &record, &event).await;
    name_holder(db, call, &record, saved).await?;
    Ok(record)
}

/// Adds to the refusal of a partner identifier the opportunity that has it, if the caller has access to it (OPP-003).
async fn name_holder<M>(
    db: &Db,
    call: &Call<M>,
    record: &Opportunity,
    saved: Result<(), Failure>,
) -> Result<(), Failure> {
    let Err(failure) = saved else { return Ok(()) };
    let is_taken = failure.reason() == reason_name(ErrorReason::PartnerIdentifierTaken.as_str_name());
    let (true, Ok(member)) = (is_taken, call.member()) else {
        return Err(failure);
    };
    let identifier_key = record.details().partner_identifier_key();
    Err(match find_holder(db, call, member, identifier_key).await {
        Ok(Some(holder)) => failure.with("opportunity_id", holder),
        // The refusal stands, also where the holder cannot be read.
        Ok(None) | Err(_) => failure,
    })
}

async fn find_holder<M>(
    db: &Db,
    call: &Call<M>,
    member: &Member,
    identifier_key: String,
) -> Result<Option<OpportunityId>, Failure> {
    // The refused statement has ended its transaction.
    let mut tx = begin(db, call).await?;
    let context = QueryContext {
        member,
        periods: &Periods::at(call.tag.received),
    };
    let filter = OpportunityFilter {
        partner_identifier_keys: vec![identifier_key],
        ..Default::default()
    };
    let page = PageRequest {
        sort_key: SortKey::Id,
        descending: false,
        cursor: None,
        limit: 1,
    };
    let holders = list_opportunities(&mut tx, context, &filter, page).await?;
    Ok(holders.first().map(|holder| holder.record.id()))
}

/// Saves the record with its event and commits.
pub async fn save<M: Mutation>(
    mut tx: Tx,
    call: &Call<M>,
    record: &Opportunity,
    event: &Event,
) -> Result<(), Failure> {
    let cause = Cause::of(call, record.update_time());
    store::save_opportunity(&mut tx, record, event, cause)
        .await
        .map_err(status::constraint_violation)?;
    if commit(tx, call, CONTEXT, &[event.name()]).await? {
        let (id, revision) = (record.id(), record.revision());
        tracing::info!(opportunity.id = %id, revision, event = event.name(), "opportunity changed");
    }
    Ok(())
}
