//! Records to read: copies of one opportunity that was created by a call, inserted by the administrator.

use cosell::demo::calls::create_opportunity;
use cosell_tests::{Installation, valid_opportunity};
use sqlx::{Connection as _, Executor as _, PgConnection};

/// The member that owns the records.
pub const OWNER: &str = "alder-ace-user";

/// Inserts opportunities with the ids 1 to `count`.
pub async fn insert(bench: &Installation, count: i64) -> anyhow::Result<()> {
    let client = bench.services.member(OWNER);
    let template = create_opportunity(&client, valid_opportunity()).await?;
    let template: i64 = template.opportunity_id.trim_start_matches('O').parse()?;
    let mut admin = PgConnection::connect(&bench.servers.postgres.admin_url("postgres")).await?;
    for statement in [
        "INSERT INTO opportunity.opportunity
         SELECT new.* FROM opportunity.opportunity AS old, generate_series(1, $1) AS n,
           LATERAL jsonb_populate_record(old, jsonb_build_object('opportunity_id', n,
             'partner_opportunity_identifier', 'CRM-' || n, 'partner_identifier_key', 'crm-' || n,
             'record', jsonb_set(old.record, '{id}', to_jsonb('O' || n)))) AS new
         WHERE old.opportunity_id = $2",
        "INSERT INTO opportunity.opportunity_word
         SELECT new.* FROM opportunity.opportunity_word AS old, generate_series(1, $1) AS n,
           LATERAL jsonb_populate_record(old, jsonb_build_object('opportunity_id', n)) AS new
         WHERE old.opportunity_id = $2",
        "INSERT INTO opportunity.opportunity_revision
         SELECT new.* FROM opportunity.opportunity_revision AS old, generate_series(1, $1) AS n,
           LATERAL jsonb_populate_record(old, jsonb_build_object('opportunity_id', n,
             'record', jsonb_set(old.record, '{id}', to_jsonb('O' || n)))) AS new
         WHERE old.opportunity_id = $2",
    ] {
        sqlx::query(statement)
            .bind(count)
            .bind(template)
            .execute(&mut admin)
            .await?;
    }
    admin.execute("VACUUM ANALYZE").await?;
    Ok(())
}
