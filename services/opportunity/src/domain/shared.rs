//! Shared copies: opportunities of a partner that accepted an engagement invitation (OPP-092).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Pii, Violation, ViolationCode};
use serde::{Deserialize, Serialize};

use super::values::{ReviewStatus, Stage};
use super::{Account, Customer, Details, Event, Field, Opportunity, Project, Review, ReviewOutcome, check};

/// The opportunity from which a shared copy was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySource {
    /// Id of the accepted engagement invitation.
    pub invitation: String,
    /// The account that shares its opportunity.
    pub account: AccountId,
    /// Id of the shared opportunity.
    pub opportunity: OpportunityId,
}

/// Prefixes of the fields that are not copied. They may be missing until the shared copy is QUALIFIED.
const OPTIONAL_UNTIL_QUALIFIED: [&str; 9] = [
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
    /// Creates a shared copy. Its review status follows the source: APPROVED or REJECTED, else SUBMITTED until the
    /// source is decided. History and submission rounds are not copied.
    pub fn create_shared_copy(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        invitation: &str,
        of: &Opportunity,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        let status = match of.review.status {
            decided @ (ReviewStatus::Approved | ReviewStatus::Rejected) => decided,
            // The decision on the source decides the copy too.
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
            shared_from: Some(CopySource {
                invitation: invitation.to_owned(),
                account: of.account.clone(),
                opportunity: of.id,
            }),
            reopening: None,
            close_time: None,
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
            details: shared_details(of.details.clone()),
            is_flagged: false,
            is_classified: false,
        };
        (record, Event::Created)
    }

    /// Whether the opportunity can be shared with other partner accounts: it is no draft and not classified.
    pub fn is_shareable(&self) -> bool {
        self.review.status != ReviewStatus::PendingSubmission && !self.details.is_national_security()
    }

    /// The current state, with the details, involvement and visibility of an earlier revision.
    pub fn with_content_of(self, earlier: Opportunity) -> Self {
        Self {
            details: earlier.details,
            involvement: earlier.involvement,
            visibility: earlier.visibility,
            ..self
        }
    }

    /// Applies the review decision on the source. `None` if this is no shared copy, or is already decided.
    pub fn apply_source_decision(&mut self, outcome: ReviewOutcome, now: DateTime<Utc>) -> Option<Event> {
        if self.shared_from.is_none() || self.review.status != ReviewStatus::Submitted {
            return None;
        }
        let (status, reason, event) = match outcome {
            ReviewOutcome::Approved => (ReviewStatus::Approved, None, Event::Approved),
            ReviewOutcome::Rejected(reason) => {
                (ReviewStatus::Rejected, Some(reason), Event::Rejected(reason))
            }
            // The corrections are up to the account of the source.
            ReviewOutcome::ActionRequired(_) => return None,
        };
        self.review.status = status;
        self.review.reason = reason;
        self.advance_revision(None, now);
        Some(event)
    }

    /// Removes the violations of missing fields that are optional in a shared copy in stage PROSPECT.
    pub(super) fn without_optional_fields(
        &self,
        details: &Details,
        mut violations: Vec<Violation>,
    ) -> Vec<Violation> {
        if self.shared_from.is_some() && details.life_cycle.stage == Stage::Prospect {
            violations.retain(|violation| {
                let mut optional = OPTIONAL_UNTIL_QUALIFIED.iter();
                let is_optional = optional.any(|field| violation.field.starts_with(field));
                !(is_optional && violation.code == ViolationCode::RequiredFieldMissing)
            });
        }
        violations
    }

    /// Whether the field is editable now, by the lifecycle state. In a shared copy the primary needs are also editable
    /// until they are set; in ACTION_REQUIRED the missing answer on national security can be given, as false (OPP-017,
    /// OPP-040, OPP-092).
    pub fn is_field_editable(&self, field: Field) -> bool {
        let state = self.lifecycle_state();
        let is_unset_need_of_copy = self.shared_from.is_some()
            && field == Field::PrimaryNeedsFromAws
            && self.details.primary_needs_from_aws.is_empty()
            && Field::CustomerUseCase.is_editable(state);
        let is_missing_answer = field == Field::NationalSecurity
            && state.status == ReviewStatus::ActionRequired
            && check::lacks_government_answer(&self.details);
        field.is_editable(state) || is_unset_need_of_copy || is_missing_answer
    }

    /// The source of a shared copy; `None` for any other opportunity.
    pub fn shared_from(&self) -> Option<&CopySource> {
        self.shared_from.as_ref()
    }
}

/// The part of the source's details that a shared copy has: what the snapshots of the engagement show of the customer and
/// the project, less what each partner sets itself. All else is for the receiver to enter.
fn shared_details(source: Details) -> Details {
    let Details {
        opportunity_type,
        national_security,
        customer,
        project,
        ..
    } = source;
    Details {
        opportunity_type,
        national_security,
        customer: Customer {
            account: Account {
                aws_account_id: Pii::default(),
                duns: Pii::default(),
                ..customer.account
            },
            contacts: Vec::new(),
        },
        project: Project {
            title: project.title,
            customer_business_problem: project.customer_business_problem,
            sales_activities: project.sales_activities,
            ..Project::default()
        },
        ..Details::default()
    }
}
