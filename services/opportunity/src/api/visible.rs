//! Records, as far as a caller may see them.

use cosell_grpc::{Call, Failure};
use cosell_store::Tx;
use cosell_types::Caller;

use super::status;
use crate::domain::values::ReviewStatus;
use crate::domain::{Opportunity, access};
use crate::store;

/// The record that a member asks for, as far as it may see it; otherwise it does not exist.
pub async fn visible<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Opportunity, Failure> {
    let not_found = || status::not_found(id);
    let opportunity_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let record = match member.own_account() {
        Some(account) => store::load(tx, account, opportunity_id).await?,
        None => store::load_of_any_account(tx, opportunity_id).await?,
    };
    let mut record = record.ok_or_else(not_found)?;
    if !access::sees(member, &record) {
        return Err(not_found());
    }
    record.set_flagged(store::is_flagged(tx, member, &record).await?);
    Ok(record)
}

/// A record that a member sees now, as it was at a revision, as far as the member may see that; otherwise there is no such
/// revision.
pub async fn past<M>(
    tx: &mut Tx,
    call: &Call<M>,
    current: &Opportunity,
    revision: i64,
) -> Result<Opportunity, Failure> {
    let past = store::load_revision(tx, current.id(), revision).await?;
    let member = call.member()?;
    let past = past
        .filter(|past| access::sees_revision(member, past))
        .ok_or_else(|| status::not_found(&current.id().to_string()))?;
    Ok(past.beside(current))
}

/// The approved opportunity whose AWS summary is asked for, as far as the caller may see it (OPP-051).
pub async fn approved<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Opportunity, Failure> {
    let record = match &call.caller {
        Caller::Member(_) => visible(tx, call, id).await?,
        // Services see no drafts, and what is approved is never one again: then this is the record as it is.
        Caller::Service(_) => {
            let not_found = || status::not_found(id);
            let id = id.parse().map_err(|_| not_found())?;
            store::load_last_shown(tx, id).await?.ok_or_else(not_found)?
        }
    };
    if record.review().status == ReviewStatus::Approved {
        Ok(record)
    } else {
        Err(status::not_approved(&record))
    }
}
