use cosell_types::Violation;

use super::Situation;
use super::situation::Transition;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or wrong.
    #[error("fields are missing or wrong")]
    Invalid(Vec<Violation>),
    /// Nothing in the record may be changed now (OPP-040).
    #[error("the record is not editable")]
    RecordNotEditable(Situation),
    /// Some of the fields may not be changed now; with everything else that is wrong (OPP-040).
    #[error("fields are not editable")]
    FieldsNotEditable(Situation, Vec<Violation>),
    /// The review status does not allow it (OPP-030).
    #[error("{transition:?} is not possible in this review status")]
    IllegalTransition {
        /// Where the record is.
        situation: Situation,
        /// What was asked for.
        transition: Transition,
    },
    /// Only a draft that was never submitted can be thrown away (OPP-032).
    #[error("the draft was submitted before")]
    WasSubmitted(Situation),
}
