//! The shape of the documents: rules of docs/DOMAIN.md are headings, and tables hold values.

use std::collections::BTreeSet;

use cosell_tests::repository::{assert_none, files};
use regex::Regex;

/// Each rule of docs/DOMAIN.md: the `##` section that it is in, and its id. A rule is a heading `### OPP-036 Ownership
/// transfer`; any other heading that contains an id, a repeated id, and ids that do not ascend within a section are
/// violations.
pub fn domain_rules(document: &str) -> Result<Vec<(&str, &str)>, Vec<String>> {
    let heading = Regex::new(r"^(#+) (.+)$").expect("a pattern");
    let rule = Regex::new(r"^([A-Z]{3}-[0-9]{3}) \S").expect("a pattern");
    let id = Regex::new(r"\b[A-Z]{3}-[0-9]{3}\b").expect("a pattern");
    let (mut section, mut rules, mut violations) = ("", Vec::new(), Vec::new());
    for found in document.lines().filter_map(|line| heading.captures(line)) {
        let (_, [level, title]) = found.extract();
        if level == "##" {
            section = title;
        }
        match rule.captures(title).filter(|_| level == "###") {
            Some(found) => {
                let (_, [id]) = found.extract();
                rules.push((section, id));
            }
            None if id.is_match(title) => {
                violations.push(format!("{level} {title}: a rule is `### <id> <title>`"));
            }
            None => {}
        }
    }
    let mut seen = BTreeSet::new();
    violations.extend(
        rules
            .iter()
            .filter(|(_, id)| !seen.insert(*id))
            .map(|(_, id)| format!("{id} has two headings")),
    );
    violations.extend(
        rules
            .windows(2)
            .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 > pair[1].1)
            .map(|pair| format!("{} precedes {} in {}", pair[0].1, pair[1].1, pair[0].0)),
    );
    if violations.is_empty() {
        Ok(rules)
    } else {
        Err(violations)
    }
}

/// Longest text of a table cell, in characters as they are rendered: link targets do not count.
const MAX_CELL: usize = 200;

/// Tables hold values; what needs sentences is a section.
#[test]
fn table_cells_hold_values_not_paragraphs() {
    let separator = Regex::new(r"\\\||\|").expect("a pattern");
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    let document = |path: &str| {
        let in_service = path.starts_with("services/") && path.ends_with("/README.md");
        in_service || path.starts_with("docs/") || matches!(path, "README.md" | "CONTRIBUTING.md")
    };
    let (mut cells, mut too_long) = (0, Vec::new());
    for file in files(".", ".md").into_iter().filter(|file| document(&file.path)) {
        let mut in_code = false;
        for (number, line) in file.text.lines().enumerate() {
            in_code ^= line.starts_with("```");
            if in_code || !line.starts_with('|') {
                continue;
            }
            let text = link.replace_all(line, "$1");
            let mut start = 0;
            let ends = separator
                .find_iter(&text)
                .filter(|found| found.as_str() == "|")
                .map(|found| found.start());
            for end in ends.collect::<Vec<_>>() {
                let cell = text[start..end].trim();
                let length = cell.chars().count();
                cells += 1;
                if length > MAX_CELL {
                    let beginning: String = cell.chars().take(40).collect();
                    too_long.push(format!(
                        "{}:{}: {length} characters: {beginning}…",
                        file.path,
                        number + 1
                    ));
                }
                start = end + 1;
            }
        }
    }
    assert!(cells > 1000, "{cells} cells");
    assert_none("table cells of more than 200 characters", &too_long);
}
