//! Covers which events of the opportunity context make snapshot jobs due (COL-041).

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::eventually;

use crate::snapshots::{get_newest_snapshot, wait_for_snapshot};
use crate::support::{ALDER, BIRCH, OPPORTUNITY_ID, Scenario};

/// Waits until the newest snapshot of the AWS summary has the given revision.
async fn wait_for_aws_snapshot(scenario: &Scenario, engagement: &str, revision: i64) {
    let template = pb::SnapshotTemplate::AwsOpportunitySummary;
    eventually(async || {
        let snapshot = get_newest_snapshot(scenario, ALDER, engagement, template).await;
        let snapshot = snapshot.map_err(|status| status.message().to_owned())?;
        if snapshot.revision == revision {
            Ok(())
        } else {
            Err(format!("revision {}", snapshot.revision))
        }
    })
    .await;
}

/// Changes the AWS summary, of which the fake opportunity service has one for all records.
fn close_at_aws(scenario: &Scenario, stage: opportunity::AwsStage, revision: i64) {
    let mut summary = scenario.summary.lock().expect("the summary");
    summary.revision = revision;
    summary.life_cycle.get_or_insert_default().stage = stage.into();
}

#[tokio::test]
async fn col_041_closure_by_aws_makes_job_of_aws_summary_due() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    wait_for_aws_snapshot(&scenario, &id, 1).await;
    let aggregate = format!("aws-{OPPORTUNITY_ID}");
    close_at_aws(&scenario, opportunity::AwsStage::Committed, 1);
    let changed = opportunity::OpportunityAwsSummaryChanged {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, &aggregate, 1, &changed)
        .await;
    wait_for_aws_snapshot(&scenario, &id, 2).await;
    close_at_aws(&scenario, opportunity::AwsStage::Launched, 2);
    let closed = opportunity::OpportunityClosedByAws {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 2,
        stage: opportunity::AwsStage::Launched.into(),
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, &aggregate, 2, &closed)
        .await;
    wait_for_aws_snapshot(&scenario, &id, 3).await;
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_041_correction_of_closed_opportunity_makes_jobs_due() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    {
        let mut records = scenario.records.lock().expect("records");
        records[0].revision += 1;
        let life_cycle = records[0].life_cycle.get_or_insert_default();
        life_cycle.stage = opportunity::Stage::Launched.into();
        life_cycle.target_close_date.get_or_insert_default().day = 1;
    }
    let corrected = opportunity::OpportunityClosureCorrected {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        changed_fields: vec!["life_cycle.target_close_date".to_owned()],
        stage: opportunity::Stage::Launched.into(),
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, OPPORTUNITY_ID, 1, &corrected)
        .await;
    wait_for_snapshot(&scenario, BIRCH, &id, 2).await;
    scenario.app.finish::<Collaboration>().await;
}
