//! Services accept forged callers, so that only row-level security isolates accounts. Uses the feature `sabotage` of
//! `cosell_grpc`: the use cases see the forged caller, and row-level security the caller of the token.

use cosell_testkit::harness::member;
use cosell_tests::requests::rpcs;
use cosell_tests::scenario::{OWNER, Scenario, alliance_lead};
use cosell_tests::{Collector, ServiceProcess, TestServers};
use cosell_types::{Caller, ClosedList as _, Role, Side};
use sqlx::{AssertSqlSafe, Executor as _};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// The identities that unrelated callers forge.
fn forged_callers() -> [Caller; 2] {
    let of = |side| -> Vec<_> {
        Role::ALL
            .iter()
            .copied()
            .filter(|role: &Role| role.side() == side)
            .collect()
    };
    [
        // The owner of the account's records, with all partner roles.
        member(OWNER, cosell::ALDER, Side::Partner, &of(Side::Partner)),
        // A reviewer with all AWS roles.
        member("aws-reviewer", cosell::AWS, Side::Aws, &of(Side::Aws)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_row_level_security_isolates_accounts_from_forged_callers() {
    let servers = TestServers::start();
    let (collector, endpoint) = Collector::start().await;
    let environment = [("COSELL_OTLP_ENDPOINT", endpoint.as_str())];
    let child = ServiceProcess::start(PROGRAM, &servers, ServiceProcess::address(), &environment).await;
    let scenario = Scenario::new(&servers, child.channel(), &child.info);
    scenario.provision_partners().await;
    let records = scenario.create_records().await;
    scenario.assert_isolated(&records, &forged_callers()).await;
    child.stop();
    let metrics = collector.metric_names();
    assert!(
        metrics.contains("tenant.isolation.backstop"),
        "the database alone has refused nothing: {metrics:?}"
    );
}

/// A table, the command that a policy opens to every account, and the RPCs whose responses then disclose its rows.
type OpenTable = (&'static str, &'static str, &'static [&'static str]);

const OPEN_TABLES: [OpenTable; 14] = [
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
    // The last entry, because it creates an invitation that stays.
    ("partner.profile", "SELECT", &["CreateConnectionInvitation"]),
];

/// Shows that the test above detects a missing policy: each open table is disclosed to an unrelated caller. Revisions
/// and submissions are not in the list: services read them only after the opportunity or review case, which stays
/// hidden.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_table_without_isolation_is_detected() {
    let servers = TestServers::start();
    let child = ServiceProcess::start(PROGRAM, &servers, ServiceProcess::address(), &[]).await;
    let scenario = Scenario::new(&servers, child.channel(), &child.info);
    scenario.provision_partners().await;
    let records = scenario.create_records().await;
    let unrelated = [alliance_lead(cosell::BIRCH)];
    let mut admin = servers.admin().await;
    for (table, command, calls) in OPEN_TABLES {
        let (service, _) = table.split_once('.').expect("a schema");
        let open = format!("CREATE POLICY opened ON {table} FOR {command} TO {service}_app USING (true)");
        admin.execute(AssertSqlSafe(open)).await.expect("a policy");
        let mut disclosing = rpcs();
        disclosing.retain(|rpc| calls.contains(&rpc.name()));
        let leaks = scenario
            .find_leaks(&disclosing, &records, &unrelated, &forged_callers())
            .await;
        for call in calls {
            let is_found = leaks.iter().any(|leak| leak.starts_with(&format!("{call} by ")));
            assert!(
                is_found,
                "{table} is open, and {call} discloses nothing: {leaks:#?}"
            );
        }
        let close = format!("DROP POLICY opened ON {table}");
        admin
            .execute(AssertSqlSafe(close))
            .await
            .expect("a dropped policy");
    }
    child.stop();
}
