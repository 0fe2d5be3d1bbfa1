use cosell_types::OpportunityId;

use super::Rule;

/// The facts of an opportunity that decide whether it can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharingFacts {
    /// Its review status is SUBMITTED, IN_REVIEW or APPROVED.
    pub has_shareable_review_status: bool,
    /// Its stage is open.
    pub is_open: bool,
    /// It has classified national-security information.
    pub is_national_security: bool,
    /// It is a shared copy of the opportunity of another account.
    pub is_shared_copy: bool,
}

impl SharingFacts {
    /// Refuses an opportunity that cannot be shared (COL-001).
    pub fn require_shareable(self, opportunity: OpportunityId) -> Result<(), Rule> {
        let cause = if self.is_national_security {
            "NATIONAL_SECURITY"
        } else if self.is_shared_copy {
            "SHARED_BY_ANOTHER"
        } else if !self.has_shareable_review_status {
            "REVIEW_STATUS"
        } else if !self.is_open {
            "STAGE"
        } else {
            return Ok(());
        };
        Err(Rule::NotShareable(opportunity, cause))
    }
}
