//! The connections to the database while one account makes more calls than they can serve (PLT-015).

use cosell_grpc::Failure;
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Db, Scope};
use cosell_testkit::harness::{PATIENCE, eventually, refused};
use cosell_types::AccountId;
use futures::future::join_all;
use sqlx::Executor as _;
use tokio::time::timeout;
use tonic::Code;

use crate::support::{ALDER, client_for, start, user};

const BIRCH: &str = "222222222222";

/// A transaction that lasts longer than the calls of an account may wait, divided by their number.
async fn run_slowly(db: Db, account: AccountId) -> Result<(), Failure> {
    let mut tx = db.tx(&Scope::account(&account)).await?;
    tx.conn()
        .execute("SELECT pg_sleep(0.2)")
        .await
        .expect("a statement");
    Ok(())
}

#[tokio::test]
async fn plt_015_busy_account_waits_for_itself_and_delays_no_other() {
    let app = start().await;
    let [alder, birch] = [ALDER, BIRCH].map(|account| account.parse::<AccountId>().expect("an account"));
    let db = app.pools.calls.clone();
    let busy: Vec<_> = (0..200)
        .map(|_| tokio::spawn(run_slowly(db.clone(), alder.clone())))
        .collect();
    // Joins the queue after the first of them.
    let connections = || app.pools.calls.connections();
    eventually(async || match connections() {
        (open, 0) if open > 0 => Ok(()),
        other => Err(format!("{other:?} connections are open and idle")),
    })
    .await;
    run_slowly(db, birch).await.expect("a turn of another account");

    // Concurrent calls of one member share the query for its roles, which waits behind the others of the account.
    let list = || async {
        let client = client_for(&app, &user());
        let request = pb::ListOpportunitiesRequest::default();
        client.opportunities().list_opportunities(request).await
    };
    for answer in join_all((0..8).map(|_| list())).await {
        // The last ones may find a free connection.
        if answer.is_err() {
            refused(answer, Code::ResourceExhausted, "OVERLOADED");
        }
    }

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
