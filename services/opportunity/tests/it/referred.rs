//! Deals of AWS that a partner has accepted, and drafts that a partner makes of leads.

use cosell_opportunity::{Opportunities, Options};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, FarEnd, Setup, eventually, referrals, refused, service};
use tonic::Code;

use crate::support::{
    ALDER, by, count, create, date, get, get_request, manager, next_steps, options, record, start, user,
};

pub const ID: &str = "O900719925474090104";
const OFFER: &str = "engi-0000000000004";

pub fn deal() -> pb::Opportunity {
    let mut deal = record("Nordwind");
    deal.partner_opportunity_identifier = "of AWS".to_owned();
    deal.project
        .as_mut()
        .expect("a project")
        .other_solution_description
        .clear();
    deal
}

fn people() -> Vec<pb::Contact> {
    vec![pb::Contact {
        first_name: "Vera".to_owned(),
        email: "vera@amazon.example".to_owned(),
        business_title: "AWSSalesRep".to_owned(),
        ..Default::default()
    }]
}

async fn start_beside(deal: pb::Opportunity) -> (App, FarEnd) {
    start_beside_both(deal, referral::LeadDetails::default()).await
}

pub async fn start_beside_both(deal: pb::Opportunity, lead: referral::LeadDetails) -> (App, FarEnd) {
    let deal = referral::GetAcceptedOpportunityResponse {
        opportunity: Some(deal),
        sender_contacts: people(),
    };
    let referral_url = referrals(deal, lead).await;
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(Options {
            referral_url,
            ..options("http://127.0.0.1:9")
        })
        .await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    (app, far)
}

fn accepted() -> referral::ReferralOfferAccepted {
    referral::ReferralOfferAccepted {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        answered_by: "mem-manager".to_owned(),
        opportunity_id: ID.to_owned(),
        ..Default::default()
    }
}

pub async fn made(app: &App) -> pb::Opportunity {
    eventually(async || {
        let mut calls = by(app, &manager()).opportunities();
        let answer = calls.get_opportunity(get_request(ID)).await;
        match answer {
            Ok(answer) => Ok(answer.into_inner().opportunity.expect("the record")),
            Err(status) => Err(status.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn opp_090_what_was_accepted_is_an_approved_record_of_the_partner_once() {
    let (app, far) = start_beside(deal()).await;
    far.tell("referral", ALDER, OFFER, 1, &accepted()).await;
    let seen = made(&app).await;
    assert_eq!(
        (
            seen.origin(),
            seen.owner_member_id.as_str(),
            seen.referral_offer_id.as_str()
        ),
        (pb::Origin::AwsReferral, "mem-manager", OFFER)
    );
    let life_cycle = seen.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            life_cycle.stage(),
            seen.involvement_type()
        ),
        (
            ReviewStatus::Approved,
            pb::Stage::Prospect,
            pb::InvolvementType::CoSell
        )
    );
    assert_eq!(
        seen.partner_opportunity_identifier, "",
        "the key is the partner's to choose"
    );
    let summary = by(&app, &manager())
        .aws_summaries()
        .get_aws_opportunity_summary(pb::GetAwsOpportunitySummaryRequest {
            opportunity_id: ID.to_owned(),
        })
        .await;
    let summary = summary
        .expect("a summary")
        .into_inner()
        .aws_opportunity_summary
        .expect("a summary");
    assert_eq!(summary.opportunity_team, people());

    // The event comes again, as itself and as another copy.
    far.tell("referral", ALDER, OFFER, 1, &accepted()).await;
    far.tell(
        "referral",
        ALDER,
        OFFER,
        2,
        &referral::ReferralOfferExpired::default(),
    )
    .await;
    eventually(async || {
        match count(
            &app,
            "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-referral'",
        )
        .await
        {
            2 | 3 => Ok(()),
            read => Err(format!("{read} events were read")),
        }
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    assert_eq!(get(&app, &manager(), ID).await.revision, 1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_title_and_problem_are_locked_and_a_solution_is_needed_when_committed() {
    let (app, far) = start_beside(deal()).await;
    far.tell("referral", ALDER, OFFER, 1, &accepted()).await;
    made(&app).await;
    let mut retitled = next_steps(ID, "Call");
    let given = retitled.opportunity.as_mut().expect("a record");
    given.project = Some(pb::Project {
        title: "Another title".to_owned(),
        ..Default::default()
    });
    let mut calls = by(&app, &manager()).opportunities();
    let answer = calls.update_opportunity(retitled).await;
    let refusal = refused(answer, Code::FailedPrecondition, "FIELD_NOT_EDITABLE");
    assert_eq!(refusal.fields[0].0, "opportunity.project.title");
    by(&app, &manager())
        .opportunities()
        .update_opportunity(next_steps(ID, "Call"))
        .await
        .expect("what is open is open without a solution");
    let stage = |stage: pb::Stage| pb::ChangeStageRequest {
        opportunity_id: ID.to_owned(),
        stage: stage.into(),
        ..Default::default()
    };
    by(&app, &manager())
        .lifecycle()
        .change_stage(stage(pb::Stage::Qualified))
        .await
        .expect("a stage that needs none");
    let mut calls = by(&app, &manager()).lifecycle();
    let answer = calls.change_stage(stage(pb::Stage::Committed)).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert!(refusal.fields[0].2.contains("solution"), "{refusal:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_what_a_rule_says_since_does_not_keep_a_deal_from_coming_to_be() {
    let mut late = deal();
    late.project.as_mut().expect("a project").customer_use_case = "No use case any more".to_owned();
    late.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 1, 5);
    let (app, far) = start_beside(late).await;
    far.tell("referral", ALDER, OFFER, 1, &accepted()).await;
    assert_eq!(made(&app).await.origin(), pb::Origin::AwsReferral);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_a_deal_is_checked_before_it_is_offered() {
    let app = start().await;
    let check = async |opportunity: pb::Opportunity, sender_contacts: Vec<pb::Contact>| {
        let request = pb::CheckReferredOpportunityRequest {
            opportunity: Some(opportunity),
            sender_contacts,
        };
        let mut calls = by(&app, &service("referral")).internal();
        let answer = calls.check_referred_opportunity(request).await;
        let problems = answer.expect("an answer").into_inner().violations;
        problems
            .into_iter()
            .map(|problem| problem.field.expect("a field").field)
            .collect::<Vec<_>>()
    };
    assert_eq!(check(deal(), people()).await, Vec::<String>::new());
    let mut wrong = deal();
    wrong.project.as_mut().expect("a project").customer_use_case = "Nothing".to_owned();
    wrong.project.as_mut().expect("a project").delivery_models.clear();
    assert_eq!(
        check(wrong, people()).await,
        [
            "opportunity.project.customer_use_case",
            "opportunity.project.delivery_models"
        ]
    );
    let mut late = deal();
    late.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 1, 5);
    let mut nobody = people();
    nobody[0].business_title = "Friend".to_owned();
    assert_eq!(
        check(late, nobody).await,
        [
            "opportunity.life_cycle.target_close_date",
            "sender_contacts[0].business_title"
        ]
    );
    let request = pb::CheckReferredOpportunityRequest::default();
    let mut calls = by(&app, &user()).internal();
    let answer = calls.check_referred_opportunity(request).await;
    refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let own = create(&app, &user(), record("Alder")).await;
    assert_eq!(own.referral_offer_id, "");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_of_an_accepted_lead_comes_no_opportunity() {
    let (app, far) = start_beside(deal()).await;
    let lead = referral::ReferralOfferAccepted {
        opportunity_id: String::new(),
        lead_id: crate::lead_drafts::LEAD.to_owned(),
        ..accepted()
    };
    far.tell("referral", ALDER, OFFER, 1, &lead).await;
    let read = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-referral'";
    eventually(async || match count(&app, read).await {
        1 => Ok(()),
        read => Err(format!("{read} events were read")),
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}
