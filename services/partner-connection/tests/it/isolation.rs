//! The database itself keeps companies apart.

use cosell_partner_connection::Partners;

use crate::support::{ALDER, AWS, BIRCH, CEDAR, connected, start};

#[tokio::test]
async fn acc_020_every_table_shows_a_company_its_own_rows() {
    let app = start().await;
    connected(&app, ALDER, BIRCH).await;
    let own = [
        ("account", 1),
        ("member", 6),
        // Its own, and those that are public.
        ("profile", 2),
        ("connection_invitation", 1),
        ("connection", 1),
    ];
    // A side that acts for no company finds those that are public.
    let found = [
        ("account", 0),
        ("member", 0),
        ("profile", 2),
        ("connection_invitation", 0),
        ("connection", 0),
    ];
    let nothing = found.map(|(table, _)| (table, 0));
    let apart = [
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
        (Some((CEDAR, "partner")), apart),
        (Some((AWS, "aws")), aws),
        (Some(("", "partner")), found),
        (Some(("", "service")), found),
        (Some(("", "")), nothing),
        (Some(("", "work")), nothing),
        (None, nothing),
    ] {
        for (table, rows) in expected {
            let seen = app.database.visible("partner_app", scope, table).await;
            assert_eq!(seen, rows, "{table} for {scope:?}");
        }
    }
    app.finish::<Partners>().await;
}
