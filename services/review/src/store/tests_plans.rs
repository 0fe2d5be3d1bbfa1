//! Query plans of the review queue: a page is a range of an index, without a sort, also in the middle of the queue. The
//! plans are those of the service's role on a database with 60,000 cases, of which a few wait for a decision.

use cosell_testkit::harness::TestDatabase;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, QueryBuilder};

use super::list::{CaseFilter, PageCursor, push_list_query};
use crate::Reviews;

const INSERT: &str = "
    INSERT INTO review_case (account_id, review_case_id, opportunity_id, revision, state, assignee_member_id,
      submit_time, record)
    SELECT '10000000000' || n % 10, 'rc-' || lpad(n::text, 13, '0'), n, 1,
      CASE WHEN n % 40 = 0 THEN (ARRAY['SUBMITTED', 'IN_REVIEW'])[1 + n / 40 % 2]
        ELSE (ARRAY['ACTION_REQUIRED', 'APPROVED', 'REJECTED', 'WITHDRAWN'])[1 + n % 4] END,
      'm' || n % 50, timestamptz '2026-02-01 00:00Z' + n * interval '18 seconds', '{}'
    FROM generate_series(1, 60000) AS n";

/// The types of the nodes of a plan, and the indexes that it scans.
fn collect(plan: &Value, nodes: &mut Vec<String>, indexes: &mut Vec<String>) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, nodes, indexes)),
        Value::Object(node) => {
            let text = |key: &str| node.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
            nodes.extend(text("Node Type"));
            indexes.extend(text("Index Name"));
            node.values().for_each(|part| collect(part, nodes, indexes));
        }
        _ => {}
    }
}

#[tokio::test]
async fn rev_020_page_of_the_queue_is_read_from_its_index_without_a_sort() {
    let database = TestDatabase::new::<Reviews>().await;
    let mut admin = database.admin::<Reviews>().await;
    admin.execute(INSERT).await.expect("cases");
    admin
        .execute("VACUUM ANALYZE review_case")
        .await
        .expect("statistics");
    let options = database.args.connect_options("review_app").expect("options");
    let mut service = PgConnection::connect_with(&options).await.expect("a connection");
    service
        .execute(
            "SELECT set_config('app.account', '999999999999', false), set_config('app.side', 'aws', false)",
        )
        .await
        .expect("a scope");
    for (descending, index) in [(false, "review_queue_oldest"), (true, "review_queue_newest")] {
        for is_waiting in [None, Some(true), Some(false)] {
            let cursor = is_waiting.map(|is_waiting| {
                let last = json!([is_waiting, "2026-02-05T00:00:00Z", "rc-0000000019200"]);
                serde_json::from_value::<PageCursor>(last).expect("a cursor")
            });
            let mut query = QueryBuilder::new("EXPLAIN (FORMAT JSON) ");
            push_list_query(&mut query, &CaseFilter::default(), descending, cursor, 21);
            let plan: Value = query
                .build_query_scalar()
                .fetch_one(&mut service)
                .await
                .expect("a plan");
            let (mut nodes, mut indexes) = (Vec::new(), Vec::new());
            collect(&plan, &mut nodes, &mut indexes);
            assert_eq!(indexes, [index], "after {is_waiting:?}: {plan}");
            assert!(!nodes.iter().any(|node| node.ends_with("Sort")), "{plan}");
            // The page starts at the cursor, and reads none of the rows before it.
            let has_condition = plan.to_string().contains("Index Cond");
            assert_eq!(has_condition, is_waiting.is_some(), "{plan}");
        }
    }
}
