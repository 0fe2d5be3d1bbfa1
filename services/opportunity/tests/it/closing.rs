//! The end of an opportunity: losses without a close date (OPP-043), corrections afterwards (OPP-049), and AWS's own end
//! (OPP-053).

use chrono::TimeDelta;
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, refused};
use tonic::{Code, Response, Status};

use crate::aws_summary::{seller, summary_in_stage, try_update, update_request};
use crate::reviewer::{create_approved, start_with_review};
use crate::support::{ALDER, apply_catalog, client_for, date, get, record, request_id, user};

fn loss(id: &str) -> pb::ChangeStageRequest {
    pb::ChangeStageRequest {
        opportunity_id: id.to_owned(),
        stage: pb::Stage::ClosedLost.into(),
        closed_lost_reason: pb::ClosedLostReason::Price.into(),
        ..Default::default()
    }
}

async fn change_stage(
    app: &App,
    request: pb::ChangeStageRequest,
) -> Result<Response<pb::ChangeStageResponse>, Status> {
    client_for(app, &user()).lifecycle().change_stage(request).await
}

async fn correct(
    app: &App,
    request: pb::CorrectClosedOpportunityRequest,
) -> Result<Response<pb::CorrectClosedOpportunityResponse>, Status> {
    client_for(app, &user())
        .lifecycle()
        .correct_closed_opportunity(request)
        .await
}

fn close_date(record: &pb::Opportunity) -> Option<(i32, i32, i32)> {
    let life_cycle = record.life_cycle.as_ref().expect("a life cycle");
    life_cycle
        .target_close_date
        .map(|date| (date.year, date.month, date.day))
}

/// The clock of the service starts on this day.
const TODAY: (i32, i32, i32) = (2026, 3, 2);

#[tokio::test]
async fn opp_043_loss_without_date_moves_future_close_date_to_today_with_warning() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Nordwind")).await;
    let future = pb::ChangeStageRequest {
        target_close_date: date(2026, 3, 3),
        ..loss(&id)
    };
    let refusal = refused(
        change_stage(&app, future).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["opportunity.life_cycle.target_close_date"]);
    let closed = change_stage(&app, loss(&id)).await.expect("a loss").into_inner();
    let record = closed.opportunity.expect("a record");
    assert_eq!(close_date(&record), Some(TODAY));
    let warned: Vec<_> = closed
        .warnings
        .iter()
        .map(|warning| warning.field.as_str())
        .collect();
    assert_eq!(warned, ["opportunity.life_cycle.target_close_date"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_049_closed_opportunity_is_corrected_for_30_days_with_one_event() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Nordwind")).await;
    let request = pb::CorrectClosedOpportunityRequest {
        opportunity_id: id.clone(),
        target_close_date: date(2026, 2, 27),
        aws_account_id: "123456789012".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    refused(
        correct(&app, request.clone()).await,
        Code::FailedPrecondition,
        "ILLEGAL_TRANSITION",
    );
    change_stage(&app, loss(&id)).await.expect("a loss");
    let nothing = pb::CorrectClosedOpportunityRequest {
        opportunity_id: id.clone(),
        ..Default::default()
    };
    let refusal = refused(
        correct(&app, nothing).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["target_close_date"]);
    let before = get(&app, &user(), &id).await;
    for _ in 0..2 {
        let corrected = correct(&app, request.clone()).await.expect("a correction");
        let corrected = corrected.into_inner().opportunity.expect("a record");
        assert_eq!(close_date(&corrected), Some((2026, 2, 27)));
        assert_eq!(corrected.revision, before.revision + 1, "a retry changes nothing");
        let account = corrected.customer.and_then(|customer| customer.account);
        assert_eq!(
            account.map(|account| account.aws_account_id),
            Some("123456789012".to_owned())
        );
    }
    let events = peer.first_events("opportunity", 5).await;
    let event: pb::OpportunityClosureCorrected = events[4].message();
    let expected = pb::OpportunityClosureCorrected {
        opportunity_id: id.clone(),
        account_id: ALDER.to_owned(),
        revision: before.revision + 1,
        changed_fields: vec![
            "life_cycle.target_close_date".to_owned(),
            "customer.account.aws_account_id".to_owned(),
        ],
        stage: pb::Stage::ClosedLost.into(),
    };
    assert_eq!(event, expected);
    app.clock.advance(TimeDelta::days(30) + TimeDelta::seconds(1));
    let late = pb::CorrectClosedOpportunityRequest {
        request_id: String::new(),
        ..request
    };
    refused(
        correct(&app, late).await,
        Code::FailedPrecondition,
        "CORRECTION_PERIOD_ENDED",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_053_terminal_aws_stage_publishes_closed_by_aws() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Nordwind")).await;
    for stage in [pb::AwsStage::Qualified, pb::AwsStage::ClosedLost] {
        let request = update_request(&id, summary_in_stage(stage));
        try_update(&app, &seller(), request).await.expect("a change");
    }
    // Created, submitted, approved, and the two changes of the summary.
    let events = peer.first_events("opportunity", 5).await;
    let changed: pb::OpportunityAwsSummaryChanged = events[3].message();
    assert!(!changed.is_terminal);
    let subject = format!("cosell.opportunity.v1.{ALDER}.aws-{id}.opportunity_closed_by_aws");
    assert_eq!(events[4].subject, subject);
    let closed: pb::OpportunityClosedByAws = events[4].message();
    let expected = pb::OpportunityClosedByAws {
        opportunity_id: id,
        account_id: ALDER.to_owned(),
        revision: 2,
        stage: pb::AwsStage::ClosedLost.into(),
    };
    assert_eq!(closed, expected);
    app.finish::<Opportunities>().await;
}

/// The consulting partner launches: the day on which billing began has come, and the customer's AWS account is known.
#[tokio::test]
async fn opp_043_049_launch_needs_its_date_and_the_aws_account_which_can_be_corrected() {
    let (app, peer) = start_with_review().await;
    app.directory
        .set_partner_type(ALDER, directory::PartnerType::ConsultingPartner);
    apply_catalog(&app).await;
    let mut deal = record("Nordwind");
    deal.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        solutions: vec!["S-1".to_owned()],
        ..Default::default()
    });
    let id = create_approved(&app, &peer, deal).await;
    let launch = pb::ChangeStageRequest {
        opportunity_id: id.clone(),
        stage: pb::Stage::Launched.into(),
        ..Default::default()
    };
    let refusal = refused(
        change_stage(&app, launch.clone()).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "opportunity.life_cycle.target_close_date",
            "opportunity.customer.account.aws_account_id"
        ]
    );
    let account = pb::UpdateOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            customer: Some(pb::Customer {
                account: Some(pb::Account {
                    aws_account_id: "123456789012".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let client = client_for(&app, &user());
    client
        .opportunities()
        .update_opportunity(account)
        .await
        .expect("the customer's account");
    let dated = pb::ChangeStageRequest {
        target_close_date: date(2026, 3, 1),
        ..launch
    };
    let launched = change_stage(&app, dated).await.expect("a launch").into_inner();
    assert_eq!(launched.warnings, []);
    let correction = pb::CorrectClosedOpportunityRequest {
        opportunity_id: id.clone(),
        aws_account_id: "210987654321".to_owned(),
        ..Default::default()
    };
    let corrected = correct(&app, correction)
        .await
        .expect("a correction")
        .into_inner();
    let corrected = corrected.opportunity.expect("a record");
    assert_eq!(close_date(&corrected), Some((2026, 3, 1)));
    let life_cycle = corrected.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.stage(), pb::Stage::Launched);
    assert_eq!(life_cycle.review_status(), ReviewStatus::Approved);
    app.finish::<Opportunities>().await;
}
