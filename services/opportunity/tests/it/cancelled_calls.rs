//! Deadlines and clients that go away: they get the right code, and leave nothing behind (PLT-008).

use std::task::Poll;
use std::time::Duration;

use cosell_opportunity::Opportunities;
use cosell_store::Scope;
use cosell_testkit::harness::{App, Setup, TestDatabase, eventually, refused};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;
use tonic::{Code, Request, Status};

use crate::support::{
    ALDER, by, count, create, create_request, get_request, next_steps, options, record, start, user,
};

/// Holds the table so that every other statement on it waits.
async fn hold(app: &App) -> PgConnection {
    let mut admin = app.database.admin::<Opportunities>().await;
    admin
        .execute("BEGIN; LOCK TABLE opportunity IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    admin
}

fn within<M>(message: M, timeout: &'static str) -> Request<M> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("grpc-timeout", timeout.parse().expect("a timeout"));
    request
}

#[tokio::test]
async fn plt_008_an_expired_deadline_is_deadline_exceeded_and_the_statement_is_gone() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let held = hold(&app).await;
    let started = Instant::now();
    let read = by(&app, &user())
        .opportunities()
        .get_opportunity(within(get_request(&made.opportunity_id), "300m"))
        .await;
    refused(read, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    let write = by(&app, &user())
        .opportunities()
        .update_opportunity(within(next_steps(&made.opportunity_id, "late"), "300m"))
        .await;
    refused(write, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "the deadline is what ended the calls"
    );
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND wait_event_type = 'Lock'";
    eventually(async || match count(&app, waiting).await {
        0 => Ok(()),
        left => Err(format!("{left} statements still wait for the lock")),
    })
    .await;
    held.close().await.expect("a released lock");
    assert_eq!(
        count(&app, "SELECT count(*) FROM opportunity_revision").await,
        1,
        "the late write did nothing"
    );
    app.finish::<Opportunities>().await;
}

/// Fails when a connection of the service stays in a transaction.
async fn nothing_is_open(app: &App, admin: &mut PgConnection) {
    eventually(async || {
        let stuck = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND usename = 'opportunity_app' AND state <> 'idle'";
        let (open, idle) = app.pools.calls.connections();
        let stuck: i64 = sqlx::query_scalar(stuck)
            .fetch_one(&mut *admin)
            .await
            .expect("a count");
        if stuck == 0 && idle == open {
            Ok(())
        } else {
            Err(format!(
                "{stuck} connections are busy; of {open} in the pool {idle} are idle"
            ))
        }
    })
    .await;
}

/// Hundreds of calls cut off at every moment, on a pool of four: afterwards no connection is stuck in a transaction,
/// every call that was answered has its effect, and everything works.
#[tokio::test]
async fn plt_008_cancelled_calls_leave_no_open_transaction() {
    let database = TestDatabase::new::<Opportunities>().await;
    // Otherwise the server would end after a while what the service leaves open.
    let unlimited = "DO $$ BEGIN EXECUTE format('ALTER ROLE opportunity_app IN DATABASE %I
                     SET idle_in_transaction_session_timeout = 0', current_database()); END $$";
    database
        .admin::<Opportunities>()
        .await
        .execute(unlimited)
        .await
        .expect("a setting of the database");
    let app = Setup::default()
        .start_on::<Opportunities>(database, options("http://127.0.0.1:9"))
        .await;
    let existing = create(&app, &user(), record("Alder")).await.opportunity_id;
    let (mut answered, mut cut) = (Vec::new(), 0);
    let mut admin = app.database.admin::<Opportunities>().await;
    for round in 0..20_u64 {
        let calls: Vec<_> = (0..20_u64)
            .map(|number| {
                let client = by(&app, &user());
                let patience = Duration::from_micros((round * 20 + number) * 97 % 12_000);
                let existing = existing.clone();
                tokio::spawn(async move {
                    // Reads are dropped where they are; changes go on to their end by themselves.
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
                    match tokio::time::timeout(patience, call).await {
                        Ok(Ok(record)) => record.map(|record| record.opportunity_id),
                        _ => None,
                    }
                })
            })
            .collect();
        for call in calls {
            match call.await.expect("no panic") {
                Some(id) => answered.push(id),
                None => cut += 1,
            }
        }
        // Each time: the next call on a connection would end what an earlier one left open.
        nothing_is_open(&app, &mut admin).await;
    }
    assert!(cut > 50, "only {cut} calls were cut off");
    for id in &answered {
        assert!(
            by(&app, &user())
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

/// Polls a future so many times, then drops it: at once, or when it would make progress again. Whether it was cut off.
async fn cut_off<T>(future: impl Future<Output = T>, polls: usize, at_once: bool) -> bool {
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

/// The moment that calls hit too rarely: the server has received BEGIN, and nobody waits for its answer any more.
#[tokio::test]
async fn plt_008_transaction_cut_off_while_it_begins_is_ended() {
    let app = start().await;
    let account = ALDER.parse().expect("an account");
    let scope = Scope::account(&account);
    let mut admin = app.database.admin::<Opportunities>().await;
    let mut cut = 0;
    for round in 0..60 {
        let (polls, at_once) = (round % 6 + 1, round % 12 < 6);
        // With a connection at hand: making one takes long, and nothing has begun by then.
        drop(app.pools.calls.tx(&scope).await.expect("a transaction"));
        nothing_is_open(&app, &mut admin).await;
        cut += usize::from(cut_off(app.pools.calls.tx(&scope), polls, at_once).await);
        nothing_is_open(&app, &mut admin).await;
    }
    // Where the answers come quickly, most transactions have begun by then.
    assert!(cut > 0, "none was cut off");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn a_full_service_says_so_at_once_and_recovers() {
    let app = Setup::default()
        .with_room(2)
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let made = create(&app, &user(), record("Alder")).await;
    let held = hold(&app).await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (client, request) = (by(&app, &user()), get_request(&made.opportunity_id));
            tokio::spawn(async move { client.opportunities().get_opportunity(request).await })
        })
        .collect();
    let mut shed = 0;
    for call in calls {
        match call.await.expect("no panic") {
            Err(status) if status.code() == Code::ResourceExhausted => {
                refused::<()>(Err(status), Code::ResourceExhausted, "OVERLOADED");
                shed += 1;
            }
            // The two that were let in waited for the lock, and gave up.
            other => drop(refused(other, Code::Aborted, "CONCURRENT_CHANGE")),
        }
    }
    assert!(
        (1..=6).contains(&shed),
        "there was room for two of eight, and {shed} were refused"
    );
    held.close().await.expect("a released lock");
    eventually(async || {
        by(&app, &user())
            .opportunities()
            .get_opportunity(get_request(&made.opportunity_id))
            .await
    })
    .await;
    app.finish::<Opportunities>().await;
}
