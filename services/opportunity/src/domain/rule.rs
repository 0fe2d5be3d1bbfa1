use cosell_types::Violation;

use super::Situation;

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
    /// Where the record stands does not allow it (OPP-030, OPP-035 to OPP-037, OPP-041, OPP-045).
    #[error("{action} is not possible where the record stands")]
    NotPossible {
        /// Where the record is.
        situation: Situation,
        /// What was asked for.
        action: &'static str,
    },
    /// The entity belongs to an account that is no subsidiary (OPP-048).
    #[error("the entity belongs to an account that is no subsidiary")]
    NoSubsidiary,
    /// Only a draft that was never submitted can be thrown away (OPP-032).
    #[error("the draft was submitted before")]
    WasSubmitted(Situation),
}
