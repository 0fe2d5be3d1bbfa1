//! What is done with a record besides changing what it says (OPP-035 to OPP-037, OPP-041).

use chrono::{DateTime, Utc};
use cosell_types::{MemberId, OpportunityId, Pii, ViolationCode};

use super::opportunity::{Reopening, none};
use super::values::{ReviewStatus, Stage};
use super::{Details, Event, Facts, Field, Opportunity, Rule, check};

impl Opportunity {
    /// Says what happens next in an approved deal that is open (OPP-041).
    pub fn add_next_step(
        &mut self,
        by: &MemberId,
        step: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.can_be_followed_up()?;
        self.details.life_cycle.next_steps = step;
        self.step(Some(by), now);
        self.note_next_steps(now);
        Ok(Event::Updated(vec![Field::NextSteps]))
    }

    /// Opens a deal again that was launched or lost (OPP-035).
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
        let mut found = Vec::new();
        if stage.is_terminal() {
            let text = "must be an open stage: PROSPECT, QUALIFIED, TECHNICAL_VALIDATION, BUSINESS_VALIDATION or COMMITTED";
            check::add(&mut found, "life_cycle.stage", ViolationCode::InvalidValue, text);
        }
        self.check_solution(&details, facts, &mut found);
        none(found)?;
        self.details = details;
        self.reopening = Some(Reopening {
            from,
            reason,
            time: now,
        });
        self.step(None, now);
        Ok(Event::Reopened(from))
    }

    /// Gives the record to another member, perhaps as part of a job. `None` when that one has it already (OPP-036).
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
        self.step(Some(by), now);
        Ok(Some(Event::Assigned {
            from,
            job: job.map(str::to_owned),
        }))
    }

    /// A new draft that says what this record says, but for the selected fields of `given` (OPP-037).
    pub fn clone_with(
        &self,
        id: OpportunityId,
        by: MemberId,
        selected: &[Field],
        given: &Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Opportunity, Event), Rule> {
        self.can_be_cloned()?;
        let mut details = self.details.clone();
        // What belongs to the deal that was, and to nothing else.
        details.partner_opportunity_identifier.clear();
        details.life_cycle.stage = Stage::Prospect;
        details.life_cycle.closed_lost_reason = None;
        details.life_cycle.next_steps = Pii::default();
        details.related_entity_identifiers = details
            .related_entity_identifiers
            .for_another(&self.account, facts);
        for field in selected {
            field.copy(given, &mut details);
        }
        if !given.tags.is_empty() {
            details.tags.clone_from(&given.tags);
        }
        let (mut record, event) = Opportunity::create(id, self.account.clone(), by, details, facts, now)?;
        record.cloned_from = Some(self.id);
        Ok((record, event))
    }

    /// Whether a next step can be added (OPP-041).
    pub fn can_be_followed_up(&self) -> Result<(), Rule> {
        let is_open = self.review.status == ReviewStatus::Approved && !self.stage().is_terminal();
        self.possible(is_open, "ADD_NEXT_STEP")
    }

    /// Whether a deal is over that AWS could open again (OPP-035).
    pub fn can_be_reopened(&self) -> Result<(), Rule> {
        let is_over = self.review.status == ReviewStatus::Approved && self.stage().is_terminal();
        self.possible(is_over, "REOPEN")
    }

    /// Whether the record can be given to another member (OPP-036).
    pub fn can_be_assigned(&self) -> Result<(), Rule> {
        let is_at_the_partner = matches!(
            self.review.status,
            ReviewStatus::PendingSubmission | ReviewStatus::ActionRequired | ReviewStatus::Approved
        );
        self.possible(is_at_the_partner && !self.stage().is_terminal(), "ASSIGN")
    }

    /// Whether the record can be the beginning of another one (OPP-037).
    pub fn can_be_cloned(&self) -> Result<(), Rule> {
        self.possible(self.review.status != ReviewStatus::PendingSubmission, "CLONE")
    }

    fn stage(&self) -> Stage {
        self.details.life_cycle.stage
    }

    pub(super) fn possible(&self, is_possible: bool, action: &'static str) -> Result<(), Rule> {
        if is_possible {
            return Ok(());
        }
        Err(Rule::NotPossible {
            situation: self.situation(),
            action,
        })
    }
}
