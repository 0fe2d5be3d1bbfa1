//! Query plans: no query of the service scans a table of all accounts sequentially. The plans are those of the
//! service's role on a database with 12,000 records of ten accounts, or with `COSELL_PLANS_RECORDS` records; a million
//! takes some minutes.

use clap::Parser as _;
use cosell_testkit::harness::TestDatabase;
use cosell_types::{ClosedList as _, Member, Role, Side};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, QueryBuilder};

use super::list::{
    ListEntry, OpportunityFilter, PageRequest, QueryContext, SortKey, push_count_query, push_list_query,
};
use crate::Opportunities;
use crate::domain::fixtures::{in_status, now};
use crate::domain::values::{InvolvementType, Origin, Preset, ReviewStatus, Stage};
use crate::domain::{Periods, search};

/// Fills each table with rows of accounts. Each partition of the journal gets a fifth of the events, spread over the
/// month: the planner rightly scans a partition with few rows sequentially.
const INSERTS: [&str; 21] = [
    "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
       review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date, create_time,
       update_time, submit_time, record, company_key, partner_identifier_key, keyed_revision)
     SELECT '10000000000' || n % 10, n, 2, 'm' || n / 10 % 50, 'm' || n / 10 % 40, 'm' || n / 10 % 30,
       (ARRAY['PENDING_SUBMISSION', 'SUBMITTED', 'IN_REVIEW', 'ACTION_REQUIRED', 'APPROVED', 'REJECTED'])[1 + n % 6],
       (ARRAY['PROSPECT', 'QUALIFIED', 'COMMITTED', 'LAUNCHED', 'CLOSED_LOST'])[1 + n % 5],
       CASE WHEN n % 7 = 0 THEN 'LIMITED' ELSE 'FULL' END, 'Company ' || n % 700, 'key ' || n,
       date '2026-01-01' + n % 300, t, t + interval '1 hour', t, $1::jsonb,
       'company ' || n % 700, 'key ' || n, 2
     FROM generate_series(1, 12000) AS n,
       LATERAL (SELECT timestamptz '2026-02-01 00:00Z' + n * interval '3 minutes') AS at (t)",
    "INSERT INTO opportunity_revision
       (account_id, opportunity_id, revision, time, actor, action, changed_fields, review_status, record)
     SELECT account_id, opportunity_id, n, update_time, created_by, 'updated', '{}', review_status, record
     FROM opportunity, generate_series(1, 2) AS n WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO opportunity_word (account_id, opportunity_id, word, shown_to_aws)
     SELECT account_id, opportunity_id, 'w' || opportunity_id * n % 1999, review_status <> 'PENDING_SUBMISSION'
     FROM opportunity, generate_series(1, 8) AS n WHERE $1::jsonb IS NOT NULL ON CONFLICT DO NOTHING",
    "INSERT INTO opportunity_word (account_id, opportunity_id, word, shown_to_aws)
     SELECT account_id, opportunity_id, 'zebra', review_status <> 'PENDING_SUBMISSION'
     FROM opportunity WHERE opportunity_id % 4000 = 1 AND $1::jsonb IS NOT NULL",
    "INSERT INTO opportunity_flag (account_id, opportunity_id, member_account_id, member_id, time)
     SELECT account_id, opportunity_id, of, 'm' || opportunity_id / 10 % 50, create_time
     FROM opportunity, LATERAL (VALUES (account_id), ('999999999999')) AS members (of) WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO directory_member (account_id, member_id, revision, is_active, roles)
     SELECT '10000000000' || n % 10, 'm' || n / 10, 1, n % 3 > 0, '{ACE_USER}'
     FROM generate_series(1, 3000) AS n WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO directory_account (account_id, revision, side, is_active, terms_accepted)
     SELECT (200000000000 + n)::text, 1, 'PARTNER', true, true
     FROM generate_series(1, 3000) AS n WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO aws_summary (account_id, opportunity_id, revision, stage, update_time, summary)
     SELECT account_id, opportunity_id, 1, 'PROSPECT', update_time, $1::jsonb FROM opportunity",
    "INSERT INTO aws_summary_revision
       (account_id, opportunity_id, revision, time, actor, changed_fields, summary)
     SELECT account_id, opportunity_id, 1, update_time, 'm1', '{}', $1::jsonb FROM opportunity",
    "INSERT INTO solution (account_id, solution_id, name, status, category, marketplace_solution, create_time)
     SELECT '10000000000' || n % 10, 'S-' || n, 'Solution ' || n, 'ACTIVE', 'Software Product', '', now()
     FROM generate_series(1, 5000) AS n WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO subsidiary (account_id, other_account_id, connection_id, is_active)
     SELECT '10000000000' || n % 10, (200000000000 + n)::text, 'pac-' || n, true
     FROM generate_series(1, 5000) AS n WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO opportunity_copy (account_id, opportunity_id, copy_account_id, copy_opportunity_id)
     SELECT account_id, opportunity_id, '200000000001', 1000000 + opportunity_id FROM opportunity WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO bulk_job (account_id, bulk_job_id, kind, state, member_id, request_id, plan, total, create_time, end_time)
     SELECT '10000000000' || n % 10, 'bulkjob-' || lpad(n::text, 13, '0'), 'IMPORT', CASE WHEN n < 20 THEN 'RUNNING' ELSE 'COMPLETED' END,
       'm' || n % 50, 'x', $1::jsonb, 4, now(), now() FROM generate_series(1, 4000) AS n",
    "INSERT INTO bulk_row (account_id, bulk_job_id, number, content, result)
     SELECT account_id, bulk_job_id, n, $1::jsonb, (ARRAY['CREATED', 'FAILED', NULL])[1 + n % 3]
     FROM bulk_job, generate_series(1, 4) AS n",
    "INSERT INTO bulk_key (account_id, row_hash, opportunity_id, time)
     SELECT account_id, sha256(opportunity_id::text::bytea), opportunity_id, now() FROM opportunity
     WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO request (account_id, actor, request_id, method, fingerprint, resource, create_time)
     SELECT account_id, 'm1', gen_random_uuid(), 'x', '', 'x', now() - opportunity_id * interval '1 minute' FROM opportunity
     WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO event_journal (account_id, occurred_at, event_id, seq, shard, aggregate_type, aggregate_id,
       aggregate_version, type, subject, headers, payload)
     SELECT account_id, date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
         + (opportunity_id % 5 - 1) * interval '1 month' + opportunity_id % 27 * interval '1 day', gen_random_uuid(),
       opportunity_id, opportunity_id % 16, 'x', opportunity_id::text, 1, 'x', 'x', '{}', '' FROM opportunity
     WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO inbox (account_id, consumer, event_id, received_at)
     SELECT account_id, 'x', event_id, now() - seq * interval '1 minute' FROM event_journal WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO aggregate_cursor (account_id, consumer, aggregate_id, version, parked)
     SELECT account_id, 'x', aggregate_id, 1, seq % 500 = 0 FROM event_journal WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO dead_letter (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject, headers,
       payload, error_class, error, attempts, parked_at, resolved_at)
     SELECT account_id, 'x', event_id, aggregate_id, 1, 'x', 'x', '{}', '', 'bug', 'x', 1, now(),
       CASE WHEN seq % 500 > 0 THEN now() END FROM event_journal WHERE $1::jsonb IS NOT NULL",
    "INSERT INTO denial (account_id, time, denial_id, actor, method, reason, subject, request_id)
     SELECT account_id, now() - seq * interval '1 hour', event_id, 'x', 'x', 'x', 'x', 'x' FROM event_journal
     WHERE $1::jsonb IS NOT NULL",
];

#[derive(clap::Parser)]
struct TableSize {
    /// Number of records in `opportunity`.
    #[arg(long, env = "COSELL_PLANS_RECORDS", default_value_t = 12_000)]
    records: i64,
}

/// Returns a filled database and the names of its tables that have rows of accounts.
async fn filled_database() -> (TestDatabase, Vec<String>) {
    let database = TestDatabase::new::<Opportunities>().await;
    let mut admin = database.admin::<Opportunities>().await;
    let record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let record = serde_json::to_value(record).expect("a record");
    let size = TableSize::parse_from(["plans"]);
    for statement in INSERTS {
        let statement = statement.replace("12000", &size.records.to_string());
        sqlx::query(AssertSqlSafe(statement))
            .bind(&record)
            .execute(&mut admin)
            .await
            .expect("rows");
    }
    // The planner needs statistics, and uses index-only scans only where the visibility map is set.
    admin.execute("VACUUM ANALYZE").await.expect("statistics");
    let tables = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'opportunity' AND column_name = 'account_id'",
    );
    let tables = tables.fetch_all(&mut admin).await.expect("tables");
    (database, tables)
}

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

fn is_permission_denied(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("42501"))
}
