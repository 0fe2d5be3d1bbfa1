//! The AWS summary of an opportunity: what AWS says, what it takes to say it, and that nobody else's record feels it.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, FarEnd, aws, refused, service};
use cosell_types::{Caller, Role};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use prost_types::FieldMask;
use sqlx::Row as _;
use tonic::{Code, Response, Status};

use crate::reviewer::{decided, start_with_review, until};
use crate::support::{ALDER, by, count, create, date, get, next_steps, record, request_id, submit, user};

pub fn crm() -> Caller {
    service("crm")
}

pub fn seller() -> Caller {
    aws("mem-seller", Role::SalesRepresentative)
}

/// An approved opportunity of the ACE user; `number` tells its review case from others.
pub async fn approved(app: &App, far: &FarEnd, number: usize, record: pb::Opportunity) -> String {
    let id = create(app, &user(), record).await.opportunity_id;
    submit(app, &user(), &id).await;
    let decision = decided(&id, 1, 1, review::ReviewDecision::Approve);
    let case = format!("rc-{number:013}");
    far.tell("review", ALDER, &case, 1, &decision).await;
    until(app, &id, ReviewStatus::Approved).await;
    id
}

pub async fn read(app: &App, caller: &Caller, id: &str) -> Result<pb::AwsOpportunitySummary, Status> {
    let request = pb::GetAwsOpportunitySummaryRequest {
        opportunity_id: id.to_owned(),
    };
    let answer = by(app, caller)
        .aws_summaries()
        .get_aws_opportunity_summary(request)
        .await?;
    Ok(answer
        .into_inner()
        .aws_opportunity_summary
        .expect("the AWS summary"))
}

pub fn change(id: &str, summary: pb::AwsOpportunitySummary) -> pb::UpdateAwsOpportunitySummaryRequest {
    pb::UpdateAwsOpportunitySummaryRequest {
        opportunity_id: id.to_owned(),
        aws_opportunity_summary: Some(summary),
        ..Default::default()
    }
}

pub async fn write(
    app: &App,
    caller: &Caller,
    request: pb::UpdateAwsOpportunitySummaryRequest,
) -> Result<Response<pb::UpdateAwsOpportunitySummaryResponse>, Status> {
    by(app, caller)
        .aws_summaries()
        .update_aws_opportunity_summary(request)
        .await
}

async fn written(
    app: &App,
    caller: &Caller,
    request: pb::UpdateAwsOpportunitySummaryRequest,
) -> pb::AwsOpportunitySummary {
    let answer = write(app, caller, request).await.expect("a change");
    answer
        .into_inner()
        .aws_opportunity_summary
        .expect("the AWS summary")
}

/// AWS's stage, close date and, where it is lost, its reason.
pub fn closing(stage: pb::AwsStage) -> pb::AwsOpportunitySummary {
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

/// A seller, next steps and a score.
pub fn news(step: &str) -> pb::AwsOpportunitySummary {
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
async fn opp_050_051_the_aws_side_begins_empty_and_has_revisions_of_its_own() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    let before = get(&app, &user(), &id).await;

    let empty = read(&app, &user(), &id).await.expect("an empty AWS summary");
    assert_eq!((empty.revision, empty.etag.as_str()), (0, "\"0\""));
    assert_eq!(empty.update_time, None);
    assert_eq!(empty.related_opportunity_id, id);
    assert_eq!(empty.origin(), pb::Origin::PartnerReferral);
    assert_eq!(empty.involvement_type(), pb::InvolvementType::CoSell);
    assert_eq!(empty.visibility(), pb::Visibility::Full);

    // Only as the first word of AWS.
    let first = pb::UpdateAwsOpportunitySummaryRequest {
        etag: "\"0\"".to_owned(),
        ..change(&id, news("A call"))
    };
    let made = written(&app, &seller(), first.clone()).await;
    assert_eq!((made.revision, made.etag.as_str()), (1, "\"1\""));
    assert!(made.update_time.is_some());
    assert_eq!(made.opportunity_team[0].email, "tara.nguyen@aws.example");
    let late = refused(write(&app, &crm(), first).await, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(late.metadata["current_etag"], "\"1\"");

    // Of no value: nothing. Of one: one revision, by the CRM this time; what is not given stays.
    assert_eq!(
        written(&app, &crm(), change(&id, news("A call"))).await.revision,
        1
    );
    let mut second = news("A visit");
    second.opportunity_team.clear();
    let second = written(&app, &crm(), change(&id, second)).await;
    assert_eq!((second.revision, second.opportunity_team.len()), (2, 1));
    let steps = second.life_cycle.expect("a life cycle").next_steps_history;
    let steps: Vec<_> = steps.iter().map(|step| step.value.as_str()).collect();
    assert_eq!(steps, ["A visit", "A call"]);
    let asked = pb::UpdateAwsOpportunitySummaryRequest {
        validate_only: true,
        ..change(&id, news("A dinner"))
    };
    assert_eq!(written(&app, &crm(), asked).await.revision, 3);
    assert_eq!(
        read(&app, &crm(), &id).await.expect("the AWS summary").revision,
        2
    );

    // Named and not given: cleared.
    let cleared = pb::UpdateAwsOpportunitySummaryRequest {
        update_mask: Some(FieldMask {
            paths: vec!["opportunity_team".to_owned(), "insights".to_owned()],
        }),
        ..change(&id, pb::AwsOpportunitySummary::default())
    };
    let cleared = written(&app, &seller(), cleared).await;
    assert_eq!((cleared.revision, cleared.opportunity_team.len()), (3, 0));
    assert_eq!(cleared.life_cycle.expect("a life cycle").next_steps, "A visit");

    assert_eq!(get(&app, &user(), &id).await, before);
    assert_eq!(count(&app, "SELECT count(*) FROM aws_summary_revision").await, 3);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_054_056_057_058_everything_that_is_wrong_is_named_at_once() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    let mut wrong = closing(pb::AwsStage::ClosedLost);
    wrong
        .life_cycle
        .as_mut()
        .expect("a life cycle")
        .closed_lost_reason = "No mood".to_owned();
    wrong.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 2, 30);
    wrong.involvement_type_change_reason = pb::InvolvementTypeChangeReason::RiskMitigation.into();
    wrong.opportunity_team = vec![pb::Contact {
        business_title: "Boss".to_owned(),
        email: "nobody".to_owned(),
        ..Default::default()
    }];
    wrong.project = Some(pb::AwsProject {
        expected_customer_spend: vec![pb::ExpectedCustomerSpend {
            frequency: pb::PaymentFrequency::Monthly.into(),
            ..Default::default()
        }],
        ..Default::default()
    });
    wrong.insights = Some(pb::AwsInsights {
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
        ..change(&id, wrong)
    };
    let refusal = refused(
        write(&app, &seller(), request).await,
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
        "with a wrong mask nothing is selected, so that the rules have nothing to judge"
    );
    let mut wrong = closing(pb::AwsStage::Launched);
    wrong
        .life_cycle
        .as_mut()
        .expect("a life cycle")
        .closed_lost_reason = "Price".to_owned();
    wrong.involvement_type_change_reason = pb::InvolvementTypeChangeReason::RiskMitigation.into();
    wrong.opportunity_team = vec![pb::Contact {
        business_title: "Boss".to_owned(),
        email: "nobody".to_owned(),
        ..Default::default()
    }];
    let refusal = refused(
        write(&app, &crm(), change(&id, wrong)).await,
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
        read(&app, &crm(), &id).await.expect("the AWS summary").revision,
        0
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_a_repeated_change_is_made_once_by_members_and_by_services() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    for (caller, first) in [(seller(), 1), (crm(), 3)] {
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            request_id: request_id(),
            ..change(&id, news(&format!("Step {first}")))
        };
        assert_eq!(written(&app, &caller, request.clone()).await.revision, first);
        // Since changed by somebody: the answer to a repetition is the AWS summary as it is now.
        let since = change(&id, news(&format!("Since {first}")));
        assert_eq!(written(&app, &seller(), since).await.revision, first + 1);
        assert_eq!(written(&app, &caller, request.clone()).await.revision, first + 1);
        let another = pb::UpdateAwsOpportunitySummaryRequest {
            aws_opportunity_summary: Some(news("Another")),
            ..request
        };
        refused(
            write(&app, &caller, another).await,
            Code::InvalidArgument,
            "REQUEST_ID_REUSED",
        );
    }
    assert_eq!(count(&app, "SELECT count(*) FROM aws_summary_revision").await, 4);
    app.finish::<Opportunities>().await;
}

/// Those who say the first word at the same time all get their say, one after the other.
#[tokio::test]
async fn opp_050_twins_lose_nothing() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    let say = async |caller: Caller, summary: pb::AwsOpportunitySummary| {
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            request_id: request_id(),
            ..change(&id, summary)
        };
        write(&app, &caller, request).await.map(drop)
    };
    let (one, other) = tokio::join!(
        say(seller(), news("A call")),
        say(crm(), closing(pb::AwsStage::Engaged))
    );
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let both = read(&app, &crm(), &id).await.expect("the AWS summary");
    let life_cycle = both.life_cycle.expect("a life cycle");
    assert_eq!(
        (both.revision, life_cycle.stage(), life_cycle.next_steps.as_str()),
        (2, pb::AwsStage::Engaged, "A call")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_050_changes_are_told_as_an_aggregate_of_their_own() {
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    written(&app, &seller(), change(&id, news("Confidential step"))).await;
    written(&app, &crm(), change(&id, closing(pb::AwsStage::Launched))).await;
    let all = far.first("opportunity", 5).await;
    let own: Vec<_> = all
        .iter()
        .filter(|event| event.header("ce-subject") == format!("aws-{id}"))
        .collect();
    assert_eq!((all.len(), own.len()), (5, 2));
    for (index, (event, actor)) in own.iter().zip(["mem-seller", "service:crm"]).enumerate() {
        let subject = format!("cosell.opportunity.v1.{ALDER}.aws-{id}.opportunity_aws_summary_changed");
        assert_eq!(event.subject, subject);
        assert_eq!(event.header("ce-sequence"), (index + 1).to_string());
        assert_eq!(event.header("ce-accountid"), ALDER);
        assert_eq!(event.header("ce-actor"), actor);
        let message: pb::OpportunityAwsSummaryChanged = event.message();
        let stage = [pb::AwsStage::Unspecified, pb::AwsStage::Launched][index];
        assert_eq!(
            message,
            pb::OpportunityAwsSummaryChanged {
                opportunity_id: id.clone(),
                account_id: ALDER.to_owned(),
                revision: index as i64 + 1,
                stage: stage.into(),
                is_terminal: stage == pb::AwsStage::Launched,
            }
        );
    }
    app.finish::<Opportunities>().await;
}

/// The rows of one side, with everything in them.
async fn rows(app: &App, tables: [&'static str; 2]) -> Vec<String> {
    let mut admin = app.database.admin::<Opportunities>().await;
    let mut rows = Vec::new();
    for sql in tables {
        let found = sqlx::query(sql).fetch_all(&mut admin).await.expect("rows");
        rows.extend(found.iter().map(|row| row.get::<String, _>(0)));
    }
    rows
}

/// Whatever AWS says, nothing of the partner's record or its history changes; and the other way round.
#[tokio::test]
async fn opp_050_whatever_one_side_says_the_other_stays_as_it_is() {
    const PARTNERS: [&str; 2] = [
        "SELECT opportunity::text FROM opportunity ORDER BY 1",
        "SELECT opportunity_revision::text FROM opportunity_revision ORDER BY 1",
    ];
    const OF_AWS: [&str; 2] = [
        "SELECT aws_summary::text FROM aws_summary ORDER BY 1",
        "SELECT aws_summary_revision::text FROM aws_summary_revision ORDER BY 1",
    ];
    let (app, far) = start_with_review().await;
    let id = approved(&app, &far, 1, record("Alder")).await;
    let changes = (0..25_i32, "[a-c]{1,2}", 0..101_i32, 0..3_i32);
    let mut runner = TestRunner::deterministic();
    let (mut changed, mut refusals) = (0, 0);
    for number in 0..60 {
        let tree = changes.new_tree(&mut runner).expect("a change");
        let (stage, text, score, involvement) = tree.current();
        let mut summary = news(&text);
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
        let (partners, of_aws) = (rows(&app, PARTNERS).await, rows(&app, OF_AWS).await);
        let request = pb::UpdateAwsOpportunitySummaryRequest {
            update_mask: Some(FieldMask {
                paths: vec!["*".to_owned()],
            }),
            ..change(&id, summary)
        };
        let caller = if number % 2 == 0 { crm() } else { seller() };
        let answer = write(&app, &caller, request).await;
        let is_same = rows(&app, OF_AWS).await == of_aws;
        assert_eq!(
            rows(&app, PARTNERS).await,
            partners,
            "AWS changed the partner's record"
        );
        match answer {
            Ok(_) => changed += i32::from(!is_same),
            Err(_) => {
                assert!(is_same, "refused, and changed all the same");
                refusals += 1;
            }
        }
        if number % 10 == 0 {
            let of_aws = rows(&app, OF_AWS).await;
            let step = next_steps(&id, &format!("Step {number}"));
            by(&app, &user())
                .opportunities()
                .update_opportunity(step)
                .await
                .expect("an update");
            assert_eq!(
                rows(&app, OF_AWS).await,
                of_aws,
                "the partner changed the AWS summary"
            );
        }
    }
    assert!(
        changed > 10 && refusals > 10,
        "{changed} changes, {refusals} refusals"
    );
    app.finish::<Opportunities>().await;
}
