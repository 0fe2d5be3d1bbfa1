use chrono::{DateTime, Utc};
use cosell_types::{AccountId, FieldPath, OpportunityId, Violation, ViolationCode, revision_time};
use serde::{Deserialize, Serialize};

use super::aws_details::SHOWN_WHEN_CLOSED;
use super::canonical::{contact, one, personal, spend};
use super::check::of_no_list;
use super::deal_size::{self, AWS};
use super::reference::{
    AWS_CLOSED_LOST_REASON, AWS_TEAM_TITLE, COSELL_MOTION, QUALITY_TREND, RECOMMENDATION_TYPE,
};
use super::values::{AwsStage, InvolvementType, Stage};
use super::{AwsDetails, AwsField, NextStep, Opportunity, Policy};

/// The AWS summary of an opportunity: an aggregate of its own, which knows whose opportunity it is about and nothing
/// else of it (OPP-050). What follows from the opportunity is asked of the opportunity.
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
    /// The AWS summary as long as AWS has said nothing (OPP-051).
    pub fn nothing(about: &Opportunity) -> Self {
        Self {
            opportunity: about.id(),
            account: about.account().clone(),
            revision: 0,
            update_time: None,
            next_steps_history: Vec::new(),
            details: AwsDetails::default(),
        }
    }

    /// Takes over the selected fields of `given`; which of them changed. When none did, nothing is changed (OPP-053).
    pub fn update(
        &mut self,
        selected: &[AwsField],
        given: &AwsDetails,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Vec<AwsField>, Vec<Violation>> {
        let mut given = given.clone();
        canonical(&mut given);
        let mut details = self.details.clone();
        for field in selected {
            field.copy(&given, &mut details);
        }
        let found = check(&details, policy);
        if !found.is_empty() {
            return Err(found);
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
            NextStep::note(
                &mut self.next_steps_history,
                &self.details.life_cycle.next_steps,
                now,
            );
        }
        Ok(changed)
    }

    /// What the partner is shown: stage, close date and reason only once AWS has closed the deal (OPP-052).
    #[must_use]
    pub fn for_partner(mut self) -> Self {
        if !self.is_closed() {
            let nothing = AwsDetails::default();
            for field in SHOWN_WHEN_CLOSED {
                field.copy(&nothing, &mut self.details);
            }
        }
        self
    }

    /// Whether AWS has closed the deal.
    pub fn is_closed(&self) -> bool {
        self.details.life_cycle.stage.is_some_and(AwsStage::is_terminal)
    }

    /// Whether AWS has closed the deal otherwise than the partner says (OPP-055).
    pub fn disagrees_with(&self, stage: Stage) -> bool {
        let closed_as = match self.details.life_cycle.stage {
            Some(AwsStage::Launched) => Stage::Launched,
            Some(AwsStage::ClosedLost) => Stage::ClosedLost,
            _ => return false,
        };
        closed_as != stage
    }

    /// How far AWS is involved: what it states, or what the opportunity says (OPP-057).
    pub fn involvement(&self, about: &Opportunity) -> Option<InvolvementType> {
        self.details.involvement_type.or(about.involvement())
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
    /// Whether AWS has closed the deal.
    pub fn is_terminal(self) -> bool {
        matches!(self, AwsStage::Launched | AwsStage::ClosedLost)
    }
}

/// Writes what is given as it is kept. What AWS expects is paid to AWS, so that the target company says nothing
/// (OPP-058).
fn canonical(details: &mut AwsDetails) {
    one(
        &AWS_CLOSED_LOST_REASON,
        &mut details.life_cycle.closed_lost_reason,
    );
    one(&COSELL_MOTION, &mut details.cosell_motion);
    if let Some(quality) = &mut details.insights.opportunity_quality {
        one(&QUALITY_TREND, &mut quality.trend);
    }
    for recommendation in &mut details.insights.recommendations {
        one(&RECOMMENDATION_TYPE, &mut recommendation.kind);
    }
    for person in &mut details.opportunity_team {
        personal(&AWS_TEAM_TITLE, &mut person.business_title);
    }
    let customer = details.customer.contacts.iter_mut();
    for person in customer.chain(&mut details.opportunity_team) {
        contact(person);
    }
    for entry in &mut details.project.expected_customer_spend {
        AWS.clone_into(&mut entry.target_company);
        spend(entry);
    }
}

/// What is wrong with the AWS summary (OPP-054, OPP-056 to OPP-058).
fn check(details: &AwsDetails, policy: &Policy) -> Vec<Violation> {
    let mut found = Vec::new();
    let life_cycle = &details.life_cycle;
    let reason = life_cycle.closed_lost_reason.as_str();
    let at = "life_cycle.closed_lost_reason";
    let is_lost = life_cycle.stage == Some(AwsStage::ClosedLost);
    if is_lost && reason.is_empty() {
        let text = "is required with stage CLOSED_LOST";
        let missing = Violation::new(
            &FieldPath::root().field(at),
            ViolationCode::RequiredFieldMissing,
            text,
        );
        found.push(missing.allowing(
            AWS_CLOSED_LOST_REASON.values.iter().copied(),
            AWS_CLOSED_LOST_REASON.name,
        ));
    } else if !reason.is_empty() && !AWS_CLOSED_LOST_REASON.has(reason) {
        found.push(of_no_list(&AWS_CLOSED_LOST_REASON, at).rejecting(reason));
    } else if !is_lost && !reason.is_empty() {
        refuse(at, "is only allowed with stage CLOSED_LOST", &mut found);
    }
    for (index, person) in details.opportunity_team.iter().enumerate() {
        if !AWS_TEAM_TITLE.has(person.business_title.reveal()) {
            let at = format!("opportunity_team[{index}].business_title");
            found.push(of_no_list(&AWS_TEAM_TITLE, &at));
        }
    }
    if details.involvement_type.is_none() && details.involvement_type_change_reason.is_some() {
        let text = "is only allowed with an involvement_type that AWS states";
        refuse("involvement_type_change_reason", text, &mut found);
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
            found.push(of_no_list(list, &at).rejecting(value));
        }
    }
    if details.cosell_motion.is_empty() && !details.cosell_motion_reason.reveal().is_empty() {
        refuse(
            "cosell_motion_reason",
            "is only allowed with a cosell_motion",
            &mut found,
        );
    }
    let project = &details.project;
    for (index, entry) in project.expected_customer_spend.iter().enumerate() {
        let at = format!("project.expected_customer_spend[{index}]");
        deal_size::one(entry, &at, &project.aws_partition, policy, &mut found);
    }
    found
}

fn refuse(at: &str, text: &str, found: &mut Vec<Violation>) {
    let root = FieldPath::root();
    found.push(Violation::new(&root.field(at), ViolationCode::InvalidValue, text));
}
