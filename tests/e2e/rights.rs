//! Row-level security, tried out: what every role of every service does with rows of other accounts, for every side.

use cosell_tests::World;
use cosell_tests::isolation::tables;
use cosell_tests::repository::contexts;
use cosell_tests::scene::Scene;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::policies::of_services;
use crate::wider::WIDER;

/// An account that has nothing: what is there for it belongs to others.
const NOBODY: &str = "888888888888";

/// Whom a session says that it is there for: an account and a side, or nothing at all. A session that has stated
/// something once goes on with empty texts, and no longer with NULL.
const SCOPES: [Option<(&str, &str)>; 8] = [
    None,
    Some(("", "")),
    Some((NOBODY, "partner")),
    Some((NOBODY, "aws")),
    Some((NOBODY, "service")),
    Some((NOBODY, "system")),
    Some((NOBODY, "work")),
    Some((NOBODY, "-")),
];

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// No right, or not by row-level security.
    Denied,
    /// So many rows.
    Rows(u64),
    /// A constraint stopped it, which is asked after row-level security.
    Stopped,
}

/// Tries a statement and takes it back.
async fn attempt(connection: &mut PgConnection, scope: Option<(&str, &str)>, sql: &str) -> Outcome {
    let mut tx = connection.begin().await.expect("a transaction");
    if let Some((account, side)) = scope {
        sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
            .bind(account)
            .bind(side)
            .execute(&mut *tx)
            .await
            .expect("a scope");
    }
    let done = tx.execute(AssertSqlSafe(sql.to_owned())).await;
    tx.rollback().await.expect("an end");
    let error = match done {
        Ok(done) => return Outcome::Rows(done.rows_affected()),
        Err(error) => error,
    };
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        // insufficient_privilege, also for a row that no policy lets in.
        Some("42501") => Outcome::Denied,
        // integrity_constraint_violation
        Some(code) if code.starts_with("23") => Outcome::Stopped,
        _ => panic!("{sql}: {error}"),
    }
}

/// What is tried on a table as a role.
struct Attempts {
    reads: String,
    adds: String,
    /// Each in its own way: without reading any row, and to make it one's own.
    changes: Vec<String>,
    deletes: String,
}

impl Attempts {
    async fn new(admin: &mut PgConnection, table: &str, role: &str) -> Self {
        let sql =
            format!("SELECT quote_literal(to_jsonb(t)::text) FROM {table} t WHERE account_id <> '' LIMIT 1");
        let row: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *admin)
            .await
            .unwrap_or_else(|error| panic!("{table} has no row of others: {error}"));
        let row = format!("jsonb_populate_record(NULL::{table}, {row})");
        let sql = "SELECT attname::text, has_column_privilege($1, attrelid, attnum, 'INSERT'),
                     has_column_privilege($1, attrelid, attnum, 'UPDATE')
                   FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                   ORDER BY attnum";
        let found = sqlx::query(sql).bind(role).bind(table);
        let found = found.fetch_all(admin).await.expect("columns");
        // Where there is a right to some columns only, these are tried; where there is none, that is.
        let with = |right: usize| -> Vec<String> {
            let all = found.iter().map(|row| row.get::<String, _>(0));
            let granted = found.iter().filter(|row| row.get::<bool, _>(right));
            let granted: Vec<_> = granted.map(|row| row.get::<String, _>(0)).collect();
            if granted.is_empty() {
                all.collect()
            } else {
                granted
            }
        };
        let (added, changed) = (with(1).join(", "), with(2));
        let last = changed.last().expect("a column");
        Self {
            reads: format!("SELECT FROM {table}"),
            adds: format!("INSERT INTO {table} ({added}) SELECT {added} FROM {row}"),
            changes: vec![
                format!("UPDATE {table} SET {last} = ({row}).{last}"),
                format!("UPDATE {table} SET account_id = '{NOBODY}'"),
            ],
            deletes: format!("DELETE FROM {table}"),
        }
    }
}

/// Which rows of others a side may do something with as a role, as a condition.
fn meant(table: &str, role: &str, side: &str, what: &str) -> String {
    let policies = WIDER.iter().filter(|policy| {
        policy.role == role
            && policy.sides.split(' ').any(|of| of == side)
            && policy.lets.split(' ').any(|does| does == what)
            && of_services(policy.name)
                .iter()
                .any(|name| name.rsplit_once('.').is_some_and(|(of, _)| of == table))
    });
    let rows: Vec<_> = policies.map(|policy| policy.rows).collect();
    if rows.is_empty() {
        "false".to_owned()
    } else {
        rows.join(" OR ")
    }
}

/// Rows where nothing has happened that would leave some: an event of notification, one that was applied at the
/// directory, dead letters, and refusals of today and of long ago.
async fn further_rows(admin: &mut PgConnection, service: &str) {
    let rows = format!(
        "SET search_path = {service};
         INSERT INTO event_journal (account_id, occurred_at, event_id, seq, shard, aggregate_type, aggregate_id,
           aggregate_version, type, subject, headers, payload)
         VALUES ('{0}', now(), gen_random_uuid(), 0, 0, 'x', 'x', 1, 'x', 'x', '{{}}', '');
         INSERT INTO inbox (account_id, consumer, event_id) VALUES ('{0}', 'x', gen_random_uuid());
         INSERT INTO aggregate_cursor (account_id, consumer, aggregate_id, version) VALUES ('{0}', 'x', 'x', 1);
         INSERT INTO dead_letter (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject,
           headers, payload, error_class, error, attempts)
         VALUES ('{0}', 'x', gen_random_uuid(), 'x', 1, 'x', 'x', '{{}}', '', 'bug', 'x', 1);
         INSERT INTO denial (account_id, time, denial_id, actor, method, reason, subject, request_id)
         SELECT '{0}', now() - days * interval '1 day', gen_random_uuid(), 'x', 'x', 'x', '', ''
         FROM unnest(ARRAY[0, 399, 401]) AS days;
         RESET search_path",
        cosell::ALDER
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(rows));
    rows.execute(&mut *admin).await.expect("further rows");
    if service == "referral" {
        let rows = format!(
            "INSERT INTO referral.offer (account_id, referral_offer_id, sender_account_id, referral_id, revision, state, offer_time,
               expire_time, record)
             VALUES ('{0}', 'engi-0000000000001', '{NOBODY}', 'ref-0000000000001', 1, 'ACCEPTED', now(), now(), '{{}}');
             INSERT INTO referral.offer_deal VALUES ('{0}', 'engi-0000000000001', '');
             INSERT INTO referral.lead (account_id, lead_id, referral_offer_id, owner_member_id, revision, state, create_time,
               is_converted, record, details)
             VALUES ('{0}', 'lead-0000000000001', 'engi-0000000000001', 'x', 1, 'QUALIFIED', now(), true, '{{}}', '')",
            cosell::ALDER
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(rows));
        rows.execute(&mut *admin)
            .await
            .expect("an offer of somebody else, which was accepted, and a lead that was converted");
    }
    if service == "collaboration" {
        let rows = format!(
            "INSERT INTO collaboration.invitation (account_id, invitation_id, sender_account_id, engagement_id, revision,
               state, create_time, expire_time, record, is_limited)
             VALUES ('{0}', 'engi-a000000000001', '{NOBODY}', 'eng-a0000000000001', 1, 'PENDING', now(), now(), '{{}}', true);
             INSERT INTO collaboration.engagement (account_id, engagement_id, opportunity_id, revision, create_time,
               is_limited, record)
             VALUES ('{0}', 'eng-a0000000000001', 1, 1, now(), true, '{{}}');
             INSERT INTO collaboration.snapshot (account_id, engagement_id, opportunity_id, template, revision,
               create_time, source_revision, is_limited, payload)
             VALUES ('{0}', 'eng-a0000000000001', 1, 'OPPORTUNITY_SUMMARY', 1, now(), 1, true, '');
             INSERT INTO collaboration.snapshot_job (account_id, snapshot_job_id, engagement_id, opportunity_id, template, state,
               by_member_id, create_time, due_time, record)
             VALUES ('{0}', 'job-0000000000001', 'eng-a0000000000001', 1, 'OPPORTUNITY_SUMMARY', 'RUNNING', 'x', now(),
               now(), '{{}}')",
            cosell::ALDER
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(rows));
        rows.execute(&mut *admin)
            .await
            .expect("an invitation of somebody else, what is not for AWS, and a job that is to look");
    }
    if service == "opportunity" {
        let rows = format!(
            "INSERT INTO opportunity.opportunity_flag
             SELECT account_id, opportunity_id, '{NOBODY}', 'x', now() FROM opportunity.opportunity LIMIT 1;
             INSERT INTO opportunity.bulk_job
               (account_id, bulk_job_id, kind, state, member_id, request_id, plan, total, create_time, end_time)
             SELECT '{0}', 'bulkjob-' || lpad(days::text, 13, '0'), 'IMPORT', 'COMPLETED', 'x', 'x', '{{}}', 0, now(),
               now() - days * interval '1 day' FROM unnest(ARRAY[1, 31]) AS days;
             INSERT INTO opportunity.bulk_key
             SELECT '{0}', sha256(days::text::bytea), 1, now() - days * interval '1 day' FROM unnest(ARRAY[1, 31]) AS days",
            cosell::ALDER
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(rows));
        rows.execute(admin)
            .await
            .expect("rows of somebody else, and old ones");
    }
}

/// What each role sees, adds, changes and deletes of others, for each side, is what `WIDER` says and nothing else; and
/// nowhere for want of rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_every_role_does_for_each_side_what_it_is_for() {
    let world = World::start();
    let running = world.run().await;
    let scene = Scene::new(&world, running.channel(), &running.info);
    scene.neighbours().await;
    scene.records().await;
    // Nothing comes or goes any more.
    running.stop().await;
    let mut admin = world.admin().await;
    for service in contexts() {
        further_rows(&mut admin, &service).await;
    }
    let (mut wrong, mut tried, mut let_through) = (Vec::new(), 0, 0);
    for table in tables(&mut admin).await {
        let (service, _) = table.split_once('.').expect("a schema");
        for role in ["app", "worker", "owner"] {
            let name = format!("{service}_{role}");
            let attempts = Attempts::new(&mut admin, &table, &name).await;
            // A new session each time: the first scope is none, and has to be.
            let mut session = PgConnection::connect_with(&world.role(&name))
                .await
                .expect("a connection");
            for scope in SCOPES {
                let side = scope.map_or("", |(_, side)| side);
                for (what, statements) in [
                    ("reads", std::slice::from_ref(&attempts.reads)),
                    ("adds", std::slice::from_ref(&attempts.adds)),
                    ("changes", &attempts.changes),
                    ("deletes", std::slice::from_ref(&attempts.deletes)),
                ] {
                    let rows = meant(&table, role, side, what);
                    let sql = format!("SELECT count(*) FROM {table} WHERE {rows}");
                    let expected: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                        .fetch_one(&mut admin)
                        .await
                        .expect("a count");
                    let sql = format!("SELECT count(*) FROM {table} WHERE NOT ({rows})");
                    let others: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                        .fetch_one(&mut admin)
                        .await
                        .expect("a count");
                    // Nothing is held against nothing.
                    if (expected == 0 && rows != "false") || (others == 0 && rows != "true") {
                        wrong.push(format!(
                            "{table} has {expected} rows with {rows} and {others} without"
                        ));
                    }
                    for sql in statements {
                        let outcome = attempt(&mut session, scope, sql).await;
                        let is_right = match outcome {
                            Outcome::Denied => expected == 0,
                            Outcome::Rows(rows) => rows == expected.unsigned_abs(),
                            // No row was counted, so only whether any was let through is known. What is added is
                            // there already, and always stopped.
                            Outcome::Stopped => expected > 0,
                        };
                        if !is_right {
                            let sql: String = sql.chars().take(60).collect();
                            wrong.push(format!(
                                "{name} for {scope:?}: {sql}…: {outcome:?}, not {expected}"
                            ));
                        }
                        tried += 1;
                        let_through += usize::from(expected > 0);
                    }
                }
            }
            session.close().await.expect("an end");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried > 3000, "only {tried} attempts");
    assert!(
        let_through > 40,
        "only {let_through} of them are meant to go through"
    );
}
