//! What became of travellers, down to each row: the disturbed ones must have left exactly what an undisturbed one did.

use cosell::StackInfo;
use sqlx::Row as _;

use crate::{Workload, World};

/// What a traveller left in the tables of all services, without what is its own.
const TRACES: &str = "
  SELECT 'revision ' || revision || ' ' || action || ' ' || review_status AS trace
    FROM opportunity.opportunity_revision WHERE opportunity_id = $1
  UNION ALL SELECT 'record at revision ' || revision || ' ' || review_status
    FROM opportunity.opportunity WHERE opportunity_id = $1
  UNION ALL SELECT 'case at revision ' || revision || ' ' || state || ' with ' ||
      (SELECT count(*) FROM review.submission WHERE review_case_id = review_case.review_case_id) || ' submissions'
    FROM review.review_case WHERE opportunity_id = $1
  UNION ALL SELECT 'notice ' || kind || ' to ' || member_id
    FROM notification.notification WHERE opportunity_id = $1
  UNION ALL SELECT 'mail ' || replace(subject, 'O' || $1, '<id>') || ' to ' || recipient || ' ' || state
    FROM notification.mail WHERE subject LIKE '%O' || $1 || '%'
  UNION ALL SELECT 'event ' || type || ' ' || aggregate_version
    FROM opportunity.event_journal WHERE aggregate_id = 'O' || $1
  ORDER BY 1";

async fn traces(world: &World, id: &str) -> Vec<String> {
    let number: i64 = id.trim_start_matches('O').parse().expect("an opportunity id");
    let mut admin = world.admin().await;
    let rows = sqlx::query(TRACES)
        .bind(number)
        .fetch_all(&mut admin)
        .await
        .expect("traces");
    rows.iter().map(|row| row.get("trace")).collect()
}

/// Waits until everything is at rest, sends one more traveller undisturbed, and compares.
pub async fn check(world: &World, info: &StackInfo, ids: &[String]) {
    world.settled().await;
    let undisturbed = Workload::start(info, 1).arrive().await;
    world.settled().await;
    let expected = traces(world, &undisturbed[0]).await;
    assert!(
        expected.len() > 20,
        "an undisturbed traveller left little: {expected:#?}"
    );
    for id in ids {
        assert_eq!(traces(world, id).await, expected, "{id}");
    }
}
