//! What acceptances of all kinds have in common: they are made while the process ends, and each makes one opportunity.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use cosell::demo::Person;
use cosell_testkit::harness::eventually_within;
use cosell_tests::{Child, RECOVERY, World};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

/// Has a partner accept all of these, as often as it takes, while processes end at the crash point, each after having
/// passed it so many times, and after that with one that goes on. That one; each acceptance has made an opportunity of
/// its own, and of the records that say where they come from in this field there are no others.
pub async fn accepting_through<R>(
    (world, address): (&World, SocketAddr),
    (point, passes): (&str, &[usize]),
    (partner, requests): (&str, &[R]),
    from: &str,
    accepted: impl AsyncFn(&Person, &R) -> Option<String>,
) -> Child {
    for passes in passes {
        // What the process before it left undone brings this one to the point at once.
        let failpoints = match passes {
            0 => format!("{point}=1*return"),
            passes => format!("{point}={passes}*off->1*return"),
        };
        let started = Child::try_start(PROGRAM, world, address, &[("FAILPOINTS", &failpoints)]).await;
        let mut child = match started {
            Ok(child) => child,
            Err(ended) => {
                ended.at_crash_point();
                continue;
            }
        };
        let person = child.person(partner);
        eventually_within(RECOVERY, async || {
            for request in requests {
                accepted(&person, request).await;
            }
            let ended = child.ended();
            ended.ok_or_else(|| format!("it never came to {point} for the {passes}th time"))
        })
        .await
        .at_crash_point();
    }
    let child = Child::start(PROGRAM, world, address, &[]).await;
    let person = child.person(partner);
    let mut opportunities = BTreeSet::new();
    for request in requests {
        let id = eventually_within(RECOVERY, async || {
            let id = accepted(&person, request).await;
            id.ok_or("the acceptance is not answered")
        });
        opportunities.insert(id.await);
    }
    assert_eq!(
        opportunities.len(),
        requests.len(),
        "each has an opportunity of its own"
    );
    world.settled().await;
    let known: Vec<String> = sqlx::query_scalar(
        "SELECT 'O' || opportunity_id FROM opportunity.opportunity WHERE record ->> $1 IS NOT NULL",
    )
    .bind(from)
    .fetch_all(&mut world.admin().await)
    .await
    .expect("records");
    assert_eq!(known.len(), requests.len(), "once each");
    assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), opportunities);
    child
}
