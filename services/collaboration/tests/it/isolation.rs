//! The database itself keeps companies apart.

use cosell_collaboration::Collaboration;
use cosell_testkit::harness::eventually;

use crate::support::{ALDER, BIRCH, CEDAR, Scene};

const AWS: &str = "999999999999";

#[tokio::test]
async fn acc_020_each_company_reaches_what_it_is_part_of() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    scene.accept(&shared.engagement_invitations[0]).await;
    let mut admin = scene.app.database.admin::<Collaboration>().await;
    eventually(async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM snapshot_job WHERE due_time IS NOT NULL")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} jobs"))
        }
    })
    .await;
    for (table, alder, birch, cedar, aws, system) in [
        ("engagement", 1, 1, 0, 1, 1),
        ("engagement_member", 1, 1, 0, 0, 1),
        ("invitation", 2, 1, 1, 2, 2),
        // Of the record and of what AWS says; what the receiver's copy says comes with it.
        ("snapshot", 2, 1, 0, 2, 2),
        ("snapshot_job", 2, 2, 0, 0, 2),
        // A replica of who is connected is nobody's to read.
        ("connected", 0, 0, 0, 0, 2),
    ] {
        for (scope, expected) in [
            (Some((ALDER, "partner")), alder),
            (Some((BIRCH, "partner")), birch),
            (Some((CEDAR, "partner")), cedar),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some((AWS, "aws")), aws),
            (Some(("", "service")), 0),
            (Some((ALDER, "system")), system),
            (Some(("", "system")), 0),
        ] {
            let seen = scene
                .app
                .database
                .visible("collaboration_app", scope, table)
                .await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    scene.app.finish::<Collaboration>().await;
}
