//! Finds documented error reasons that no test has triggered. A test that triggers one compares the error with the
//! documented example and creates an empty file (`harness/reasons.rs` of the testkit). `test.rs` calls this after all
//! tests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// Returns a message for each documented reason without a file in `folder`.
pub fn find_untriggered(root: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    let documented = documented_reasons(&root.join("proto/cosell"))?;
    ensure!(!documented.is_empty(), "no error reason is documented");
    let missing = documented.into_iter();
    let missing = missing.filter(|(domain, reason)| !folder.join(domain).join(reason).exists());
    Ok(missing
        .map(|(domain, reason)| format!("no test triggers {reason} of {domain}"))
        .collect())
}

/// The domain and reason of each example in the comments of `…errors.proto`.
fn documented_reasons(proto: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for package in fs::read_dir(proto)? {
        for file in fs::read_dir(package?.path().join("v1"))? {
            let file = file?.path();
            if file.to_string_lossy().ends_with("errors.proto") {
                let text = fs::read_to_string(&file)?;
                for example in text.split("\"reason\": \"").skip(1) {
                    let (reason, rest) = example.split_once('"').context("a reason")?;
                    let domain = rest.strip_prefix(", \"domain\": \"").context("a domain")?;
                    let (domain, _) = domain.split_once('"').context("a domain")?;
                    found.push((domain.to_owned(), reason.to_owned()));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untriggered_reasons_are_reported() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let messages = find_untriggered(&root, Path::new("nowhere")).expect("the documented reasons");
        let expected = "no test triggers CHANNEL_NOT_FOUND of collaboration.cosell";
        assert!(messages.iter().any(|line| line == expected), "{messages:#?}");
        assert!(
            messages.iter().any(|line| line.ends_with(" of cosell")),
            "{messages:#?}"
        );
    }
}
