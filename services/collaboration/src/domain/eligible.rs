use cosell_types::OpportunityId;

use super::Rule;

/// What the operator takes for strategic or of high value (CHN-001).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPolicy {
    /// What a customer is at least expected to spend with AWS in a month, in hundredths of whatever currency the deal
    /// is in; a deal below it may still be strategic.
    pub min_spend: i64,
    /// Whether every request is granted at once.
    pub auto_approve: bool,
}

/// What decides whether an opportunity gets a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// AWS has validated it.
    pub is_approved: bool,
    /// AWS sales take part.
    pub is_cosell: bool,
    /// It is at least QUALIFIED, and not over.
    pub is_in_stage: bool,
    /// What is expected to be spent in a month, in hundredths.
    pub spend: i64,
    /// AWS regards it as strategic.
    pub is_strategic: bool,
}

impl Deal {
    /// Refuses an opportunity that is not under way, or not any more (CHN-013).
    pub fn require_open(&self, opportunity: OpportunityId) -> Result<(), Rule> {
        if self.is_in_stage {
            return Ok(());
        }
        Err(Rule::NotEligible(opportunity, "STAGE"))
    }

    /// Refuses an opportunity that gets no channel (CHN-001).
    pub fn require_eligible(&self, opportunity: OpportunityId, policy: &ChannelPolicy) -> Result<(), Rule> {
        let matters = self.spend >= policy.min_spend || self.is_strategic;
        let cause = if !self.is_approved {
            "REVIEW_STATUS"
        } else if !self.is_cosell {
            "INVOLVEMENT_TYPE"
        } else if !self.is_in_stage {
            "STAGE"
        } else if !matters {
            "VALUE"
        } else {
            return Ok(());
        };
        Err(Rule::NotEligible(opportunity, cause))
    }
}
