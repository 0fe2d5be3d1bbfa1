//! Covers snapshots and snapshot jobs: what members of an engagement read of each other's opportunities (COL-001,
//! COL-040 to COL-042).

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::resource_snapshot::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::eventually;
use prost::Message as _;

use crate::support::{
    ALDER, BIRCH, CEDAR, HIDDEN, OPPORTUNITY_ID, Scenario, alliance_lead, parse_refusal, request_id, sales,
};

pub async fn get_newest_snapshot(
    scenario: &Scenario,
    account: &str,
    engagement: &str,
    template: pb::SnapshotTemplate,
) -> Result<pb::ResourceSnapshot, tonic::Status> {
    let request = pb::GetResourceSnapshotRequest {
        engagement_id: engagement.to_owned(),
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        template: template.into(),
        revision: None,
    };
    let response = scenario
        .snapshot_client(&alliance_lead(account))
        .get_resource_snapshot(request)
        .await?;
    Ok(response.into_inner().resource_snapshot.expect("a snapshot"))
}

/// Waits until the newest snapshot of the opportunity has the given revision.
pub async fn wait_for_snapshot(
    scenario: &Scenario,
    account: &str,
    engagement: &str,
    revision: i64,
) -> pb::ResourceSnapshot {
    eventually(async || {
        let snapshot = get_newest_snapshot(
            scenario,
            account,
            engagement,
            pb::SnapshotTemplate::OpportunitySummary,
        )
        .await;
        let snapshot = snapshot.map_err(|status| status.message().to_owned())?;
        if snapshot.revision == revision {
            Ok(snapshot)
        } else {
            Err(format!("revision {}", snapshot.revision))
        }
    })
    .await
}

/// Changes Alder's record, and publishes the event.
async fn update_record(
    scenario: &Scenario,
    revision: i64,
    apply: impl FnOnce(&mut opportunity::Opportunity),
) {
    {
        let mut records = scenario.records.lock().expect("records");
        records[0].revision = revision + 4;
        apply(&mut records[0]);
    }
    let event = opportunity::OpportunityUpdated {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, OPPORTUNITY_ID, revision, &event)
        .await;
}

async fn list_jobs(scenario: &Scenario) -> Vec<pb::SnapshotJob> {
    let request = pb::ListSnapshotJobsRequest::default();
    let response = scenario
        .snapshot_client(&alliance_lead(ALDER))
        .list_snapshot_jobs(request)
        .await;
    response.expect("a list").into_inner().snapshot_jobs
}

#[tokio::test]
async fn col_040_members_read_summary_and_only_owner_reads_aws_summary() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    let snapshot = wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    assert_eq!(
        (snapshot.owner_account_id.as_str(), snapshot.source_revision),
        (ALDER, 5)
    );
    let Some(Payload::Opportunity(summary)) = &snapshot.payload else {
        panic!("{snapshot:?}");
    };
    let project = summary.project.clone().expect("a project");
    assert_eq!(project.title, "Data platform");
    assert_eq!(
        summary.life_cycle.clone().expect("a life cycle").next_steps,
        HIDDEN[5],
        "next steps are part of the summary"
    );
    // The customer's contacts and AWS account, and Alder's own comments, are not part of the summary.
    let bytes = snapshot.encode_to_vec();
    for hidden in [HIDDEN[1], HIDDEN[2], HIDDEN[4]] {
        assert!(
            !bytes
                .windows(hidden.len())
                .any(|window| window == hidden.as_bytes()),
            "{hidden}"
        );
    }
    let aws = pb::SnapshotTemplate::AwsOpportunitySummary;
    eventually(async || {
        get_newest_snapshot(&scenario, ALDER, &id, aws)
            .await
            .map_err(|status| status.message().to_owned())
    })
    .await;
    let hidden = get_newest_snapshot(&scenario, BIRCH, &id, aws)
        .await
        .expect_err("a refusal for the other member");
    assert_eq!(parse_refusal(&hidden).reason, "SNAPSHOT_NOT_FOUND");
    let not_member =
        get_newest_snapshot(&scenario, CEDAR, &id, pb::SnapshotTemplate::OpportunitySummary).await;
    assert_eq!(
        parse_refusal(&not_member.expect_err("a refusal for a non-member")).reason,
        "SNAPSHOT_NOT_FOUND"
    );
    let request = pb::ListEngagementResourcesRequest {
        engagement_id: id.clone(),
        ..Default::default()
    };
    for (caller, expected) in [(alliance_lead(ALDER), 2), (alliance_lead(BIRCH), 1), (sales(), 2)] {
        let listed = scenario
            .snapshot_client(&caller)
            .list_engagement_resources(request.clone())
            .await;
        let listed = listed.expect("a list").into_inner().resource_snapshots;
        assert_eq!(listed.len(), expected, "{caller:?}");
        assert!(listed.iter().all(|snapshot| snapshot.payload.is_none()));
    }
    // An invisible engagement and a nonexistent one are refused in the same way.
    let nonexistent = "eng-a0000000000000";
    for (caller, id) in [
        (alliance_lead(CEDAR), id.as_str()),
        (alliance_lead(ALDER), nonexistent),
        (sales(), nonexistent),
    ] {
        let resources = pb::ListEngagementResourcesRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let snapshots = pb::ListResourceSnapshotsRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let mut client = scenario.snapshot_client(&caller);
        let listed = client.list_engagement_resources(resources).await;
        assert_eq!(
            parse_refusal(&listed.expect_err("an invisible engagement")).reason,
            "ENGAGEMENT_NOT_FOUND"
        );
        let listed = client.list_resource_snapshots(snapshots).await;
        assert_eq!(
            parse_refusal(&listed.expect_err("an invisible engagement")).reason,
            "ENGAGEMENT_NOT_FOUND"
        );
    }
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_041_snapshot_is_created_only_after_relevant_change() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    // A change outside the summary creates no snapshot.
    update_record(&scenario, 1, |record| {
        record.owner_member_id = "mem-new-owner".to_owned()
    })
    .await;
    update_record(&scenario, 2, |record| {
        record.project.get_or_insert_default().title = "Data lake".to_owned();
    })
    .await;
    let second = wait_for_snapshot(&scenario, BIRCH, &id, 2).await;
    let Some(Payload::Opportunity(summary)) = second.payload else {
        panic!("no payload");
    };
    assert_eq!(summary.project.expect("a project").title, "Data lake");
    let first = pb::GetResourceSnapshotRequest {
        engagement_id: id.clone(),
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: Some(1),
    };
    let first = scenario
        .snapshot_client(&alliance_lead(BIRCH))
        .get_resource_snapshot(first)
        .await;
    let Some(Payload::Opportunity(summary)) = first
        .expect("the first snapshot")
        .into_inner()
        .resource_snapshot
        .expect("a resource snapshot")
        .payload
    else {
        panic!("no payload");
    };
    assert_eq!(
        summary.project.expect("a project").title,
        "Data platform",
        "a snapshot must not change"
    );
    assert_eq!(
        scenario.event_count(ALDER, "resource_snapshot_created").await,
        3,
        "two snapshots of the record and one of the AWS summary must be published"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_041_snapshot_jobs_are_stopped_started_and_deleted() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    let summary = pb::SnapshotTemplate::OpportunitySummary;
    let all_jobs = list_jobs(&scenario).await;
    assert_eq!(all_jobs.len(), 2);
    let job = all_jobs
        .iter()
        .find(|job| job.template() == summary)
        .expect("a job")
        .clone();
    assert!(job.last_success_time.is_some());
    let mut client = scenario.snapshot_client(&alliance_lead(ALDER));
    let stop = pb::StopSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        etag: job.etag.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    client
        .stop_snapshot_job(stop.clone())
        .await
        .expect("a stopped job");
    client
        .stop_snapshot_job(stop.clone())
        .await
        .expect("a repeated request");
    let stop_again = pb::StopSnapshotJobRequest {
        request_id: String::new(),
        etag: String::new(),
        ..stop
    };
    assert_eq!(
        parse_refusal(
            &client
                .stop_snapshot_job(stop_again)
                .await
                .expect_err("a stopped job")
        )
        .reason,
        "ILLEGAL_TRANSITION"
    );
    update_record(&scenario, 1, |record| {
        record.project.get_or_insert_default().title = "Data lake".to_owned();
    })
    .await;
    let start = pb::StartSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        ..Default::default()
    };
    let delete = pb::DeleteSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        ..Default::default()
    };
    client.start_snapshot_job(start).await.expect("a started job");
    wait_for_snapshot(&scenario, BIRCH, &id, 2).await;
    let refusal = client.delete_snapshot_job(delete.clone()).await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a running job")).reason,
        "ILLEGAL_TRANSITION"
    );
    let create = pb::CreateSnapshotJobRequest {
        engagement_id: id.clone(),
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        template: summary.into(),
        ..Default::default()
    };
    let duplicate = client.create_snapshot_job(create.clone()).await;
    assert_eq!(
        parse_refusal(&duplicate.expect_err("an existing job")).reason,
        "SNAPSHOT_JOB_EXISTS"
    );
    let stop = pb::StopSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        ..Default::default()
    };
    client.stop_snapshot_job(stop).await.expect("a stopped job");
    client
        .delete_snapshot_job(delete.clone())
        .await
        .expect("a deleted job");
    assert_eq!(
        parse_refusal(
            &client
                .delete_snapshot_job(delete)
                .await
                .expect_err("a deleted job")
        )
        .reason,
        "SNAPSHOT_JOB_NOT_FOUND"
    );
    wait_for_snapshot(&scenario, BIRCH, &id, 2).await;
    client
        .create_snapshot_job(create.clone())
        .await
        .expect("a new job");
    let other_account = scenario
        .snapshot_client(&alliance_lead(BIRCH))
        .create_snapshot_job(create)
        .await;
    assert_eq!(
        parse_refusal(&other_account.expect_err("a refusal for the other member")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    let request = pb::GetSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id,
    };
    let other_account = scenario
        .snapshot_client(&alliance_lead(BIRCH))
        .get_snapshot_job(request)
        .await;
    assert_eq!(
        parse_refusal(&other_account.expect_err("a refusal for the other member")).reason,
        "SNAPSHOT_JOB_NOT_FOUND"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_042_former_member_keeps_old_snapshots_and_gets_no_new_ones() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH, CEDAR]).await;
    wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    let leave = pb::LeaveEngagementRequest {
        engagement_id: id.clone(),
        ..Default::default()
    };
    scenario
        .client(&alliance_lead(BIRCH))
        .leave_engagement(leave)
        .await
        .expect("a departure");
    scenario.app.clock.advance(TimeDelta::seconds(1));
    update_record(&scenario, 1, |record| {
        record.project.get_or_insert_default().title = "Data lake".to_owned();
    })
    .await;
    wait_for_snapshot(&scenario, CEDAR, &id, 2).await;
    assert_eq!(wait_for_snapshot(&scenario, BIRCH, &id, 1).await.revision, 1);
    scenario.app.finish::<Collaboration>().await;
}

/// Waits until Alder's snapshot job has run after the current time.
async fn wait_for_job_run(scenario: &Scenario) {
    let now = scenario.app.clock.now();
    eventually(async || {
        let all_jobs = list_jobs(scenario).await;
        let is_later = |job: &pb::SnapshotJob| {
            job.last_success_time
                .is_some_and(|time| time.seconds >= now.timestamp())
        };
        match all_jobs
            .iter()
            .find(|job| job.template() == pb::SnapshotTemplate::OpportunitySummary)
        {
            Some(job) if is_later(job) => Ok(()),
            job => Err(format!("{job:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn col_001_national_security_opportunity_creates_no_snapshots() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    wait_for_snapshot(&scenario, BIRCH, &id, 1).await;
    for (revision, is_classified, title) in [(1, true, "Mallard"), (2, false, "Data lake")] {
        scenario.app.clock.advance(TimeDelta::seconds(2));
        update_record(&scenario, revision, |record| {
            record.national_security = Some(is_classified);
            record.project.get_or_insert_default().title = title.to_owned();
        })
        .await;
        wait_for_job_run(&scenario).await;
    }
    let Some(Payload::Opportunity(summary)) = wait_for_snapshot(&scenario, BIRCH, &id, 2).await.payload
    else {
        panic!("not an opportunity summary")
    };
    assert_eq!(summary.project.expect("a project").title, "Data lake");
    scenario.app.finish::<Collaboration>().await;
}

/// A member that rejoins contributes a new opportunity; its former one is no longer shared.
#[tokio::test]
async fn col_042_rejoined_member_shares_its_new_opportunity_only() {
    let scenario = Scenario::start().await;
    let mut copies = Vec::new();
    let mut engagement = String::new();
    for revision in [1, 2] {
        let shared = scenario.share(&[BIRCH]).await;
        engagement = shared.engagement.expect("an engagement").engagement_id;
        let accepted = scenario
            .accept_invitation(&shared.engagement_invitations[0])
            .await;
        copies.push(accepted.opportunity_id);
        if revision == 1 {
            let leave = pb::LeaveEngagementRequest {
                engagement_id: engagement.clone(),
                ..Default::default()
            };
            let left = scenario
                .client(&alliance_lead(BIRCH))
                .leave_engagement(leave)
                .await;
            left.expect("a departure");
        }
    }
    for copy in &copies {
        let record = opportunity::Opportunity {
            opportunity_id: copy.clone(),
            account_id: BIRCH.to_owned(),
            ..scenario.records.lock().expect("records")[0].clone()
        };
        scenario.records.lock().expect("records").push(record);
        let event = opportunity::OpportunityCreated {
            opportunity_id: copy.clone(),
            account_id: BIRCH.to_owned(),
            revision: 1,
            ..Default::default()
        };
        scenario
            .peer
            .publish_event("opportunity", BIRCH, copy, 1, &event)
            .await;
    }
    let newest_of = |copy: &str| pb::GetResourceSnapshotRequest {
        engagement_id: engagement.clone(),
        opportunity_id: copy.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: None,
    };
    eventually(async || {
        let mut alder = scenario.snapshot_client(&alliance_lead(ALDER));
        let snapshot = alder.get_resource_snapshot(newest_of(&copies[1])).await;
        snapshot.map_err(|status| status.message().to_owned())
    })
    .await;
    // The jobs of the former opportunity have run, too.
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    eventually(async || {
        let due_jobs = "SELECT count(*) FROM snapshot_job WHERE due_time IS NOT NULL";
        let pending: i64 = sqlx::query_scalar(due_jobs)
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        (pending == 0).then_some(()).ok_or(pending)
    })
    .await;
    let former = scenario
        .snapshot_client(&alliance_lead(ALDER))
        .get_resource_snapshot(newest_of(&copies[0]))
        .await;
    assert_eq!(
        parse_refusal(&former.expect_err("an unshared opportunity")).code,
        tonic::Code::NotFound
    );
    // Alder receives events of its own two snapshots and of Birch's new one.
    assert_eq!(scenario.event_count(ALDER, "resource_snapshot_created").await, 3);
    scenario.app.finish::<Collaboration>().await;
}
