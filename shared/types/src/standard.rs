//! Standard values: pick lists that are strings on the wire, because they are long or may change.

use crate::countries::{ALIASES, CODES, NAMES};
use crate::text::comparison_key;

/// Bytes of a text that are compared with standard values.
const MAX_VALUE: usize = 600;

/// A pick list.
#[derive(Clone, Copy, Debug)]
pub struct StandardList {
    /// Name of the list in `ListStandardValues`.
    pub name: &'static str,
    /// The values, in display order.
    pub values: &'static [&'static str],
    /// Display names of the values, in the same order; empty if the values are display names.
    pub labels: &'static [&'static str],
    /// Alternative spellings that are accepted, each with its value.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Values that are accepted but deprecated, each with its replacements.
    pub deprecated: &'static [(&'static str, &'static [&'static str])],
}

impl StandardList {
    /// A list without labels, aliases and deprecated values.
    pub const fn new(name: &'static str, values: &'static [&'static str]) -> Self {
        Self {
            name,
            values,
            labels: &[],
            aliases: &[],
            deprecated: &[],
        }
    }

    /// Whether the list has exactly this value.
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }

    /// The value that equals the text, its label or its alias, after [`normalize`] of both; an exact match takes
    /// precedence.
    pub fn canonical(&self, text: &str) -> Option<&'static str> {
        if let Some(value) = self.values.iter().find(|value| **value == text) {
            return Some(value);
        }
        let text = normalize(text);
        let labels = self.labels.iter().zip(self.values);
        let aliases = self.aliases.iter().map(|(alias, value)| (alias, value));
        let mut names = self.values.iter().zip(self.values).chain(labels).chain(aliases);
        names
            .find(|(name, _)| normalize(name) == text)
            .map(|(_, value)| *value)
    }

    /// The display name of a value; the value itself if it has none.
    pub fn label<'a>(&self, value: &'a str) -> &'a str
    where
        Self: 'a,
    {
        let index = self.values.iter().position(|listed| *listed == value);
        index
            .and_then(|index| self.labels.get(index))
            .copied()
            .unwrap_or(value)
    }

    /// The replacements of a deprecated value.
    pub fn replacements_of(&self, value: &str) -> Option<&'static [&'static str]> {
        let mut deprecated = self.deprecated.iter();
        deprecated
            .find(|(name, _)| *name == value)
            .map(|(_, replacements)| *replacements)
    }
}

/// Normalizes a text for comparison with standard values: its comparison key with `-` for every kind of dash, ` and `
/// for `&`, `'` for typographic apostrophes, a plain i for the Turkish one, single blanks, and none around separators.
pub fn normalize(text: &str) -> String {
    // More than any value has, so that a longer text equals none.
    let text = &text[..text.floor_char_boundary(MAX_VALUE)];
    let mut folded = String::with_capacity(text.len() + 4);
    for character in comparison_key(text).chars() {
        match character {
            // The dot of a Turkish capital I, whose lower case is a plain i.
            '\u{307}' if folded.ends_with('i') => {}
            '\u{2018}' | '\u{2019}' => folded.push('\''),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '&' => folded.push_str(" and "),
            character if character.is_whitespace() => folded.push(' '),
            character => folded.push(character),
        }
    }
    let mut plain = String::with_capacity(folded.len());
    for character in folded.chars() {
        let is_separator = |character| matches!(character, ' ' | '/' | '-' | ':' | ',');
        match character {
            ' ' if plain.chars().next_back().is_none_or(is_separator) => {}
            '/' | '-' | ':' | ',' => {
                plain.truncate(plain.trim_end().len());
                plain.push(character);
            }
            character => plain.push(character),
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Industries of customer accounts.
pub static INDUSTRY: StandardList = StandardList::new("industry", &INDUSTRIES);

/// Market segments of customer accounts, by size.
pub static MARKET_SEGMENT: StandardList = StandardList::new(
    "market_segment",
    &["Enterprise", "Large", "Medium", "Small", "Micro"],
);

/// AWS maturity of customer accounts.
pub static AWS_MATURITY: StandardList =
    StandardList::new("aws_maturity", &["Evaluating", "Single-Account", "Multi-Account"]);

/// Countries by their codes. `AN` (Netherlands Antilles, dissolved) is deprecated but accepted.
pub static COUNTRY: StandardList = StandardList {
    name: "country",
    values: &CODES,
    labels: &NAMES,
    aliases: ALIASES,
    deprecated: &[("AN", &["BQ", "CW", "SX"])],
};

const INDUSTRIES: [&str; 28] = [
    "Aerospace",
    "Agriculture",
    "Automotive",
    "Computers and Electronics",
    "Consumer Goods",
    "Education",
    "Energy - Oil and Gas",
    "Energy - Power and Utilities",
    "Financial Services",
    "Gaming",
    "Government",
    "Healthcare",
    "Hospitality",
    "Life Sciences",
    "Manufacturing",
    "Marketing and Advertising",
    "Media and Entertainment",
    "Mining",
    "Non-Profit Organization",
    "Professional Services",
    "Real Estate and Construction",
    "Retail",
    "Software and Internet",
    "Telecommunications",
    "Transportation and Logistics",
    "Travel",
    "Wholesale and Distribution",
    "Other",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn value_is_found_by_value_label_and_alias() {
        for list in [&INDUSTRY, &COUNTRY] {
            let mut names = HashSet::new();
            for value in list.values {
                assert_eq!(list.canonical(value), Some(*value));
                assert!(names.insert(normalize(value)), "{value} twice in {}", list.name);
            }
            for (label, value) in list.labels.iter().zip(list.values) {
                assert_eq!(list.canonical(label), Some(*value));
            }
            for (alias, value) in list.aliases {
                assert_eq!(list.canonical(alias), Some(*value));
                assert!(list.has(value));
            }
            assert!(list.deprecated.iter().all(|(value, replacements)| {
                list.has(value) && replacements.iter().all(|value| list.has(value))
            }));
        }
        assert_eq!((INDUSTRY.values.len(), COUNTRY.values.len()), (28, 249));
        assert!(COUNTRY.has("AN") && !COUNTRY.has("KP") && !COUNTRY.has("XK"));
    }

    #[test]
    fn value_is_found_in_any_spelling_but_not_by_other_words() {
        for text in [
            "energy - oil and gas",
            "Energy – Oil & Gas",
            " Energy-Oil  and Gas ",
            "Energy \u{2014} Oil\u{a0}& Gas",
        ] {
            assert_eq!(INDUSTRY.canonical(text), Some("Energy - Oil and Gas"), "{text}");
        }
        assert_eq!(COUNTRY.canonical("germany"), Some("DE"));
        assert_eq!(COUNTRY.canonical("us"), Some("US"));
        for (name, code) in [
            ("Czechia", "CZ"),
            ("Türkiye", "TR"),
            ("Vietnam", "VN"),
            ("South Korea", "KR"),
            ("North Macedonia", "MK"),
            ("Eswatini", "SZ"),
            ("Cabo Verde", "CV"),
            ("Côte d’Ivoire", "CI"),
            ("St. Vincent & Grenadines", "VC"),
            ("TÜRKİYE", "TR"),
            ("İran", "IR"),
            ("Lao People’s Democratic Republic (the)", "LA"),
            ("United Arab Emirates (the)", "AE"),
            ("Cocos (Keeling) Islands (the)", "CC"),
            ("South Georgia & South Sandwich Islands", "GS"),
        ] {
            assert_eq!(COUNTRY.canonical(name), Some(code), "{name}");
        }
        for text in ["", "Energy", "Energy - Oil or Gas"] {
            assert_eq!(INDUSTRY.canonical(text), None, "{text}");
        }
    }
}
