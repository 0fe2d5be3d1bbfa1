//! Opportunities created from accepted AWS referrals (OPP-090): the created record, its editability, and validation
//! before an offer.

use cosell_opportunity::{Opportunities, Options};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, PeerStub, Setup, eventually, referrals, refused, service};
use tonic::Code;

use crate::support::{
    ALDER, client_for, count, create, date, get, get_request, manager, next_steps_request, options, record,
    start, user,
};

pub const ID: &str = "O900719925474090104";
const OFFER: &str = "engi-0000000000004";

/// An opportunity as AWS refers it: without a solution.
pub fn referred_opportunity() -> pb::Opportunity {
    let mut opportunity = record("Nordwind");
    opportunity.partner_opportunity_identifier = "AWS-1".to_owned();
    opportunity
        .project
        .as_mut()
        .expect("a project")
        .other_solution_description
        .clear();
    opportunity
}

fn aws_contacts() -> Vec<pb::Contact> {
    vec![pb::Contact {
        first_name: "Vera".to_owned(),
        email: "vera@amazon.example".to_owned(),
        business_title: "AWSSalesRep".to_owned(),
        ..Default::default()
    }]
}

/// Starts the service beside a fake referral server with an accepted opportunity.
async fn start_with_referral(opportunity: pb::Opportunity) -> (App, PeerStub) {
    start_with_referral_and_lead(opportunity, referral::LeadDetails::default()).await
}

/// Starts the service with a bus, beside a fake referral server with an accepted opportunity and a converted lead.
pub async fn start_with_referral_and_lead(
    opportunity: pb::Opportunity,
    lead: referral::LeadDetails,
) -> (App, PeerStub) {
    let accepted = referral::GetAcceptedOpportunityResponse {
        opportunity: Some(opportunity),
        sender_contacts: aws_contacts(),
    };
    let referral_url = referrals(accepted, lead).await;
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(Options {
            referral_url,
            ..options("http://127.0.0.1:9")
        })
        .await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    (app, peer)
}

fn offer_accepted() -> referral::ReferralOfferAccepted {
    referral::ReferralOfferAccepted {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        answered_by: "mem-manager".to_owned(),
        opportunity_id: ID.to_owned(),
        ..Default::default()
    }
}

/// Waits until the opportunity of the referral or lead exists.
pub async fn wait_for_opportunity(app: &App) -> pb::Opportunity {
    eventually(async || {
        let mut client = client_for(app, &manager()).opportunities();
        let answer = client.get_opportunity(get_request(ID)).await;
        match answer {
            Ok(answer) => Ok(answer.into_inner().opportunity.expect("the record")),
            Err(status) => Err(status.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn opp_090_accepted_referral_creates_one_approved_opportunity() {
    let (app, peer) = start_with_referral(referred_opportunity()).await;
    peer.publish_event("referral", ALDER, OFFER, 1, &offer_accepted())
        .await;
    let opportunity = wait_for_opportunity(&app).await;
    assert_eq!(
        (
            opportunity.origin(),
            opportunity.owner_member_id.as_str(),
            opportunity.referral_offer_id.as_str()
        ),
        (pb::Origin::AwsReferral, "mem-manager", OFFER)
    );
    let life_cycle = opportunity.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            life_cycle.stage(),
            opportunity.involvement_type()
        ),
        (
            ReviewStatus::Approved,
            pb::Stage::Prospect,
            pb::InvolvementType::CoSell
        )
    );
    assert_eq!(
        opportunity.partner_opportunity_identifier, "",
        "the partner identifier is not copied"
    );
    let summary = client_for(&app, &manager())
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
    assert_eq!(summary.opportunity_team, aws_contacts());

    // The event is delivered again, followed by another event of the offer.
    peer.publish_event("referral", ALDER, OFFER, 1, &offer_accepted())
        .await;
    peer.publish_event(
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
            read => Err(format!("{read} events were applied")),
        }
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    assert_eq!(get(&app, &manager(), ID).await.revision, 1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_accepted_referral_locks_title_and_requires_solution_at_committed() {
    let (app, peer) = start_with_referral(referred_opportunity()).await;
    peer.publish_event("referral", ALDER, OFFER, 1, &offer_accepted())
        .await;
    wait_for_opportunity(&app).await;
    let mut update = next_steps_request(ID, "Call");
    let input = update.opportunity.as_mut().expect("a record");
    input.project = Some(pb::Project {
        title: "Another title".to_owned(),
        ..Default::default()
    });
    let mut client = client_for(&app, &manager()).opportunities();
    let answer = client.update_opportunity(update).await;
    let refusal = refused(answer, Code::FailedPrecondition, "FIELD_NOT_EDITABLE");
    assert_eq!(refusal.fields[0].0, "opportunity.project.title");
    client_for(&app, &manager())
        .opportunities()
        .update_opportunity(next_steps_request(ID, "Call"))
        .await
        .expect("an update of an editable field without a solution");
    let stage = |stage: pb::Stage| pb::ChangeStageRequest {
        opportunity_id: ID.to_owned(),
        stage: stage.into(),
        ..Default::default()
    };
    client_for(&app, &manager())
        .lifecycle()
        .change_stage(stage(pb::Stage::Qualified))
        .await
        .expect("a stage that needs no solution");
    let mut client = client_for(&app, &manager()).lifecycle();
    let answer = client.change_stage(stage(pb::Stage::Committed)).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert!(refusal.fields[0].2.contains("solution"), "{refusal:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_accepted_referral_creates_opportunity_despite_stricter_rules() {
    let mut late = referred_opportunity();
    late.project.as_mut().expect("a project").customer_use_case = "Withdrawn use case".to_owned();
    late.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 1, 5);
    let (app, peer) = start_with_referral(late).await;
    peer.publish_event("referral", ALDER, OFFER, 1, &offer_accepted())
        .await;
    assert_eq!(wait_for_opportunity(&app).await.origin(), pb::Origin::AwsReferral);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_referred_opportunity_is_validated_before_offer() {
    let app = start().await;
    let check = async |opportunity: pb::Opportunity, sender_contacts: Vec<pb::Contact>| {
        let request = pb::CheckReferredOpportunityRequest {
            opportunity: Some(opportunity),
            sender_contacts,
        };
        let mut client = client_for(&app, &service("referral")).internal();
        let answer = client.check_referred_opportunity(request).await;
        let violations = answer.expect("a response").into_inner().violations;
        violations
            .into_iter()
            .map(|violation| violation.field.expect("a field").field)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        check(referred_opportunity(), aws_contacts()).await,
        Vec::<String>::new()
    );
    let mut invalid = referred_opportunity();
    invalid.project.as_mut().expect("a project").customer_use_case = "Unknown use case".to_owned();
    invalid
        .project
        .as_mut()
        .expect("a project")
        .delivery_models
        .clear();
    assert_eq!(
        check(invalid, aws_contacts()).await,
        [
            "opportunity.project.customer_use_case",
            "opportunity.project.delivery_models"
        ]
    );
    // Nobody asks the accepting partner for the answer.
    let mut government = referred_opportunity();
    let customer = government.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    assert_eq!(
        check(government.clone(), aws_contacts()).await,
        ["opportunity.national_security"]
    );
    government.national_security = Some(false);
    assert_eq!(check(government, aws_contacts()).await, Vec::<String>::new());
    let mut late = referred_opportunity();
    late.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, 1, 5);
    let mut contacts = aws_contacts();
    contacts[0].business_title = "Friend".to_owned();
    assert_eq!(
        check(late, contacts).await,
        [
            "opportunity.life_cycle.target_close_date",
            "sender_contacts[0].business_title"
        ]
    );
    let request = pb::CheckReferredOpportunityRequest::default();
    let mut client = client_for(&app, &user()).internal();
    let answer = client.check_referred_opportunity(request).await;
    refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let own = create(&app, &user(), record("Alder")).await;
    assert_eq!(own.referral_offer_id, "");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_090_accepted_lead_creates_no_opportunity() {
    let (app, peer) = start_with_referral(referred_opportunity()).await;
    let lead = referral::ReferralOfferAccepted {
        opportunity_id: String::new(),
        lead_id: crate::lead_drafts::LEAD.to_owned(),
        ..offer_accepted()
    };
    peer.publish_event("referral", ALDER, OFFER, 1, &lead).await;
    let read = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-referral'";
    eventually(async || match count(&app, read).await {
        1 => Ok(()),
        read => Err(format!("{read} events were applied")),
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}
