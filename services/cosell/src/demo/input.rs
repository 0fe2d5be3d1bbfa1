//! The input of the demo: a JSON file with opportunities in the canonical JSON form of Protocol Buffers.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::{Days, NaiveDate};
use cosell_grpc::convert;
use cosell_proto::cosell::opportunity::v1::{InvolvementType, Opportunity};
use cosell_proto::cosell::review::v1::ReviewDecision;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde::Deserialize;
use serde_json::Value;

use crate::descriptors::POOL;

/// The content of the input file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The opportunities in the order of creation.
    pub records: Vec<Record>,
}

/// An opportunity and its course through review.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The id of the member who creates it.
    pub member: String,
    /// The content. Its target close date is `closes_in_days` from today.
    opportunity: Value,
    /// Days until the target close date; negative for a past date.
    closes_in_days: i64,
    /// Paths of the invalid fields; empty if the content is valid.
    #[serde(default)]
    pub mistakes: Vec<String>,
    /// Merged into the content to correct the mistakes.
    #[serde(default)]
    correction: Value,
    /// Days until the corrected target close date, if the date was a mistake.
    corrected_closes_in_days: Option<i64>,
    /// The requested involvement type; without one, the opportunity stays a draft.
    involvement: Option<String>,
    /// AWS's decision; without one, the submission is withdrawn.
    pub verdict: Option<Verdict>,
}

/// A review decision of AWS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    decision: String,
    reason: Option<String>,
    /// Review comments for the partner.
    #[serde(default)]
    pub remarks: String,
    /// The fields that the partner corrects after ACTION_REQUIRED.
    #[serde(default)]
    fix: Value,
}

/// Reads an input file.
pub fn read_input(path: &Path) -> anyhow::Result<Input> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a valid input file", path.display()))
}

impl Record {
    /// The content of the first attempt, with its mistakes.
    pub fn initial(&self, today: NaiveDate) -> anyhow::Result<Opportunity> {
        opportunity(self.opportunity.clone(), today, self.closes_in_days)
    }

    /// The content with corrected mistakes.
    pub fn corrected(&self, today: NaiveDate) -> anyhow::Result<Opportunity> {
        let mut corrected = self.opportunity.clone();
        merge(&mut corrected, &self.correction);
        opportunity(
            corrected,
            today,
            self.corrected_closes_in_days.unwrap_or(self.closes_in_days),
        )
    }

    /// The requested involvement type; `None` for a draft.
    pub fn involvement(&self) -> anyhow::Result<Option<InvolvementType>> {
        let Some(name) = &self.involvement else {
            return Ok(None);
        };
        let full = format!("INVOLVEMENT_TYPE_{name}");
        InvolvementType::from_str_name(&full)
            .map(Some)
            .with_context(|| format!("unknown involvement type {name}"))
    }
}

impl Verdict {
    /// The decision as enum value.
    pub fn decision(&self) -> anyhow::Result<ReviewDecision> {
        let full = format!("REVIEW_DECISION_{}", self.decision);
        ReviewDecision::from_str_name(&full).with_context(|| format!("unknown decision {}", self.decision))
    }

    /// The reason as enum value; unspecified for an approval.
    pub fn reason(&self) -> anyhow::Result<ReviewReason> {
        let Some(name) = &self.reason else {
            return Ok(ReviewReason::Unspecified);
        };
        let full = format!("REVIEW_REASON_{name}");
        ReviewReason::from_str_name(&full).with_context(|| format!("unknown reason {name}"))
    }

    /// The corrected fields as an opportunity.
    pub fn fix(&self) -> anyhow::Result<Opportunity> {
        parse(self.fix.clone())
    }
}

fn opportunity(json: Value, today: NaiveDate, closes_in_days: i64) -> anyhow::Result<Opportunity> {
    let mut opportunity = parse(json)?;
    let days = Days::new(closes_in_days.unsigned_abs());
    let date = if closes_in_days < 0 {
        today.checked_sub_days(days)
    } else {
        today.checked_add_days(days)
    };
    let date = date.context("a date")?;
    opportunity.life_cycle.get_or_insert_default().target_close_date = Some(convert::date(date));
    Ok(opportunity)
}

fn parse(json: Value) -> anyhow::Result<Opportunity> {
    let descriptor = POOL
        .get_message_by_name("cosell.opportunity.v1.Opportunity")
        .context("the descriptor")?;
    let json = if json.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        json
    };
    let dynamic = DynamicMessage::deserialize(descriptor, json)
        .map_err(|error| anyhow!("invalid opportunity: {error}"))?;
    Ok(Opportunity::decode(dynamic.encode_to_vec().as_slice())?)
}

/// Objects are merged, everything else is replaced.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from.clone(),
    }
}
