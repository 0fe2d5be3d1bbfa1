//! The database itself keeps accounts apart: what the service's role can reach is decided by row-level security.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
use cosell_testkit::harness::aws;
use cosell_types::Role;
use sqlx::Executor as _;

use crate::support::{ALDER, BIRCH, by, count, create, manager, record, start, stranger, submit, user};

#[tokio::test]
async fn acc_020_the_services_role_sees_one_account_and_nothing_without_one() {
    let app = start().await;
    let submitted = create(&app, &user(), record("Alder")).await.opportunity_id;
    create(&app, &manager(), record("Alder")).await;
    create(&app, &stranger(), record("Birch")).await;
    submit(&app, &user(), &submitted).await;

    for table in ["opportunity", "opportunity_revision"] {
        let revisions = i64::from(table == "opportunity_revision");
        for (scope, expected) in [
            (Some((ALDER, "partner")), 2 + revisions),
            (Some((BIRCH, "partner")), 1),
            (Some(("333333333333", "partner")), 0),
            (Some(("", "partner")), 0),
            (None, 0),
            // What was submitted.
            (Some(("999999999999", "aws")), 1),
        ] {
            let seen = app.database.visible("opportunity_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Opportunities>().await;
}

/// AWS sees the words of what was submitted, and of flags those of its own members.
#[tokio::test]
async fn acc_020_words_and_flags_are_kept_apart() {
    let app = start().await;
    let submitted = create(&app, &user(), record("Alder")).await.opportunity_id;
    create(&app, &manager(), record("Alder")).await;
    create(&app, &stranger(), record("Birch")).await;
    submit(&app, &user(), &submitted).await;
    let words = count(&app, "SELECT count(*) FROM opportunity_word").await / 3;
    assert!(words > 3, "{words} words in each of three records");
    for caller in [user(), manager(), aws("mem-reviewer", Role::Reviewer)] {
        let flag = pb::FlagOpportunityRequest {
            opportunity_id: submitted.clone(),
            flagged: Some(true),
            ..Default::default()
        };
        by(&app, &caller)
            .opportunities()
            .flag_opportunity(flag)
            .await
            .expect("a flag");
    }
    for (scope, seen_words, seen_flags) in [
        (Some((ALDER, "partner")), 2 * words, 2),
        (Some((BIRCH, "partner")), words, 0),
        (Some(("333333333333", "partner")), 0, 0),
        (Some(("999999999999", "aws")), words, 1),
        (Some(("999999999999", "partner")), 0, 0),
        (Some(("333333333333", "service")), 0, 0),
        (Some(("", "partner")), 0, 0),
        (None, 0, 0),
    ] {
        for (table, expected) in [("opportunity_word", seen_words), ("opportunity_flag", seen_flags)] {
            let seen = app.database.visible("opportunity_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_020_the_services_role_writes_for_one_account_and_rewrites_no_history() {
    let app = start().await;
    create(&app, &user(), record("Alder")).await;
    create(&app, &stranger(), record("Birch")).await;
    let account = ALDER.parse().expect("an account");
    let change = async |sql: &'static str| {
        let mut tx = app
            .pools
            .calls
            .tx(&Scope::account(&account))
            .await
            .expect("a transaction");
        tx.conn().execute(sql).await.map(|done| done.rows_affected())
    };
    assert_eq!(
        change("UPDATE opportunity SET stage = 'QUALIFIED'")
            .await
            .expect("rows"),
        1
    );
    assert_eq!(change("DELETE FROM opportunity").await.expect("rows"), 1);
    let given_away = change("UPDATE opportunity SET account_id = '222222222222'").await;
    assert!(
        given_away.is_err(),
        "a record must not be given to another account"
    );
    for forbidden in [
        "UPDATE opportunity_revision SET action = 'x'",
        "DELETE FROM opportunity_revision",
        "TRUNCATE opportunity_revision",
        "SELECT 1 FROM event_journal",
        "DELETE FROM event_journal",
        "SELECT 1 FROM relay_lease",
        "DROP TABLE opportunity",
        "SET row_security = off; SELECT 1 FROM opportunity",
    ] {
        assert!(change(forbidden).await.is_err(), "{forbidden} must be refused");
    }
    app.finish::<Opportunities>().await;
}

/// The worker's role goes over all accounts, but reaches no record of anybody.
#[tokio::test]
async fn acc_020_the_workers_role_sees_events_and_no_records() {
    let app = start().await;
    create(&app, &user(), record("Alder")).await;
    create(&app, &stranger(), record("Birch")).await;
    let read = async |sql: &'static str| {
        let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
        sqlx::query_scalar::<_, i64>(sql).fetch_one(tx.conn()).await
    };
    assert_eq!(
        read("SELECT count(*) FROM event_journal").await.expect("a count"),
        2
    );
    for table in [
        "SELECT count(*) FROM opportunity",
        "SELECT count(*) FROM opportunity_revision",
    ] {
        assert!(read(table).await.is_err(), "{table} must be refused");
    }
    app.finish::<Opportunities>().await;
}
