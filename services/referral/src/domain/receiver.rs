/// The facts of the directory about an account that decide on its eligibility.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Whether it is a partner account.
    pub is_partner: bool,
    /// Whether it is active.
    pub is_active: bool,
    /// Whether it has accepted the program terms.
    pub terms_accepted: bool,
    /// The number of its `PartnerTier`; higher tiers have higher numbers.
    pub tier: i32,
}

/// Why an account is not eligible for referrals (REF-001).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// It is not an active partner account.
    NotActive,
    /// It has not accepted the program terms.
    TermsNotAccepted,
    /// Its tier is too low.
    Tier,
}

impl Receiver {
    /// Fails if the account is not eligible for referrals (REF-001).
    pub fn require_eligible(&self, min_tier: i32) -> Result<(), Ineligible> {
        if !self.is_partner || !self.is_active {
            Err(Ineligible::NotActive)
        } else if !self.terms_accepted {
            Err(Ineligible::TermsNotAccepted)
        } else if self.tier < min_tier {
            Err(Ineligible::Tier)
        } else {
            Ok(())
        }
    }
}

impl Ineligible {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Ineligible::NotActive => "NOT_ACTIVE",
            Ineligible::TermsNotAccepted => "TERMS_NOT_ACCEPTED",
            Ineligible::Tier => "TIER",
        }
    }
}
