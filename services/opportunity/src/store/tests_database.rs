//! A database whose tables are all filled, for tests of query plans: 12,000 records of ten accounts, or
//! `COSELL_PLANS_RECORDS` records.

use clap::Parser as _;
use cosell_testkit::harness::TestDatabase;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::Opportunities;
use crate::domain::fixtures::in_status;
use crate::domain::values::{InvolvementType, ReviewStatus};

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
pub async fn filled_database() -> (TestDatabase, Vec<String>) {
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
    // Counts the scans of this session now.
    let flush = "SELECT pg_stat_force_next_flush()";
    admin.execute(flush).await.expect("written statistics");
    let tables = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'opportunity' AND column_name = 'account_id'",
    );
    let tables = tables.fetch_all(&mut admin).await.expect("tables");
    (database, tables)
}
