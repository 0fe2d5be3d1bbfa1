use crate::domain::catalog::ApplyCounts;

/// Counts the effects of an upsert of `total` rows. The statement returns one entry of `is_created` for each written
/// row and none for an unchanged one.
pub(super) fn count_upserts(total: usize, is_created: &[bool]) -> ApplyCounts {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let created = is_created.iter().filter(|is_created| **is_created).count();
    ApplyCounts {
        created: number(created),
        updated: number(is_created.len() - created),
        unchanged: number(total - is_created.len()),
    }
}
