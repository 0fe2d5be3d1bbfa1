//! Compares the rows that opportunities left in all services after injected faults with those of an undisturbed run.

use cosell::StackInfo;
use sqlx::Row as _;

use crate::{TestServers, Workload};

/// The rows of one opportunity in the tables of all services, without its id and other values of its own.
const EFFECTS: &str = "
  SELECT 'revision ' || revision || ' ' || action || ' ' || review_status AS effect
    FROM opportunity.opportunity_revision WHERE opportunity_id = $1
  UNION ALL SELECT 'opportunity at revision ' || revision || ' ' || review_status
    FROM opportunity.opportunity WHERE opportunity_id = $1
  UNION ALL SELECT 'case at revision ' || revision || ' ' || state || ' with ' ||
      (SELECT count(*) FROM review.submission WHERE review_case_id = review_case.review_case_id) || ' submissions'
    FROM review.review_case WHERE opportunity_id = $1
  UNION ALL SELECT 'notification ' || kind || ' to ' || member_id
    FROM notification.notification WHERE opportunity_id = $1
  UNION ALL SELECT 'mail ' || replace(subject, 'O' || $1, '<id>') || ' to ' || recipient || ' ' || state
    FROM notification.mail WHERE subject LIKE '%O' || $1 || '%'
  UNION ALL SELECT 'event ' || type || ' ' || aggregate_version
    FROM opportunity.event_journal WHERE aggregate_id = 'O' || $1
  ORDER BY 1";

async fn effects(servers: &TestServers, id: &str) -> Vec<String> {
    let number: i64 = id.trim_start_matches('O').parse().expect("an opportunity id");
    let mut admin = servers.admin().await;
    let rows = sqlx::query(EFFECTS)
        .bind(number)
        .fetch_all(&mut admin)
        .await
        .expect("effects");
    rows.iter().map(|row| row.get("effect")).collect()
}

/// Waits until all services are idle, runs one more opportunity undisturbed, and fails unless each opportunity of `ids`
/// left the same rows.
pub async fn assert_same_effects(servers: &TestServers, info: &StackInfo, ids: &[String]) {
    servers.wait_until_idle().await;
    let undisturbed = Workload::start(info, 1).finish().await;
    servers.wait_until_idle().await;
    let expected = effects(servers, &undisturbed[0]).await;
    assert!(
        expected.len() > 20,
        "the undisturbed opportunity left too few rows: {expected:#?}"
    );
    for id in ids {
        assert_eq!(effects(servers, id).await, expected, "{id}");
    }
}
