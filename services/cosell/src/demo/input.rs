//! The opportunities that the journey is played with: JSON, the records in the canonical JSON form of Protocol Buffers.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::{Datelike as _, Days, NaiveDate};
use cosell_proto::cosell::opportunity::v1::{InvolvementType, Opportunity};
use cosell_proto::cosell::review::v1::ReviewDecision;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::Value;

/// Everything the journey needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The opportunities, in the order in which they are registered.
    pub records: Vec<Record>,
}

/// One opportunity and what becomes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The member who registers it.
    pub member: String,
    /// The record. Its target close date is `closes_in_days` from today.
    opportunity: Value,
    /// Days until the target close date; negative for one that has passed.
    closes_in_days: i64,
    /// Paths of the fields that are refused; empty when the record is fine.
    #[serde(default)]
    pub mistakes: Vec<String>,
    /// What is merged into the record to put the mistakes right.
    #[serde(default)]
    correction: Value,
    /// Days until the corrected target close date, where that was a mistake.
    corrected_closes_in_days: Option<i64>,
    /// Involvement asked for at submission; a record without stays a draft.
    involvement: Option<String>,
    /// What AWS decides; a submission without is withdrawn.
    pub verdict: Option<Verdict>,
}

/// What AWS decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    decision: String,
    reason: Option<String>,
    /// Remarks for the partner.
    #[serde(default)]
    pub remarks: String,
    /// What the partner changes when it was sent back, as a record with only these fields.
    #[serde(default)]
    fix: Value,
}

/// Reads the file.
pub fn read(path: &Path) -> anyhow::Result<Input> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

impl Record {
    /// The record as it is first sent.
    pub fn first(&self, today: NaiveDate) -> anyhow::Result<Opportunity> {
        record(self.opportunity.clone(), today, self.closes_in_days)
    }

    /// The record with its mistakes put right.
    pub fn corrected(&self, today: NaiveDate) -> anyhow::Result<Opportunity> {
        let mut corrected = self.opportunity.clone();
        merge(&mut corrected, &self.correction);
        record(
            corrected,
            today,
            self.corrected_closes_in_days.unwrap_or(self.closes_in_days),
        )
    }

    /// Involvement asked for at submission.
    pub fn involvement(&self) -> anyhow::Result<Option<InvolvementType>> {
        let Some(name) = &self.involvement else {
            return Ok(None);
        };
        let full = format!("INVOLVEMENT_TYPE_{name}");
        InvolvementType::from_str_name(&full)
            .map(Some)
            .with_context(|| format!("no involvement {name}"))
    }
}

impl Verdict {
    /// The decision.
    pub fn decision(&self) -> anyhow::Result<ReviewDecision> {
        let full = format!("REVIEW_DECISION_{}", self.decision);
        ReviewDecision::from_str_name(&full).with_context(|| format!("no decision {}", self.decision))
    }

    /// Why, unless it is approved.
    pub fn reason(&self) -> anyhow::Result<ReviewReason> {
        let Some(name) = &self.reason else {
            return Ok(ReviewReason::Unspecified);
        };
        let full = format!("REVIEW_REASON_{name}");
        ReviewReason::from_str_name(&full).with_context(|| format!("no reason {name}"))
    }

    /// What the partner changes when it was sent back.
    pub fn fix(&self) -> anyhow::Result<Opportunity> {
        message(self.fix.clone())
    }
}

fn record(json: Value, today: NaiveDate, closes_in_days: i64) -> anyhow::Result<Opportunity> {
    let mut record = message(json)?;
    let days = Days::new(closes_in_days.unsigned_abs());
    let date = if closes_in_days < 0 {
        today.checked_sub_days(days)
    } else {
        today.checked_add_days(days)
    };
    let date = date.context("a date")?;
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    record.life_cycle.get_or_insert_default().target_close_date = Some(cosell_proto::google::r#type::Date {
        year: date.year(),
        month: part(date.month()),
        day: part(date.day()),
    });
    Ok(record)
}

fn message(json: Value) -> anyhow::Result<Opportunity> {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS)?;
    let descriptor = pool
        .get_message_by_name("cosell.opportunity.v1.Opportunity")
        .context("the definition")?;
    let json = if json.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        json
    };
    let dynamic =
        DynamicMessage::deserialize(descriptor, json).map_err(|error| anyhow!("a record: {error}"))?;
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
