//! Covers row-level security (ACC-020): calls see the notifications of their own account, and neither contacts nor
//! e-mails.

use cosell_notification::Notifications;

use crate::support::{ALDER, AWS, BIRCH, start};

#[tokio::test]
async fn acc_020_calls_see_one_account_and_no_contacts() {
    let scenario = start().await;
    scenario.approve("O7").await;
    scenario.recipients(2).await;
    let no_rows = [
        ("notification", 0),
        ("preference", 0),
        ("contact", 0),
        ("mail", 0),
    ];
    let own_rows = [
        ("notification", 2),
        ("preference", 0),
        ("contact", 0),
        ("mail", 0),
    ];
    for (scope, expected) in [
        (Some((ALDER, "partner")), own_rows),
        (Some((BIRCH, "partner")), no_rows),
        (Some(("", "partner")), no_rows),
        (Some((AWS, "aws")), no_rows),
        (None, no_rows),
        // A consumer of Alder's events chooses recipients among all contacts, and sees the rows of Alder only.
        (
            Some((ALDER, "system")),
            [
                ("notification", 2),
                ("preference", 0),
                ("contact", 10),
                ("mail", 2),
            ],
        ),
        (
            Some((BIRCH, "system")),
            [
                ("notification", 0),
                ("preference", 0),
                ("contact", 10),
                ("mail", 0),
            ],
        ),
    ] {
        for (table, rows) in expected {
            let seen = scenario
                .app
                .database
                .visible("notification_app", scope, table)
                .await;
            assert_eq!(seen, rows, "{table} for {scope:?}");
        }
    }
    scenario.app.finish::<Notifications>().await;
}
