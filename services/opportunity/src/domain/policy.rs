//! What rules go by that is not in the record: what the installation has set, and what is known elsewhere.

use std::collections::BTreeSet;

use cosell_types::{AccountId, Currency, OpportunityId};

/// What the operator has set.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Currencies in which amounts are taken (OPP-016).
    pub currencies: Vec<Currency>,
    /// Partners of these types name the customer's AWS account before a deal is launched (OPP-043).
    pub account_to_launch: BTreeSet<String>,
    /// Whether a solution may be described in words until the deal is committed (OPP-026).
    pub solution_in_words: bool,
}

/// What is known elsewhere when a record is checked. Facts are asked for before, so that rules ask nobody.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What the operator has set.
    pub policy: &'a Policy,
    /// What kind of partner the account is, such as `ISV`.
    pub partner_types: Vec<String>,
    /// Those of the opportunities that the record names which the account has.
    pub own: BTreeSet<OpportunityId>,
    /// Those of the solutions that the record names which the account has, and which are active.
    pub solutions: BTreeSet<String>,
    /// Those of the products that the record names which AWS has.
    pub products: BTreeSet<String>,
    /// Accounts with which a SUBSIDIARY connection is in force.
    pub subsidiaries: BTreeSet<AccountId>,
}

impl<'a> Facts<'a> {
    /// Of records that name nothing.
    pub fn none(policy: &'a Policy) -> Self {
        Self {
            policy,
            partner_types: Vec::new(),
            own: BTreeSet::new(),
            solutions: BTreeSet::new(),
            products: BTreeSet::new(),
            subsidiaries: BTreeSet::new(),
        }
    }

    /// Whether the partner has to name the customer's AWS account before it launches a deal.
    pub fn needs_account_to_launch(&self) -> bool {
        let mut types = self.partner_types.iter();
        types.any(|kind| self.policy.account_to_launch.contains(kind))
    }
}
