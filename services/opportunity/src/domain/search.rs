//! Search terms, of opportunities and of queries (OPP-064).

use std::collections::{BTreeMap, BTreeSet};

use super::Opportunity;
use super::values::ReviewStatus;

/// Maximum length of a term, in letters: enough to distinguish terms, and short enough for an index.
const MAX_TERM_LETTERS: usize = 60;

/// Maximum number of different terms in a query.
pub const MAX_SEARCH_TERMS: usize = 10;

/// Splits a text into lower-case terms, at characters that are neither letters nor digits.
pub fn search_terms(text: &str) -> BTreeSet<String> {
    let parts = text.split(|character: char| !character.is_alphanumeric());
    let normalize = |part: &str| {
        let letters = part.chars().flat_map(char::to_lowercase);
        letters.take(MAX_TERM_LETTERS).collect()
    };
    parts.filter(|part| !part.is_empty()).map(normalize).collect()
}

/// The search terms of an opportunity, and for each whether AWS finds the opportunity by it: never a draft, and never
/// by the company of a national-security opportunity (OPP-017).
pub fn index_terms(record: &Opportunity) -> BTreeMap<String, bool> {
    let details = record.details();
    let is_draft = record.review().status == ReviewStatus::PendingSubmission;
    let company = details.customer.account.company_name.reveal();
    let mut terms = BTreeMap::new();
    for term in search_terms(company) {
        terms.insert(term, !is_draft && !details.is_national_security());
    }
    for text in [&details.project.title, &details.project.customer_business_problem] {
        for term in search_terms(text.reveal()) {
            terms.insert(term, !is_draft);
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixtures::{in_status, minimal};
    use crate::domain::values::InvolvementType;

    fn set(terms: &[&str]) -> BTreeSet<String> {
        terms.iter().map(|term| (*term).to_owned()).collect()
    }

    #[test]
    fn opp_064_terms_are_lower_case_letters_and_digits() {
        assert_eq!(
            search_terms("Orders/returns, O'Brien & “MÜLLER”"),
            set(&["orders", "returns", "o", "brien", "müller"])
        );
        assert_eq!(search_terms("SAP R3 - 2.5x"), set(&["sap", "r3", "2", "5x"]));
        assert_eq!(search_terms(" -– "), BTreeSet::new());
        assert_eq!(search_terms(&"Ä".repeat(2000)), set(&[&"ä".repeat(60)]));
    }

    #[test]
    fn opp_064_aws_finds_no_draft_and_no_company_of_a_classified_opportunity() {
        let draft = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
        assert!(index_terms(&draft).values().all(|visible| !visible));
        let submitted = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
        assert!(index_terms(&submitted).values().all(|visible| *visible));
        let mut classified = serde_json::to_value(&submitted).expect("a record");
        classified["details"]["national_security"] = true.into();
        classified["details"]["project"]["title"] = "Orders for Alder".into();
        let classified: Opportunity = serde_json::from_value(classified).expect("a record");
        let terms = index_terms(&classified);
        assert_eq!(terms.get("orders"), Some(&true));
        assert_eq!(terms.get("alder"), Some(&true), "the title contains the term too");
        let mut classified = serde_json::to_value(&classified).expect("a record");
        classified["details"]["project"]["title"] = "Orders".into();
        let classified: Opportunity = serde_json::from_value(classified).expect("a record");
        let company = minimal().customer.account.company_name.reveal().to_lowercase();
        assert_eq!(index_terms(&classified).get(&company), Some(&false));
    }

    proptest! {
        #[test]
        fn opp_064_joined_texts_have_the_terms_of_both(one in "\\PC{0,40}", other in "\\PC{0,40}") {
            let both: BTreeSet<_> = search_terms(&one).union(&search_terms(&other)).cloned().collect();
            prop_assert_eq!(search_terms(&format!("{one} {other}")), both.clone());
            for term in both {
                prop_assert!(term.chars().count() <= MAX_TERM_LETTERS && !term.is_empty());
            }
        }
    }
}
