//! The part of the AWS summary that AWS writes. As in `details.rs`, names are those of the proto messages, and the
//! structs are stored as JSON: a new field needs `#[serde(default)]`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use cosell_types::{Money, Pii};
use serde::{Deserialize, Serialize};

use super::field::paths;
use super::values::{AwsStage, EngagementScore, InvolvementType, InvolvementTypeChangeReason};
use super::{Contact, ExpectedCustomerSpend, RelatedEntityIdentifiers, SpendInsightsBySource};

/// What AWS states about an opportunity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsDetails {
    pub involvement_type: Option<InvolvementType>,
    pub involvement_type_change_reason: Option<InvolvementTypeChangeReason>,
    pub life_cycle: AwsLifeCycle,
    pub opportunity_team: Vec<Contact>,
    pub customer: AwsCustomer,
    pub related_entity_identifiers: RelatedEntityIdentifiers,
    pub project: AwsProject,
    pub insights: AwsInsights,
    pub cosell_motion: String,
    pub cosell_motion_reason: Pii<String>,
    pub strategic: Option<bool>,
    pub software_revenue: Option<AwsSoftwareRevenue>,
}

/// AWS's own stage, close date and next steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsLifeCycle {
    pub stage: Option<AwsStage>,
    pub closed_lost_reason: String,
    pub target_close_date: Option<NaiveDate>,
    pub next_steps: Pii<String>,
}

/// AWS's contacts at the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsCustomer {
    pub contacts: Vec<Contact>,
}

/// The spend that AWS expects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsProject {
    pub expected_customer_spend: Vec<ExpectedCustomerSpend>,
    pub aws_partition: String,
}

/// AWS's assessment of the opportunity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsInsights {
    pub next_best_actions: Pii<String>,
    pub engagement_score: Option<EngagementScore>,
    pub opportunity_quality: Option<OpportunityQuality>,
    pub recommendations: Vec<Recommendation>,
    pub aws_products_spend_insights_by_source: SpendInsightsBySource,
}

/// The revenue of the partner's software.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct AwsSoftwareRevenue {
    pub value: Option<Money>,
    pub discount: Pii<String>,
    pub effective_date: Option<NaiveDate>,
    pub expiration_date: Option<NaiveDate>,
}

/// A score of the quality of the opportunity's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct OpportunityQuality {
    pub score: i32,
    pub trend: String,
}

/// A recommendation of AWS to the partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct Recommendation {
    pub kind: String,
    pub details: Pii<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

paths! {
    /// A field of the AWS summary that AWS can update.
    AwsField of AwsDetails {
        InvolvementType: involvement_type;
        InvolvementTypeChangeReason: involvement_type_change_reason;
        Stage: life_cycle.stage;
        ClosedLostReason: life_cycle.closed_lost_reason;
        TargetCloseDate: life_cycle.target_close_date;
        NextSteps: life_cycle.next_steps;
        OpportunityTeam: opportunity_team;
        CustomerContacts: customer.contacts;
        Solutions: related_entity_identifiers.solutions;
        AwsProducts: related_entity_identifiers.aws_products;
        AwsMarketplaceSolutions: related_entity_identifiers.aws_marketplace_solutions;
        AwsMarketplaceProducts: related_entity_identifiers.aws_marketplace_products;
        ExpectedCustomerSpend: project.expected_customer_spend;
        AwsPartition: project.aws_partition;
        NextBestActions: insights.next_best_actions;
        EngagementScore: insights.engagement_score;
        OpportunityQuality: insights.opportunity_quality;
        Recommendations: insights.recommendations;
        SpendInsights: insights.aws_products_spend_insights_by_source;
        CosellMotion: cosell_motion;
        CosellMotionReason: cosell_motion_reason;
        Strategic: strategic;
        SoftwareRevenue: software_revenue;
    }
}

/// The fields that are hidden from the partner until AWS has closed the opportunity (OPP-052).
pub const VISIBLE_WHEN_CLOSED: [AwsField; 3] = [
    AwsField::Stage,
    AwsField::ClosedLostReason,
    AwsField::TargetCloseDate,
];
