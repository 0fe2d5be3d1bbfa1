//! Loads review cases. The access check admits only callers that have access to all cases.

use cosell_grpc::Failure;
use cosell_proto::cosell::review::v1 as pb;
use cosell_store::Tx;

use crate::domain::ReviewCase;
use crate::{convert, status, store};

/// Loads a case; fails with NOT_FOUND if there is none.
pub async fn load_case(tx: &mut Tx, id: &str) -> Result<ReviewCase, Failure> {
    let not_found = || status::not_found(id);
    let case_id = id.parse().map_err(|_| not_found())?;
    store::load_case(tx, &case_id).await?.ok_or_else(not_found)
}

/// Loads the submissions of a case, and converts it to its message with all rounds.
pub async fn load_case_message(tx: &mut Tx, case: &ReviewCase) -> Result<pb::ReviewCase, Failure> {
    let snapshots = store::load_snapshots(tx, case).await?;
    convert::case_with_rounds(case, &snapshots)
}
