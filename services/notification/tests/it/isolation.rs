//! The database itself keeps accounts apart, and members' addresses from calls.

use cosell_notification::Notifications;

use crate::support::{ALDER, AWS, BIRCH, start};

#[tokio::test]
async fn acc_020_calls_see_one_account_and_no_address() {
    let stage = start().await;
    stage.approve("O7").await;
    stage.recipients(2).await;
    let none = [
        ("notification", 0),
        ("preference", 0),
        ("contact", 0),
        ("mail", 0),
    ];
    let own = [
        ("notification", 2),
        ("preference", 0),
        ("contact", 0),
        ("mail", 0),
    ];
    for (scope, expected) in [
        (Some((ALDER, "partner")), own),
        (Some((BIRCH, "partner")), none),
        (Some(("", "partner")), none),
        (Some((AWS, "aws")), none),
        (None, none),
        // Handling an event of Alder: whom to tell may be anybody; what was told is not asked.
        (
            Some((ALDER, "system")),
            [
                ("notification", 2),
                ("preference", 0),
                ("contact", 9),
                ("mail", 2),
            ],
        ),
        (
            Some((BIRCH, "system")),
            [
                ("notification", 0),
                ("preference", 0),
                ("contact", 9),
                ("mail", 0),
            ],
        ),
    ] {
        for (table, rows) in expected {
            let seen = stage.app.database.visible("notification_app", scope, table).await;
            assert_eq!(seen, rows, "{table} for {scope:?}");
        }
    }
    stage.app.finish::<Notifications>().await;
}
