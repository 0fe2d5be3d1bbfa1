//! Denials: calls that are refused because of their caller, counted and stored for audit (ACC-030).

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use cosell_types::AccountId;
use uuid::Uuid;

use crate::MemberResolver;

/// A call that was refused because of its caller.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Primary key of the stored denial.
    pub id: Uuid,
    /// When the call was received.
    pub time: DateTime<Utc>,
    /// The account of the caller; `None` for a service.
    pub account: Option<AccountId>,
    /// The caller: a member id, or `service:` and a name.
    pub actor: String,
    /// Package, service and method of the call.
    pub rpc: Arc<str>,
    /// The reason, such as `ROLE_NOT_PERMITTED`. With a NOT_FOUND reason, the record does not exist or is not visible
    /// to the caller; both have the same response.
    pub reason: &'static str,
    /// The id of the record; empty if the denial concerns none.
    pub subject: String,
    /// The request id of the call.
    pub request_id: Arc<str>,
}

/// Enqueues a denial to be stored. Does not wait, so that the response time does not reveal whether a record exists.
pub type DenialSink = Arc<dyn Fn(Denial) + Send + Sync>;

/// The access functions of one service, which the edge calls.
#[derive(Clone)]
pub struct ServiceAccess {
    /// Resolves the roles of a member.
    pub resolve: MemberResolver,
    /// Enqueues denials.
    pub denial_sink: DenialSink,
}

/// The denial of a call, if any: recorded when its failure is encoded, read by the edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedDenial(Arc<OnceLock<(&'static str, String)>>);

impl RecordedDenial {
    /// Records the reason and the id of the record.
    pub(crate) fn record(&self, reason: &'static str, subject: String) {
        // The first denial of a call counts.
        let _ = self.0.set((reason, subject));
    }

    /// The reason and the id of the record.
    pub(crate) fn get(&self) -> Option<&(&'static str, String)> {
        self.0.get()
    }
}
