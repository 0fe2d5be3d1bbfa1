//! Records to read: copies of one opportunity that was created by a call, inserted by the administrator.

use cosell::demo::calls::create_opportunity;
use cosell_tests::{Installation, valid_opportunity};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The member that owns the records.
pub const OWNER: &str = "alder-ace-user";

/// Inserts opportunities with the ids 1 to `count`.
pub async fn insert(bench: &Installation, count: i64) -> anyhow::Result<()> {
    let client = bench.services.member(OWNER);
    let template = create_opportunity(&client, valid_opportunity()).await?;
    let template: i64 = template.opportunity_id.trim_start_matches('O').parse()?;
    let mut admin = PgConnection::connect(&bench.servers.postgres.admin_url("postgres")).await?;
    for (table, changes) in [
        (
            "opportunity",
            "'partner_opportunity_identifier', 'CRM-' || n, 'partner_identifier_key', 'crm-' || n,
             'record', jsonb_set(old.record, '{id}', to_jsonb('O' || n))",
        ),
        ("opportunity_word", "'account_id', old.account_id"),
        (
            "opportunity_revision",
            "'record', jsonb_set(old.record, '{id}', to_jsonb('O' || n))",
        ),
    ] {
        let columns: String = sqlx::query_scalar(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
             WHERE attrelid = ('opportunity.' || $1)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        )
        .bind(table)
        .fetch_one(&mut admin)
        .await?;
        let statement = AssertSqlSafe(format!(
            "INSERT INTO opportunity.{table} ({columns})
             SELECT {columns} FROM (
               SELECT new.* FROM opportunity.{table} AS old, generate_series(1, $1) AS n,
                 LATERAL jsonb_populate_record(old, jsonb_build_object('opportunity_id', n, {changes})) AS new
               WHERE old.opportunity_id = $2) AS copies"
        ));
        sqlx::query(statement)
            .bind(count)
            .bind(template)
            .execute(&mut admin)
            .await?;
    }
    admin.execute("VACUUM ANALYZE").await?;
    Ok(())
}
