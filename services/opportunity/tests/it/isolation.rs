//! The database itself keeps accounts apart: what the service's role can reach is decided by row-level security.

use cosell_opportunity::Opportunities;
use cosell_store::Scope;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{ALDER, BIRCH, create, manager, record, start, stranger, submit, user};

async fn visible(connection: &mut PgConnection, account: &str, side: &str, table: &'static str) -> i64 {
    let mut tx = connection.begin().await.expect("a transaction");
    sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
        .bind(account)
        .bind(side)
        .execute(&mut *tx)
        .await
        .expect("a scope");
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql)
        .fetch_one(&mut *tx)
        .await
        .expect("a count")
}

#[tokio::test]
async fn acc_020_the_services_role_sees_one_account_and_nothing_without_one() {
    let app = start().await;
    let submitted = create(&app, &user(), record("Alder")).await.opportunity_id;
    create(&app, &manager(), record("Alder")).await;
    create(&app, &stranger(), record("Birch")).await;
    submit(&app, &user(), &submitted).await;

    let options = app
        .database
        .args
        .connect_options("opportunity_app")
        .expect("options");
    let mut connection = PgConnection::connect_with(&options)
        .await
        .expect("a connection as the service");
    for table in ["opportunity", "opportunity_revision"] {
        let revisions = i64::from(table == "opportunity_revision");
        assert_eq!(
            visible(&mut connection, ALDER, "partner", table).await,
            2 + revisions,
            "{table}"
        );
        assert_eq!(
            visible(&mut connection, BIRCH, "partner", table).await,
            1,
            "{table}"
        );
        assert_eq!(
            visible(&mut connection, "333333333333", "partner", table).await,
            0,
            "{table}"
        );
        assert_eq!(
            visible(&mut connection, "", "partner", table).await,
            0,
            "{table} without an account"
        );
        assert_eq!(
            visible(&mut connection, "999999999999", "aws", table).await,
            1,
            "{table}: what was submitted"
        );
        let unscoped: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut connection)
            .await
            .expect("a count");
        assert_eq!(unscoped, 0, "{table} outside any scope");
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
