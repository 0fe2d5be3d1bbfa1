//! Covers row-level security (ACC-020): which rows every account and side sees in the database itself.

use cosell_collaboration::Collaboration;
use cosell_testkit::harness::eventually;

use crate::support::{ALDER, BIRCH, CEDAR, Scenario};

const AWS: &str = "999999999999";

#[tokio::test]
async fn acc_020_account_sees_only_its_own_engagements() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    scenario
        .accept_invitation(&shared.engagement_invitations[0])
        .await;
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    eventually(async || {
        let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM snapshot_job WHERE due_time IS NOT NULL")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        if pending == 0 {
            Ok(())
        } else {
            Err(format!("{pending} jobs"))
        }
    })
    .await;
    for (table, alder, birch, cedar, aws, system) in [
        ("engagement", 1, 1, 0, 1, 1),
        ("engagement_member", 1, 1, 0, 0, 1),
        ("invitation", 2, 1, 1, 2, 2),
        // Snapshots of the record and of the AWS summary; the receiver's shared copy does not exist yet.
        ("snapshot", 2, 1, 0, 2, 2),
        ("snapshot_job", 2, 2, 0, 0, 2),
        // No caller reads the replica of connections.
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
            let seen = scenario
                .app
                .database
                .visible("collaboration_app", scope, table)
                .await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    scenario.app.finish::<Collaboration>().await;
}
