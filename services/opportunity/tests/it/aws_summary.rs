//! Updates of the AWS summary (OPP-050 to OPP-058): revisions, validation, idempotency, concurrency, events, and
//! independence of the partner's record.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, PeerStub, aws, refused, service};
use cosell_types::{Caller, Role};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use prost_types::FieldMask;
use sqlx::Row as _;
use tonic::{Code, Response, Status};

use crate::reviewer::{review_decided, start_with_review, wait_for_status};
use crate::support::{
    ALDER, client_for, count, create, date, get, next_steps_request, record, request_id, submit, user,
};

pub fn crm() -> Caller {
    service("crm")
}

pub fn seller() -> Caller {
    aws("mem-seller", Role::SalesRepresentative)
}

/// Creates an approved opportunity of the ACE user. `number` makes the id of its review case unique.
pub async fn create_approved(app: &App, peer: &PeerStub, number: usize, record: pb::Opportunity) -> String {
    let id = create(app, &user(), record).await.opportunity_id;
    submit(app, &user(), &id).await;
    let decision = review_decided(&id, 1, 1, review::ReviewDecision::Approve);
    let case = format!("rc-{number:013}");
    peer.publish_event("review", ALDER, &case, 1, &decision).await;
    wait_for_status(app, &id, ReviewStatus::Approved).await;
    id
}

pub async fn get_summary(app: &App, caller: &Caller, id: &str) -> Result<pb::AwsOpportunitySummary, Status> {
    let request = pb::GetAwsOpportunitySummaryRequest {
        opportunity_id: id.to_owned(),
    };
    let answer = client_for(app, caller)
        .aws_summaries()
        .get_aws_opportunity_summary(request)
        .await?;
    Ok(answer
        .into_inner()
        .aws_opportunity_summary
        .expect("the AWS summary"))
}

pub fn update_request(
    id: &str,
    summary: pb::AwsOpportunitySummary,
) -> pb::UpdateAwsOpportunitySummaryRequest {
    pb::UpdateAwsOpportunitySummaryRequest {
        opportunity_id: id.to_owned(),
        aws_opportunity_summary: Some(summary),
        ..Default::default()
    }
}

pub async fn try_update(
    app: &App,
    caller: &Caller,
    request: pb::UpdateAwsOpportunitySummaryRequest,
) -> Result<Response<pb::UpdateAwsOpportunitySummaryResponse>, Status> {
    client_for(app, caller)
        .aws_summaries()
        .update_aws_opportunity_summary(request)
        .await
}

async fn update_summary(
    app: &App,
    caller: &Caller,
    request: pb::UpdateAwsOpportunitySummaryRequest,
) -> pb::AwsOpportunitySummary {
    let answer = try_update(app, caller, request).await.expect("a change");
    answer
        .into_inner()
        .aws_opportunity_summary
        .expect("the AWS summary")
}

/// A summary with an AWS stage, a close date and, in CLOSED_LOST, the reason.
pub fn summary_in_stage(stage: pb::AwsStage) -> pb::AwsOpportunitySummary {
    let reason = match stage {
        pb::AwsStage::ClosedLost => "Price",
        _ => "",
    };
    pb::AwsOpportunitySummary {
        life_cycle: Some(pb::AwsLifeCycle {
            stage: stage.into(),
            closed_lost_reason: reason.to_owned(),
            target_close_date: date(2026, 5, 4),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A summary with a team member, next steps and a quality score.
pub fn sample_summary(step: &str) -> pb::AwsOpportunitySummary {
    pb::AwsOpportunitySummary {
        life_cycle: Some(pb::AwsLifeCycle {
            next_steps: step.to_owned(),
            ..Default::default()
        }),
        opportunity_team: vec![pb::Contact {
            first_name: "Tara".to_owned(),
            last_name: "Nguyen".to_owned(),
            business_title: "AWSSalesRep".to_owned(),
            email: "Tara.Nguyen@aws.example".to_owned(),
            phone: "+4930123456".to_owned(),
        }],
        insights: Some(pb::AwsInsights {
            opportunity_quality: Some(pb::OpportunityQuality {
                score: Some(71),
                trend: "improving".to_owned(),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn opp_050_051_summary_starts_empty_and_has_its_own_revisions() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    let before = get(&app, &user(), &id).await;

    let empty = get_summary(&app, &user(), &id)
        .await
        .expect("an empty AWS summary");
    assert_eq!((empty.revision, empty.etag.as_str()), (0, "\"0\""));
    assert_eq!(empty.update_time, None);
    assert_eq!(empty.related_opportunity_id, id);
    assert_eq!(empty.origin(), pb::Origin::PartnerReferral);
    assert_eq!(empty.involvement_type(), pb::InvolvementType::CoSell);
    assert_eq!(empty.visibility(), pb::Visibility::Full);

    // The etag "0" permits only the first update.
    let first = pb::UpdateAwsOpportunitySummaryRequest {
        etag: "\"0\"".to_owned(),
        ..update_request(&id, sample_summary("A call"))
    };
    let initial = update_summary(&app, &seller(), first.clone()).await;
    assert_eq!((initial.revision, initial.etag.as_str()), (1, "\"1\""));
    assert!(initial.update_time.is_some());
    assert_eq!(initial.opportunity_team[0].email, "tara.nguyen@aws.example");
    let stale = refused(
        try_update(&app, &crm(), first).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    assert_eq!(stale.metadata["current_etag"], "\"1\"");

    // An update without a changed value creates no revision. One with a changed value creates one and leaves omitted
    // fields unchanged.
    assert_eq!(
        update_summary(&app, &crm(), update_request(&id, sample_summary("A call")))
            .await
            .revision,
        1
    );
    let mut second = sample_summary("A visit");
    second.opportunity_team.clear();
    let second = update_summary(&app, &crm(), update_request(&id, second)).await;
    assert_eq!((second.revision, second.opportunity_team.len()), (2, 1));
    let steps = second.life_cycle.expect("a life cycle").next_steps_history;
    let steps: Vec<_> = steps.iter().map(|step| step.value.as_str()).collect();
    assert_eq!(steps, ["A visit", "A call"]);
    let dry_run = pb::UpdateAwsOpportunitySummaryRequest {
        validate_only: true,
        ..update_request(&id, sample_summary("A dinner"))
    };
    assert_eq!(update_summary(&app, &crm(), dry_run).await.revision, 3);
    assert_eq!(
        get_summary(&app, &crm(), &id)
            .await
            .expect("the AWS summary")
            .revision,
        2
    );

    // A field in the mask without a value is cleared.
    let cleared = pb::UpdateAwsOpportunitySummaryRequest {
        update_mask: Some(FieldMask {
            paths: vec!["opportunity_team".to_owned(), "insights".to_owned()],
        }),
        ..update_request(&id, pb::AwsOpportunitySummary::default())
    };
    let cleared = update_summary(&app, &seller(), cleared).await;
    assert_eq!((cleared.revision, cleared.opportunity_team.len()), (3, 0));
    assert_eq!(cleared.life_cycle.expect("a life cycle").next_steps, "A visit");

    assert_eq!(get(&app, &user(), &id).await, before);
    assert_eq!(count(&app, "SELECT count(*) FROM aws_summary_revision").await, 3);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_054_056_057_058_all_summary_violations_are_reported_together() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    let mut invalid = summary_in_stage(pb::AwsStage::ClosedLost);
    let life_cycle = invalid.life_cycle.as_mut().expect("a life cycle");
    life_cycle.closed_lost_reason = "Unknown reason".to_owned();
    life_cycle.target_close_date = date(2026, 2, 30);
    invalid.involvement_type_change_reason = pb::InvolvementTypeChangeReason::RiskMitigation.into();
    invalid.opportunity_team = vec![pb::Contact {
        business_title: "Boss".to_owned(),
        email: "nobody".to_owned(),
        ..Default::default()
    }];
    invalid.project = Some(pb::AwsProject {
        expected_customer_spend: vec![pb::ExpectedCustomerSpend {
            frequency: pb::PaymentFrequency::Monthly.into(),
            ..Default::default()
        }],
        ..Default::default()
    });
    invalid.insights = Some(pb::AwsInsights {
        opportunity_quality: Some(pb::OpportunityQuality {
            score: Some(101),
            ..Default::default()
        }),
        recommendations: vec![pb::Recommendation::default()],
        ..Default::default()
    });
    let request = pb::UpdateAwsOpportunitySummaryRequest {
        update_mask: Some(FieldMask {
            paths: vec!["*".to_owned(), "stages_disagree".to_owned()],
        }),
        ..update_request(&id, invalid)
    };
    let refusal = refused(
        try_update(&app, &seller(), request).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    let mut paths = refusal.paths();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "aws_opportunity_summary.insights.opportunity_quality.score",
            "aws_opportunity_summary.insights.recommendations[0].details",
            "aws_opportunity_summary.insights.recommendations[0].type",
            "aws_opportunity_summary.life_cycle.target_close_date",
            "aws_opportunity_summary.opportunity_team[0].email",
            "update_mask.paths[1]",
        ],
        "an invalid mask selects no fields, so the rules have no values to validate"
    );
    let mut invalid = summary_in_stage(pb::AwsStage::Launched);
    let life_cycle = invalid.life_cycle.as_mut().expect("a life cycle");
    life_cycle.closed_lost_reason = "Price".to_owned();
    invalid.involvement_type_change_reason = pb::InvolvementTypeChangeReason::RiskMitigation.into();
    invalid.opportunity_team = vec![pb::Contact {
        business_title: "Boss".to_owned(),
        email: "nobody".to_owned(),
        ..Default::default()
    }];
    let refusal = refused(
        try_update(&app, &crm(), update_request(&id, invalid)).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    let mut paths = refusal.paths();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "aws_opportunity_summary.involvement_type_change_reason",
            "aws_opportunity_summary.life_cycle.closed_lost_reason",
            "aws_opportunity_summary.opportunity_team[0].business_title",
            "aws_opportunity_summary.opportunity_team[0].email",
        ]
    );
    assert_eq!(
        get_summary(&app, &crm(), &id)
            .await
            .expect("the AWS summary")
            .revision,
        0
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_repeated_summary_update_is_applied_once_per_caller() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    for (caller, first) in [(seller(), 1), (crm(), 3)] {
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            request_id: request_id(),
            ..update_request(&id, sample_summary(&format!("Step {first}")))
        };
        assert_eq!(
            update_summary(&app, &caller, request.clone()).await.revision,
            first
        );
        // After a later update, a retry returns the current summary.
        let later_update = update_request(&id, sample_summary(&format!("Later {first}")));
        assert_eq!(
            update_summary(&app, &seller(), later_update).await.revision,
            first + 1
        );
        assert_eq!(
            update_summary(&app, &caller, request.clone()).await.revision,
            first + 1
        );
        let different_body = pb::UpdateAwsOpportunitySummaryRequest {
            aws_opportunity_summary: Some(sample_summary("Another")),
            ..request
        };
        refused(
            try_update(&app, &caller, different_body).await,
            Code::InvalidArgument,
            "REQUEST_ID_REUSED",
        );
    }
    assert_eq!(count(&app, "SELECT count(*) FROM aws_summary_revision").await, 4);
    app.finish::<Opportunities>().await;
}

/// Concurrent first updates are applied sequentially, and none is lost.
#[tokio::test]
async fn opp_050_concurrent_first_updates_are_both_applied() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    let send_update = async |caller: Caller, summary: pb::AwsOpportunitySummary| {
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            request_id: request_id(),
            ..update_request(&id, summary)
        };
        try_update(&app, &caller, request).await.map(drop)
    };
    let (first, second) = tokio::join!(
        send_update(seller(), sample_summary("A call")),
        send_update(crm(), summary_in_stage(pb::AwsStage::Engaged))
    );
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    let summary = get_summary(&app, &crm(), &id).await.expect("the AWS summary");
    let life_cycle = summary.life_cycle.expect("a life cycle");
    assert_eq!(
        (
            summary.revision,
            life_cycle.stage(),
            life_cycle.next_steps.as_str()
        ),
        (2, pb::AwsStage::Engaged, "A call")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_050_summary_changes_are_published_as_separate_aggregate() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    update_summary(
        &app,
        &seller(),
        update_request(&id, sample_summary("Confidential step")),
    )
    .await;
    update_summary(
        &app,
        &crm(),
        update_request(&id, summary_in_stage(pb::AwsStage::Qualified)),
    )
    .await;
    let all = peer.first_events("opportunity", 5).await;
    let summary_events: Vec<_> = all
        .iter()
        .filter(|event| event.header("ce-subject") == format!("aws-{id}"))
        .collect();
    assert_eq!((all.len(), summary_events.len()), (5, 2));
    for (index, (event, actor)) in summary_events
        .iter()
        .zip(["mem-seller", "service:crm"])
        .enumerate()
    {
        let subject = format!("cosell.opportunity.v1.{ALDER}.aws-{id}.opportunity_aws_summary_changed");
        assert_eq!(event.subject, subject);
        assert_eq!(event.header("ce-sequence"), (index + 1).to_string());
        assert_eq!(event.header("ce-accountid"), ALDER);
        assert_eq!(event.header("ce-actor"), actor);
        let message: pb::OpportunityAwsSummaryChanged = event.message();
        assert_eq!(
            message,
            pb::OpportunityAwsSummaryChanged {
                opportunity_id: id.clone(),
                account_id: ALDER.to_owned(),
                revision: index as i64 + 1,
                // An open stage is not visible to partners yet (OPP-052).
                stage: pb::AwsStage::Unspecified.into(),
                is_terminal: false,
            }
        );
    }
    app.finish::<Opportunities>().await;
}

/// All rows of one side, as text.
async fn read_rows(app: &App, tables: [&'static str; 2]) -> Vec<String> {
    let mut admin = app.database.admin::<Opportunities>().await;
    let mut rows = Vec::new();
    for sql in tables {
        let result_rows = sqlx::query(sql).fetch_all(&mut admin).await.expect("rows");
        rows.extend(result_rows.iter().map(|row| row.get::<String, _>(0)));
    }
    rows
}

/// Updates of the summary leave the partner's record and history unchanged, and vice versa.
#[tokio::test]
async fn opp_050_summary_and_opportunity_updates_do_not_affect_each_other() {
    const PARTNER_ROWS: [&str; 2] = [
        "SELECT opportunity::text FROM opportunity ORDER BY 1",
        "SELECT opportunity_revision::text FROM opportunity_revision ORDER BY 1",
    ];
    const AWS_ROWS: [&str; 2] = [
        "SELECT aws_summary::text FROM aws_summary ORDER BY 1",
        "SELECT aws_summary_revision::text FROM aws_summary_revision ORDER BY 1",
    ];
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, 1, record("Alder")).await;
    let changes = (0..25_i32, "[a-c]{1,2}", 0..101_i32, 0..3_i32);
    let mut runner = TestRunner::deterministic();
    let (mut changed, mut refusals) = (0, 0);
    for number in 0..60 {
        let tree = changes.new_tree(&mut runner).expect("a change");
        let (stage, text, score, involvement) = tree.current();
        let mut summary = sample_summary(&text);
        let life_cycle = summary.life_cycle.as_mut().expect("a life cycle");
        life_cycle.stage = stage;
        life_cycle.target_close_date = date(2027, 1, 1 + score % 28);
        if score % 2 == 0 {
            life_cycle.closed_lost_reason = "Price".to_owned();
        }
        summary.involvement_type = involvement;
        let quality = summary
            .insights
            .as_mut()
            .and_then(|insights| insights.opportunity_quality.as_mut());
        quality.expect("a quality").score = Some(score);
        let (partner_rows, aws_rows) = (
            read_rows(&app, PARTNER_ROWS).await,
            read_rows(&app, AWS_ROWS).await,
        );
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            update_mask: Some(FieldMask {
                paths: vec!["*".to_owned()],
            }),
            ..update_request(&id, summary)
        };
        let caller = if number % 2 == 0 { crm() } else { seller() };
        let answer = try_update(&app, &caller, request).await;
        let is_unchanged = read_rows(&app, AWS_ROWS).await == aws_rows;
        assert_eq!(
            read_rows(&app, PARTNER_ROWS).await,
            partner_rows,
            "a summary update changed the partner's record"
        );
        match answer {
            Ok(_) => changed += i32::from(!is_unchanged),
            Err(_) => {
                assert!(is_unchanged, "a refused update changed the summary");
                refusals += 1;
            }
        }
        if number % 10 == 0 {
            let aws_rows = read_rows(&app, AWS_ROWS).await;
            let step = next_steps_request(&id, &format!("Step {number}"));
            client_for(&app, &user())
                .opportunities()
                .update_opportunity(step)
                .await
                .expect("an update");
            assert_eq!(
                read_rows(&app, AWS_ROWS).await,
                aws_rows,
                "an update of the record changed the AWS summary"
            );
        }
    }
    assert!(
        changed > 10 && refusals > 10,
        "only {changed} changes and {refusals} refusals"
    );
    app.finish::<Opportunities>().await;
}
