//! Covers row-level security (ACC-020): which rows of each table every account and side sees in the database itself.

use cosell_partner_connection::Partners;

use crate::support::{ALDER, AWS, BIRCH, CEDAR, create_connection, start};

#[tokio::test]
async fn acc_020_account_sees_own_rows_and_public_profiles() {
    let app = start().await;
    create_connection(&app, ALDER, BIRCH).await;
    let own = [
        ("account", 1),
        ("member", 6),
        // Its own profile, and public profiles.
        ("profile", 2),
        ("connection_invitation", 1),
        ("connection", 1),
    ];
    // A scope without an account sees public profiles only.
    let public_only = [
        ("account", 0),
        ("member", 0),
        ("profile", 2),
        ("connection_invitation", 0),
        ("connection", 0),
    ];
    let no_rows = public_only.map(|(table, _)| (table, 0));
    let unconnected = [
        ("account", 1),
        ("member", 6),
        ("profile", 2),
        ("connection_invitation", 0),
        ("connection", 0),
    ];
    let aws = [
        ("account", 4),
        ("member", 1),
        ("profile", 2),
        ("connection_invitation", 0),
        ("connection", 0),
    ];
    for (scope, expected) in [
        (Some((ALDER, "partner")), own),
        (Some((BIRCH, "partner")), own),
        (Some((BIRCH, "system")), own),
        (Some((CEDAR, "partner")), unconnected),
        (Some((AWS, "aws")), aws),
        (Some(("", "partner")), public_only),
        (Some(("", "service")), public_only),
        (Some(("", "")), no_rows),
        (Some(("", "work")), no_rows),
        (None, no_rows),
    ] {
        for (table, rows) in expected {
            let seen = app.database.visible("partner_app", scope, table).await;
            assert_eq!(seen, rows, "{table} for {scope:?}");
        }
    }
    app.finish::<Partners>().await;
}
