//! Commands besides updates and review: next steps, reopening, ownership transfer, cloning (OPP-035 to OPP-037,
//! OPP-041).

use chrono::{DateTime, Utc};
use cosell_types::{MemberId, OpportunityId, Pii, ViolationCode};

use super::opportunity::Reopening;
use super::rule::ok_or_invalid;
use super::values::{ReviewStatus, Stage};
use super::{Details, Event, Facts, Field, Opportunity, Rule, check};

/// Fields that belong to the cloned opportunity alone: a clone begins without them (OPP-037).
pub(super) const NOT_CLONED: [Field; 4] = [
    Field::PartnerOpportunityIdentifier,
    Field::Stage,
    Field::ClosedLostReason,
    Field::NextSteps,
];

impl Opportunity {
    /// Adds a next step to an approved, open opportunity (OPP-041).
    pub fn add_next_step(
        &mut self,
        by: &MemberId,
        step: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.can_add_next_step()?;
        self.details.life_cycle.next_steps = step;
        self.advance_revision(Some(by), now);
        self.append_next_steps_history(now);
        Ok(Event::Updated(vec![Field::NextSteps]))
    }

    /// Reopens an opportunity that was launched or lost (OPP-035).
    pub fn reopen(
        &mut self,
        stage: Stage,
        reason: Pii<String>,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.can_be_reopened()?;
        let from = self.stage();
        let mut details = self.details.clone();
        details.life_cycle.stage = stage;
        details.life_cycle.closed_lost_reason = None;
        let mut violations = Vec::new();
        if stage.is_terminal() {
            let text = "Must be an open stage: PROSPECT, QUALIFIED, TECHNICAL_VALIDATION, BUSINESS_VALIDATION or \
                        COMMITTED.";
            check::add(
                &mut violations,
                "life_cycle.stage",
                ViolationCode::InvalidValue,
                text,
            );
        }
        self.check_solution(&details, facts, &mut violations);
        ok_or_invalid(violations)?;
        self.details = details;
        self.close_time = None;
        self.reopening = Some(Reopening {
            from,
            reason,
            time: now,
        });
        self.advance_revision(None, now);
        Ok(Event::Reopened(from))
    }

    /// Transfers the opportunity to another member, as part of a bulk job if one is given. `None` if the member already
    /// owns it (OPP-036).
    pub fn assign(
        &mut self,
        by: &MemberId,
        owner: &MemberId,
        job: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_be_assigned()?;
        if self.owner == *owner {
            return Ok(None);
        }
        let from = std::mem::replace(&mut self.owner, owner.clone());
        self.advance_revision(Some(by), now);
        Ok(Some(Event::Assigned {
            from,
            job: job.map(str::to_owned),
        }))
    }

    /// Creates a draft with the data of this opportunity. The selected fields of `overrides` replace the copied ones
    /// (OPP-037).
    pub fn clone_with(
        &self,
        id: OpportunityId,
        by: MemberId,
        selected: &[Field],
        overrides: &Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Opportunity, Event), Rule> {
        self.can_be_cloned()?;
        let mut details = self.details.clone();
        for field in NOT_CLONED {
            field.copy(&Details::default(), &mut details);
        }
        details.related_entity_identifiers =
            details.related_entity_identifiers.for_clone(&self.account, facts);
        for field in selected {
            field.copy(overrides, &mut details);
        }
        if !overrides.tags.is_empty() {
            details.tags.clone_from(&overrides.tags);
        }
        let (mut record, event) = Opportunity::create(id, self.account.clone(), by, details, facts, now)?;
        record.cloned_from = Some(self.id);
        Ok((record, event))
    }

    /// Whether a next step can be added (OPP-041).
    pub fn can_add_next_step(&self) -> Result<(), Rule> {
        let is_open = self.review.status == ReviewStatus::Approved && !self.stage().is_terminal();
        self.ensure_allowed(is_open, "ADD_NEXT_STEP")
    }

    /// Whether AWS can reopen the opportunity: it is closed (OPP-035).
    pub fn can_be_reopened(&self) -> Result<(), Rule> {
        let is_closed = self.review.status == ReviewStatus::Approved && self.stage().is_terminal();
        self.ensure_allowed(is_closed, "REOPEN")
    }

    /// Whether the opportunity can be transferred to another member (OPP-036).
    pub fn can_be_assigned(&self) -> Result<(), Rule> {
        let is_transferable = matches!(
            self.review.status,
            ReviewStatus::PendingSubmission | ReviewStatus::ActionRequired | ReviewStatus::Approved
        );
        self.ensure_allowed(is_transferable && !self.stage().is_terminal(), "ASSIGN")
    }

    /// Whether the opportunity can be cloned (OPP-037).
    pub fn can_be_cloned(&self) -> Result<(), Rule> {
        self.ensure_allowed(self.review.status != ReviewStatus::PendingSubmission, "CLONE")
    }

    fn stage(&self) -> Stage {
        self.details.life_cycle.stage
    }

    pub(super) fn ensure_allowed(&self, is_allowed: bool, action: &'static str) -> Result<(), Rule> {
        if is_allowed {
            return Ok(());
        }
        Err(Rule::ActionNotAllowed {
            state: self.lifecycle_state(),
            action,
        })
    }
}
