//! Row-level security at runtime: executes statements on rows of other accounts as every role of every service, for
//! every side.

use cosell_tests::TestServers;
use cosell_tests::isolation::account_tables;
use cosell_tests::repository::contexts;
use cosell_tests::scenario::Scenario;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::cross_account_policies::CROSS_ACCOUNT_POLICIES;
use crate::policies::expand_services;

/// An account without rows: all rows that a session of it reads belong to others.
const EMPTY_ACCOUNT: &str = "888888888888";

/// The account and side that a session sets, or none. After a session has set them once, they are reset to empty
/// strings instead of NULL.
const SCOPES: [Option<(&str, &str)>; 9] = [
    None,
    Some(("", "")),
    Some((EMPTY_ACCOUNT, "partner")),
    Some((EMPTY_ACCOUNT, "aws")),
    Some((EMPTY_ACCOUNT, "service")),
    Some((EMPTY_ACCOUNT, "system")),
    Some((EMPTY_ACCOUNT, "consumer")),
    Some((EMPTY_ACCOUNT, "work")),
    Some((EMPTY_ACCOUNT, "-")),
];

/// The result of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// A missing privilege, or a violation of a policy.
    Denied,
    /// The number of affected rows.
    Rows(u64),
    /// A violation of a constraint, which PostgreSQL checks after row-level security.
    ConstraintViolated,
}

/// Executes a statement and rolls it back.
async fn execute(connection: &mut PgConnection, scope: Option<(&str, &str)>, sql: &str) -> Outcome {
    let mut tx = connection.begin().await.expect("a transaction");
    if let Some((account, side)) = scope {
        sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
            .bind(account)
            .bind(side)
            .execute(&mut *tx)
            .await
            .expect("a scope");
    }
    let result = tx.execute(AssertSqlSafe(sql.to_owned())).await;
    tx.rollback().await.expect("an end");
    let error = match result {
        Ok(result) => return Outcome::Rows(result.rows_affected()),
        Err(error) => error,
    };
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        // insufficient_privilege, also for a row that violates a policy.
        Some("42501") => Outcome::Denied,
        // integrity_constraint_violation
        Some(code) if code.starts_with("23") => Outcome::ConstraintViolated,
        _ => panic!("{sql}: {error}"),
    }
}

/// The statements that a role executes on a table.
struct Statements {
    select: String,
    insert: String,
    /// One that reads no row, and one that moves rows to the session's account.
    updates: Vec<String>,
    delete: String,
}

impl Statements {
    async fn new(admin: &mut PgConnection, table: &str, role: &str) -> Self {
        let sql =
            format!("SELECT quote_literal(to_jsonb(t)::text) FROM {table} t WHERE account_id <> '' LIMIT 1");
        let row: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *admin)
            .await
            .unwrap_or_else(|error| panic!("{table} has no row of another account: {error}"));
        let row = format!("jsonb_populate_record(NULL::{table}, {row})");
        let sql = "SELECT attname::text, has_column_privilege($1, attrelid, attnum, 'INSERT'),
                     has_column_privilege($1, attrelid, attnum, 'UPDATE')
                   FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                   ORDER BY attnum";
        let found = sqlx::query(sql).bind(role).bind(table);
        let found = found.fetch_all(admin).await.expect("columns");
        // The columns that the role has the privilege for, or all columns if it has none.
        let columns_with = |privilege: usize| -> Vec<String> {
            let all = found.iter().map(|row| row.get::<String, _>(0));
            let granted = found.iter().filter(|row| row.get::<bool, _>(privilege));
            let granted: Vec<_> = granted.map(|row| row.get::<String, _>(0)).collect();
            if granted.is_empty() {
                all.collect()
            } else {
                granted
            }
        };
        let (insertable, updatable) = (columns_with(1).join(", "), columns_with(2));
        let last = updatable.last().expect("a column");
        Self {
            select: format!("SELECT FROM {table}"),
            insert: format!("INSERT INTO {table} ({insertable}) SELECT {insertable} FROM {row}"),
            updates: vec![
                format!("UPDATE {table} SET {last} = ({row}).{last}"),
                format!("UPDATE {table} SET account_id = '{EMPTY_ACCOUNT}'"),
            ],
            delete: format!("DELETE FROM {table}"),
        }
    }
}

/// The condition for the rows of other accounts on which a role may execute an operation for a side.
fn permitted_rows(table: &str, role: &str, side: &str, operation: &str) -> String {
    // The role of consumers is a member of the app role.
    let has_role = |of: &str| of == role || (role == "consumer" && of == "app");
    let policies = CROSS_ACCOUNT_POLICIES.iter().filter(|policy| {
        has_role(policy.role)
            && policy.sides.split(' ').any(|permitted| permitted == side)
            && policy
                .operations
                .split(' ')
                .any(|permitted| permitted == operation)
            && expand_services(policy.name)
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

/// Inserts rows into tables that the scenario leaves empty: an event of notification, an applied event at the
/// directory, dead letters, and recent and old denials.
async fn insert_further_rows(admin: &mut PgConnection, service: &str) {
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
             VALUES ('{0}', 'engi-0000000000001', '{EMPTY_ACCOUNT}', 'ref-0000000000001', 1, 'ACCEPTED', now(), now(), '{{}}');
             INSERT INTO referral.offer_deal VALUES ('{0}', 'engi-0000000000001', '');
             INSERT INTO referral.lead (account_id, lead_id, referral_offer_id, owner_member_id, revision, state, create_time,
               is_converted, record, details)
             VALUES ('{0}', 'lead-0000000000001', 'engi-0000000000001', 'x', 1, 'QUALIFIED', now(), true, '{{}}', '')",
            cosell::ALDER
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(rows));
        rows.execute(&mut *admin)
            .await
            .expect("an accepted offer of another account, and a converted lead");
    }
    if service == "collaboration" {
        let rows = format!(
            "INSERT INTO collaboration.invitation (account_id, invitation_id, sender_account_id, engagement_id, revision,
               state, create_time, expire_time, record, is_limited)
             VALUES ('{0}', 'engi-a000000000001', '{EMPTY_ACCOUNT}', 'eng-a0000000000001', 1, 'PENDING', now(), now(), '{{}}', true);
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
            .expect("an invitation of another account, limited rows, and a due snapshot job");
    }
    if service == "opportunity" {
        let rows = format!(
            "INSERT INTO opportunity.opportunity_flag
             SELECT account_id, opportunity_id, '{EMPTY_ACCOUNT}', 'x', now() FROM opportunity.opportunity LIMIT 1;
             UPDATE opportunity.opportunity SET keyed_revision = NULL WHERE (account_id, opportunity_id) IN (
               SELECT account_id, opportunity_id FROM opportunity.opportunity LIMIT 2);
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
            .expect("rows of another account, old rows, and rows without comparison keys");
    } else if service == "partner" {
        let sql = "UPDATE partner.profile SET keyed_text = NULL WHERE account_id IN (
                     SELECT account_id FROM partner.profile ORDER BY visibility LIMIT 2)";
        let rows = sqlx::raw_sql(sql).execute(admin).await;
        rows.expect("profiles without comparison keys");
    }
}

/// Each role selects, inserts, updates and deletes exactly those rows of other accounts that [`CROSS_ACCOUNT_POLICIES`]
/// permits for its side. No check passes merely because rows are missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_role_and_side_access_only_permitted_rows_of_other_accounts() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    scenario.provision_partners().await;
    scenario.create_records().await;
    // From here on, no row changes.
    running.stop().await;
    let mut admin = servers.admin().await;
    for service in contexts() {
        insert_further_rows(&mut admin, &service).await;
    }
    let (mut violations, mut executed, mut permitted) = (Vec::new(), 0, 0);
    for table in account_tables(&mut admin).await {
        let (service, _) = table.split_once('.').expect("a schema");
        for role in ["app", "consumer", "worker", "owner"] {
            let name = format!("{service}_{role}");
            let statements = Statements::new(&mut admin, &table, &name).await;
            // A new session each time: the first scope must be unset.
            let mut session = PgConnection::connect_with(&servers.role_options(&name))
                .await
                .expect("a connection");
            for scope in SCOPES {
                let side = scope.map_or("", |(_, side)| side);
                for (operation, statements) in [
                    ("select", std::slice::from_ref(&statements.select)),
                    ("insert", std::slice::from_ref(&statements.insert)),
                    ("update", &statements.updates),
                    ("delete", std::slice::from_ref(&statements.delete)),
                ] {
                    let rows = permitted_rows(&table, role, side, operation);
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
                    // Both permitted and forbidden rows must exist, or the check proves nothing.
                    if (expected == 0 && rows != "false") || (others == 0 && rows != "true") {
                        violations.push(format!(
                            "{table} has {expected} rows with {rows} and {others} without"
                        ));
                    }
                    for sql in statements {
                        let outcome = execute(&mut session, scope, sql).await;
                        let is_valid = match outcome {
                            Outcome::Denied => expected == 0,
                            Outcome::Rows(rows) => rows == expected.unsigned_abs(),
                            // The number of rows is unknown, only that at least one passed the policies. Inserted rows
                            // exist already and always violate a constraint.
                            Outcome::ConstraintViolated => expected > 0,
                        };
                        if !is_valid {
                            let sql: String = sql.chars().take(60).collect();
                            violations.push(format!(
                                "{name} for {scope:?}: {sql}…: {outcome:?}, not {expected}"
                            ));
                        }
                        executed += 1;
                        permitted += usize::from(expected > 0);
                    }
                }
            }
            session.close().await.expect("a closed session");
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(executed > 3000, "only {executed} statements");
    assert!(permitted > 40, "only {permitted} statements are permitted");
}
