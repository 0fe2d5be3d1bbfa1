use chrono::{DateTime, Utc};
use cosell_types::Violation;

use super::LifecycleState;

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or invalid.
    #[error("Fields are missing or invalid.")]
    Invalid(Vec<Violation>),
    /// No field is editable now (OPP-040).
    #[error("The opportunity is not editable.")]
    RecordNotEditable(LifecycleState),
    /// Some of the changed fields are not editable now; with all other violations (OPP-040).
    #[error("Fields are not editable.")]
    FieldsNotEditable(LifecycleState, Vec<Violation>),
    /// The state does not allow the action (OPP-030, OPP-035 to OPP-037, OPP-041, OPP-045).
    #[error("{action} is not allowed in the present state of the opportunity.")]
    ActionNotAllowed {
        /// The state at the time of the call.
        state: LifecycleState,
        /// Name of the refused action, such as `REOPEN`.
        action: &'static str,
    },
    /// The opportunity was closed too long ago to be corrected (OPP-049).
    #[error("The opportunity was closed too long ago.")]
    CorrectionPeriodEnded {
        /// When it was closed.
        close_time: DateTime<Utc>,
        /// For how many days after that it could be corrected.
        days: u32,
    },
    /// The entity belongs to an account without an active SUBSIDIARY connection (OPP-048).
    #[error("The entity belongs to an account without an active SUBSIDIARY connection.")]
    NoSubsidiary,
    /// Only a draft that was never submitted can be discarded (OPP-032).
    #[error("The draft was submitted before.")]
    AlreadySubmitted(LifecycleState),
}

/// Fails when there are violations.
pub(super) fn ok_or_invalid(violations: Vec<Violation>) -> Result<(), Rule> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Rule::Invalid(violations))
    }
}
