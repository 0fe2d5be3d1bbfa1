//! What deals can name: solutions that partners have registered, products of AWS (OPP-046).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{Violation, ViolationCode};

use super::check;
use super::reference::SOLUTION_CATEGORY;
use super::values::SolutionStatus;

/// A solution of a partner.
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

/// A product of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Product {
    pub product_id: String,
    pub name: String,
    pub family: String,
    pub description: String,
}

/// What became of records of a master list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many were new.
    pub created: i32,
    /// How many differed.
    pub updated: i32,
    /// How many were the same.
    pub unchanged: i32,
}

/// Brings the categories of solutions into their form, and says what is wrong with these solutions.
pub fn settle(solutions: &mut [Solution]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, solution) in solutions.iter_mut().enumerate() {
        match SOLUTION_CATEGORY.canonical(&solution.category) {
            Some(category) => category.clone_into(&mut solution.category),
            None => {
                let at = format!("solutions[{index}].category");
                let text = format!("must be one of {}", SOLUTION_CATEGORY.values.join(", "));
                check::add(&mut found, &at, ViolationCode::InvalidEnumValue, text);
            }
        }
    }
    found.extend(repeated(
        "solutions",
        "solution_id",
        solutions.iter().map(|solution| solution.solution_id.as_str()),
    ));
    found
}

/// What is named twice.
pub fn repeated<'a>(list: &str, field: &str, ids: impl Iterator<Item = &'a str>) -> Vec<Violation> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            let at = format!("{list}[{index}].{field}");
            check::add(
                &mut found,
                &at,
                ViolationCode::DuplicateKeyValue,
                "is there twice",
            );
        }
    }
    found
}
