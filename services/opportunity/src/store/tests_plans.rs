//! No query reads a table of all accounts from end to end: plans of the service's role over records of ten accounts. There
//! are twelve thousand of them, or as many as `COSELL_PLANS_RECORDS` says: with a million it takes some minutes.

use clap::Parser as _;
use cosell_testkit::harness::TestDatabase;
use cosell_types::{ClosedList as _, Member, Role, Side};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, QueryBuilder};

use super::list::{Asked, Filter, Key, Page, counting, listing};
use crate::Opportunities;
use crate::domain::fixtures::{in_status, now};
use crate::domain::values::{InvolvementType, Origin, Preset, ReviewStatus, Stage};
use crate::domain::{Periods, search};

/// Records, their words, flags and revisions, and three thousand members. Every partition of the journal has a fifth of
/// the events, on any day of the month: one with few rows is rightly read from end to end.
const FILL: [&str; 21] = [
    "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
       review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date, create_time,
       update_time, submit_time, record)
     SELECT '10000000000' || n % 10, n, 2, 'm' || n / 10 % 50, 'm' || n / 10 % 40, 'm' || n / 10 % 30,
       (ARRAY['PENDING_SUBMISSION', 'SUBMITTED', 'IN_REVIEW', 'ACTION_REQUIRED', 'APPROVED', 'REJECTED'])[1 + n % 6],
       (ARRAY['PROSPECT', 'QUALIFIED', 'COMMITTED', 'LAUNCHED', 'CLOSED_LOST'])[1 + n % 5],
       CASE WHEN n % 7 = 0 THEN 'LIMITED' ELSE 'FULL' END, 'Company ' || n % 700, 'key ' || n,
       date '2026-01-01' + n % 300, t, t + interval '1 hour', t, $1::jsonb
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

/// How large the tables are.
#[derive(clap::Parser)]
struct Size {
    /// Records.
    #[arg(long, env = "COSELL_PLANS_RECORDS", default_value_t = 12_000)]
    records: i64,
}

/// The database, and its tables with rows of accounts.
async fn filled() -> (TestDatabase, Vec<String>) {
    let database = TestDatabase::new::<Opportunities>().await;
    let mut admin = database.admin::<Opportunities>().await;
    let record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let record = serde_json::to_value(record).expect("a record");
    let size = Size::parse_from(["plans"]);
    for statement in FILL {
        let statement = statement.replace("12000", &size.records.to_string());
        sqlx::query(AssertSqlSafe(statement))
            .bind(&record)
            .execute(&mut admin)
            .await
            .expect("rows");
    }
    // The planner goes by statistics, and reads indexes alone where the rows are known to be visible.
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

async fn as_service(database: &TestDatabase) -> PgConnection {
    let options = database.args.connect_options("opportunity_app").expect("options");
    PgConnection::connect_with(&options).await.expect("a connection")
}

async fn scope(connection: &mut PgConnection, member: &Member) {
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

/// Tables that a plan reads from end to end.
fn read_whole(plan: &Value, tables: &[String], found: &mut Vec<String>) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|part| read_whole(part, tables, found)),
        Value::Object(node) => {
            let table = node
                .get("Relation Name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if node.get("Node Type").is_some_and(|kind| kind == "Seq Scan")
                && tables.iter().any(|known| known == table)
            {
                found.push(table.to_owned());
            }
            node.values().for_each(|part| read_whole(part, tables, found));
        }
        _ => {}
    }
}

const EXPLAIN: &str = "EXPLAIN (FORMAT JSON) ";

async fn plan(connection: &mut PgConnection, mut query: QueryBuilder<Postgres>) -> Value {
    let plan = query.build_query_scalar().fetch_one(connection).await;
    plan.expect("a plan")
}

/// Explains a query; says what is wrong with it.
async fn explain(
    connection: &mut PgConnection,
    tables: &[String],
    name: &str,
    query: QueryBuilder<Postgres>,
) -> Option<String> {
    let plan = plan(connection, query).await;
    let mut found = Vec::new();
    read_whole(&plan, tables, &mut found);
    (!found.is_empty()).then(|| format!("{name} reads all of {found:?}: {plan}"))
}

fn page(key: Key, descending: bool) -> Page {
    Page {
        key,
        descending,
        last: None,
        limit: 21,
    }
}

/// Every condition that a list can have, by name.
fn filters() -> Vec<(String, Filter)> {
    let none = Filter::default;
    let searching = |text: &str| Filter {
        words: search::words(text).into_iter().collect(),
        ..none()
    };
    let mut all = vec![
        ("everything".to_owned(), none()),
        ("a search".to_owned(), searching("w17")),
        ("a search of two words".to_owned(), searching("w17 w34")),
        ("a search of what most records have".to_owned(), searching("w")),
        ("a search of what none has".to_owned(), searching("nothing")),
        (
            "company names".to_owned(),
            Filter {
                company_names: vec!["Company 5".to_owned()],
                ..none()
            },
        ),
        (
            "owners and origins".to_owned(),
            Filter {
                owners: vec!["m9".parse().expect("a member")],
                origins: vec![Origin::PartnerReferral],
                ..none()
            },
        ),
        (
            "stages and statuses".to_owned(),
            Filter {
                stages: vec![Stage::Committed],
                review_statuses: vec![ReviewStatus::Approved],
                ..none()
            },
        ),
    ];
    all.extend(Preset::ALL.iter().map(|preset| {
        let filter = Filter {
            preset: Some(*preset),
            ..none()
        };
        (preset.name().to_owned(), filter)
    }));
    all
}

#[tokio::test]
async fn opp_060_063_064_065_no_list_and_no_count_reads_all_accounts() {
    let (database, tables) = filled().await;
    let mut service = as_service(&database).await;
    let periods = Periods::at(now());
    let mut wrong = Vec::new();
    for member in members() {
        scope(&mut service, &member).await;
        let asked = Asked {
            by: &member,
            periods: &periods,
        };
        let role = member.roles[0];
        for key in [
            Key::UpdateTime,
            Key::Id,
            Key::CompanyName,
            Key::CreateTime,
            Key::TargetCloseDate,
        ] {
            let middle = key.last(
                &member,
                &in_status(ReviewStatus::Approved, InvolvementType::CoSell),
            );
            for (descending, last) in [(false, None), (true, None), (true, Some(middle))] {
                for (name, filter) in filters() {
                    let mut query = QueryBuilder::new(EXPLAIN);
                    let name =
                        format!("{name} by {key:?}, descending {descending}, after {last:?}, for {role}");
                    let last = last.clone();
                    listing(
                        &mut query,
                        asked,
                        &filter,
                        Page {
                            last,
                            ..page(key, descending)
                        },
                    );
                    wrong.extend(explain(&mut service, &tables, &name, query).await);
                }
            }
        }
        if member.side == Side::Partner {
            let filter = Filter {
                without_active_owner: true,
                ..Filter::default()
            };
            let mut query = QueryBuilder::new(EXPLAIN);
            listing(&mut query, asked, &filter, page(Key::UpdateTime, true));
            wrong.extend(explain(&mut service, &tables, "without active owner", query).await);
        }
        let mut query = QueryBuilder::new(EXPLAIN);
        counting(&mut query, asked, Preset::ALL);
        wrong.extend(explain(&mut service, &tables, &format!("the counts for {role}"), query).await);
    }
    assert!(wrong.is_empty(), "{} plans, such as {}", wrong.len(), wrong[0]);
}

/// Rare words are looked up, although row-level security stands before the words.
#[tokio::test]
async fn opp_064_a_search_begins_with_the_words() {
    let (database, _) = filled().await;
    let mut service = as_service(&database).await;
    let periods = Periods::at(now());
    for member in members() {
        scope(&mut service, &member).await;
        let asked = Asked {
            by: &member,
            periods: &periods,
        };
        let filter = Filter {
            words: vec!["zebra".to_owned()],
            ..Filter::default()
        };
        let mut query = QueryBuilder::new(EXPLAIN);
        listing(&mut query, asked, &filter, page(Key::UpdateTime, true));
        let plan = plan(&mut service, query).await.to_string();
        assert!(
            plan.contains("\"opportunity_word_of_"),
            "{:?}: {plan}",
            member.roles
        );
    }
}

/// Where the queries are described that the compiler checked: of this service, and of what it shares with others.
const DESCRIBED: [&str; 4] = [
    "services/opportunity",
    "shared/events",
    "shared/members",
    "shared/store",
];

/// How the query begins by which an operator has the journal published again, all of it if wished.
const REPUBLISH: &str =
    "INSERT INTO outbox_pending (seq, occurred_at, shard, aggregate_id)\n         SELECT seq";

/// Every query that the compiler checked, with the types of its parameters.
fn checked() -> Vec<(String, Vec<String>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut all = Vec::new();
    for folder in DESCRIBED {
        let files = std::fs::read_dir(format!("{root}/{folder}/.sqlx")).expect("the queries");
        let before = all.len();
        for file in files {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("a query");
            let described: Value = serde_json::from_str(&text).expect("a description");
            let types = described["describe"]["parameters"]["Left"]
                .as_array()
                .expect("types");
            let types = types.iter().map(|kind| {
                let kind = kind.as_str().expect("a type of the database").to_lowercase();
                kind.strip_suffix("array")
                    .map_or(kind.clone(), |of| format!("{of}[]"))
            });
            let sql = described["query"].as_str().expect("a query").to_owned();
            all.push((sql, types.collect()));
        }
        assert!(all.len() > before, "no queries in {folder}");
    }
    all
}

async fn prepared(database: &TestDatabase, role: &str, queries: &[(String, Vec<String>)]) -> PgConnection {
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

/// With plans for any parameters. What the service's role may not do is for the worker's.
#[tokio::test]
async fn opp_060_no_other_query_reads_all_accounts() {
    let (database, tables) = filled().await;
    let mut queries = checked();
    queries.retain(|(sql, _)| !sql.starts_with(REPUBLISH));
    let mut service = prepared(&database, "opportunity_app", &queries).await;
    let mut worker = prepared(&database, "opportunity_worker", &queries).await;
    let (mut wrong, mut of_worker) = (Vec::new(), 0);
    for (number, (sql, types)) in queries.iter().enumerate() {
        let nothing = vec!["NULL"; types.len()].join(", ");
        let arguments = if types.is_empty() {
            String::new()
        } else {
            format!("({nothing})")
        };
        let query = || QueryBuilder::new(format!("{EXPLAIN}EXECUTE q{number} {arguments}"));
        let may: Result<Value, _> = query().build_query_scalar().fetch_one(&mut service).await;
        if may.is_err_and(|error| is_forbidden(&error)) {
            of_worker += 1;
            wrong.extend(explain(&mut worker, &tables, sql, query()).await);
            continue;
        }
        for member in members() {
            scope(&mut service, &member).await;
            wrong.extend(explain(&mut service, &tables, sql, query()).await);
        }
    }
    assert!(of_worker > 5, "{of_worker} of {} queries", queries.len());
    let wrong: Vec<_> = wrong.iter().map(|plan| &plan[..plan.len().min(700)]).collect();
    assert!(wrong.is_empty(), "{} plans: {wrong:#?}", wrong.len());
}

fn is_forbidden(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("42501"))
}
