use crate::Failure;

/// The etag of a revision.
pub fn of(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// Fails if the stated etag is not current. An empty etag skips the check.
pub fn check(stated: &str, revision: i64) -> Result<(), Failure> {
    let current = of(revision);
    // The quotes are part of the etag, but a shell or a spreadsheet easily removes them.
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
    fn plt_003_only_current_or_empty_etag_is_accepted() {
        for current in ["", "\"7\"", "7"] {
            assert!(check(current, 7).is_ok(), "{current:?} must be accepted");
        }
        for stale in ["\"6\"", "8", "*", "\"77\""] {
            assert!(check(stale, 7).is_err(), "{stale:?} must be refused");
        }
    }
}
