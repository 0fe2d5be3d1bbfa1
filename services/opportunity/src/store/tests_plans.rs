//! Query plans: no query of the service scans a table of all accounts sequentially. The plans are those of the
//! service's role on a database with many records (`tests_database.rs`).

use cosell_testkit::harness::TestDatabase;
use cosell_types::{AccountId, ClosedList as _, Member, Role, Side};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, QueryBuilder};

use super::list::{
    ListEntry, OpportunityFilter, PageRequest, QueryContext, SortKey, push_count_query, push_list_query,
};
use super::tests_database::filled_database;
use crate::domain::fixtures::{in_status, now};
use crate::domain::values::{InvolvementType, Origin, Preset, ReviewStatus, Stage};
use crate::domain::{Periods, search};

fn member(account: &str, side: Side, role: Role) -> Member {
    Member {
        id: "m7".parse().expect("a member"),
        account: account.parse().expect("an account"),
        side,
        roles: vec![role],
        sees_all_opportunities: false,
    }
}

fn members() -> [Member; 4] {
    [
        member("100000000003", Side::Partner, Role::AceManager),
        member("100000000003", Side::Partner, Role::AceUser),
        member("999999999999", Side::Aws, Role::Reviewer),
        member("999999999999", Side::Aws, Role::SalesRepresentative),
    ]
}

async fn connect_as_service(database: &TestDatabase) -> PgConnection {
    let options = database.args.connect_options("opportunity_app").expect("options");
    PgConnection::connect_with(&options).await.expect("a connection")
}

async fn set_scope(connection: &mut PgConnection, member: &Member) {
    let side = if member.side == Side::Aws {
        "aws"
    } else {
        "partner"
    };
    sqlx::query("SELECT set_config('app.account', $1, false), set_config('app.side', $2, false)")
        .bind(member.account.as_str())
        .bind(side)
        .execute(connection)
        .await
        .expect("a scope");
}

/// Collects the tables that a plan scans sequentially.
fn collect_sequential_scans(plan: &Value, tables: &[String], scanned: &mut Vec<String>) {
    match plan {
        Value::Array(parts) => parts
            .iter()
            .for_each(|part| collect_sequential_scans(part, tables, scanned)),
        Value::Object(node) => {
            let table = node
                .get("Relation Name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if node.get("Node Type").is_some_and(|kind| kind == "Seq Scan")
                && tables.iter().any(|known| known == table)
            {
                scanned.push(table.to_owned());
            }
            node.values()
                .for_each(|part| collect_sequential_scans(part, tables, scanned));
        }
        _ => {}
    }
}

const EXPLAIN: &str = "EXPLAIN (FORMAT JSON) ";

async fn fetch_plan(connection: &mut PgConnection, mut query: QueryBuilder<Postgres>) -> Value {
    let plan = query.build_query_scalar().fetch_one(connection).await;
    plan.expect("a plan")
}

/// Explains a query and describes its sequential scans, if any.
async fn check_plan(
    connection: &mut PgConnection,
    tables: &[String],
    name: &str,
    query: QueryBuilder<Postgres>,
) -> Option<String> {
    let plan = fetch_plan(connection, query).await;
    let mut scanned = Vec::new();
    collect_sequential_scans(&plan, tables, &mut scanned);
    (!scanned.is_empty()).then(|| format!("{name} scans {scanned:?} sequentially: {plan}"))
}

fn first_page(sort_key: SortKey, descending: bool) -> PageRequest {
    PageRequest {
        sort_key,
        descending,
        cursor: None,
        limit: 21,
    }
}

/// The filters of a list, with names.
fn named_filters() -> Vec<(String, OpportunityFilter)> {
    let empty = OpportunityFilter::default;
    let search_for = |text: &str| OpportunityFilter {
        search_terms: search::query_terms(text).into_iter().collect(),
        ..empty()
    };
    let mut all = vec![
        ("no filter".to_owned(), empty()),
        ("a search".to_owned(), search_for("w17")),
        ("a search with two terms".to_owned(), search_for("w17 w34")),
        ("a search that matches most records".to_owned(), search_for("w")),
        ("a search without matches".to_owned(), search_for("nothing")),
        (
            "company names".to_owned(),
            OpportunityFilter {
                company_keys: vec!["company 5".to_owned()],
                ..empty()
            },
        ),
        (
            "partner identifiers".to_owned(),
            OpportunityFilter {
                partner_identifier_keys: vec!["key 5".to_owned(), "key 6".to_owned()],
                ..empty()
            },
        ),
        (
            "owners and origins".to_owned(),
            OpportunityFilter {
                owners: vec!["m9".parse().expect("a member")],
                origins: vec![Origin::PartnerReferral],
                ..empty()
            },
        ),
        (
            "stages and statuses".to_owned(),
            OpportunityFilter {
                stages: vec![Stage::Committed],
                review_statuses: vec![ReviewStatus::Approved],
                ..empty()
            },
        ),
    ];
    all.extend(Preset::ALL.iter().map(|preset| {
        let filter = OpportunityFilter {
            preset: Some(*preset),
            ..empty()
        };
        (preset.name().to_owned(), filter)
    }));
    all
}

#[tokio::test]
async fn opp_060_063_064_065_list_and_count_queries_use_no_sequential_scan() {
    let (database, tables) = filled_database().await;
    let mut service = connect_as_service(&database).await;
    let periods = Periods::at(now());
    let mut slow_plans = Vec::new();
    for member in members() {
        set_scope(&mut service, &member).await;
        let query_context = QueryContext {
            member: &member,
            periods: &periods,
        };
        let role = member.roles[0];
        for key in [
            SortKey::UpdateTime,
            SortKey::Id,
            SortKey::CompanyName,
            SortKey::CreateTime,
            SortKey::TargetCloseDate,
        ] {
            let record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
            let middle = key.cursor(&ListEntry::new(record, "company 350".to_owned()));
            for (descending, cursor) in [(false, None), (true, None), (true, Some(middle))] {
                for (name, filter) in named_filters() {
                    let mut query = QueryBuilder::new(EXPLAIN);
                    let name =
                        format!("{name} by {key:?}, descending {descending}, after {cursor:?}, for {role}");
                    let cursor = cursor.clone();
                    push_list_query(
                        &mut query,
                        query_context,
                        &filter,
                        PageRequest {
                            cursor,
                            ..first_page(key, descending)
                        },
                    );
                    slow_plans.extend(check_plan(&mut service, &tables, &name, query).await);
                }
            }
        }
        if member.side == Side::Partner {
            let filter = OpportunityFilter {
                without_active_owner: true,
                ..OpportunityFilter::default()
            };
            let mut query = QueryBuilder::new(EXPLAIN);
            push_list_query(
                &mut query,
                query_context,
                &filter,
                first_page(SortKey::UpdateTime, true),
            );
            slow_plans.extend(check_plan(&mut service, &tables, "without active owner", query).await);
        }
        let mut query = QueryBuilder::new(EXPLAIN);
        push_count_query(&mut query, query_context, Preset::ALL);
        slow_plans.extend(check_plan(&mut service, &tables, &format!("the counts for {role}"), query).await);
    }
    assert!(
        slow_plans.is_empty(),
        "{} plans with sequential scans, such as {}",
        slow_plans.len(),
        slow_plans[0]
    );
}

/// The word index serves rare words, although row-level security filters the rows of the word table.
#[tokio::test]
async fn opp_064_search_plan_starts_from_the_word_index() {
    let (database, _) = filled_database().await;
    let mut service = connect_as_service(&database).await;
    let periods = Periods::at(now());
    for member in members() {
        set_scope(&mut service, &member).await;
        let query_context = QueryContext {
            member: &member,
            periods: &periods,
        };
        let filter = OpportunityFilter {
            search_terms: vec!["zebra".to_owned()],
            ..OpportunityFilter::default()
        };
        let mut query = QueryBuilder::new(EXPLAIN);
        push_list_query(
            &mut query,
            query_context,
            &filter,
            first_page(SortKey::UpdateTime, true),
        );
        let plan = fetch_plan(&mut service, query).await.to_string();
        assert!(
            plan.contains("\"opportunity_word_of_"),
            "{:?}: {plan}",
            member.roles
        );
    }
}

/// Folders with the `.sqlx` descriptions of compile-time checked queries: this service and the shared crates it uses.
const QUERY_FOLDERS: [&str; 4] = [
    "services/opportunity",
    "shared/events",
    "shared/members",
    "shared/store",
];

/// The beginning of the `republish` query, which may read the whole journal.
const REPUBLISH: &str =
    "INSERT INTO outbox_pending (seq, occurred_at, shard, aggregate_id)\n         SELECT seq";

/// All compile-time checked queries, with the types of their parameters.
fn checked_queries() -> Vec<(String, Vec<String>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut all = Vec::new();
    for folder in QUERY_FOLDERS {
        let files = std::fs::read_dir(format!("{root}/{folder}/.sqlx")).expect("the queries");
        let before = all.len();
        for file in files {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("a query");
            let description: Value = serde_json::from_str(&text).expect("a description");
            let types = description["describe"]["parameters"]["Left"]
                .as_array()
                .expect("types");
            let types = types.iter().map(|kind| {
                let kind = kind.as_str().expect("a database type").to_lowercase();
                kind.strip_suffix("array")
                    .map_or(kind.clone(), |of| format!("{of}[]"))
            });
            let sql = description["query"].as_str().expect("a query").to_owned();
            all.push((sql, types.collect()));
        }
        assert!(all.len() > before, "no queries in {folder}");
    }
    all
}

async fn prepare_queries(
    database: &TestDatabase,
    role: &str,
    queries: &[(String, Vec<String>)],
) -> PgConnection {
    let options = database.args.connect_options(role).expect("options");
    let mut connection = PgConnection::connect_with(&options).await.expect("a connection");
    let plans = "SET plan_cache_mode = force_generic_plan; SET app.side = 'work'";
    connection.execute(plans).await.expect("generic plans");
    for (number, (sql, types)) in queries.iter().enumerate() {
        let types = if types.is_empty() {
            String::new()
        } else {
            format!("({})", types.join(", "))
        };
        let prepare = format!("PREPARE q{number} {types} AS {sql}");
        connection
            .execute(AssertSqlSafe(prepare))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    connection
}

/// Generic plans are used, so the result does not depend on parameters. Queries that the service's role has no
/// permission for are explained with the worker's role.
#[tokio::test]
async fn opp_060_checked_queries_use_no_sequential_scan() {
    let (database, tables) = filled_database().await;
    let mut queries = checked_queries();
    queries.retain(|(sql, _)| !sql.starts_with(REPUBLISH));
    let mut service = prepare_queries(&database, "opportunity_app", &queries).await;
    let mut worker = prepare_queries(&database, "opportunity_worker", &queries).await;
    let (mut slow_plans, mut worker_queries) = (Vec::new(), 0);
    for (number, (sql, types)) in queries.iter().enumerate() {
        let nulls = vec!["NULL"; types.len()].join(", ");
        let arguments = if types.is_empty() {
            String::new()
        } else {
            format!("({nulls})")
        };
        let query = || QueryBuilder::new(format!("{EXPLAIN}EXECUTE q{number} {arguments}"));
        let result: Result<Value, _> = query().build_query_scalar().fetch_one(&mut service).await;
        if result.is_err_and(|error| is_permission_denied(&error)) {
            worker_queries += 1;
            slow_plans.extend(check_plan(&mut worker, &tables, sql, query()).await);
            continue;
        }
        for member in members() {
            set_scope(&mut service, &member).await;
            slow_plans.extend(check_plan(&mut service, &tables, sql, query()).await);
        }
    }
    assert!(
        worker_queries > 5,
        "only {worker_queries} of {} queries run as the worker",
        queries.len()
    );
    let slow_plans: Vec<_> = slow_plans
        .iter()
        .map(|plan| &plan[..plan.len().min(700)])
        .collect();
    assert!(
        slow_plans.is_empty(),
        "{} plans with sequential scans: {slow_plans:#?}",
        slow_plans.len()
    );
}

/// The plans of statements within a function are not shown, but the scans of a table are counted.
#[tokio::test]
async fn opp_060_function_uses_no_sequential_scan() {
    let (database, _) = filled_database().await;
    let mut service = connect_as_service(&database).await;
    let scans = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'opportunity%'";
    let flush = "SELECT pg_stat_force_next_flush()";
    let before: i64 = sqlx::query_scalar(scans)
        .fetch_one(&mut service)
        .await
        .expect("a number");
    for member in members() {
        let side = if member.side == Side::Aws {
            "aws"
        } else {
            "partner"
        };
        let read = "SELECT count(*) FROM read_opportunity($1, $2, $3, 3, $1, $4)";
        // More often than PostgreSQL makes plans for single values.
        for _ in 0..8 {
            let found: i64 = sqlx::query_scalar(read)
                .bind(member.account.as_str())
                .bind(side)
                .bind(member.own_account().map(AccountId::as_str))
                .bind(member.id.as_str())
                .fetch_one(&mut service)
                .await
                .expect("a number");
            assert_eq!(found, 1, "the record is visible to {member:?}");
        }
    }
    service.execute(flush).await.expect("written statistics");
    let after: i64 = sqlx::query_scalar(scans)
        .fetch_one(&mut service)
        .await
        .expect("a number");
    assert_eq!(after - before, 0, "the function scans a table sequentially");
}

fn is_permission_denied(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("42501"))
}
