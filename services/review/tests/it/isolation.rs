//! The database itself keeps partners out: nothing here is theirs to see.

use cosell_review::Reviews;

use crate::support::{ALDER, BIRCH, start, submit};

#[tokio::test]
async fn acc_020_partners_see_no_case_not_even_of_their_own_account() {
    let (app, far) = start().await;
    submit(&app, &far, ALDER, "O7").await;
    submit(&app, &far, BIRCH, "O8").await;
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
