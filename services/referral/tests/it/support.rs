//! Test fixtures: a running referral service with a fake opportunity service, builders of requests, and helpers that
//! wait for background work.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::lead_service_client::LeadServiceClient;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_proto::cosell::referral::v1::referral_service_client::ReferralServiceClient;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, RejectionReason};
use cosell_proto::google::r#type::{Date, Money};
use cosell_referral::{Options, Referrals};
use cosell_testkit::harness::{App, Client, Setup, aws, eventually, opportunities, partner, seeing_all};
use cosell_types::{Caller, Clock, Role, random};
use prost_types::Timestamp;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

/// Clients of one caller for every gRPC service of the referral service.
pub struct Clients(InterceptedService<Channel, Client>);

impl Clients {
    pub fn leads(&self) -> LeadServiceClient<InterceptedService<Channel, Client>> {
        LeadServiceClient::new(self.0.clone())
    }

    pub fn internal(&self) -> ReferralInternalServiceClient<InterceptedService<Channel, Client>> {
        ReferralInternalServiceClient::new(self.0.clone())
    }

    pub fn referrals(&self) -> ReferralServiceClient<InterceptedService<Channel, Client>> {
        ReferralServiceClient::new(self.0.clone())
    }
}

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const CEDAR: &str = "333333333333";

/// A running service whose replica holds the alliance leads of three partners.
pub async fn start() -> App {
    start_with(Setup::default()).await
}

pub async fn start_with(setup: Setup) -> App {
    start_with_opportunity_service(setup, opportunities(|_, _| Err(Code::NotFound)).await).await
}

/// As [`start_with`], with the opportunity service at this URL.
pub async fn start_with_opportunity_service(setup: Setup, opportunity_url: String) -> App {
    let app = setup.start::<Referrals>(Options::new(opportunity_url)).await;
    for account in [ALDER, BIRCH, CEDAR] {
        assert_eq!(list_offers(&app, &alliance_lead(account)).await, []);
    }
    app
}

pub fn sales() -> Caller {
    aws("mem-sales", Role::SalesRepresentative)
}

pub fn alliance_lead(account: &str) -> Caller {
    partner(&format!("mem-lead-{account}"), account, Role::AllianceLead)
}

pub fn clients(app: &App, caller: &Caller) -> Clients {
    Clients(app.channel_for(caller))
}

/// Clients of a member of ALDER's marketing staff whom the directory lets see all opportunities (ACC-013).
pub fn clients_of_member_that_sees_all(app: &App, id: &str) -> Clients {
    clients(app, &seeing_all(partner(id, ALDER, Role::MarketingStaff)))
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

/// Values that a partner must not receive before it accepts.
pub const HIDDEN: [&str; 12] = [
    "Hidden Street 7",
    "Hidden City",
    "hidden-contact@customer.example",
    "+4940555",
    "444455556666",
    "Hidden solution",
    "Hidden comment",
    "Hidden campaign",
    "123456789",
    "https://calculator.aws/#/estimate?id=0123456789abcdef0123456789abcdef",
    "Self",
    "+12065550123",
];

pub fn offered_opportunity() -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_type: opportunity::OpportunityType::NetNewBusiness.into(),
        lead_source: "AWS event".to_owned(),
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: "Nordwind".to_owned(),
                industry: "Retail".to_owned(),
                website_url: "www.nordwind.example".to_owned(),
                aws_account_id: HIDDEN[4].to_owned(),
                duns: HIDDEN[8].to_owned(),
                address: Some(opportunity::Address {
                    country_code: "DE".to_owned(),
                    postal_code: "20457".to_owned(),
                    city: HIDDEN[1].to_owned(),
                    street_address: HIDDEN[0].to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            contacts: vec![opportunity::Contact {
                email: HIDDEN[2].to_owned(),
                phone: HIDDEN[3].to_owned(),
                ..Default::default()
            }],
        }),
        project: Some(opportunity::Project {
            title: "Data platform".to_owned(),
            customer_business_problem: "Orders are typed in twice, every day.".to_owned(),
            customer_use_case: "Database".to_owned(),
            delivery_models: vec![opportunity::DeliveryModel::ProfessionalServices.into()],
            expected_customer_spend: ["AWS", HIDDEN[10]]
                .map(|company| opportunity::ExpectedCustomerSpend {
                    amount: Some(Money {
                        currency_code: "USD".to_owned(),
                        units: 1850,
                        nanos: 0,
                    }),
                    target_company: company.to_owned(),
                    estimation_url: HIDDEN[9].to_owned(),
                    ..Default::default()
                })
                .into(),
            other_solution_description: HIDDEN[5].to_owned(),
            additional_comments: HIDDEN[6].to_owned(),
            ..Default::default()
        }),
        marketing: Some(opportunity::Marketing {
            campaign_name: HIDDEN[7].to_owned(),
            ..Default::default()
        }),
        life_cycle: Some(opportunity::LifeCycle {
            next_steps: "Meet the CIO".to_owned(),
            target_close_date: Some(Date {
                year: 2026,
                month: 9,
                day: 30,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn referral_request(receivers: &[&str]) -> pb::CreateReferralRequest {
    pb::CreateReferralRequest {
        referral: Some(pb::Referral {
            receiver_account_ids: receivers.iter().map(ToString::to_string).collect(),
            // Before the fixed time of the service's clock.
            customer_consent_time: Some(Timestamp {
                seconds: 1_772_400_000,
                nanos: 0,
            }),
            message: "They know you from the fair.".to_owned(),
            receiver_responsibilities: vec![ReceiverResponsibility::ServicesPartner.into()],
            sender_contacts: vec![opportunity::Contact {
                first_name: "Vera".to_owned(),
                email: "vera@amazon.example".to_owned(),
                phone: HIDDEN[11].to_owned(),
                business_title: "AWSSalesRep".to_owned(),
                ..Default::default()
            }],
            payload: Some(Payload::Opportunity(offered_opportunity())),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub async fn create_referral(app: &App, receivers: &[&str]) -> pb::Referral {
    let response = clients(app, &sales())
        .referrals()
        .create_referral(referral_request(receivers))
        .await;
    response
        .expect("a referral")
        .into_inner()
        .referral
        .expect("a referral")
}

pub async fn get_referral(app: &App, id: &str) -> pb::Referral {
    let request = pb::GetReferralRequest {
        referral_id: id.to_owned(),
    };
    let response = clients(app, &sales()).referrals().get_referral(request).await;
    response
        .expect("the referral")
        .into_inner()
        .referral
        .expect("the referral")
}

pub async fn list_offers(app: &App, caller: &Caller) -> Vec<pb::ReferralOffer> {
    let request = pb::ListReferralOffersRequest::default();
    let response = clients(app, caller)
        .referrals()
        .list_referral_offers(request)
        .await;
    response.expect("a list").into_inner().referral_offers
}

/// Waits for the only offer to an account.
pub async fn wait_for_offer(app: &App, account: &str) -> pb::ReferralOffer {
    eventually(
        async || match list_offers(app, &alliance_lead(account)).await.as_slice() {
            [offer] => Ok(offer.clone()),
            other => Err(format!("{} offers", other.len())),
        },
    )
    .await
}

/// Waits until a referral has the given state and number of offers.
pub async fn wait_for_state(app: &App, id: &str, state: pb::ReferralState, offers: usize) -> pb::Referral {
    eventually(async || {
        let referral = get_referral(app, id).await;
        if referral.state() == state && referral.offers.len() == offers {
            Ok(referral)
        } else {
            Err(format!(
                "{:?} with {} offers",
                referral.state(),
                referral.offers.len()
            ))
        }
    })
    .await
}

pub fn accept_request(id: &str) -> pb::AcceptReferralOfferRequest {
    pb::AcceptReferralOfferRequest {
        referral_offer_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn reject_request(id: &str) -> pb::RejectReferralOfferRequest {
    pb::RejectReferralOfferRequest {
        referral_offer_id: id.to_owned(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    }
}

/// Values of a lead that a partner must not receive before it accepts.
pub const HIDDEN_OF_LEAD: [&str; 6] = [
    "Hiddenfirst",
    "Hiddenlast",
    "hidden-person@customer.example",
    "+4940666",
    "hidden-source-7",
    "Hiddentown",
];

/// Noon (UTC) of a day in February 2026.
pub fn noon(day: i32) -> Timestamp {
    Timestamp {
        seconds: 1_769_947_200 + i64::from(day - 1) * 86_400,
        nanos: 0,
    }
}

/// The customer details of a lead, with two touch points.
pub fn lead_details() -> pb::LeadDetails {
    let interaction = |day: i32, action: &str| pb::LeadInteraction {
        source_type: "Event".to_owned(),
        source_id: HIDDEN_OF_LEAD[4].to_owned(),
        source_name: "Cloud fair".to_owned(),
        use_case: "Database".to_owned(),
        interaction_date: Some(noon(day)),
        customer_action: action.to_owned(),
        business_problem: "Orders are typed in twice, every day.".to_owned(),
        contact: Some(pb::LeadContact {
            first_name: HIDDEN_OF_LEAD[0].to_owned(),
            last_name: HIDDEN_OF_LEAD[1].to_owned(),
            email: HIDDEN_OF_LEAD[2].to_owned(),
            phone: HIDDEN_OF_LEAD[3].to_owned(),
            business_title: "Head of data".to_owned(),
        }),
    };
    pb::LeadDetails {
        customer_company_name: "Nordwind".to_owned(),
        customer_website_url: "www.nordwind.example".to_owned(),
        address: Some(opportunity::Address {
            country_code: "DE".to_owned(),
            city: HIDDEN_OF_LEAD[5].to_owned(),
            ..Default::default()
        }),
        industry: "Retail".to_owned(),
        market_segment: "Medium".to_owned(),
        aws_maturity: "Single-Account".to_owned(),
        interactions: vec![
            interaction(11, "Came to the stand"),
            interaction(12, "Read a paper"),
        ],
    }
}

/// The lead details of a request, to be changed.
pub fn lead_details_mut(request: &mut pb::CreateReferralRequest) -> &mut pb::LeadDetails {
    match request
        .referral
        .as_mut()
        .and_then(|content| content.payload.as_mut())
    {
        Some(Payload::Lead(lead)) => lead,
        other => panic!("not a lead: {other:?}"),
    }
}

/// A referral request that offers a lead instead of an opportunity.
pub fn lead_referral_request(receivers: &[&str]) -> pb::CreateReferralRequest {
    let mut request = referral_request(receivers);
    let content = request.referral.as_mut().expect("a referral");
    content.payload = Some(Payload::Lead(lead_details()));
    request
}

pub async fn create_lead_referral(app: &App, receivers: &[&str]) -> pb::Referral {
    let response = clients(app, &sales())
        .referrals()
        .create_referral(lead_referral_request(receivers))
        .await;
    response
        .expect("a referral")
        .into_inner()
        .referral
        .expect("a referral")
}

/// Offers a lead to an account, whose alliance lead accepts it.
pub async fn create_accepted_lead(app: &App, account: &str) -> pb::Lead {
    let referral = create_lead_referral(app, &[account]).await;
    accept_lead(app, account, &referral).await
}

/// Accepts the first offer of a referral as the account's alliance lead, and returns the lead.
pub async fn accept_lead(app: &App, account: &str, referral: &pb::Referral) -> pb::Lead {
    let offer = accept_request(&referral.offers[0].referral_offer_id);
    let response = clients(app, &alliance_lead(account))
        .referrals()
        .accept_referral_offer(offer)
        .await;
    let offer = response
        .expect("an acceptance")
        .into_inner()
        .referral_offer
        .expect("the offer");
    get_lead(app, &alliance_lead(account), &offer.lead_id).await
}

pub async fn get_lead(app: &App, caller: &Caller, id: &str) -> pb::Lead {
    let request = pb::GetLeadRequest {
        lead_id: id.to_owned(),
    };
    let response = clients(app, caller).leads().get_lead(request).await;
    response.expect("the lead").into_inner().lead.expect("the lead")
}

pub async fn list_leads(app: &App, caller: &Caller) -> Vec<pb::Lead> {
    let request = pb::ListLeadsRequest::default();
    let response = clients(app, caller).leads().list_leads(request).await;
    response.expect("a list").into_inner().leads
}

pub fn set_state_request(lead: &pb::Lead, state: pb::LeadState) -> pb::SetLeadStateRequest {
    pb::SetLeadStateRequest {
        lead_id: lead.lead_id.clone(),
        state: state.into(),
        ..Default::default()
    }
}

pub fn add_interaction_request(lead: &pb::Lead) -> pb::AddLeadInteractionRequest {
    pb::AddLeadInteractionRequest {
        lead_id: lead.lead_id.clone(),
        interaction: Some(pb::LeadInteraction {
            source_type: "Call".to_owned(),
            customer_action: "Asked for a price".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn assign_request(lead: &pb::Lead, member: &str) -> pb::AssignLeadRequest {
    pb::AssignLeadRequest {
        lead_id: lead.lead_id.clone(),
        owner_member_id: member.to_owned(),
        ..Default::default()
    }
}

pub fn convert_request(lead: &pb::Lead) -> pb::ConvertLeadRequest {
    pb::ConvertLeadRequest {
        lead_id: lead.lead_id.clone(),
        ..Default::default()
    }
}
