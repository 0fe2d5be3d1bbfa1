//! Search terms, of opportunities and of queries (OPP-064).
//!
//! A term of a query matches a term of an opportunity that begins with it. Chinese, Japanese and Korean are written
//! without blanks between words, so an opportunity has a term for each of their characters, with the ones after it.

use std::collections::{BTreeMap, BTreeSet};

use cosell_types::comparison_key;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use icu_properties::script::ScriptWithExtensions;

use super::Opportunity;
use super::values::ReviewStatus;

/// Maximum length of a term, in letters: enough to distinguish terms, and short enough for an index.
const MAX_TERM_LETTERS: usize = 60;

/// Maximum length of a CJK term, in characters: each is up to 4 bytes, and each character of a text begins a term.
const MAX_CJK_LETTERS: usize = 8;

/// Maximum number of CJK terms of an opportunity, which bounds its rows: without it a long text would have 100 times its
/// size in rows.
const MAX_CJK_TERMS: usize = 500;

/// Maximum number of different words in a query.
pub const MAX_SEARCH_WORDS: usize = 10;
/// Maximum number of terms of these words: CJK words have a term for each [`MAX_CJK_LETTERS`] characters.
pub const MAX_SEARCH_TERMS: usize = 40;

/// A run of letters and digits of one kind.
enum Run<'a> {
    /// A word, or a part of one beside CJK characters.
    Word(&'a str),
    Cjk(Vec<char>),
}

/// Splits a comparison key at characters that are neither letters nor digits, nor marks, without which the words of
/// several scripts would be cut.
fn words(key: &str) -> impl Iterator<Item = &str> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_mark = move |character| {
        let category = categories.get(character);
        matches!(
            category,
            GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark
        )
    };
    let words = key.split(move |character: char| !character.is_alphanumeric() && !is_mark(character));
    words.filter(|word| word.chars().any(char::is_alphanumeric))
}

/// The number of different words in a query.
pub fn word_count(query: &str) -> usize {
    words(&comparison_key(query)).collect::<BTreeSet<_>>().len()
}

/// Splits a comparison key into words, and these between CJK characters and others.
fn runs(key: &str) -> impl Iterator<Item = Run<'_>> {
    words(key).flat_map(|part| {
        let characters: Vec<_> = part.char_indices().collect();
        let runs = characters.chunk_by(|(_, left), (_, right)| is_cjk(*left) == is_cjk(*right));
        runs.filter_map(|run| {
            let (&(start, first), &(end, last)) = (run.first()?, run.last()?);
            Some(match is_cjk(first) {
                true => Run::Cjk(run.iter().map(|(_, character)| *character).collect()),
                false => Run::Word(part.get(start..end + last.len_utf8())?),
            })
        })
        .collect::<Vec<_>>()
    })
}

/// Whether the character is written in Chinese, Japanese or Korean, including marks that several of them share.
fn is_cjk(character: char) -> bool {
    const SCRIPTS: [Script; 5] = [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Bopomofo,
    ];
    let scripts = ScriptWithExtensions::new();
    !character.is_ascii()
        && SCRIPTS
            .iter()
            .any(|script| scripts.has_script(character, *script))
}

fn truncate_word(word: &str) -> String {
    word.chars().take(MAX_TERM_LETTERS).collect()
}

/// The terms of a query. CJK text that is longer than a term is searched in pieces, which overlap at its end.
pub fn query_terms(text: &str) -> BTreeSet<String> {
    let key = comparison_key(text);
    let mut terms = BTreeSet::new();
    for run in runs(&key) {
        match run {
            Run::Word(word) => {
                terms.insert(truncate_word(word));
            }
            Run::Cjk(characters) => {
                let last = characters.len().saturating_sub(MAX_CJK_LETTERS);
                for start in (0..last).step_by(MAX_CJK_LETTERS).chain([last]) {
                    terms.insert(characters.iter().skip(start).take(MAX_CJK_LETTERS).collect());
                }
            }
        }
    }
    terms
}

/// The terms of a text of an opportunity, in the order of the text: of words, and of CJK characters.
fn text_terms(text: &str) -> (Vec<String>, Vec<String>) {
    let key = comparison_key(text);
    let (mut words, mut cjk) = (Vec::new(), Vec::new());
    for run in runs(&key) {
        match run {
            Run::Word(word) => words.push(truncate_word(word)),
            Run::Cjk(characters) => {
                let suffixes = (0..characters.len()).filter_map(|start| characters.get(start..));
                cjk.extend(suffixes.map(|suffix| suffix.iter().take(MAX_CJK_LETTERS).collect::<String>()));
            }
        }
    }
    (words, cjk)
}

/// The search terms of an opportunity, and for each whether AWS finds the opportunity by it: never a draft, and never
/// by the company of a national-security opportunity (OPP-017). CJK terms are those of the company first, then of the title.
pub fn index_terms(record: &Opportunity) -> BTreeMap<String, bool> {
    let details = record.details();
    let is_draft = record.review().status == ReviewStatus::PendingSubmission;
    let company = details.customer.account.company_name.reveal();
    let (mut terms, mut cjk) = (BTreeMap::new(), BTreeMap::new());
    for (text, is_visible_to_aws) in [
        (company, !is_draft && !details.is_national_security()),
        (details.project.title.reveal(), !is_draft),
        (details.project.customer_business_problem.reveal(), !is_draft),
    ] {
        let (words, cjk_terms) = text_terms(text);
        for word in words {
            *terms.entry(word).or_insert(false) |= is_visible_to_aws;
        }
        for term in cjk_terms {
            if cjk.len() < MAX_CJK_TERMS || cjk.contains_key(&term) {
                *cjk.entry(term).or_insert(false) |= is_visible_to_aws;
            }
        }
    }
    terms.append(&mut cjk);
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

    fn all_text_terms(text: &str) -> BTreeSet<String> {
        let (words, cjk) = text_terms(text);
        words.into_iter().chain(cjk).collect()
    }

    #[test]
    fn opp_064_terms_are_folded_letters_and_digits() {
        for terms in [query_terms, all_text_terms] {
            assert_eq!(
                terms("Orders/returns, O'Brien & “MÜLLER”"),
                set(&["orders", "returns", "o", "brien", "müller"])
            );
            assert_eq!(terms("SAP R3 - 2.5x"), set(&["sap", "r3", "2", "5x"]));
            assert_eq!(terms("Ｓtraße ﬁ\u{ad}x"), set(&["strasse", "fix"]));
            assert_eq!(terms(" -– "), BTreeSet::new());
            assert_eq!(terms("\u{301} -"), BTreeSet::new(), "a mark without a letter");
            assert_eq!(terms("கல்லூரி বিশ্ববিদ্যালয়").len(), 2, "marks belong to words");
            assert_eq!(terms("İzmir"), set(&["i\u{307}zmir"]));
            assert_eq!(terms(&"Ä".repeat(2000)), set(&[&"ä".repeat(60)]));
        }
    }

    #[test]
    fn opp_064_cjk_text_has_a_term_for_each_character() {
        assert_eq!(
            all_text_terms("東京ABC商事、ガス"),
            set(&["東京", "京", "abc", "商事", "事", "ガス", "ス"])
        );
        assert_eq!(
            query_terms("東京ABC商事、ｶﾞｽ"),
            set(&["東京", "abc", "商事", "ガス"])
        );
        assert_eq!(all_text_terms("データ"), set(&["データ", "ータ", "タ"]));
        assert_eq!(all_text_terms("一二三四五六七八九").len(), 9);
        assert_eq!(
            query_terms("一二三四五六七八九"),
            set(&["一二三四五六七八", "二三四五六七八九"])
        );
        assert_eq!(query_terms("한국어"), set(&["한국어"]));
    }

    #[test]
    fn opp_064_cjk_terms_of_an_opportunity_are_bounded() {
        let mut record = serde_json::to_value(in_status(ReviewStatus::Submitted, InvolvementType::CoSell))
            .expect("a record");
        let problem: String = ('一'..).take(1990).collect();
        record["details"]["project"]["customer_business_problem"] = format!("{problem} SAP").into();
        record["details"]["project"]["title"] = "東京の商事".into();
        let record: Opportunity = serde_json::from_value(record).expect("a record");
        let terms = index_terms(&record);
        let cjk: Vec<_> = terms.keys().filter(|term| !term.is_ascii()).collect();
        assert_eq!(cjk.len(), MAX_CJK_TERMS);
        assert_eq!(terms.get("sap"), Some(&true), "words are not bounded by it");
        assert_eq!(
            terms.get("の商事"),
            Some(&true),
            "the title comes before the problem"
        );
        let size: usize = cjk.iter().map(|term| term.len()).sum();
        assert!(size <= MAX_CJK_TERMS * MAX_CJK_LETTERS * 3, "{size} bytes");
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
            let both: BTreeSet<_> = query_terms(&one).union(&query_terms(&other)).cloned().collect();
            prop_assert_eq!(query_terms(&format!("{one} {other}")), both.clone());
            for term in both {
                prop_assert!(term.chars().count() <= MAX_TERM_LETTERS && !term.is_empty());
            }
        }

        #[test]
        fn opp_064_each_part_of_cjk_text_is_found(text in "[一-龠ぁ-んァ-ヶ가-힣]{2,40}", start in 0_usize..38, length in 2_usize..30) {
            let part: String = text.chars().skip(start).take(length).collect();
            let terms = all_text_terms(&text);
            for query in query_terms(&part) {
                prop_assert!(terms.iter().any(|term| term.starts_with(&query)), "{query} of {part} in {text}");
            }
        }
    }
}
