//! Calls that are refused because of who makes them: counted, and kept for audit (ACC-030).

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use cosell_types::AccountId;
use uuid::Uuid;

use crate::Resolve;

/// A call that was refused because of who made it.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Of this denial alone.
    pub id: Uuid,
    /// When the call came.
    pub time: DateTime<Utc>,
    /// The caller's account; a service has none.
    pub account: Option<AccountId>,
    /// Who called: a member, or `service:` and a name.
    pub actor: String,
    /// Package, service and method.
    pub rpc: Arc<str>,
    /// The reason, such as `ROLE_NOT_PERMITTED`. The one of a record that is not there may also mean that it is, and is
    /// not for the caller to see: these are answered alike.
    pub reason: &'static str,
    /// The record, where it is about one.
    pub subject: String,
    /// The request id of the call.
    pub request_id: Arc<str>,
}

/// Takes a denial to where denials are kept. Does not wait: how long an answer takes must not tell whether a record is
/// there.
pub type Audit = Arc<dyn Fn(Denial) + Send + Sync>;

/// How a service lets its callers in.
#[derive(Clone)]
pub struct Gate {
    /// What a member may do.
    pub resolve: Resolve,
    /// Where denials go.
    pub audit: Audit,
}

/// Whether a call was denied, and why; set when its failure becomes a status, read at the edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict(Arc<OnceLock<(&'static str, String)>>);

impl Verdict {
    /// Notes a denial for a reason, and the record it is about.
    pub(crate) fn deny(&self, reason: &'static str, subject: String) {
        // A call is denied once.
        let _ = self.0.set((reason, subject));
    }

    /// Why the call was denied, if it was.
    pub(crate) fn denied(&self) -> Option<&(&'static str, String)> {
        self.0.get()
    }
}
