//! Deals that another partner has shared (OPP-092).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Pii, Violation, ViolationCode};
use serde::{Deserialize, Serialize};

use super::values::{ReviewStatus, Stage};
use super::{Details, Event, Field, Opportunity, Outcome, RelatedEntityIdentifiers, Review};

/// What a record is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The invitation by which it was shared.
    pub invitation: String,
    /// Whose record it is a copy of.
    pub account: AccountId,
    /// Which record.
    pub opportunity: OpportunityId,
}

/// What is not taken over, and may be missing until the deal is QUALIFIED.
const OPEN: [&str; 9] = [
    "project.customer_use_case",
    "project.delivery_models",
    "project.sales_activities",
    "project.expected_customer_spend",
    "primary_needs_from_aws",
    "life_cycle.target_close_date",
    "marketing.",
    "related_entity_identifiers",
    "life_cycle.stage",
];

impl Opportunity {
    /// What a partner has of a deal that another one shared with it: it stands where the other's record stands in
    /// review, and its story begins anew.
    pub fn shared(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        invitation: &str,
        of: &Opportunity,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        let status = match of.review.status {
            decided @ (ReviewStatus::Approved | ReviewStatus::Rejected) => decided,
            // It waits for the other one's.
            _ => ReviewStatus::Submitted,
        };
        let record = Self {
            id,
            account,
            revision: 1,
            create_time: now,
            update_time: now,
            created_by: by.clone(),
            last_modified_by: Some(by.clone()),
            owner: by.clone(),
            submitted_by: Some(by),
            origin: of.origin,
            cloned_from: None,
            referral_offer: None,
            lead: None,
            shared_from: Some(Source {
                invitation: invitation.to_owned(),
                account: of.account.clone(),
                opportunity: of.id,
            }),
            reopening: None,
            involvement: of.involvement,
            visibility: of.visibility,
            review: Review {
                status,
                round: 0,
                remarks: Pii::default(),
                fields_to_correct: Vec::new(),
                reason: (status == ReviewStatus::Rejected)
                    .then_some(of.review.reason)
                    .flatten(),
                submit_time: Some(now),
            },
            next_steps_history: Vec::new(),
            details: taken_over(of.details.clone()),
            is_flagged: false,
            is_classified: false,
        };
        (record, Event::Created)
    }

    /// Whether others may have what it says: AWS has it, and it is not classified.
    pub fn is_shareable(&self) -> bool {
        self.review.status != ReviewStatus::PendingSubmission && !self.details.is_national_security()
    }

    /// Where it stands now, with what it said earlier.
    pub fn saying(self, earlier: Opportunity) -> Self {
        Self {
            details: earlier.details,
            involvement: earlier.involvement,
            visibility: earlier.visibility,
            ..self
        }
    }

    /// The record that this one is a copy of was decided. None when it is no copy, or was decided itself.
    pub fn follow(&mut self, outcome: Outcome, now: DateTime<Utc>) -> Option<Event> {
        if self.shared_from.is_none() || self.review.status != ReviewStatus::Submitted {
            return None;
        }
        let (status, reason, event) = match outcome {
            Outcome::Approved => (ReviewStatus::Approved, None, Event::Approved),
            Outcome::Rejected(reason) => (ReviewStatus::Rejected, Some(reason), Event::Rejected(reason)),
            // What is to be done is the other one's to do.
            Outcome::ActionRequired(_) => return None,
        };
        self.review.status = status;
        self.review.reason = reason;
        self.step(None, now);
        Some(event)
    }

    /// Without what a copy may leave open as long as the deal is no further than PROSPECT.
    pub(super) fn without_open(&self, details: &Details, mut found: Vec<Violation>) -> Vec<Violation> {
        if self.shared_from.is_some() && details.life_cycle.stage == Stage::Prospect {
            found.retain(|wrong| {
                let is_open = OPEN.iter().any(|field| wrong.field.starts_with(field));
                !(is_open && wrong.code == ViolationCode::RequiredFieldMissing)
            });
        }
        found
    }

    /// Whether a field may be changed now: what review status, stage and involvement leave open, and in a copy the needs
    /// until they are named (OPP-040, OPP-092).
    pub fn is_open(&self, field: Field) -> bool {
        let now = self.situation();
        let is_left_open = self.shared_from.is_some()
            && field == Field::PrimaryNeedsFromAws
            && self.details.primary_needs_from_aws.is_empty()
            && Field::CustomerUseCase.is_editable(now);
        field.is_editable(now) || is_left_open
    }

    /// What it is a copy of; none of a deal of one's own.
    pub fn source(&self) -> Option<&Source> {
        self.shared_from.as_ref()
    }
}

/// As the receiver gets it: what is each partner's own is not there.
fn taken_over(mut details: Details) -> Details {
    details.life_cycle.stage = Stage::Prospect;
    details.life_cycle.closed_lost_reason = None;
    details.life_cycle.target_close_date = None;
    details.life_cycle.next_steps = Pii::default();
    details.primary_needs_from_aws.clear();
    let project = &mut details.project;
    project.customer_use_case.clear();
    project.sub_use_case.clear();
    project.delivery_models.clear();
    project.expected_customer_spend.clear();
    project.expected_contract_duration = None;
    project.other_solution_description = Pii::default();
    project.additional_comments = Pii::default();
    project.related_opportunity_id = None;
    details.marketing = super::Marketing::default();
    details.software_revenue = super::SoftwareRevenue::default();
    details.related_entity_identifiers = RelatedEntityIdentifiers::default();
    details.partner_opportunity_identifier.clear();
    details.opportunity_team.clear();
    details.tags.clear();
    details
}
