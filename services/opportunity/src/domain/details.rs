//! The part of the opportunity that the partner writes. Names are those of the proto messages, so that a field has the
//! same path in requests, rules and storage. An empty text or list means that the field is not set.
//!
//! Stored as JSON: a new field needs `#[serde(default)]`, which the structs have, and a test fixture of the previous
//! format.

use chrono::NaiveDate;
use cosell_types::{Money, OpportunityId, Pii, comparison_key};
use serde::{Deserialize, Serialize};

use super::values::{
    ClosedLostReason, CompetitorName, DeliveryModel, MarketingChannel, MarketingSource, MigrationPhase,
    OpportunityType, PaymentFrequency, PrimaryNeedFromAws, RevenueDeliveryModel, SalesActivity, Stage,
};

/// What the partner states about an opportunity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Details {
    pub partner_opportunity_identifier: String,
    pub opportunity_type: OpportunityType,
    pub national_security: Option<bool>,
    pub primary_needs_from_aws: Vec<PrimaryNeedFromAws>,
    pub customer: Customer,
    pub project: Project,
    pub marketing: Marketing,
    pub software_revenue: SoftwareRevenue,
    pub life_cycle: LifeCycle,
    pub opportunity_team: Vec<Contact>,
    pub related_entity_identifiers: RelatedEntityIdentifiers,
    pub lead_source: String,
    pub tags: Vec<Tag>,
}

impl Default for Details {
    fn default() -> Self {
        Self {
            partner_opportunity_identifier: String::new(),
            opportunity_type: OpportunityType::NetNewBusiness,
            national_security: None,
            primary_needs_from_aws: Vec::new(),
            customer: Customer::default(),
            project: Project::default(),
            marketing: Marketing::default(),
            software_revenue: SoftwareRevenue::default(),
            life_cycle: LifeCycle::default(),
            opportunity_team: Vec::new(),
            related_entity_identifiers: RelatedEntityIdentifiers::default(),
            lead_source: String::new(),
            tags: Vec::new(),
        }
    }
}

impl Details {
    /// Whether the opportunity concerns classified national-security information (OPP-017). No answer counts as no.
    pub fn is_national_security(&self) -> bool {
        self.national_security == Some(true)
    }

    /// The comparison key of the company name (PLT-016).
    pub fn company_key(&self) -> String {
        comparison_key(self.customer.account.company_name.reveal())
    }

    /// The comparison key of the partner identifier, which is unique in the account; empty if there is none (OPP-003).
    pub fn partner_identifier_key(&self) -> String {
        comparison_key(&self.partner_opportunity_identifier)
    }
}

/// The customer and its contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Customer {
    pub account: Account,
    pub contacts: Vec<Contact>,
}

/// The customer's company.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Account {
    pub company_name: Pii<String>,
    pub industry: String,
    pub other_industry: String,
    pub website_url: Pii<String>,
    pub aws_account_id: Pii<String>,
    pub duns: Pii<String>,
    pub address: Address,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Address {
    pub country_code: Pii<String>,
    pub postal_code: Pii<String>,
    pub state_or_region: Pii<String>,
    pub city: Pii<String>,
    pub street_address: Pii<String>,
}

/// A contact at the customer, or a person in the opportunity team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Contact {
    pub first_name: Pii<String>,
    pub last_name: Pii<String>,
    pub business_title: Pii<String>,
    pub email: Pii<String>,
    pub phone: Pii<String>,
}

/// The project that the customer is to buy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Project {
    pub title: Pii<String>,
    pub customer_business_problem: Pii<String>,
    pub customer_use_case: String,
    pub sub_use_case: String,
    pub delivery_models: Vec<DeliveryModel>,
    pub sales_activities: Vec<SalesActivity>,
    pub expected_customer_spend: Vec<ExpectedCustomerSpend>,
    /// In months.
    pub expected_contract_duration: Option<i32>,
    pub apn_programs: Vec<String>,
    pub competitor_name: Option<CompetitorName>,
    pub other_competitor_names: String,
    pub other_solution_description: Pii<String>,
    pub additional_comments: Pii<String>,
    pub aws_partition: String,
    pub related_opportunity_id: Option<OpportunityId>,
    pub migration: Migration,
}

/// One entry of the expected customer spend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct ExpectedCustomerSpend {
    pub amount: Option<Money>,
    pub frequency: Option<PaymentFrequency>,
    pub target_company: String,
    pub estimation_url: String,
}

/// Details of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Migration {
    pub workload: String,
    pub source: String,
    pub phase: Option<MigrationPhase>,
    pub managed_services: Option<bool>,
    pub details: Pii<String>,
}

/// The marketing activity that led to the opportunity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Marketing {
    pub source: Option<MarketingSource>,
    pub aws_funding_used: Option<bool>,
    pub campaign_name: String,
    pub use_cases: Vec<String>,
    pub channels: Vec<MarketingChannel>,
}

/// The partner's software revenue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct SoftwareRevenue {
    pub delivery_model: Option<RevenueDeliveryModel>,
    pub value: Option<Money>,
    pub effective_date: Option<NaiveDate>,
    pub expiration_date: Option<NaiveDate>,
}

/// The stage, close date and next steps that the partner states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct LifeCycle {
    pub stage: Stage,
    pub closed_lost_reason: Option<ClosedLostReason>,
    pub target_close_date: Option<NaiveDate>,
    pub next_steps: Pii<String>,
}

impl Default for LifeCycle {
    fn default() -> Self {
        Self {
            stage: Stage::Prospect,
            closed_lost_reason: None,
            target_close_date: None,
            next_steps: Pii::default(),
        }
    }
}

/// The solutions, products and offers that are associated with the opportunity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct RelatedEntityIdentifiers {
    pub solutions: Vec<String>,
    pub aws_products: Vec<String>,
    pub aws_marketplace_solutions: Vec<String>,
    pub aws_marketplace_products: Vec<String>,
    pub aws_marketplace_offers: Vec<String>,
    pub aws_marketplace_offer_sets: Vec<String>,
}

/// A free label of the partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
pub struct Tag {
    pub key: String,
    pub value: String,
}
