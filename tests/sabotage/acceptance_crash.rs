//! Shared code for acceptances of offers and invitations across crashes: each must create exactly one opportunity.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use cosell::demo::MemberClient;
use cosell_testkit::harness::eventually_within;
use cosell_tests::{RECOVERY, ServiceProcess, TestServers};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// Sends all `requests` as `partner` to a sequence of processes, each of which aborts at the crash point `point` after
/// passing it the given number of times, and then to a process without crash point, which it returns. Fails unless each
/// request has created one opportunity and no other opportunity has the field `source_field` in its record.
pub async fn accept_through_crashes<R>(
    (servers, address): (&TestServers, SocketAddr),
    (point, passes): (&str, &[usize]),
    (partner, requests): (&str, &[R]),
    source_field: &str,
    accept: impl AsyncFn(&MemberClient, &R) -> Option<String>,
) -> ServiceProcess {
    for passes in passes {
        // Pending work of the previous process can bring this one to the crash point at once.
        let failpoints = match passes {
            0 => format!("{point}=1*return"),
            passes => format!("{point}={passes}*off->1*return"),
        };
        let started =
            ServiceProcess::try_start(PROGRAM, servers, address, &[("FAILPOINTS", &failpoints)]).await;
        let mut child = match started {
            Ok(child) => child,
            Err(exit) => {
                exit.assert_crash_point();
                continue;
            }
        };
        let client = child.member(partner);
        eventually_within(RECOVERY, async || {
            for request in requests {
                accept(&client, request).await;
            }
            let exit = child.exit();
            exit.ok_or_else(|| format!("the process has not passed {point} {passes} times"))
        })
        .await
        .assert_crash_point();
    }
    let child = ServiceProcess::start(PROGRAM, servers, address, &[]).await;
    let client = child.member(partner);
    let mut opportunities = BTreeSet::new();
    for request in requests {
        let id = eventually_within(RECOVERY, async || {
            let id = accept(&client, request).await;
            id.ok_or("the acceptance is not answered")
        });
        opportunities.insert(id.await);
    }
    assert_eq!(
        opportunities.len(),
        requests.len(),
        "each acceptance has its own opportunity"
    );
    servers.wait_until_idle().await;
    let created: Vec<String> = sqlx::query_scalar(
        "SELECT 'O' || opportunity_id FROM opportunity.opportunity WHERE record ->> $1 IS NOT NULL",
    )
    .bind(source_field)
    .fetch_all(&mut servers.admin().await)
    .await
    .expect("opportunities");
    assert_eq!(created.len(), requests.len(), "one opportunity per acceptance");
    assert_eq!(created.into_iter().collect::<BTreeSet<_>>(), opportunities);
    child
}
