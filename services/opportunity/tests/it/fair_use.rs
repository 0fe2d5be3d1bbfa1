//! The connections to the database while one account makes more calls than they can serve (PLT-015).

use cosell_grpc::Failure;
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Db, Scope};
use cosell_testkit::harness::{App, PATIENCE, eventually, refused};
use cosell_types::AccountId;
use futures::future::join_all;
use sqlx::Executor as _;
use tokio::time::timeout;
use tonic::Code;

use crate::support::{ALDER, client_for, start, user};

const BIRCH: &str = "222222222222";
/// Those of the pool for calls in tests.
const CONNECTIONS: u32 = 4;
/// A transaction that lasts longer than the calls of an account may wait, divided by their number.
const SLOW: &str = "SELECT pg_sleep(0.2)";
/// A transaction that lasts longer than a call may wait.
const VERY_SLOW: &str = "SELECT pg_sleep(4)";

async fn run(db: Db, account: AccountId, statement: &'static str) -> Result<(), Failure> {
    let mut tx = db.tx(&Scope::account(&account)).await?;
    tx.conn().execute(statement).await.expect("a statement");
    Ok(())
}

async fn wait_until_all_connections_are_in_use(app: &App) {
    eventually(async || match app.pools.calls.connections() {
        (CONNECTIONS, 0) => Ok(()),
        other => Err(format!("{other:?} connections are open and idle")),
    })
    .await;
}

#[tokio::test]
async fn plt_015_busy_account_waits_for_itself_and_delays_no_other() {
    let app = start().await;
    let [alder, birch] = [ALDER, BIRCH].map(|account| account.parse::<AccountId>().expect("an account"));
    let db = app.pools.calls.clone();
    let busy: Vec<_> = (0..200)
        .map(|_| tokio::spawn(run(db.clone(), alder.clone(), SLOW)))
        .collect();
    wait_until_all_connections_are_in_use(&app).await;
    run(db, birch, SLOW).await.expect("a turn of another account");

    let mut reasons = Vec::new();
    for call in busy {
        let ended = timeout(PATIENCE, call).await.expect("an end in time");
        if let Err(failure) = ended.expect("no panic") {
            reasons.push(failure.reason());
        }
    }
    assert!(!reasons.is_empty(), "the account did not use more than there is");
    let others = reasons.iter().find(|reason| **reason != "OVERLOADED");
    assert_eq!(others, None, "the database works, but is in use");
    app.finish::<Opportunities>().await;
}

/// The calls share the query for the roles of the member, and its failure.
#[tokio::test]
async fn plt_015_concurrent_calls_of_one_member_are_overloaded_while_the_pool_is_full() {
    let app = start().await;
    app.directory.add_member(&user());
    let birch = BIRCH.parse::<AccountId>().expect("an account");
    let busy: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(run(app.pools.calls.clone(), birch.clone(), VERY_SLOW)))
        .collect();
    wait_until_all_connections_are_in_use(&app).await;
    let client = client_for(&app, &user());
    let answers = join_all((0..8).map(|_| async {
        let request = pb::ListOpportunitiesRequest::default();
        client.opportunities().list_opportunities(request).await
    }));
    for answer in answers.await {
        refused(answer, Code::ResourceExhausted, "OVERLOADED");
    }
    for transaction in busy {
        transaction.await.expect("no panic").expect("a connection");
    }
    app.finish::<Opportunities>().await;
}
