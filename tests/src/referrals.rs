//! Deals and leads that AWS offers.

use cosell_proto::cosell::opportunity::v1::Address;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::{
    AcceptReferralOfferRequest, AddLeadInteractionRequest, AssignLeadRequest, CreateReferralRequest,
    LeadDetails, LeadInteraction, Referral,
};
use cosell_testkit::harness::FarEnd;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use crate::scene::{CANARY, HOLDER, SUBMITTED, Scene};

impl Scene<'_> {
    /// Has AWS offer Alder a deal, of which nobody outside is to know; the ids of referral and offer.
    pub async fn referred(&self) -> (String, String) {
        let request = CreateReferralRequest {
            referral: Some(referral(cosell::ALDER)),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut sales = self.person("aws-sales-representative").referrals();
        let made = sales.create_referral(request).await.expect("a referral");
        let made = made.into_inner().referral.expect("a referral");
        (made.referral_id, made.offers[0].referral_offer_id.clone())
    }

    /// Has Alder accept a lead of AWS, note what AWS is not to know, and give it to the holder; its id.
    pub async fn led(&self) -> String {
        let interaction = |what: &str| LeadInteraction {
            source_type: "Event".to_owned(),
            customer_action: what.to_owned(),
            ..Default::default()
        };
        let mut content = referral(cosell::ALDER);
        content.payload = Some(Payload::Lead(LeadDetails {
            customer_company_name: format!("{SUBMITTED} customer"),
            address: Some(Address {
                country_code: "DE".to_owned(),
                ..Default::default()
            }),
            industry: "Retail".to_owned(),
            interactions: vec![interaction("Came to the stand")],
            ..Default::default()
        }));
        let request = CreateReferralRequest {
            referral: Some(content),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut sales = self.person("aws-sales-representative").referrals();
        let made = sales.create_referral(request).await.expect("a referral");
        let made = made.into_inner().referral.expect("a referral");
        let keeper = self.person("alder-alliance-lead");
        let acceptance = AcceptReferralOfferRequest {
            referral_offer_id: made.offers[0].referral_offer_id.clone(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let accepted = keeper
            .referrals()
            .accept_referral_offer(acceptance)
            .await
            .expect("an acceptance");
        let lead_id = accepted.into_inner().referral_offer.expect("the offer").lead_id;
        let noted = AddLeadInteractionRequest {
            lead_id: lead_id.clone(),
            interaction: Some(interaction(&format!("{CANARY} was said"))),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        keeper.leads().add_lead_interaction(noted).await.expect("a note");
        let given = AssignLeadRequest {
            lead_id: lead_id.clone(),
            owner_member_id: HOLDER.to_owned(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        keeper.leads().assign_lead(given).await.expect("another owner");
        lead_id
    }
}

/// Such a deal, as a message.
pub fn referral(account: &str) -> Referral {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("the definitions");
    let definition = pool.get_message_by_name("cosell.referral.v1.Referral");
    let message = DynamicMessage::deserialize(definition.expect("a definition"), json(account));
    message.expect("a referral").transcode_to().expect("a referral")
}

/// A deal that AWS offers to a partner, which only that one is to know.
pub fn json(account: &str) -> Value {
    json!({
        "receiver_account_ids": [account],
        "customer_consent_time": "2026-01-05T09:00:00Z",
        "message": format!("{SUBMITTED} message"),
        "receiver_responsibilities": ["RECEIVER_RESPONSIBILITY_SERVICES_PARTNER"],
        "sender_contacts": [{"first_name": "Vera", "last_name": "Stone", "business_title": "AWSSalesRep",
            "email": "vera.stone@aws.example"}],
        "opportunity": {
            "opportunity_type": "OPPORTUNITY_TYPE_NET_NEW_BUSINESS",
            "primary_needs_from_aws": ["PRIMARY_NEED_FROM_AWS_TECHNICAL_CONSULTATION"],
            "customer": {"account": {
                "company_name": format!("{SUBMITTED} referred"),
                "industry": "Retail",
                "website_url": "www.referred.example",
                "address": {"country_code": "DE", "postal_code": "20457"},
            }},
            "project": {
                "title": format!("{SUBMITTED} deal"),
                "customer_business_problem": "Orders are typed in twice, every day.",
                "customer_use_case": "Database",
                "delivery_models": ["DELIVERY_MODEL_PROFESSIONAL_SERVICES"],
                "sales_activities": ["SALES_ACTIVITY_SOW_SIGNED"],
                "expected_customer_spend": [{"amount": {"currency_code": "USD", "units": "1850"},
                    "frequency": "PAYMENT_FREQUENCY_MONTHLY", "target_company": "AWS"}],
            },
            "life_cycle": {"target_close_date": {"year": 2050, "month": 6, "day": 30}},
        },
    })
}
