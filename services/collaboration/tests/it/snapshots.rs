//! What members of an engagement see of each other's opportunities.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::resource_snapshot::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::eventually;
use prost::Message as _;

use crate::support::{ALDER, BIRCH, CEDAR, DEAL, HIDDEN, Scene, lead, request_id, sales, why};

async fn newest(
    scene: &Scene,
    account: &str,
    engagement: &str,
    template: pb::SnapshotTemplate,
) -> Result<pb::ResourceSnapshot, tonic::Status> {
    let request = pb::GetResourceSnapshotRequest {
        engagement_id: engagement.to_owned(),
        opportunity_id: DEAL.to_owned(),
        template: template.into(),
        revision: None,
    };
    let answer = scene
        .snapshots(&lead(account))
        .get_resource_snapshot(request)
        .await?;
    Ok(answer.into_inner().resource_snapshot.expect("a snapshot"))
}

/// The newest snapshot of the deal, once it has this number.
async fn until(scene: &Scene, account: &str, engagement: &str, revision: i64) -> pb::ResourceSnapshot {
    eventually(async || {
        let found = newest(
            scene,
            account,
            engagement,
            pb::SnapshotTemplate::OpportunitySummary,
        )
        .await;
        let found = found.map_err(|status| status.message().to_owned())?;
        if found.revision == revision {
            Ok(found)
        } else {
            Err(format!("revision {}", found.revision))
        }
    })
    .await
}

/// Alder changes its record.
async fn change(scene: &Scene, revision: i64, change: impl FnOnce(&mut opportunity::Opportunity)) {
    {
        let mut records = scene.records.lock().expect("records");
        records[0].revision = revision + 4;
        change(&mut records[0]);
    }
    let event = opportunity::OpportunityUpdated {
        opportunity_id: DEAL.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        ..Default::default()
    };
    scene.far.tell("opportunity", ALDER, DEAL, revision, &event).await;
}

async fn jobs(scene: &Scene) -> Vec<pb::SnapshotJob> {
    let request = pb::ListSnapshotJobsRequest::default();
    let answer = scene.snapshots(&lead(ALDER)).list_snapshot_jobs(request).await;
    answer.expect("a list").into_inner().snapshot_jobs
}

#[tokio::test]
async fn col_040_members_read_the_summary_and_only_its_owner_what_aws_says() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH]).await;
    let snapshot = until(&scene, BIRCH, &id, 1).await;
    assert_eq!(
        (snapshot.owner_account_id.as_str(), snapshot.source_revision),
        (ALDER, 5)
    );
    let Some(Payload::Opportunity(said)) = &snapshot.payload else {
        panic!("{snapshot:?}");
    };
    let project = said.project.clone().expect("a project");
    assert_eq!(project.title, "Data platform");
    assert_eq!(
        said.life_cycle.clone().expect("a life cycle").next_steps,
        HIDDEN[5],
        "that is shared"
    );
    // Not the customer's people and account, nor what Alder noted for itself.
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
        newest(&scene, ALDER, &id, aws)
            .await
            .map_err(|status| status.message().to_owned())
    })
    .await;
    let foreign = newest(&scene, BIRCH, &id, aws).await.expect_err("Alder's");
    assert_eq!(why(&foreign).reason, "SNAPSHOT_NOT_FOUND");
    let outside = newest(&scene, CEDAR, &id, pb::SnapshotTemplate::OpportunitySummary).await;
    assert_eq!(
        why(&outside.expect_err("no part of it")).reason,
        "SNAPSHOT_NOT_FOUND"
    );
    let request = pb::ListEngagementResourcesRequest {
        engagement_id: id.clone(),
        ..Default::default()
    };
    for (caller, expected) in [(lead(ALDER), 2), (lead(BIRCH), 1), (sales(), 2)] {
        let listed = scene
            .snapshots(&caller)
            .list_engagement_resources(request.clone())
            .await;
        let listed = listed.expect("a list").into_inner().resource_snapshots;
        assert_eq!(listed.len(), expected, "{caller:?}");
        assert!(listed.iter().all(|one| one.payload.is_none()));
    }
    // For who is no part of it, and for everybody where there is none, there is no such engagement.
    let never = "eng-a0000000000000";
    for (caller, id) in [(lead(CEDAR), id.as_str()), (lead(ALDER), never), (sales(), never)] {
        let resources = pb::ListEngagementResourcesRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let snapshots = pb::ListResourceSnapshotsRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let mut calls = scene.snapshots(&caller);
        let listed = calls.list_engagement_resources(resources).await;
        assert_eq!(
            why(&listed.expect_err("not theirs")).reason,
            "ENGAGEMENT_NOT_FOUND"
        );
        let listed = calls.list_resource_snapshots(snapshots).await;
        assert_eq!(
            why(&listed.expect_err("not theirs")).reason,
            "ENGAGEMENT_NOT_FOUND"
        );
    }
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_041_a_new_one_when_something_has_changed_and_only_then() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH]).await;
    until(&scene, BIRCH, &id, 1).await;
    // What is not in the summary makes no new one.
    change(&scene, 1, |record| {
        record.owner_member_id = "mem-new-owner".to_owned()
    })
    .await;
    change(&scene, 2, |record| {
        record.project.get_or_insert_default().title = "Data lake".to_owned();
    })
    .await;
    let second = until(&scene, BIRCH, &id, 2).await;
    let Some(Payload::Opportunity(said)) = second.payload else {
        panic!("no payload");
    };
    assert_eq!(said.project.expect("a project").title, "Data lake");
    let old = pb::GetResourceSnapshotRequest {
        engagement_id: id.clone(),
        opportunity_id: DEAL.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: Some(1),
    };
    let old = scene.snapshots(&lead(BIRCH)).get_resource_snapshot(old).await;
    let Some(Payload::Opportunity(said)) = old
        .expect("the first")
        .into_inner()
        .resource_snapshot
        .expect("it")
        .payload
    else {
        panic!("no payload");
    };
    assert_eq!(
        said.project.expect("a project").title,
        "Data platform",
        "what was shared never changes"
    );
    assert_eq!(
        scene.told(ALDER, "resource_snapshot_created").await,
        3,
        "two of the record, one of what AWS says"
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_041_jobs_are_stopped_started_and_thrown_away() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH]).await;
    until(&scene, BIRCH, &id, 1).await;
    let summary = pb::SnapshotTemplate::OpportunitySummary;
    let found = jobs(&scene).await;
    assert_eq!(found.len(), 2);
    let job = found
        .iter()
        .find(|job| job.template() == summary)
        .expect("a job")
        .clone();
    assert!(job.last_success_time.is_some());
    let mut calls = scene.snapshots(&lead(ALDER));
    let stop = pb::StopSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        etag: job.etag.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    calls.stop_snapshot_job(stop.clone()).await.expect("stopped");
    calls
        .stop_snapshot_job(stop.clone())
        .await
        .expect("stopped before");
    let twice = pb::StopSnapshotJobRequest {
        request_id: String::new(),
        etag: String::new(),
        ..stop
    };
    assert_eq!(
        why(&calls.stop_snapshot_job(twice).await.expect_err("rests")).reason,
        "ILLEGAL_TRANSITION"
    );
    change(&scene, 1, |record| {
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
    calls.start_snapshot_job(start).await.expect("started");
    until(&scene, BIRCH, &id, 2).await;
    let running = calls.delete_snapshot_job(delete.clone()).await;
    assert_eq!(why(&running.expect_err("runs")).reason, "ILLEGAL_TRANSITION");
    let create = pb::CreateSnapshotJobRequest {
        engagement_id: id.clone(),
        opportunity_id: DEAL.to_owned(),
        template: summary.into(),
        ..Default::default()
    };
    let present = calls.create_snapshot_job(create.clone()).await;
    assert_eq!(
        why(&present.expect_err("there is one")).reason,
        "SNAPSHOT_JOB_EXISTS"
    );
    let again = pb::StopSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id.clone(),
        ..Default::default()
    };
    calls.stop_snapshot_job(again).await.expect("stopped");
    calls.delete_snapshot_job(delete.clone()).await.expect("gone");
    assert_eq!(
        why(&calls.delete_snapshot_job(delete).await.expect_err("gone")).reason,
        "SNAPSHOT_JOB_NOT_FOUND"
    );
    until(&scene, BIRCH, &id, 2).await;
    calls
        .create_snapshot_job(create.clone())
        .await
        .expect("a new one");
    let foreign = scene.snapshots(&lead(BIRCH)).create_snapshot_job(create).await;
    assert_eq!(
        why(&foreign.expect_err("Alder's")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    let request = pb::GetSnapshotJobRequest {
        snapshot_job_id: job.snapshot_job_id,
    };
    let foreign = scene.snapshots(&lead(BIRCH)).get_snapshot_job(request).await;
    assert_eq!(
        why(&foreign.expect_err("Alder's")).reason,
        "SNAPSHOT_JOB_NOT_FOUND"
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_042_who_has_left_keeps_what_was_shared_and_gets_nothing_new() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH, CEDAR]).await;
    until(&scene, BIRCH, &id, 1).await;
    let leave = pb::LeaveEngagementRequest {
        engagement_id: id.clone(),
        ..Default::default()
    };
    scene
        .by(&lead(BIRCH))
        .leave_engagement(leave)
        .await
        .expect("left");
    scene.app.clock.advance(TimeDelta::seconds(1));
    change(&scene, 1, |record| {
        record.project.get_or_insert_default().title = "Data lake".to_owned();
    })
    .await;
    until(&scene, CEDAR, &id, 2).await;
    assert_eq!(until(&scene, BIRCH, &id, 1).await.revision, 1);
    scene.app.finish::<Collaboration>().await;
}

/// The jobs of Alder have looked since this moment.
async fn looked(scene: &Scene) {
    let now = scene.app.clock.now();
    eventually(async || {
        let found = jobs(scene).await;
        let is_later = |job: &pb::SnapshotJob| {
            job.last_success_time
                .is_some_and(|time| time.seconds >= now.timestamp())
        };
        match found
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
async fn col_001_what_becomes_classified_is_shared_no_more() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH]).await;
    until(&scene, BIRCH, &id, 1).await;
    for (revision, is_classified, title) in [(1, true, "Mallard"), (2, false, "Data lake")] {
        scene.app.clock.advance(TimeDelta::seconds(2));
        change(&scene, revision, |record| {
            record.national_security = Some(is_classified);
            record.project.get_or_insert_default().title = title.to_owned();
        })
        .await;
        looked(&scene).await;
    }
    let Some(Payload::Opportunity(shown)) = until(&scene, BIRCH, &id, 2).await.payload else {
        panic!("the summary")
    };
    assert_eq!(shown.project.expect("a project").title, "Data lake");
    scene.app.finish::<Collaboration>().await;
}

/// Who comes back has another opportunity in the engagement, and the one from before is its own.
#[tokio::test]
async fn col_042_who_comes_back_shares_the_new_opportunity_and_not_the_old_one() {
    let scene = Scene::start().await;
    let mut copies = Vec::new();
    let mut engagement = String::new();
    for revision in [1, 2] {
        let shared = scene.share(&[BIRCH]).await;
        engagement = shared.engagement.expect("it").engagement_id;
        let accepted = scene.accept(&shared.engagement_invitations[0]).await;
        copies.push(accepted.opportunity_id);
        if revision == 1 {
            let leave = pb::LeaveEngagementRequest {
                engagement_id: engagement.clone(),
                ..Default::default()
            };
            let left = scene.by(&lead(BIRCH)).leave_engagement(leave).await;
            left.expect("left");
        }
    }
    for copy in &copies {
        let record = opportunity::Opportunity {
            opportunity_id: copy.clone(),
            account_id: BIRCH.to_owned(),
            ..scene.records.lock().expect("records")[0].clone()
        };
        scene.records.lock().expect("records").push(record);
        let event = opportunity::OpportunityCreated {
            opportunity_id: copy.clone(),
            account_id: BIRCH.to_owned(),
            revision: 1,
            ..Default::default()
        };
        scene.far.tell("opportunity", BIRCH, copy, 1, &event).await;
    }
    let of = |copy: &str| pb::GetResourceSnapshotRequest {
        engagement_id: engagement.clone(),
        opportunity_id: copy.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: None,
    };
    eventually(async || {
        let mut alder = scene.snapshots(&lead(ALDER));
        let found = alder.get_resource_snapshot(of(&copies[1])).await;
        found.map_err(|status| status.message().to_owned())
    })
    .await;
    // The jobs of the old one have looked, too.
    let mut admin = scene.app.database.admin::<Collaboration>().await;
    eventually(async || {
        let due = "SELECT count(*) FROM snapshot_job WHERE due_time IS NOT NULL";
        let left: i64 = sqlx::query_scalar(due)
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        (left == 0).then_some(()).ok_or(left)
    })
    .await;
    let old = scene
        .snapshots(&lead(ALDER))
        .get_resource_snapshot(of(&copies[0]))
        .await;
    assert_eq!(why(&old.expect_err("not shared")).code, tonic::Code::NotFound);
    // Who reads it is told of it: Alder of its own two, and of the new one of Birch.
    assert_eq!(scene.told(ALDER, "resource_snapshot_created").await, 3);
    scene.app.finish::<Collaboration>().await;
}
