//! The record's way through review (OPP-019 to OPP-033).

use chrono::{DateTime, Utc};
use cosell_types::{MemberId, Pii, Violation};
use serde::{Deserialize, Serialize};

use super::opportunity::none;
use super::values::{InvolvementType, ReviewReason, ReviewStatus, Visibility};
use super::{Event, Facts, Opportunity, Rule, Transition, check, related};

/// Where the record stands in review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The status.
    pub status: ReviewStatus,
    /// Number of the last round; 0 before the first submission.
    pub round: i32,
    /// The reviewer's remarks on the last decision.
    pub remarks: Pii<String>,
    /// Why it was sent back or rejected.
    pub reason: Option<ReviewReason>,
    /// Paths of the fields that the decision opened for correction (REV-013).
    #[serde(default)]
    pub fields_to_correct: Vec<String>,
    /// When it was submitted last.
    #[serde(default)]
    pub submit_time: Option<DateTime<Utc>>,
}

/// A reviewer's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Remarks for the partner.
    pub remarks: Pii<String>,
    /// Paths of the fields that it opens for correction.
    pub fields_to_correct: Vec<String>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Validated.
    Approved,
    /// Sent back.
    ActionRequired(ReviewReason),
    /// Rejected.
    Rejected(ReviewReason),
}

impl Opportunity {
    /// Hands the record to AWS (OPP-019 to OPP-026, OPP-030).
    pub fn submit(
        &mut self,
        by: &MemberId,
        involvement: InvolvementType,
        visibility: Visibility,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        let status = self.after(Transition::Submit)?;
        none(self.missing_for(involvement, visibility, facts))?;
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
        self.step(Some(by), now);
        Ok(Event::Submitted)
    }

    /// What the record lacks to be submitted.
    fn missing_for(
        &self,
        involvement: InvolvementType,
        visibility: Visibility,
        facts: &Facts<'_>,
    ) -> Vec<Violation> {
        let mut found = check::record(&self.details, facts);
        found.extend(check::submittable(&self.details, involvement, visibility));
        self.check_solution(&self.details, facts, &mut found);
        check::postal_code(&self.details, &mut found);
        check::not_over(&self.details, &mut found);
        related::no_offer(&self.details.related_entity_identifiers, &mut found);
        found
    }

    /// Takes the submission back (OPP-031).
    pub fn withdraw(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        let status = self.after(Transition::Withdraw)?;
        // It was not this partner who submitted the deal (OPP-092).
        self.possible(self.shared_from.is_none(), Transition::Withdraw.name())?;
        self.review.status = status;
        self.step(Some(by), now);
        Ok(Event::Withdrawn)
    }

    /// Throws the draft away (OPP-032).
    pub fn discard(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        self.after(Transition::Discard)?;
        if self.review.round > 0 {
            return Err(Rule::WasSubmitted(self.situation()));
        }
        self.step(Some(by), now);
        Ok(Event::Discarded)
    }

    /// A reviewer started on a round. `None` when that round is over: the partner took it back first (OPP-033).
    pub fn review_started(&mut self, round: i32, now: DateTime<Utc>) -> Option<Event> {
        let status = self
            .after(Transition::StartReview)
            .ok()
            .filter(|_| round == self.review.round)?;
        self.review.status = status;
        self.step(None, now);
        Some(Event::ReviewStarted)
    }

    /// A reviewer decided a round. `None` when that round is over: the partner took it back first (OPP-033).
    pub fn decided(&mut self, round: i32, decision: Decision, now: DateTime<Utc>) -> Option<Event> {
        let (transition, reason, event) = match decision.outcome {
            Outcome::Approved => (Transition::Approve, None, Event::Approved),
            Outcome::ActionRequired(reason) => (
                Transition::RequireAction,
                Some(reason),
                Event::ActionRequired(reason),
            ),
            Outcome::Rejected(reason) => (Transition::Reject, Some(reason), Event::Rejected(reason)),
        };
        let status = self
            .after(transition)
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
        self.step(None, now);
        Some(event)
    }

    fn after(&self, transition: Transition) -> Result<ReviewStatus, Rule> {
        let situation = self.situation();
        transition.from(situation.status).ok_or(Rule::NotPossible {
            situation,
            action: transition.name(),
        })
    }
}
