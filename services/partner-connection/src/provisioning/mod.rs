//! Applies records of the operator's master list to the directory (DIR-050, DIR-051). Reads the records from a stream
//! in batches of one account, applies each batch in one transaction, and retries a batch after a transient failure.
//! `api/apply_directory.rs` calls it and streams the results to the caller.

mod account_records;
mod apply_batch;
mod batch_state;
mod member_records;
mod record;
mod record_batches;
mod retry;

use cosell_events::Cause;
use cosell_grpc::Tag;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Db;
use cosell_types::{Clock, FieldPath, Violation, ViolationCode};

use crate::domain::{Quotas, Rule};

pub use record::Record;
pub use record_batches::{MAX_BATCH_SIZE, RecordBatches};

/// Applies the records of one call of ApplyDirectory.
pub struct Provisioner {
    pub db: Db,
    pub clock: Clock,
    pub quotas: Quotas,
    /// The caller, as events name it.
    pub actor: String,
    pub tag: Tag,
}

impl Provisioner {
    fn cause(&self) -> Cause<'_> {
        Cause {
            actor: &self.actor,
            request_id: &self.tag.request_id,
            time: self.clock.now(),
        }
    }
}

/// The result of a record, or the rule that it violates. A violated rule refuses only this record; a `Failure` around
/// it ends the batch.
type RecordOutcome = Result<pb::ApplyResult, Rule>;

fn invalid_field(path: &str, code: ViolationCode, description: &str) -> Rule {
    let root = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&root.field(path), code, description)])
}
