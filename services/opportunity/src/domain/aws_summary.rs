use chrono::{DateTime, Utc};
use cosell_types::{AccountId, FieldPath, OpportunityId, Violation, ViolationCode, revision_time};
use serde::{Deserialize, Serialize};

use super::aws_details::VISIBLE_WHEN_CLOSED;
use super::canonical::{
    canonicalize_contact, canonicalize_personal_value, canonicalize_spend, canonicalize_value,
};
use super::check::not_in_list;
use super::customer_spend::{self, TARGET_AWS};
use super::reference::{
    AWS_CLOSED_LOST_REASON, AWS_TEAM_TITLE, COSELL_MOTION, QUALITY_TREND, RECOMMENDATION_TYPE,
};
use super::values::{AwsStage, InvolvementType, Stage};
use super::{AwsDetails, AwsField, NextStep, Opportunity, Policy};

/// The AWS summary of an opportunity: an aggregate of its own, which refers to the opportunity by id and account only
/// (OPP-050). Values that derive from the opportunity are computed when they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsSummary {
    opportunity: OpportunityId,
    account: AccountId,
    revision: i64,
    update_time: Option<DateTime<Utc>>,
    next_steps_history: Vec<NextStep>,
    details: AwsDetails,
}

impl AwsSummary {
    /// The AWS summary before AWS's first update, at revision 0 (OPP-051).
    pub fn empty(record: &Opportunity) -> Self {
        Self {
            opportunity: record.id(),
            account: record.account().clone(),
            revision: 0,
            update_time: None,
            next_steps_history: Vec::new(),
            details: AwsDetails::default(),
        }
    }

    /// Applies the selected fields of `input` and returns those that changed. Without a change the revision stays
    /// (OPP-053).
    pub fn update(
        &mut self,
        selected: &[AwsField],
        input: &AwsDetails,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Vec<AwsField>, Vec<Violation>> {
        let mut input = input.clone();
        canonicalize(&mut input);
        let mut details = self.details.clone();
        for field in selected {
            field.copy(&input, &mut details);
        }
        let violations = check(&details, policy);
        if !violations.is_empty() {
            return Err(violations);
        }
        let changed: Vec<_> = AwsField::ALL
            .iter()
            .copied()
            .filter(|field| field.differs(&self.details, &details))
            .collect();
        if changed.is_empty() {
            return Ok(changed);
        }
        self.details = details;
        self.revision += 1;
        self.update_time = Some(self.update_time.map_or(now, |last| revision_time(last, now)));
        if changed.contains(&AwsField::NextSteps) {
            NextStep::append_to_history(
                &mut self.next_steps_history,
                &self.details.life_cycle.next_steps,
                now,
            );
        }
        Ok(changed)
    }

    /// The partner's view: stage, close date and reason are cleared unless AWS has closed the opportunity (OPP-052).
    #[must_use]
    pub fn for_partner(mut self) -> Self {
        if !self.is_closed() {
            let empty = AwsDetails::default();
            for field in VISIBLE_WHEN_CLOSED {
                field.copy(&empty, &mut self.details);
            }
        }
        self
    }

    /// Whether AWS has closed the opportunity.
    pub fn is_closed(&self) -> bool {
        self.details.life_cycle.stage.is_some_and(AwsStage::is_terminal)
    }

    /// Whether AWS has closed the opportunity in another stage than the partner states (OPP-055).
    pub fn disagrees_with(&self, stage: Stage) -> bool {
        let closed_as = match self.details.life_cycle.stage {
            Some(AwsStage::Launched) => Stage::Launched,
            Some(AwsStage::ClosedLost) => Stage::ClosedLost,
            _ => return false,
        };
        closed_as != stage
    }

    /// The involvement that AWS states, or else that of the opportunity (OPP-057).
    pub fn involvement(&self, record: &Opportunity) -> Option<InvolvementType> {
        self.details.involvement_type.or(record.involvement())
    }
}

#[expect(missing_docs, reason = "fields are documented once, in aws_summary.proto")]
impl AwsSummary {
    pub fn opportunity(&self) -> OpportunityId {
        self.opportunity
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn update_time(&self) -> Option<DateTime<Utc>> {
        self.update_time
    }

    pub fn next_steps_history(&self) -> &[NextStep] {
        &self.next_steps_history
    }

    pub fn details(&self) -> &AwsDetails {
        &self.details
    }
}

impl AwsStage {
    /// Whether AWS has closed the opportunity in this stage.
    pub fn is_terminal(self) -> bool {
        matches!(self, AwsStage::Launched | AwsStage::ClosedLost)
    }
}

/// Brings values into their stored form. The target company of all spend is AWS, whatever the input states (OPP-058).
fn canonicalize(details: &mut AwsDetails) {
    canonicalize_value(
        &AWS_CLOSED_LOST_REASON,
        &mut details.life_cycle.closed_lost_reason,
    );
    canonicalize_value(&COSELL_MOTION, &mut details.cosell_motion);
    if let Some(quality) = &mut details.insights.opportunity_quality {
        canonicalize_value(&QUALITY_TREND, &mut quality.trend);
    }
    for recommendation in &mut details.insights.recommendations {
        canonicalize_value(&RECOMMENDATION_TYPE, &mut recommendation.kind);
    }
    for contact in &mut details.opportunity_team {
        canonicalize_personal_value(&AWS_TEAM_TITLE, &mut contact.business_title);
    }
    let customer = details.customer.contacts.iter_mut();
    for contact in customer.chain(&mut details.opportunity_team) {
        canonicalize_contact(contact);
    }
    for entry in &mut details.project.expected_customer_spend {
        TARGET_AWS.clone_into(&mut entry.target_company);
        canonicalize_spend(entry);
    }
}

/// Violations of OPP-054 and OPP-056 to OPP-058.
fn check(details: &AwsDetails, policy: &Policy) -> Vec<Violation> {
    let mut violations = Vec::new();
    let life_cycle = &details.life_cycle;
    let reason = life_cycle.closed_lost_reason.as_str();
    let at = "life_cycle.closed_lost_reason";
    let is_lost = life_cycle.stage == Some(AwsStage::ClosedLost);
    if is_lost && reason.is_empty() {
        let text = "Is required in stage CLOSED_LOST.";
        let missing = Violation::new(
            &FieldPath::root().field(at),
            ViolationCode::RequiredFieldMissing,
            text,
        );
        violations.push(missing.with_allowed_values(
            AWS_CLOSED_LOST_REASON.values.iter().copied(),
            AWS_CLOSED_LOST_REASON.name,
        ));
    } else if !reason.is_empty() && !AWS_CLOSED_LOST_REASON.has(reason) {
        violations.push(not_in_list(&AWS_CLOSED_LOST_REASON, at).with_rejected_value(reason));
    } else if !is_lost && !reason.is_empty() {
        add_invalid_value(at, "Is only allowed in stage CLOSED_LOST.", &mut violations);
    }
    for (index, contact) in details.opportunity_team.iter().enumerate() {
        if !AWS_TEAM_TITLE.has(contact.business_title.reveal()) {
            let at = format!("opportunity_team[{index}].business_title");
            violations.push(not_in_list(&AWS_TEAM_TITLE, &at));
        }
    }
    if details.involvement_type.is_none() && details.involvement_type_change_reason.is_some() {
        let text = "Is only allowed together with involvement_type.";
        add_invalid_value("involvement_type_change_reason", text, &mut violations);
    }
    let quality = details.insights.opportunity_quality.iter();
    let trends = quality.map(|quality| {
        let at = "insights.opportunity_quality.trend".to_owned();
        (&QUALITY_TREND, &quality.trend, at)
    });
    let recommendations = details.insights.recommendations.iter().enumerate();
    let recommendations = recommendations.map(|(index, recommendation)| {
        let at = format!("insights.recommendations[{index}].type");
        (&RECOMMENDATION_TYPE, &recommendation.kind, at)
    });
    let motion = (&COSELL_MOTION, &details.cosell_motion, "cosell_motion".to_owned());
    for (list, value, at) in trends.chain(recommendations).chain([motion]) {
        if !value.is_empty() && !list.has(value) {
            violations.push(not_in_list(list, &at).with_rejected_value(value));
        }
    }
    if details.cosell_motion.is_empty() && !details.cosell_motion_reason.reveal().is_empty() {
        let text = "Is only allowed together with cosell_motion.";
        add_invalid_value("cosell_motion_reason", text, &mut violations);
    }
    let project = &details.project;
    for (index, entry) in project.expected_customer_spend.iter().enumerate() {
        let at = format!("project.expected_customer_spend[{index}]");
        customer_spend::check_entry(entry, &at, &project.aws_partition, policy, &mut violations);
    }
    violations
}

fn add_invalid_value(at: &str, text: &str, violations: &mut Vec<Violation>) {
    let root = FieldPath::root();
    violations.push(Violation::new(&root.field(at), ViolationCode::InvalidValue, text));
}
