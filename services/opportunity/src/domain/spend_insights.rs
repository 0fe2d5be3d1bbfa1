//! AWS's estimates of the customer's spend, stored unchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::values::PaymentFrequency;

/// Estimated spend on AWS products, by the party that estimated it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct SpendInsightsBySource {
    pub aws: Option<SpendInsights>,
    pub partner: Option<SpendInsights>,
}

/// Estimated spend on AWS products.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct SpendInsights {
    pub currency_code: String,
    pub frequency: Option<PaymentFrequency>,
    pub total_amount: String,
    pub total_optimized_amount: String,
    pub total_potential_savings_amount: String,
    pub total_amount_by_category: BTreeMap<String, String>,
    pub aws_products: Vec<ProductInsights>,
}

/// Estimated spend on one AWS product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct ProductInsights {
    pub product_code: String,
    pub service_code: String,
    pub categories: Vec<String>,
    pub amount: String,
    pub optimized_amount: String,
    pub potential_savings_amount: String,
    pub optimizations: Vec<Optimization>,
}

/// A possible saving on an AWS product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
pub struct Optimization {
    pub description: String,
    pub savings_amount: String,
}
