/// What the directory says of a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// It is a partner.
    pub is_partner: bool,
    /// It is active.
    pub is_active: bool,
    /// It has accepted the terms of the programme.
    pub terms_accepted: bool,
    /// How far it has come in the programme, counted from the bottom.
    pub tier: i32,
}

/// Why a company is offered no deals (REF-001).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// The directory has no such partner that is active.
    NotActive,
    /// It has not accepted the terms of the programme.
    TermsNotAccepted,
    /// It has not come far enough in the programme.
    Tier,
}

impl Receiver {
    /// Refuses a company that is offered no deals; `tier` is how far it must have come (REF-001).
    pub fn require_eligible(&self, tier: i32) -> Result<(), Ineligible> {
        if !self.is_partner || !self.is_active {
            Err(Ineligible::NotActive)
        } else if !self.terms_accepted {
            Err(Ineligible::TermsNotAccepted)
        } else if self.tier < tier {
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
