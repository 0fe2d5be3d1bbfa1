//! The catalogs that opportunities refer to: solutions that partners have registered, and products of AWS (OPP-046).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{Violation, ViolationCode};

use super::check;
use super::reference::SOLUTION_CATEGORY;
use super::values::SolutionStatus;

/// A registered solution of a partner account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Solution {
    pub solution_id: String,
    pub name: String,
    pub status: SolutionStatus,
    pub category: String,
    pub marketplace_solution: String,
    pub create_time: DateTime<Utc>,
}

/// A product of the AWS catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Product {
    pub product_id: String,
    pub name: String,
    pub family: String,
    pub description: String,
}

/// How many entries of a master list were created, updated and unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented by the struct")]
pub struct ApplyCounts {
    pub created: i32,
    pub updated: i32,
    pub unchanged: i32,
}

/// Brings the categories of solutions into their stored form, and returns the violations.
pub fn canonicalize_solutions(solutions: &mut [Solution]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, solution) in solutions.iter_mut().enumerate() {
        match SOLUTION_CATEGORY.canonical(&solution.category) {
            Some(category) => category.clone_into(&mut solution.category),
            None => {
                let at = format!("solutions[{index}].category");
                let text = format!("Must be one of {}.", SOLUTION_CATEGORY.values.join(", "));
                check::add(&mut violations, &at, ViolationCode::InvalidEnumValue, text);
            }
        }
    }
    violations.extend(duplicate_ids(
        "solutions",
        "solution_id",
        solutions.iter().map(|solution| solution.solution_id.as_str()),
    ));
    violations
}

/// A violation for each entry of the list whose id an earlier entry has.
pub fn duplicate_ids<'a>(list: &str, field: &str, ids: impl Iterator<Item = &'a str>) -> Vec<Violation> {
    let (mut seen, mut violations) = (BTreeSet::new(), Vec::new());
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            let at = format!("{list}[{index}].{field}");
            let text = "Duplicate value: each entry may be listed only once.";
            check::add(&mut violations, &at, ViolationCode::DuplicateKeyValue, text);
        }
    }
    violations
}
