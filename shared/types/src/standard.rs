//! Standard values: pick lists that are strings on the wire because they are long or may change.

use crate::countries::{CODES, NAMES};

/// A pick list.
#[derive(Clone, Copy, Debug)]
pub struct StandardList {
    /// What `ListStandardValues` calls it.
    pub name: &'static str,
    /// Its values, in the order in which they are offered.
    pub values: &'static [&'static str],
    /// What people call them, in the same order; empty where the values speak for themselves.
    pub labels: &'static [&'static str],
    /// Other texts that are taken for a value: the text and the value.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Values that are still taken, but are not to be chosen any more; with those to choose instead.
    pub deprecated: &'static [(&'static str, &'static [&'static str])],
}

impl StandardList {
    /// A list of values that speak for themselves.
    pub const fn new(name: &'static str, values: &'static [&'static str]) -> Self {
        Self {
            name,
            values,
            labels: &[],
            aliases: &[],
            deprecated: &[],
        }
    }

    /// Whether it has exactly this value.
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }

    /// The value that is meant: this one, or the one that differs from it in capitals, dashes, `&` for `and` or blanks,
    /// or whose label or alias it is.
    pub fn canonical(&self, text: &str) -> Option<&'static str> {
        if let Some(value) = self.values.iter().find(|value| **value == text) {
            return Some(value);
        }
        let text = plain(text);
        let labels = self.labels.iter().zip(self.values);
        let aliases = self.aliases.iter().map(|(alias, value)| (alias, value));
        let mut names = self.values.iter().zip(self.values).chain(labels).chain(aliases);
        names
            .find(|(name, _)| plain(name) == text)
            .map(|(_, value)| *value)
    }

    /// What people call a value.
    pub fn label<'a>(&self, value: &'a str) -> &'a str
    where
        Self: 'a,
    {
        let at = self.values.iter().position(|known| *known == value);
        at.and_then(|at| self.labels.get(at)).copied().unwrap_or(value)
    }

    /// The values to choose instead of one that is deprecated.
    pub fn instead_of(&self, value: &str) -> Option<&'static [&'static str]> {
        let mut deprecated = self.deprecated.iter();
        deprecated
            .find(|(name, _)| *name == value)
            .map(|(_, instead)| *instead)
    }
}

/// A text without what people and their tools write differently: capitals, the kind of dash, `&` for `and`, and blanks
/// around what parts words.
pub fn plain(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        match letter {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => words.push('-'),
            '&' => words.push_str(" and "),
            letter if letter.is_whitespace() => words.push(' '),
            letter => words.extend(letter.to_lowercase()),
        }
    }
    let mut plain = String::with_capacity(words.len());
    for letter in words.chars() {
        let parts = |letter| matches!(letter, ' ' | '/' | '-' | ':' | ',');
        match letter {
            ' ' if plain.chars().next_back().is_none_or(parts) => {}
            '/' | '-' | ':' | ',' => {
                plain.truncate(plain.trim_end().len());
                plain.push(letter);
            }
            letter => plain.push(letter),
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Industries of customers.
pub static INDUSTRY: StandardList = StandardList::new("industry", &INDUSTRIES);

/// Sizes of customers.
pub static MARKET_SEGMENT: StandardList = StandardList::new(
    "market_segment",
    &["Enterprise", "Large", "Medium", "Small", "Micro"],
);

/// Experience of customers with AWS.
pub static AWS_MATURITY: StandardList =
    StandardList::new("aws_maturity", &["Evaluating", "Single-Account", "Multi-Account"]);

/// Countries by their codes. The Netherlands Antilles were dissolved; their code is still taken.
pub static COUNTRY: StandardList = StandardList {
    name: "country",
    values: &CODES,
    labels: &NAMES,
    aliases: &[
        ("Great Britain", "GB"),
        ("Korea, Republic of", "KR"),
        ("USA", "US"),
    ],
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
    fn every_value_is_found_by_every_name_of_it() {
        for list in [&INDUSTRY, &COUNTRY] {
            let mut names = HashSet::new();
            for value in list.values {
                assert_eq!(list.canonical(value), Some(*value));
                assert!(names.insert(plain(value)), "{value} twice in {}", list.name);
            }
            for (label, value) in list.labels.iter().zip(list.values) {
                assert_eq!(list.canonical(label), Some(*value));
            }
            for (alias, value) in list.aliases {
                assert_eq!(list.canonical(alias), Some(*value));
                assert!(list.has(value));
            }
            assert!(
                list.deprecated.iter().all(|(value, instead)| {
                    list.has(value) && instead.iter().all(|value| list.has(value))
                })
            );
        }
        assert_eq!((INDUSTRY.values.len(), COUNTRY.values.len()), (28, 249));
        assert!(COUNTRY.has("AN") && !COUNTRY.has("KP") && !COUNTRY.has("XK"));
    }

    #[test]
    fn ways_of_writing_are_forgiven_and_other_words_are_not() {
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
        for text in ["", "Energy", "Energy - Oil or Gas"] {
            assert_eq!(INDUSTRY.canonical(text), None, "{text}");
        }
    }
}
