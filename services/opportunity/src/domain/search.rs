//! Words, of records and of those who look for them (OPP-064).

use std::collections::{BTreeMap, BTreeSet};

use super::Opportunity;
use super::values::ReviewStatus;

/// The most letters of a word that count: enough to tell words apart, and what an index can hold.
const LETTERS: usize = 60;

/// The most different words that can be looked for at once.
pub const MOST_WORDS: usize = 10;

/// The words of a text: what stands between characters that are neither letters nor digits, in small letters.
pub fn words(text: &str) -> BTreeSet<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    let small = |word: &str| {
        let letters = word.chars().flat_map(char::to_lowercase);
        letters.take(LETTERS).collect()
    };
    parts.filter(|word| !word.is_empty()).map(small).collect()
}

/// The words by which a record is found, and for each whether AWS finds it by it: not while it is a draft, and not by the
/// company of a national-security deal (OPP-017).
pub fn words_of(record: &Opportunity) -> BTreeMap<String, bool> {
    let details = record.details();
    let is_draft = record.review().status == ReviewStatus::PendingSubmission;
    let company = details.customer.account.company_name.reveal();
    let mut found = BTreeMap::new();
    for word in words(company) {
        found.insert(word, !is_draft && !details.is_national_security());
    }
    for text in [&details.project.title, &details.project.customer_business_problem] {
        for word in words(text.reveal()) {
            found.insert(word, !is_draft);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixtures::{in_status, minimal};
    use crate::domain::values::InvolvementType;

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn opp_064_words_are_letters_and_digits_in_small() {
        assert_eq!(
            words("Orders/returns, O'Brien & “MÜLLER”"),
            set(&["orders", "returns", "o", "brien", "müller"])
        );
        assert_eq!(words("SAP R3 - 2.5x"), set(&["sap", "r3", "2", "5x"]));
        assert_eq!(words(" -– "), BTreeSet::new());
        assert_eq!(words(&"Ä".repeat(2000)), set(&[&"ä".repeat(60)]));
    }

    #[test]
    fn opp_064_aws_finds_no_draft_and_no_company_of_a_national_security_deal() {
        let draft = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
        assert!(words_of(&draft).values().all(|shown| !shown));
        let submitted = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
        assert!(words_of(&submitted).values().all(|shown| *shown));
        let mut secret = serde_json::to_value(&submitted).expect("a record");
        secret["details"]["national_security"] = true.into();
        secret["details"]["project"]["title"] = "Orders for Alder".into();
        let secret: Opportunity = serde_json::from_value(secret).expect("a record");
        let found = words_of(&secret);
        assert_eq!(found.get("orders"), Some(&true));
        assert_eq!(found.get("alder"), Some(&true), "the title says it too");
        let mut secret = serde_json::to_value(&secret).expect("a record");
        secret["details"]["project"]["title"] = "Orders".into();
        let secret: Opportunity = serde_json::from_value(secret).expect("a record");
        let company = minimal().customer.account.company_name.reveal().to_lowercase();
        assert_eq!(words_of(&secret).get(&company), Some(&false));
    }

    proptest! {
        /// Whatever is written, each word of it begins with each of its beginnings, and no word has a blank.
        #[test]
        fn opp_064_a_text_has_the_words_of_its_parts(one in "\\PC{0,40}", other in "\\PC{0,40}") {
            let both: BTreeSet<_> = words(&one).union(&words(&other)).cloned().collect();
            prop_assert_eq!(words(&format!("{one} {other}")), both.clone());
            for word in both {
                prop_assert!(word.chars().count() <= LETTERS && !word.is_empty());
            }
        }
    }
}
