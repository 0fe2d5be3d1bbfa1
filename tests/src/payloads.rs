//! Requests as JSON, with the names and the canaries that they contain.

use cosell_proto::cosell::referral::v1::Referral;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

/// Part of every text that members of Alder wrote and that only its addressees may read.
pub const CANARY: &str = "Zzcanary";
/// Part of every text that members of Alder submitted to AWS.
pub const SUBMITTED_CANARY: &str = "Zzsubmitted";
/// The end of the e-mail addresses of Alder's members.
pub const EMAIL_DOMAIN: &str = "@alder.example";
/// A partner account that is connected with Alder and is its subsidiary.
pub const ELM: &str = "444444444444";
/// A partner account that is connected with Alder and has no other relation.
pub const FIR: &str = "555555555555";
/// The member of Alder who owns opportunities, a notification and preferences.
pub const OWNER: &str = "alder-ace-user";
/// The partner account that Alder shares opportunities with.
pub const HAZEL: &str = "666666666666";

/// A `ShareOpportunityRequest` to Hazel as JSON.
pub fn share_request_json(opportunity: &str) -> Value {
    json!({
        "opportunity_id": opportunity,
        "receivers": [{"account_id": HAZEL,
            "responsibilities": ["RECEIVER_RESPONSIBILITY_SERVICES_PARTNER"]}],
        "message": "Let us work together",
        "sender_contacts": [{"first_name": "Some", "last_name": "Body", "email": "some.body@unrelated.example"}],
    })
}

/// An engagement context as JSON.
pub fn context_json() -> Value {
    json!({
        "context_id": "1",
        "customer_project": {
            "customer": {"company_name": "Nordwind", "industry": "Retail", "website_url": "www.nordwind.example",
                "country_code": "DE"},
            "project": {"title": "A project", "business_problem": "Orders are typed in twice, every day."},
        },
    })
}

/// A referral of an opportunity to one partner account.
pub fn referral_to(account: &str) -> Referral {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("the descriptors");
    let descriptor = pool.get_message_by_name("cosell.referral.v1.Referral");
    let message = DynamicMessage::deserialize(descriptor.expect("a descriptor"), referral_json(account));
    message.expect("a referral").transcode_to().expect("a referral")
}

/// The same as JSON. Its texts hold the canary of what only AWS and the receiver may read.
pub fn referral_json(account: &str) -> Value {
    json!({
        "receiver_account_ids": [account],
        "customer_consent_time": "2026-01-05T09:00:00Z",
        "message": format!("{SUBMITTED_CANARY} message"),
        "receiver_responsibilities": ["RECEIVER_RESPONSIBILITY_SERVICES_PARTNER"],
        "sender_contacts": [{"first_name": "Vera", "last_name": "Stone", "business_title": "AWSSalesRep",
            "email": "vera.stone@aws.example"}],
        "opportunity": {
            "opportunity_type": "OPPORTUNITY_TYPE_NET_NEW_BUSINESS",
            "primary_needs_from_aws": ["PRIMARY_NEED_FROM_AWS_TECHNICAL_CONSULTATION"],
            "customer": {"account": {
                "company_name": format!("{SUBMITTED_CANARY} referred"),
                "industry": "Retail",
                "website_url": "www.referred.example",
                "address": {"country_code": "DE", "postal_code": "20457"},
            }},
            "project": {
                "title": format!("{SUBMITTED_CANARY} project"),
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
