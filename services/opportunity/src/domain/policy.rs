//! Inputs of the rules that are not part of the opportunity: the operator's configuration and facts from other tables.

use std::collections::BTreeSet;

use cosell_types::{AccountId, Currency, OpportunityId};

/// The rules that the operator configures.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Permitted currencies (OPP-016).
    pub currencies: Vec<Currency>,
    /// Types of partners that must state the customer's AWS account to launch an opportunity (OPP-043).
    pub account_to_launch: BTreeSet<String>,
    /// Whether a description of the solution suffices before COMMITTED (OPP-026).
    pub solution_in_words: bool,
    /// Days after its end during which the partner can correct a closed opportunity (OPP-049).
    pub correction_days: u32,
}

/// Facts about the account and the entities that an opportunity refers to. They are loaded before the rules run, so
/// that the rules need no I/O.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The operator's configuration.
    pub policy: &'a Policy,
    /// The types of the partner account, such as `ISV`.
    pub partner_types: Vec<String>,
    /// The referenced opportunities that belong to the account.
    pub own_opportunities: BTreeSet<OpportunityId>,
    /// The referenced solutions that are active ones of the account.
    pub solutions: BTreeSet<String>,
    /// The referenced products that are in the AWS catalog.
    pub products: BTreeSet<String>,
    /// Accounts with an active SUBSIDIARY connection to the account.
    pub subsidiaries: BTreeSet<AccountId>,
}

impl<'a> Facts<'a> {
    /// Facts for an opportunity that refers to no other entities.
    pub fn without_references(policy: &'a Policy) -> Self {
        Self {
            policy,
            partner_types: Vec::new(),
            own_opportunities: BTreeSet::new(),
            solutions: BTreeSet::new(),
            products: BTreeSet::new(),
            subsidiaries: BTreeSet::new(),
        }
    }

    /// Whether the partner must state the customer's AWS account to launch an opportunity (OPP-043).
    pub fn requires_customer_account_at_launch(&self) -> bool {
        let mut types = self.partner_types.iter();
        types.any(|kind| self.policy.account_to_launch.contains(kind))
    }
}
