//! AWS refers an opportunity, which is routed to the next partner after a rejection.

use anyhow::{Context as _, ensure};
use chrono::{Datelike as _, Months, NaiveDate};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_offer::Payload;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, RejectionReason};
use cosell_proto::google::r#type::{Date, Money};
use cosell_types::Clock;
use prost_types::Timestamp;
use tokio::time::Instant;

use super::calls::{POLL_INTERVAL, WAIT_LIMIT, request_id, summary_line};
use super::member_client::MemberClient;
use super::scenario::Scenario;
use crate::{ALDER, BIRCH};

const SELLER: &str = "aws-sales-representative";
const FIRST: &str = "birch-alliance-lead";
const SECOND: &str = "alder-ace-manager";

impl Scenario<'_> {
    /// The first partner rejects the offer; the second one reads and accepts it and gets the opportunity.
    pub(super) async fn refer(&mut self) -> anyhow::Result<()> {
        let (seller, first, second) = (self.member(SELLER)?, self.member(FIRST)?, self.member(SECOND)?);
        let today = Clock::system().now().date_naive();
        let request = referral::CreateReferralRequest {
            referral: Some(build_referral(&[BIRCH, ALDER], today)?),
            request_id: request_id(),
            ..Default::default()
        };
        let created = seller.referrals().create_referral(request).await?.into_inner();
        let created = created.referral.context("a referral")?;
        self.report(
            &seller.id,
            format!(
                "refers    {}  to {} partners",
                created.referral_id,
                created.receiver_account_ids.len()
            ),
        );

        let offer = get_offer(&first, &created.offers[0].referral_offer_id).await?;
        self.report(
            &first.id,
            format!(
                "sees      {}  {}",
                offer.referral_offer_id,
                describe_payload(&offer)
            ),
        );
        let request = referral::RejectReferralOfferRequest {
            referral_offer_id: offer.referral_offer_id.clone(),
            reason: RejectionReason::UnableToSupport.into(),
            text: "Our team has no capacity this quarter".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        first.referrals().reject_referral_offer(request).await?;
        self.report(&first.id, format!("rejects   {}", offer.referral_offer_id));

        let id = self.next_offer(&seller, &created.referral_id).await?;
        let offer = get_offer(&second, &id).await?;
        self.report(
            &second.id,
            format!(
                "sees      {}  {}",
                offer.referral_offer_id,
                describe_payload(&offer)
            ),
        );
        let request = referral::AcceptReferralOfferRequest {
            referral_offer_id: id,
            request_id: request_id(),
            ..Default::default()
        };
        let response = second
            .referrals()
            .accept_referral_offer(request)
            .await?
            .into_inner();
        let offer = response.referral_offer.context("the offer")?;
        self.report(&second.id, format!("accepts   {}", offer.referral_offer_id));
        let accepted = wait_for_opportunity(&second, &offer.opportunity_id).await?;
        ensure!(
            accepted.referral_offer_id == offer.referral_offer_id
                && accepted.origin() == opportunity::Origin::AwsReferral,
            "the opportunity has another origin than the offer"
        );
        self.report(
            &second.id,
            format!(
                "has       {}  {}",
                accepted.opportunity_id,
                summary_line(&accepted)
            ),
        );
        Ok(())
    }

    /// Waits for the offer to the second partner and returns its id.
    async fn next_offer(&mut self, seller: &MemberClient, id: &str) -> anyhow::Result<String> {
        let deadline = Instant::now() + WAIT_LIMIT;
        loop {
            let request = referral::GetReferralRequest {
                referral_id: id.to_owned(),
            };
            let found = seller.referrals().get_referral(request).await?.into_inner();
            let offers = found.referral.context("the referral")?.offers;
            if let Some(offer) = offers.get(1) {
                return Ok(offer.referral_offer_id.clone());
            }
            ensure!(
                Instant::now() < deadline,
                "{id} was not offered to the next partner"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

async fn get_offer(client: &MemberClient, id: &str) -> anyhow::Result<referral::ReferralOffer> {
    let request = referral::GetReferralOfferRequest {
        referral_offer_id: id.to_owned(),
    };
    let response = client.referrals().get_referral_offer(request).await?;
    response.into_inner().referral_offer.context("the offer")
}

/// The part of an offer's payload that is visible before acceptance.
fn describe_payload(offer: &referral::ReferralOffer) -> String {
    match &offer.payload {
        Some(Payload::Opportunity(payload)) => {
            format!("{}: {}", payload.customer_company_name, payload.title)
        }
        Some(Payload::Lead(payload)) => payload.customer_company_name.clone(),
        None => String::new(),
    }
}

/// Waits until an opportunity exists and returns it.
pub(super) async fn wait_for_opportunity(
    client: &MemberClient,
    id: &str,
) -> anyhow::Result<opportunity::Opportunity> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        match client.opportunities().get_opportunity(request).await {
            Ok(response) => return response.into_inner().opportunity.context("the opportunity"),
            Err(status) if status.code() != tonic::Code::NotFound => return Err(status.into()),
            Err(_) => ensure!(Instant::now() < deadline, "{id} was not created"),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// A referral of an opportunity to these partners in order.
fn build_referral(partners: &[&str], today: NaiveDate) -> anyhow::Result<referral::Referral> {
    let closes = today.checked_add_months(Months::new(6)).context("a day")?;
    let content = opportunity::Opportunity {
        opportunity_type: opportunity::OpportunityType::NetNewBusiness.into(),
        primary_needs_from_aws: vec![opportunity::PrimaryNeedFromAws::TechnicalConsultation.into()],
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: "Hafenkontor Lübeck GmbH".to_owned(),
                industry: "Transportation and Logistics".to_owned(),
                website_url: "www.hafenkontor.example".to_owned(),
                address: Some(opportunity::Address {
                    country_code: "DE".to_owned(),
                    postal_code: "23552".to_owned(),
                    city: "Lübeck".to_owned(),
                    street_address: "An der Untertrave 7".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            contacts: vec![opportunity::Contact {
                first_name: "Wiebke".to_owned(),
                last_name: "Jansen".to_owned(),
                business_title: "Head of operations".to_owned(),
                email: "wiebke.jansen@hafenkontor.example".to_owned(),
                ..Default::default()
            }],
        }),
        project: Some(opportunity::Project {
            title: "Berth planning".to_owned(),
            customer_business_problem: "Berths are planned on paper, and ships wait in the roads.".to_owned(),
            customer_use_case: "Database".to_owned(),
            delivery_models: vec![opportunity::DeliveryModel::ProfessionalServices.into()],
            sales_activities: vec![opportunity::SalesActivity::InitializedDiscussionsWithCustomer.into()],
            expected_customer_spend: vec![opportunity::ExpectedCustomerSpend {
                amount: Some(Money {
                    currency_code: "EUR".to_owned(),
                    units: 6200,
                    nanos: 0,
                }),
                frequency: opportunity::PaymentFrequency::Monthly.into(),
                target_company: "AWS".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        }),
        life_cycle: Some(opportunity::LifeCycle {
            target_close_date: Some(Date {
                year: closes.year(),
                month: closes.month().try_into()?,
                day: closes.day().try_into()?,
            }),
            next_steps: "Meet the harbour master".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let consent = Clock::system().now();
    Ok(referral::Referral {
        receiver_account_ids: partners.iter().map(ToString::to_string).collect(),
        customer_consent_time: Some(Timestamp {
            seconds: consent.timestamp(),
            nanos: 0,
        }),
        message: "They ask for a partner with experience in harbours.".to_owned(),
        receiver_responsibilities: vec![ReceiverResponsibility::ServicesPartner.into()],
        sender_contacts: vec![opportunity::Contact {
            first_name: "Vera".to_owned(),
            last_name: "Lindqvist".to_owned(),
            business_title: "AWSSalesRep".to_owned(),
            email: "vera.lindqvist@aws.example".to_owned(),
            ..Default::default()
        }],
        payload: Some(referral::referral::Payload::Opportunity(content)),
        ..Default::default()
    })
}
