use cosell_types::OpportunityId;

use super::Rule;

/// The operator's policy for channels (CHN-001, CHN-004).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPolicy {
    /// The minimum monthly spend that AWS expects of an opportunity that is not strategic, in hundredths of its
    /// currency.
    pub min_monthly_spend: i64,
    /// Whether the platform approves each request at once.
    pub auto_approve: bool,
}

/// The facts of an opportunity that decide whether it is eligible for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpportunityFacts {
    /// Its review status is APPROVED.
    pub is_approved: bool,
    /// Its involvement type is CO_SELL.
    pub is_co_sell: bool,
    /// Its stage is QUALIFIED or later, and open.
    pub has_eligible_stage: bool,
    /// The monthly spend that AWS expects in the AWS summary, in hundredths of the currency.
    pub monthly_spend: i64,
    /// AWS marks it as strategic in the AWS summary.
    pub is_strategic: bool,
}

impl OpportunityFacts {
    /// Refuses an opportunity whose stage is not eligible (CHN-013).
    pub fn require_eligible_stage(&self, opportunity: OpportunityId) -> Result<(), Rule> {
        if self.has_eligible_stage {
            return Ok(());
        }
        Err(Rule::NotEligible(opportunity, "STAGE"))
    }

    /// Refuses an opportunity that is not eligible for a channel (CHN-001).
    pub fn require_eligible(&self, opportunity: OpportunityId, policy: &ChannelPolicy) -> Result<(), Rule> {
        let has_required_value = self.monthly_spend >= policy.min_monthly_spend || self.is_strategic;
        let cause = if !self.is_approved {
            "REVIEW_STATUS"
        } else if !self.is_co_sell {
            "INVOLVEMENT_TYPE"
        } else if !self.has_eligible_stage {
            "STAGE"
        } else if !has_required_value {
            "VALUE"
        } else {
            return Ok(());
        };
        Err(Rule::NotEligible(opportunity, cause))
    }
}
