//! Submission and review (OPP-019 to OPP-033).

use chrono::{DateTime, Utc};
use cosell_types::{ClosedList as _, MemberId, Pii, Violation};
use serde::{Deserialize, Serialize};

use super::field::{entities_opened_by, fields_opened_by};
use super::rule::ok_or_invalid;
use super::values::{InvolvementType, RelatedEntityType, ReviewReason, ReviewStatus, Visibility};
use super::{Event, Facts, Field, Opportunity, Rule, Transition, check, related};

/// The state of the opportunity in AWS's review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The review status.
    pub status: ReviewStatus,
    /// Number of the last submission round; 0 before the first submission.
    pub round: i32,
    /// The review comments of the last decision.
    pub remarks: Pii<String>,
    /// The reason of the last decision, unless it approved the opportunity.
    pub reason: Option<ReviewReason>,
    /// Paths of the fields that the decision opened for correction (REV-013).
    #[serde(default)]
    pub fields_to_correct: Vec<String>,
    /// When the opportunity was last submitted.
    #[serde(default)]
    pub submit_time: Option<DateTime<Utc>>,
}

impl Review {
    /// The fields that the last decision opened for correction: those about which its reason asks, and those that it
    /// names (REV-013).
    pub(super) fn opened_fields(&self) -> impl Iterator<Item = Field> + '_ {
        let of_reason = self.reason.map_or(&[][..], fields_opened_by);
        let named = self.fields_to_correct.iter();
        of_reason
            .iter()
            .copied()
            .chain(named.filter_map(|path| Field::from_path(path)))
    }

    /// Whether the last decision opened the entities of this type for correction (OPP-045).
    pub(super) fn opens_entities(&self, kind: RelatedEntityType) -> bool {
        let is_named = self.fields_to_correct.iter().any(|path| path == kind.path());
        let of_reason = self.reason.map_or(&[][..], entities_opened_by);
        is_named || of_reason.contains(&kind)
    }
}

/// A reviewer's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The decision itself, with its reason.
    pub outcome: ReviewOutcome,
    /// Review comments for the partner.
    pub remarks: Pii<String>,
    /// Paths of the fields that the decision opens for correction.
    pub fields_to_correct: Vec<String>,
}

/// The outcome of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewOutcome {
    /// The opportunity is validated.
    Approved,
    /// The partner must correct the opportunity and submit it again.
    ActionRequired(ReviewReason),
    /// The opportunity is rejected permanently.
    Rejected(ReviewReason),
}

impl Opportunity {
    /// In ACTION_REQUIRED, the paths of all that the partner can change; empty in every other review status.
    pub fn correctable_fields(&self) -> Vec<&'static str> {
        if self.review.status != ReviewStatus::ActionRequired {
            return Vec::new();
        }
        let fields = Field::ALL.iter().filter(|field| self.is_field_editable(**field));
        let entities = RelatedEntityType::ALL
            .iter()
            .filter(|kind| self.can_associate_entity(**kind).is_ok());
        fields
            .map(|field| field.path())
            .chain(entities.map(|kind| kind.path()))
            .collect()
    }

    /// Submits the opportunity to AWS review (OPP-019 to OPP-026, OPP-030).
    pub fn submit(
        &mut self,
        by: &MemberId,
        involvement: InvolvementType,
        visibility: Visibility,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        let status = self.status_after(Transition::Submit)?;
        ok_or_invalid(self.submission_violations(involvement, visibility, facts))?;
        self.involvement = Some(involvement);
        self.visibility = Some(visibility);
        self.submitted_by = Some(by.clone());
        self.review = Review {
            status,
            round: self.review.round + 1,
            remarks: Pii::default(),
            reason: None,
            fields_to_correct: Vec::new(),
            submit_time: Some(now),
        };
        self.advance_revision(Some(by), now);
        Ok(Event::Submitted)
    }

    /// The violations that prevent a submission.
    fn submission_violations(
        &self,
        involvement: InvolvementType,
        visibility: Visibility,
        facts: &Facts<'_>,
    ) -> Vec<Violation> {
        let mut violations = check::record(&self.details, facts);
        violations.extend(check::submittable(&self.details, involvement, visibility));
        check::government_answer(&self.details, &mut violations);
        check::postal_code(&self.details, &mut violations);
        check::open_stage(&self.details, &mut violations);
        // A terminal stage is refused anyway; that it also requires a solution would not help.
        if !self.details.life_cycle.stage.is_terminal() {
            self.check_solution(&self.details, facts, &mut violations);
        }
        related::check_no_offers(&self.details.related_entity_identifiers, &mut violations);
        violations
    }

    /// Withdraws the submission (OPP-031).
    pub fn withdraw(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        let status = self.status_after(Transition::Withdraw)?;
        // The account of a shared copy did not submit it (OPP-092).
        self.ensure_allowed(self.shared_from.is_none(), Transition::Withdraw.name())?;
        self.review.status = status;
        self.advance_revision(Some(by), now);
        Ok(Event::Withdrawn)
    }

    /// Discards the draft (OPP-032).
    pub fn discard(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        self.status_after(Transition::Discard)?;
        if self.review.round > 0 {
            return Err(Rule::AlreadySubmitted(self.lifecycle_state()));
        }
        self.advance_revision(Some(by), now);
        Ok(Event::Discarded)
    }

    /// Records that a reviewer started the review of a submission round. `None` if the event is stale: the partner
    /// withdrew the submission first (OPP-033).
    pub fn start_review(&mut self, round: i32, now: DateTime<Utc>) -> Option<Event> {
        let status = self
            .status_after(Transition::StartReview)
            .ok()
            .filter(|_| round == self.review.round)?;
        self.review.status = status;
        self.advance_revision(None, now);
        Some(Event::ReviewStarted)
    }

    /// Applies a reviewer's decision on a submission round. `None` if the event is stale: the partner withdrew the
    /// submission first (OPP-033).
    pub fn apply_decision(&mut self, round: i32, decision: Decision, now: DateTime<Utc>) -> Option<Event> {
        let (transition, reason, event) = match decision.outcome {
            ReviewOutcome::Approved => (Transition::Approve, None, Event::Approved),
            ReviewOutcome::ActionRequired(reason) => (
                Transition::RequireAction,
                Some(reason),
                Event::ActionRequired(reason),
            ),
            ReviewOutcome::Rejected(reason) => (Transition::Reject, Some(reason), Event::Rejected(reason)),
        };
        let status = self
            .status_after(transition)
            .ok()
            .filter(|_| round == self.review.round)?;
        self.review = Review {
            status,
            round,
            remarks: decision.remarks,
            reason,
            fields_to_correct: decision.fields_to_correct,
            submit_time: self.review.submit_time,
        };
        self.advance_revision(None, now);
        Some(event)
    }

    fn status_after(&self, transition: Transition) -> Result<ReviewStatus, Rule> {
        let state = self.lifecycle_state();
        transition
            .next_status(state.status)
            .ok_or(Rule::ActionNotAllowed {
                state,
                action: transition.name(),
            })
    }
}
