//! Labels of the fields of an opportunity, for people who do not know the API (NOT-005).

/// Parents without which the name of a field means nothing.
const QUALIFIERS: [&str; 3] = ["software_revenue", "marketing", "migration"];
/// Words that are not written in lower case.
const ABBREVIATIONS: [&str; 10] = [
    "ACE", "APN", "AWS", "DUNS", "ID", "ISV", "PDM", "PSM", "URL", "WWPS",
];

/// The labels of the fields with these paths, such as `Customer business problem` for
/// `project.customer_business_problem`. Where two fields have one label, each has its path in brackets.
pub fn field_labels(paths: &[String]) -> Vec<String> {
    let labels: Vec<_> = paths.iter().map(|path| label(path)).collect();
    paths
        .iter()
        .zip(&labels)
        .map(|(path, label)| {
            let is_unique = labels.iter().filter(|other| *other == label).count() == 1;
            if is_unique {
                label.clone()
            } else {
                format!("{label} ({path})")
            }
        })
        .collect()
}

fn label(path: &str) -> String {
    let mut parts = path.rsplit('.');
    let name = parts.next().unwrap_or_default();
    let parent = parts.next().unwrap_or_default();
    let qualified = match (parent, name) {
        ("project", "title") => "project_title".to_owned(),
        (parent, name) if QUALIFIERS.contains(&parent) => format!("{parent}_{name}"),
        _ => name.to_owned(),
    };
    capitalized(&in_words(&qualified))
}

/// A name in snake case as people read it, such as `ACE manager` for `ACE_MANAGER`.
pub fn in_words(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let upper = word.to_uppercase();
        if ABBREVIATIONS.contains(&upper.as_str()) {
            upper
        } else {
            word.to_lowercase()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The text with its first letter in upper case.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        field_labels(&paths)
    }

    #[test]
    fn not_005_correctable_fields_have_labels_in_plain_words() {
        for (path, expected) in [
            ("project.customer_business_problem", "Customer business problem"),
            ("project.title", "Project title"),
            ("project.apn_programs", "APN programs"),
            ("customer.account.website_url", "Website URL"),
            ("customer.account.address.city", "City"),
            ("customer.account.aws_account_id", "AWS account ID"),
            ("life_cycle.target_close_date", "Target close date"),
            ("software_revenue.value", "Software revenue value"),
            ("related_entity_identifiers.solutions", "Solutions"),
            ("partner_opportunity_identifier", "Partner opportunity identifier"),
        ] {
            assert_eq!(labels(&[path]), [expected]);
        }
    }

    #[test]
    fn not_005_fields_with_equal_labels_show_their_paths() {
        assert_eq!(
            labels(&["project.notes", "customer.notes", "life_cycle.stage"]),
            ["Notes (project.notes)", "Notes (customer.notes)", "Stage"]
        );
    }
}
