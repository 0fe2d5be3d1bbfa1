use cosell_types::OpportunityId;

use super::Rule;

/// What decides whether an opportunity can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shareable {
    /// It was submitted, and neither sent back nor rejected.
    pub is_with_aws: bool,
    /// The deal is open.
    pub is_open: bool,
    /// It holds classified national-security information.
    pub is_classified: bool,
    /// It is a copy of a record that another company shares.
    pub is_copy: bool,
}

impl Shareable {
    /// Refuses an opportunity that is not shared (COL-001).
    pub fn require(self, opportunity: OpportunityId) -> Result<(), Rule> {
        let cause = if self.is_classified {
            "NATIONAL_SECURITY"
        } else if self.is_copy {
            "SHARED_BY_ANOTHER"
        } else if !self.is_with_aws {
            "REVIEW_STATUS"
        } else if !self.is_open {
            "STAGE"
        } else {
            return Ok(());
        };
        Err(Rule::NotShareable(opportunity, cause))
    }
}
