//! AWS offers a deal of its own, which goes from one partner to the next.

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

use super::calls::{PATIENCE, PAUSE, headline, request_id};
use super::journey::Journey;
use super::people::Person;
use crate::{ALDER, BIRCH};

const SELLER: &str = "aws-sales-representative";
const FIRST: &str = "birch-alliance-lead";
const SECOND: &str = "alder-ace-manager";

impl Journey<'_> {
    /// The first partner does not want the deal; the second one reads what it may know, takes it, and has it.
    pub(super) async fn refer(&mut self) -> anyhow::Result<()> {
        let (seller, first, second) = (self.person(SELLER)?, self.person(FIRST)?, self.person(SECOND)?);
        let today = Clock::system().now().date_naive();
        let request = referral::CreateReferralRequest {
            referral: Some(deal(&[BIRCH, ALDER], today)?),
            request_id: request_id(),
            ..Default::default()
        };
        let made = seller.referrals().create_referral(request).await?.into_inner();
        let made = made.referral.context("a referral")?;
        self.say(
            &seller.id,
            format!(
                "offers    {}  to {} partners",
                made.referral_id,
                made.receiver_account_ids.len()
            ),
        );

        let offer = offered(&first, &made.offers[0].referral_offer_id).await?;
        self.say(
            &first.id,
            format!("sees      {}  {}", offer.referral_offer_id, told(&offer)),
        );
        let request = referral::RejectReferralOfferRequest {
            referral_offer_id: offer.referral_offer_id.clone(),
            reason: RejectionReason::UnableToSupport.into(),
            text: "Nobody of us is free this quarter".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        first.referrals().reject_referral_offer(request).await?;
        self.say(&first.id, format!("rejects   {}", offer.referral_offer_id));

        let id = self.next_offer(&seller, &made.referral_id).await?;
        let offer = offered(&second, &id).await?;
        self.say(
            &second.id,
            format!("sees      {}  {}", offer.referral_offer_id, told(&offer)),
        );
        let request = referral::AcceptReferralOfferRequest {
            referral_offer_id: id,
            request_id: request_id(),
            ..Default::default()
        };
        let answer = second
            .referrals()
            .accept_referral_offer(request)
            .await?
            .into_inner();
        let offer = answer.referral_offer.context("the offer")?;
        self.say(&second.id, format!("accepts   {}", offer.referral_offer_id));
        let record = until_there(&second, &offer.opportunity_id).await?;
        ensure!(
            record.referral_offer_id == offer.referral_offer_id
                && record.origin() == opportunity::Origin::AwsReferral,
            "the opportunity comes of the offer"
        );
        self.say(
            &second.id,
            format!("has       {}  {}", record.opportunity_id, headline(&record)),
        );
        Ok(())
    }

    /// The offer to the next partner of the list, once it is made.
    async fn next_offer(&mut self, seller: &Person, id: &str) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let request = referral::GetReferralRequest {
                referral_id: id.to_owned(),
            };
            let found = seller.referrals().get_referral(request).await?.into_inner();
            let offers = found.referral.context("the referral")?.offers;
            if let Some(offer) = offers.get(1) {
                return Ok(offer.referral_offer_id.clone());
            }
            ensure!(Instant::now() < until, "{id} was not offered to the next partner");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn offered(person: &Person, id: &str) -> anyhow::Result<referral::ReferralOffer> {
    let request = referral::GetReferralOfferRequest {
        referral_offer_id: id.to_owned(),
    };
    let answer = person.referrals().get_referral_offer(request).await?;
    answer.into_inner().referral_offer.context("the offer")
}

/// What a partner reads of a deal that it has not accepted.
fn told(offer: &referral::ReferralOffer) -> String {
    match &offer.payload {
        Some(Payload::Opportunity(known)) => format!("{}: {}", known.customer_company_name, known.title),
        Some(Payload::Lead(known)) => known.customer_company_name.clone(),
        None => String::new(),
    }
}

pub(super) async fn until_there(person: &Person, id: &str) -> anyhow::Result<opportunity::Opportunity> {
    let until = Instant::now() + PATIENCE;
    loop {
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        match person.opportunities().get_opportunity(request).await {
            Ok(answer) => return answer.into_inner().opportunity.context("the record"),
            Err(status) if status.code() != tonic::Code::NotFound => return Err(status.into()),
            Err(_) => ensure!(Instant::now() < until, "{id} does not come to be"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A deal for these partners, in their order.
fn deal(partners: &[&str], today: NaiveDate) -> anyhow::Result<referral::Referral> {
    let closes = today.checked_add_months(Months::new(6)).context("a day")?;
    let deal = opportunity::Opportunity {
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
    let agreed = Clock::system().now();
    Ok(referral::Referral {
        receiver_account_ids: partners.iter().map(ToString::to_string).collect(),
        customer_consent_time: Some(Timestamp {
            seconds: agreed.timestamp(),
            nanos: 0,
        }),
        message: "They ask for somebody who knows harbours.".to_owned(),
        receiver_responsibilities: vec![ReceiverResponsibility::ServicesPartner.into()],
        sender_contacts: vec![opportunity::Contact {
            first_name: "Vera".to_owned(),
            last_name: "Lindqvist".to_owned(),
            business_title: "AWSSalesRep".to_owned(),
            email: "vera.lindqvist@aws.example".to_owned(),
            ..Default::default()
        }],
        payload: Some(referral::referral::Payload::Opportunity(deal)),
        ..Default::default()
    })
}
