//! Covers row-level security (ACC-020): review cases and submissions are invisible to partners in the database itself.

use cosell_review::Reviews;

use crate::support::{ALDER, BIRCH, start, submit};

#[tokio::test]
async fn acc_020_review_rows_are_invisible_to_partners() {
    let (app, peer) = start().await;
    submit(&app, &peer, ALDER, "O7").await;
    submit(&app, &peer, BIRCH, "O8").await;
    for table in ["review_case", "submission"] {
        for (scope, expected) in [
            (Some((ALDER, "partner")), 0),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some(("999999999999", "aws")), 2),
            (Some(("", "service")), 2),
            (Some((ALDER, "system")), 1),
            (Some(("", "system")), 0),
        ] {
            let seen = app.database.visible("review_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Reviews>().await;
}
