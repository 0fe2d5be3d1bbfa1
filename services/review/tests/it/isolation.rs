//! The database itself keeps partners out: nothing here is theirs to see.

use cosell_review::Reviews;
use sqlx::{Connection as _, PgConnection};

use crate::support::{ALDER, BIRCH, start, submit};

#[tokio::test]
async fn acc_020_partners_see_no_case_not_even_of_their_own_account() {
    let (app, far) = start().await;
    submit(&app, &far, ALDER, "O7").await;
    submit(&app, &far, BIRCH, "O8").await;
    let options = app.database.args.connect_options("review_app").expect("options");
    let mut connection = PgConnection::connect_with(&options)
        .await
        .expect("a connection as the service");
    for table in ["review_case", "submission"] {
        for (account, side, expected) in [
            (ALDER, "partner", 0),
            ("", "partner", 0),
            ("", "", 0),
            ("999999999999", "aws", 2),
            ("", "service", 2),
            (ALDER, "system", 1),
            ("", "system", 0),
        ] {
            let mut tx = connection.begin().await.expect("a transaction");
            sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
                .bind(account)
                .bind(side)
                .execute(&mut *tx)
                .await
                .expect("a scope");
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let seen: i64 = sqlx::query_scalar(sql)
                .fetch_one(&mut *tx)
                .await
                .expect("a count");
            assert_eq!(seen, expected, "{table} for {account:?} on side {side:?}");
        }
    }
    app.finish::<Reviews>().await;
}
