//! Expired deadlines, cancelled calls and the concurrency limit: callers get the documented code, and no transaction or
//! statement is left open (PLT-008).

use std::fmt::Debug;
use std::task::Poll;
use std::time::Duration;

use cosell_opportunity::Opportunities;
use cosell_store::Scope;
use cosell_testkit::harness::{App, Setup, TestDatabase, eventually, refused};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};

use crate::support::{
    ALDER, client_for, count, create, create_request, get_request, next_steps_request, options, record,
    start, user,
};

/// Locks the table so that every other statement on it waits.
async fn lock_table(app: &App) -> PgConnection {
    let mut admin = app.database.admin::<Opportunities>().await;
    admin
        .execute("BEGIN; LOCK TABLE opportunity IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    admin
}

fn with_timeout<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    let timeout = "300m".parse().expect("a timeout");
    request.metadata_mut().insert("grpc-timeout", timeout);
    request
}

/// Calls until the service answers that the deadline has passed. It does so shortly before the client's own timer ends
/// the call, which is first where the machine is slow.
async fn answered_at_deadline<R: Debug>(call: impl AsyncFn() -> Result<Response<R>, Status>) {
    eventually(async || match call().await {
        Err(status) if status.code() == Code::Cancelled => Err(status),
        answer => {
            refused(answer, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
            Ok(())
        }
    })
    .await;
}

/// A database that ends no statement and no transaction by itself, so that a test sees the limits of the service.
async fn database_without_timeouts() -> TestDatabase {
    let database = TestDatabase::new::<Opportunities>().await;
    let mut admin = database.admin::<Opportunities>().await;
    for setting in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ] {
        let unlimited = format!(
            "DO $$ BEGIN EXECUTE format('ALTER ROLE opportunity_app IN DATABASE %I SET {setting} = 0',
             current_database()); END $$"
        );
        let unlimited = admin.execute(AssertSqlSafe(unlimited)).await;
        unlimited.expect("a setting of the database");
    }
    database
}

#[tokio::test]
async fn plt_008_expired_deadline_returns_deadline_exceeded_and_cancels_statement() {
    let app = Setup::default()
        .start_on::<Opportunities>(database_without_timeouts().await, options("http://127.0.0.1:9"))
        .await;
    let created = create(&app, &user(), record("Alder")).await;
    let lock = lock_table(&app).await;
    let started = Instant::now();
    let client = client_for(&app, &user());
    answered_at_deadline(async || {
        let request = get_request(&created.opportunity_id);
        client
            .opportunities()
            .get_opportunity(with_timeout(request))
            .await
    })
    .await;
    answered_at_deadline(async || {
        let request = next_steps_request(&created.opportunity_id, "late");
        client
            .opportunities()
            .update_opportunity(with_timeout(request))
            .await
    })
    .await;
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "the calls did not end with their deadline"
    );
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND wait_event_type = 'Lock'";
    eventually(async || match count(&app, waiting).await {
        0 => Ok(()),
        waiting_statements => Err(format!("{waiting_statements} statements still wait for the lock")),
    })
    .await;
    lock.close().await.expect("a released lock");
    assert_eq!(
        count(&app, "SELECT count(*) FROM opportunity_revision").await,
        1,
        "the expired write must change nothing"
    );
    app.finish::<Opportunities>().await;
}

/// Waits until every connection of the service is idle and back in the pool.
async fn wait_until_pool_is_idle(app: &App, admin: &mut PgConnection) {
    eventually(async || {
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND usename = 'opportunity_app' AND state <> 'idle'";
        let (open, idle) = app.pools.calls.connections();
        let busy: i64 = sqlx::query_scalar(busy)
            .fetch_one(&mut *admin)
            .await
            .expect("a count");
        if busy == 0 && idle == open {
            Ok(())
        } else {
            Err(format!(
                "{busy} connections are busy; of {open} in the pool {idle} are idle"
            ))
        }
    })
    .await;
}

/// Hundreds of calls are cancelled at different times on a pool of four connections. Afterwards no connection is in a
/// transaction, every acknowledged call has its effect, and the service answers.
#[tokio::test]
async fn plt_008_cancelled_calls_leave_no_open_transaction() {
    let app = Setup::default()
        .start_on::<Opportunities>(database_without_timeouts().await, options("http://127.0.0.1:9"))
        .await;
    let existing = create(&app, &user(), record("Alder")).await.opportunity_id;
    let (mut acknowledged, mut cancelled) = (Vec::new(), 0);
    let mut admin = app.database.admin::<Opportunities>().await;
    for round in 0..20_u64 {
        let calls: Vec<_> = (0..20_u64)
            .map(|number| {
                let client = client_for(&app, &user());
                let timeout = Duration::from_micros((round * 20 + number) * 97 % 12_000);
                let existing = existing.clone();
                tokio::spawn(async move {
                    // A cancelled read is dropped; a cancelled write runs to its end.
                    let call = async {
                        if number % 2 == 0 {
                            let answer = client
                                .opportunities()
                                .get_opportunity(get_request(&existing))
                                .await?;
                            Ok(answer.into_inner().opportunity)
                        } else {
                            let request = create_request(record("Alder"));
                            Ok::<_, Status>(
                                client
                                    .opportunities()
                                    .create_opportunity(request)
                                    .await?
                                    .into_inner()
                                    .opportunity,
                            )
                        }
                    };
                    match tokio::time::timeout(timeout, call).await {
                        Ok(Ok(record)) => record.map(|record| record.opportunity_id),
                        _ => None,
                    }
                })
            })
            .collect();
        for call in calls {
            match call.await.expect("no panic") {
                Some(id) => acknowledged.push(id),
                None => cancelled += 1,
            }
        }
        // Checked in every round, because the next call on a connection would end an abandoned transaction.
        wait_until_pool_is_idle(&app, &mut admin).await;
    }
    assert!(cancelled > 50, "only {cancelled} calls were cancelled");
    for id in &acknowledged {
        assert!(
            client_for(&app, &user())
                .opportunities()
                .get_opportunity(get_request(id))
                .await
                .is_ok(),
            "{id} was acknowledged and is lost"
        );
    }
    for _ in 0..50 {
        create(&app, &user(), record("Birch")).await;
    }
    app.finish::<Opportunities>().await;
}

/// Polls a future `polls` times, then drops it: at once, or when it is woken again. Returns whether it was dropped
/// before it was ready.
async fn poll_then_drop<T>(future: impl Future<Output = T>, polls: usize, at_once: bool) -> bool {
    let mut future = std::pin::pin!(future);
    let mut polled = 0;
    std::future::poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(true);
        }
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Pending if at_once && polled == polls => Poll::Ready(true),
            answer => answer.map(|_| false),
        }
    })
    .await
}

/// The window that cancelled calls rarely hit: the database has received BEGIN, and the caller no longer waits for the
/// response.
#[tokio::test]
async fn plt_008_transaction_cancelled_during_begin_is_rolled_back() {
    let app = start().await;
    let account = ALDER.parse().expect("an account");
    let scope = Scope::account(&account);
    let mut admin = app.database.admin::<Opportunities>().await;
    let mut cancelled = 0;
    for round in 0..60 {
        let (polls, at_once) = (round % 6 + 1, round % 12 < 6);
        // A connection must be idle in the pool: while one is being opened, no transaction has begun.
        drop(app.pools.calls.tx(&scope).await.expect("a transaction"));
        wait_until_pool_is_idle(&app, &mut admin).await;
        cancelled += usize::from(poll_then_drop(app.pools.calls.tx(&scope), polls, at_once).await);
        wait_until_pool_is_idle(&app, &mut admin).await;
    }
    // On a fast database most transactions have begun before they are dropped.
    assert!(cancelled > 0, "no transaction was cancelled");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn service_at_concurrency_limit_returns_overloaded_and_recovers() {
    let app = Setup::default()
        .with_max_calls(8)
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let created = create(&app, &user(), record("Alder")).await;
    let lock = lock_table(&app).await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (client, request) = (client_for(&app, &user()), get_request(&created.opportunity_id));
            tokio::spawn(async move { client.opportunities().get_opportunity(request).await })
        })
        .collect();
    let mut refused_calls = 0;
    for call in calls {
        match call.await.expect("no panic") {
            Err(status) if status.code() == Code::ResourceExhausted => {
                refused::<()>(Err(status), Code::ResourceExhausted, "OVERLOADED");
                refused_calls += 1;
            }
            // The two admitted calls time out waiting for the lock.
            other => drop(refused(other, Code::Aborted, "CONCURRENT_CHANGE")),
        }
    }
    assert!(
        (1..=6).contains(&refused_calls),
        "with two permits, {refused_calls} of eight calls were refused"
    );
    lock.close().await.expect("a released lock");
    eventually(async || {
        client_for(&app, &user())
            .opportunities()
            .get_opportunity(get_request(&created.opportunity_id))
            .await
    })
    .await;
    app.finish::<Opportunities>().await;
}
