//! Row-level security (ACC-020): which rows the service's database roles read and write in each scope.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
use cosell_testkit::harness::aws;
use cosell_types::{OpportunityId, Role};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{
    ALDER, BIRCH, client_for, count, create, manager, record, start, submit, unrelated_member, user,
};

#[tokio::test]
async fn acc_020_app_role_reads_only_rows_of_the_scoped_account() {
    let app = start().await;
    let submitted = create(&app, &user(), record("Alder")).await.opportunity_id;
    create(&app, &manager(), record("Alder")).await;
    create(&app, &unrelated_member(), record("Birch")).await;
    submit(&app, &user(), &submitted).await;

    for table in ["opportunity", "opportunity_revision"] {
        let revisions = i64::from(table == "opportunity_revision");
        for (scope, expected) in [
            (Some((ALDER, "partner")), 2 + revisions),
            (Some((BIRCH, "partner")), 1),
            (Some(("333333333333", "partner")), 0),
            (Some(("", "partner")), 0),
            (None, 0),
            // AWS sees submitted records.
            (Some(("999999999999", "aws")), 1),
        ] {
            let visible = app.database.visible("opportunity_app", scope, table).await;
            assert_eq!(visible, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Opportunities>().await;
}

/// The function that reads a record sets the scope for its own statement only, and row-level security guards it also
/// without the condition of the application.
#[tokio::test]
async fn acc_020_reading_function_sees_only_rows_of_the_scoped_account() {
    let app = start().await;
    let draft = create(&app, &user(), record("Alder")).await.opportunity_id;
    let submitted = create(&app, &user(), record("Birch")).await.opportunity_id;
    submit(&app, &user(), &submitted).await;
    let options = app
        .database
        .args
        .connect_options("opportunity_app")
        .expect("options");
    let mut connection = PgConnection::connect_with(&options).await.expect("a connection");
    for (account, side, expected) in [
        (ALDER, "partner", [1, 1]),
        (BIRCH, "partner", [0, 0]),
        ("", "partner", [0, 0]),
        ("", "", [0, 0]),
        ("999999999999", "aws", [0, 1]),
        ("999999999999", "partner", [0, 0]),
    ] {
        for (id, expected) in [&draft, &submitted].into_iter().zip(expected) {
            let id: OpportunityId = id.parse().expect("an id");
            let read = "SELECT count(*) FROM read_opportunity($1, $2, NULL, $3, $1, 'm')";
            let read = sqlx::query_scalar::<_, i64>(read)
                .bind(account)
                .bind(side)
                .bind(id.number());
            let found = read.fetch_one(&mut connection).await.expect("a number");
            assert_eq!(found, expected, "{id} for {account} {side}");
            let all = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM opportunity");
            let visible = all.fetch_one(&mut connection).await.expect("a number");
            assert_eq!(
                visible, 0,
                "the scope of {account} {side} remains after the statement"
            );
        }
    }
    app.finish::<Opportunities>().await;
}

/// AWS sees the words of submitted records and the flags of its own members.
#[tokio::test]
async fn acc_020_words_and_flags_are_isolated_by_account_and_side() {
    let app = start().await;
    let submitted = create(&app, &user(), record("Alder")).await.opportunity_id;
    create(&app, &manager(), record("Alder")).await;
    create(&app, &unrelated_member(), record("Birch")).await;
    submit(&app, &user(), &submitted).await;
    let words = count(&app, "SELECT count(*) FROM opportunity_word").await / 3;
    assert!(words > 3, "only {words} words in each of three records");
    for caller in [user(), manager(), aws("mem-reviewer", Role::Reviewer)] {
        let flag = pb::FlagOpportunityRequest {
            opportunity_id: submitted.clone(),
            flagged: Some(true),
            ..Default::default()
        };
        client_for(&app, &caller)
            .opportunities()
            .flag_opportunity(flag)
            .await
            .expect("a flag");
    }
    for (scope, visible_words, visible_flags) in [
        (Some((ALDER, "partner")), 2 * words, 2),
        (Some((BIRCH, "partner")), words, 0),
        (Some(("333333333333", "partner")), 0, 0),
        (Some(("999999999999", "aws")), words, 1),
        (Some(("999999999999", "partner")), 0, 0),
        (Some(("333333333333", "service")), 0, 0),
        (Some(("", "partner")), 0, 0),
        (None, 0, 0),
    ] {
        for (table, expected) in [
            ("opportunity_word", visible_words),
            ("opportunity_flag", visible_flags),
        ] {
            let visible = app.database.visible("opportunity_app", scope, table).await;
            assert_eq!(visible, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_020_app_role_writes_one_account_and_cannot_change_history() {
    let app = start().await;
    create(&app, &user(), record("Alder")).await;
    create(&app, &unrelated_member(), record("Birch")).await;
    let account = ALDER.parse().expect("an account");
    let execute = async |sql: &'static str| {
        let mut tx = app
            .pools
            .calls
            .tx(&Scope::account(&account))
            .await
            .expect("a transaction");
        tx.conn().execute(sql).await.map(|done| done.rows_affected())
    };
    assert_eq!(
        execute("UPDATE opportunity SET stage = 'QUALIFIED'")
            .await
            .expect("rows"),
        1
    );
    assert_eq!(execute("DELETE FROM opportunity").await.expect("rows"), 1);
    let reassigned = execute("UPDATE opportunity SET account_id = '222222222222'").await;
    assert!(
        reassigned.is_err(),
        "a record must not be moved to another account"
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
        assert!(execute(forbidden).await.is_err(), "{forbidden} must be refused");
    }
    app.finish::<Opportunities>().await;
}

/// The worker's role reads events of all accounts but has no permission on records: it sees the ids of those without
/// comparison keys (PLT-016).
#[tokio::test]
async fn acc_020_worker_role_reads_events_but_no_records() {
    let app = start().await;
    create(&app, &user(), record("Alder")).await;
    create(&app, &unrelated_member(), record("Birch")).await;
    let query = async |sql: &'static str| {
        let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
        sqlx::query_scalar::<_, i64>(sql).fetch_one(tx.conn()).await
    };
    assert_eq!(
        query("SELECT count(*) FROM event_journal")
            .await
            .expect("a count"),
        2
    );
    let visible = query("SELECT count(opportunity_id) FROM opportunity").await;
    assert_eq!(visible.expect("a count"), 0, "all records have keys");
    for table in [
        "SELECT count(record) FROM opportunity",
        "SELECT count(company_name) FROM opportunity",
        "SELECT count(*) FROM opportunity_revision",
    ] {
        assert!(query(table).await.is_err(), "{table} must be refused");
    }
    app.finish::<Opportunities>().await;
}
