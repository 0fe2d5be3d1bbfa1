//! Services that take a stranger for somebody of the account itself, or for AWS: row-level security alone keeps accounts
//! apart.

use cosell_testkit::harness::member;
use cosell_tests::requests::rpcs;
use cosell_tests::scene::{HOLDER, Scene, caller};
use cosell_tests::{Child, Collector, World};
use cosell_types::{Caller, ClosedList as _, Role, Side};
use sqlx::{AssertSqlSafe, Executor as _};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// Whom the services take strangers for.
fn taken_for() -> [Caller; 2] {
    let of = |side| -> Vec<_> {
        Role::ALL
            .iter()
            .copied()
            .filter(|role: &Role| role.side() == side)
            .collect()
    };
    [
        // Somebody of the account who has all that a single person has, and may do everything there.
        member(HOLDER, cosell::ALDER, Side::Partner, &of(Side::Partner)),
        // AWS, which reads what was submitted and decides about it.
        member("aws-reviewer", cosell::AWS, Side::Aws, &of(Side::Aws)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_without_the_services_own_care_accounts_stay_apart() {
    let world = World::start();
    let (collector, endpoint) = Collector::start().await;
    let environment = [("COSELL_OTLP_ENDPOINT", endpoint.as_str())];
    let child = Child::start(PROGRAM, &world, Child::address(), &environment).await;
    let scene = Scene::new(&world, child.channel(), &child.info);
    scene.neighbours().await;
    let records = scene.records().await;
    scene
        .strangers_learn_and_change_nothing(&records, &taken_for())
        .await;
    child.stop();
    let metrics = collector.metric_names();
    assert!(
        metrics.contains("tenant.isolation.backstop"),
        "the database refused nothing by itself: {metrics:?}"
    );
}

/// A table that is open, for which command, and the calls that must tell so.
type Open = (&'static str, &'static str, &'static [&'static str]);

const OPEN: [Open; 14] = [
    (
        "notification.notification",
        "SELECT",
        &["ListNotifications", "GetUnreadCount"],
    ),
    ("notification.notification", "ALL", &["MarkNotificationsRead"]),
    (
        "notification.preference",
        "SELECT",
        &["GetNotificationPreferences"],
    ),
    (
        "opportunity.opportunity",
        "SELECT",
        &["GetOpportunity", "ListOpportunities", "GetAllowedActions"],
    ),
    (
        "opportunity.bulk_job",
        "SELECT",
        &["GetOperation", "ListOperations"],
    ),
    (
        "partner.account",
        "SELECT",
        &["GetAccount", "GetConnectionPreferences"],
    ),
    (
        "partner.member",
        "SELECT",
        &["GetMember", "ListMembers", "ListAssignableMembers"],
    ),
    (
        "partner.connection_invitation",
        "SELECT",
        &["GetConnectionInvitation", "ListConnectionInvitations"],
    ),
    (
        "partner.connection",
        "SELECT",
        &["GetConnection", "ListConnections"],
    ),
    (
        "collaboration.engagement",
        "SELECT",
        &["GetEngagement", "ListEngagementMembers"],
    ),
    (
        "collaboration.invitation",
        "SELECT",
        &["GetEngagementInvitation", "ListEngagementInvitations"],
    ),
    (
        "collaboration.snapshot_job",
        "SELECT",
        &["GetSnapshotJob", "ListSnapshotJobs"],
    ),
    (
        "review.review_case",
        "SELECT",
        &["GetReviewCase", "ListReviewCases"],
    ),
    // The last one, as the invitation that it lets through stays.
    ("partner.profile", "SELECT", &["CreateConnectionInvitation"]),
];

/// What the test above is worth: whichever table is open to everybody, somebody from outside learns of it. Revisions and
/// submissions are not among them: they are read after the record or case that they belong to, which stays hidden.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_a_table_that_is_open_is_noticed() {
    let world = World::start();
    let child = Child::start(PROGRAM, &world, Child::address(), &[]).await;
    let scene = Scene::new(&world, child.channel(), &child.info);
    scene.neighbours().await;
    let records = scene.records().await;
    let stranger = [caller(cosell::BIRCH)];
    let mut admin = world.admin().await;
    for (table, command, calls) in OPEN {
        let (service, _) = table.split_once('.').expect("a schema");
        let open = format!("CREATE POLICY opened ON {table} FOR {command} TO {service}_app USING (true)");
        admin.execute(AssertSqlSafe(open)).await.expect("a policy");
        let mut about = rpcs();
        about.retain(|rpc| calls.contains(&rpc.name()));
        let found = scene.learned(&about, &records, &stranger, &taken_for()).await;
        for call in calls {
            let is_found = found
                .iter()
                .any(|found| found.starts_with(&format!("{call} by ")));
            assert!(is_found, "{table} is open, and {call} does not tell: {found:#?}");
        }
        let close = format!("DROP POLICY opened ON {table}");
        admin.execute(AssertSqlSafe(close)).await.expect("no policy");
    }
    child.stop();
}
