//! Covers the agreement of an offer with the opportunity that its acceptance creates (REF-012): every field that the
//! partner reads before it accepts has the value that the opportunity has afterwards.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::{
    OpportunityInternalService, OpportunityInternalServiceServer,
};
use cosell_proto::cosell::opportunity::v1::{DeliveryModel, OpportunityType, PaymentFrequency};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::referral_offer;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, Setup, service};
use prost_types::Timestamp;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::support::{
    ALDER, accept_request, alliance_lead, clients, get_referral, list_offers, offered_opportunity,
    referral_request, sales, start_with_opportunity_service, wait_for_offer,
};

/// A stub of the opportunity service that finds every opportunity valid.
struct CheckStub {
    /// Whether it returns the opportunity, normalized by [`as_received`]; releases before it did not.
    returns_opportunity: bool,
}

impl CheckStub {
    /// Starts the stub and returns its address; it runs until the end of the test.
    fn listen(self) -> String {
        let any = "127.0.0.1:0".parse().expect("an address");
        let incoming = TcpIncoming::bind(any).expect("a listener");
        let address = format!("http://{}", incoming.local_addr().expect("an address"));
        let server =
            tonic::transport::Server::builder().add_service(OpportunityInternalServiceServer::new(self));
        tokio::spawn(server.serve_with_incoming(incoming));
        address
    }
}

#[tonic::async_trait]
impl OpportunityInternalService for CheckStub {
    async fn check_referred_opportunity(
        &self,
        request: Request<opportunity::CheckReferredOpportunityRequest>,
    ) -> Result<Response<opportunity::CheckReferredOpportunityResponse>, Status> {
        let stated = request.into_inner().opportunity.unwrap_or_default();
        Ok(Response::new(opportunity::CheckReferredOpportunityResponse {
            violations: Vec::new(),
            opportunity: self.returns_opportunity.then(|| as_received(stated)),
        }))
    }

    async fn get_opportunity_for_account(
        &self,
        _: Request<opportunity::GetOpportunityForAccountRequest>,
    ) -> Result<Response<opportunity::GetOpportunityForAccountResponse>, Status> {
        Err(Status::unimplemented("not supported by the stub"))
    }
}

/// Changes every field of which the excerpt has a value. That the opportunity service changes all of them is not
/// realistic: it leaves no field that agrees because nobody changed it.
fn as_received(mut stated: opportunity::Opportunity) -> opportunity::Opportunity {
    stated.opportunity_type = OpportunityType::NetNewBusiness.into();
    stated.lead_source = "Received lead source".to_owned();
    let account = stated
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut())
        .expect("an account");
    account.company_name = "Received company".to_owned();
    account.website_url = "received.example".to_owned();
    account.industry = "Retail".to_owned();
    let address = account.address.as_mut().expect("an address");
    address.country_code = "GB".to_owned();
    address.postal_code = "SW1A 1AA".to_owned();
    let project = stated.project.as_mut().expect("a project");
    project.title = "Received title".to_owned();
    project.customer_business_problem = "The received business problem.".to_owned();
    project.customer_use_case = "Security & Compliance".to_owned();
    project.delivery_models = vec![DeliveryModel::Resell.into()];
    for entry in &mut project.expected_customer_spend {
        entry.frequency = PaymentFrequency::Monthly.into();
        entry.amount.as_mut().expect("an amount").units = 154;
    }
    let life_cycle = stated.life_cycle.as_mut().expect("a life cycle");
    life_cycle.next_steps = "Received next steps".to_owned();
    life_cycle.target_close_date.as_mut().expect("a date").day = 1;
    stated
}

/// What AWS states: no type, everything else as in [`offered_opportunity`].
fn without_type() -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_type: OpportunityType::Unspecified.into(),
        ..offered_opportunity()
    }
}

/// The excerpt that REF-012 lists, of a record. Names every field of the message: a new one has to be added here.
fn excerpt_of(record: opportunity::Opportunity, create_time: Option<Timestamp>) -> pb::OfferedOpportunity {
    let account = record
        .customer
        .and_then(|customer| customer.account)
        .expect("an account");
    let address = account.address.expect("an address");
    let project = record.project.expect("a project");
    let life_cycle = record.life_cycle.expect("a life cycle");
    let spend = project.expected_customer_spend.into_iter();
    pb::OfferedOpportunity {
        customer_company_name: account.company_name,
        customer_website_url: account.website_url,
        country_code: address.country_code,
        postal_code: address.postal_code,
        industry: account.industry,
        opportunity_type: record.opportunity_type,
        customer_use_case: project.customer_use_case,
        create_time,
        title: project.title,
        customer_business_problem: project.customer_business_problem,
        next_steps: life_cycle.next_steps,
        delivery_models: project.delivery_models,
        expected_customer_spend: spend
            .filter(|entry| entry.target_company == "AWS")
            .map(|entry| opportunity::ExpectedCustomerSpend {
                estimation_url: String::new(),
                ..entry
            })
            .collect(),
        target_close_date: life_cycle.target_close_date,
        lead_source: record.lead_source,
        origin: opportunity::Origin::AwsReferral.into(),
    }
}

fn shown(offer: &pb::ReferralOffer) -> pb::OfferedOpportunity {
    match &offer.payload {
        Some(referral_offer::Payload::Opportunity(opportunity)) => opportunity.clone(),
        other => panic!("not an opportunity: {other:?}"),
    }
}

async fn offer_opportunity(app: &App, stated: opportunity::Opportunity) -> (pb::Referral, pb::ReferralOffer) {
    let mut request = referral_request(&[ALDER]);
    request.referral.as_mut().expect("a referral").payload = Some(Payload::Opportunity(stated));
    let created = clients(app, &sales()).referrals().create_referral(request).await;
    let created = created.expect("a referral").into_inner().referral;
    (created.expect("a referral"), wait_for_offer(app, ALDER).await)
}

#[tokio::test]
async fn ref_012_offer_agrees_with_its_opportunity_in_every_field() {
    let check = CheckStub {
        returns_opportunity: true,
    };
    let app = start_with_opportunity_service(Setup::default(), check.listen()).await;
    let (referral, offer) = offer_opportunity(&app, without_type()).await;
    let accepted = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    let accepted = accepted.expect("an acceptance").into_inner().referral_offer;
    // What the opportunity service reads to create the opportunity.
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let record = clients(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    let record = record.expect("the opportunity").into_inner().opportunity;
    let record = record.expect("the opportunity");
    assert_eq!(record, as_received(without_type()));

    let expected = excerpt_of(record.clone(), offer.create_time);
    assert_eq!(shown(&offer), expected);
    assert_eq!(shown(&accepted.expect("the offer")), expected);
    assert_eq!(
        referral.payload,
        Some(Payload::Opportunity(record)),
        "AWS must read what the partner receives"
    );
    assert_eq!(
        get_referral(&app, &referral.referral_id).await.payload,
        referral.payload
    );
    app.finish::<Referrals>().await;
}

/// An opportunity service of an earlier release returns no opportunity, and earlier releases stored what AWS stated.
#[tokio::test]
async fn ref_012_offer_stored_without_type_shows_net_new_business() {
    let check = CheckStub {
        returns_opportunity: false,
    };
    let app = start_with_opportunity_service(Setup::default(), check.listen()).await;
    let (referral, offer) = offer_opportunity(&app, without_type()).await;
    assert_eq!(referral.payload, Some(Payload::Opportunity(without_type())));
    let expected = pb::OfferedOpportunity {
        opportunity_type: OpportunityType::NetNewBusiness.into(),
        ..excerpt_of(without_type(), offer.create_time)
    };
    assert_eq!(shown(&offer), expected);
    let listed = list_offers(&app, &alliance_lead(ALDER)).await;
    assert_eq!(shown(&listed[0]), expected);
    let accepted = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    let accepted = accepted.expect("an acceptance").into_inner().referral_offer;
    assert_eq!(shown(&accepted.expect("the offer")), expected);
    app.finish::<Referrals>().await;
}
