use crate::Failure;

/// The etag of a revision.
pub fn of(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// Refuses a stated etag that is not the current one; an empty etag asks for nothing.
pub fn check(stated: &str, revision: i64) -> Result<(), Failure> {
    let current = of(revision);
    // The quotes belong to the tag, but are easily lost in a shell or a spreadsheet.
    if stated.is_empty() || stated == current || stated == current.trim_matches('"') {
        Ok(())
    } else {
        Err(Failure::etag_mismatch(&current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_etag_or_none_passes() {
        for fine in ["", "\"7\"", "7"] {
            assert!(check(fine, 7).is_ok(), "{fine:?} must pass");
        }
        for stale in ["\"6\"", "8", "*", "\"77\""] {
            assert!(check(stale, 7).is_err(), "{stale:?} must be refused");
        }
    }
}
