use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode,
};
use serde::{Deserialize, Serialize};

use super::canonical::canonical;
use super::reference::US;
use super::values::{
    InvolvementType, OpportunityType, Origin, PrimaryNeedFromAws, ReviewReason, ReviewStatus, Visibility,
};
use super::{Details, Event, Facts, Field, Rule, Situation, Transition, check, deal_size};

/// How many past next steps are kept (OPP-041).
const HISTORY: usize = 50;

/// An opportunity: the aggregate. It changes only through its methods, each of which checks everything first, changes
/// nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opportunity {
    id: OpportunityId,
    account: AccountId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    created_by: MemberId,
    last_modified_by: Option<MemberId>,
    owner: MemberId,
    submitted_by: Option<MemberId>,
    origin: Origin,
    involvement: Option<InvolvementType>,
    visibility: Option<Visibility>,
    review: Review,
    next_steps_history: Vec<NextStep>,
    details: Details,
    /// Whether the member for whom it was read has flagged it: of the reader, and no part of the record (OPP-066).
    #[serde(skip)]
    is_flagged: bool,
}

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
    /// When it was submitted last.
    #[serde(default)]
    pub submit_time: Option<DateTime<Utc>>,
}

/// A past value of the next steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// The text.
    pub value: Pii<String>,
    /// When it was set.
    pub time: DateTime<Utc>,
}

/// A reviewer's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Remarks for the partner.
    pub remarks: Pii<String>,
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
    /// Registers a draft (OPP-001 to OPP-018).
    pub fn create(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        mut details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Event), Rule> {
        canonical(&mut details);
        settle(&mut details);
        deal_size::settle(&mut details);
        let mut found = check::record(&details, facts);
        check::related(&details, facts, &mut found);
        check::new_close_date(&details, now.date_naive(), &mut found);
        none(found)?;
        let mut record = Self {
            id,
            account,
            revision: 1,
            create_time: now,
            update_time: now,
            created_by: by.clone(),
            last_modified_by: Some(by.clone()),
            owner: by,
            submitted_by: None,
            origin: Origin::PartnerReferral,
            involvement: None,
            visibility: None,
            review: Review {
                status: ReviewStatus::PendingSubmission,
                round: 0,
                remarks: Pii::default(),
                reason: None,
                submit_time: None,
            },
            next_steps_history: Vec::new(),
            details,
            is_flagged: false,
        };
        record.note_next_steps(now);
        Ok((record, Event::Created))
    }

    /// Takes over the selected fields of `given`. `None` when that changes nothing (OPP-040, OPP-041).
    pub fn update(
        &mut self,
        by: &MemberId,
        selected: &[Field],
        given: &Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        let situation = self.situation();
        if !situation.is_editable() {
            return Err(Rule::RecordNotEditable(situation));
        }
        let mut given = given.clone();
        canonical(&mut given);
        let mut details = self.details.clone();
        for field in selected {
            field.copy(&given, &mut details);
        }
        // A refused change brings nothing with it.
        let secrecy = Field::NationalSecurity;
        if !secrecy.differs(&self.details, &details) || secrecy.is_editable(situation) {
            settle(&mut details);
        }
        let sizes = [Field::ExpectedCustomerSpend, Field::ExpectedContractDuration];
        if sizes.iter().any(|field| selected.contains(field)) {
            deal_size::complete(
                &self.details,
                &mut details,
                selected.contains(&Field::ExpectedCustomerSpend),
            );
            deal_size::settle(&mut details);
        }
        let changed: Vec<_> = Field::ALL
            .iter()
            .copied()
            .filter(|field| field.differs(&self.details, &details))
            .collect();
        if changed.is_empty() {
            return Ok(None);
        }

        let locked: Vec<_> = changed
            .iter()
            .filter(|field| !field.is_editable(situation))
            .collect();
        let mut found: Vec<_> = locked
            .iter()
            .map(|field| not_editable(**field, situation))
            .collect();
        found.extend(check::record(&details, facts));
        if changed.contains(&Field::RelatedOpportunity) {
            check::related(&details, facts, &mut found);
        }
        let today = now.date_naive();
        let is_closing =
            self.review.status == ReviewStatus::Approved && details.life_cycle.stage.is_terminal();
        if is_closing && changed.contains(&Field::Stage) {
            check::new_stage(&details, facts, today, &mut found);
        } else if changed.contains(&Field::TargetCloseDate) {
            check::new_close_date(&details, today, &mut found);
        }
        let involvement = self.involvement_with(&details.primary_needs_from_aws);
        if let (ReviewStatus::Approved, Some(involvement)) = (self.review.status, involvement) {
            found.extend(check::submittable(
                &details,
                involvement,
                self.visibility_with(involvement),
                facts,
            ));
        }
        if !locked.is_empty() {
            return Err(Rule::FieldsNotEditable(situation, found));
        }
        none(found)?;

        let steps_changed = changed.contains(&Field::NextSteps);
        self.details = details;
        self.involvement = involvement;
        self.visibility = involvement.map(|involvement| self.visibility_with(involvement));
        self.step(Some(by), now);
        if steps_changed {
            self.note_next_steps(now);
        }
        Ok(Some(Event::Updated(changed)))
    }

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
        found.extend(check::submittable(&self.details, involvement, visibility, facts));
        check::postal_code(&self.details, &mut found);
        check::not_over(&self.details, &mut found);
        found
    }

    /// Takes the submission back (OPP-031).
    pub fn withdraw(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        self.review.status = self.after(Transition::Withdraw)?;
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
            submit_time: self.review.submit_time,
        };
        self.step(None, now);
        Some(event)
    }

    fn after(&self, transition: Transition) -> Result<ReviewStatus, Rule> {
        let situation = self.situation();
        transition.from(situation.status).ok_or(Rule::IllegalTransition {
            situation,
            transition,
        })
    }

    /// The involvement that these needs mean: asking for help turns visibility-only into co-sell, and nothing turns
    /// it back (OPP-027).
    fn involvement_with(&self, needs: &[PrimaryNeedFromAws]) -> Option<InvolvementType> {
        match self.involvement {
            Some(InvolvementType::ForVisibilityOnly)
                if self.review.status == ReviewStatus::Approved && !needs.is_empty() =>
            {
                Some(InvolvementType::CoSell)
            }
            unchanged => unchanged,
        }
    }

    /// The visibility that an involvement leaves: co-sell is with AWS sales, who must see it (OPP-022, OPP-027).
    fn visibility_with(&self, involvement: InvolvementType) -> Visibility {
        match (involvement, self.visibility) {
            (InvolvementType::ForVisibilityOnly, Some(visibility)) => visibility,
            _ => Visibility::Full,
        }
    }

    fn step(&mut self, by: Option<&MemberId>, now: DateTime<Utc>) {
        self.revision += 1;
        self.update_time = now;
        self.last_modified_by = by.cloned();
    }

    fn note_next_steps(&mut self, now: DateTime<Utc>) {
        let value = self.details.life_cycle.next_steps.clone();
        if !value.is_empty() {
            self.next_steps_history.insert(0, NextStep { value, time: now });
            self.next_steps_history.truncate(HISTORY);
        }
    }

    /// Notes whether the member for whom it was read has flagged it (OPP-066).
    pub fn set_flagged(&mut self, is_flagged: bool) {
        self.is_flagged = is_flagged;
    }

    /// What decides which changes are allowed now.
    pub fn situation(&self) -> Situation {
        Situation {
            status: self.review.status,
            stage: self.details.life_cycle.stage,
            involvement: self.involvement,
        }
    }

    /// Whether the member owns, created or submitted the record (ACC-011).
    pub fn is_own_of(&self, member: &MemberId) -> bool {
        self.owner == *member || self.created_by == *member || self.submitted_by.as_ref() == Some(member)
    }
}

#[expect(missing_docs, reason = "fields are documented once, in opportunity.proto")]
impl Opportunity {
    pub fn id(&self) -> OpportunityId {
        self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn created_by(&self) -> &MemberId {
        &self.created_by
    }

    pub fn last_modified_by(&self) -> Option<&MemberId> {
        self.last_modified_by.as_ref()
    }

    pub fn owner(&self) -> &MemberId {
        &self.owner
    }

    pub fn submitted_by(&self) -> Option<&MemberId> {
        self.submitted_by.as_ref()
    }

    pub fn origin(&self) -> Origin {
        self.origin
    }

    pub fn involvement(&self) -> Option<InvolvementType> {
        self.involvement
    }

    pub fn visibility(&self) -> Option<Visibility> {
        self.visibility
    }

    pub fn review(&self) -> &Review {
        &self.review
    }

    pub fn next_steps_history(&self) -> &[NextStep] {
        &self.next_steps_history
    }

    pub fn details(&self) -> &Details {
        &self.details
    }

    pub fn is_flagged(&self) -> bool {
        self.is_flagged
    }
}

/// What follows from what was given: the country of a national-security deal is the United States (OPP-017), and what is
/// new expands and renews nothing (OPP-005).
fn settle(details: &mut Details) {
    if details.national_security {
        details.customer.account.address.country_code = US.into();
    }
    if details.opportunity_type == OpportunityType::NetNewBusiness {
        details.project.related_opportunity_id = None;
    }
}

fn none(found: Vec<Violation>) -> Result<(), Rule> {
    if found.is_empty() {
        Ok(())
    } else {
        Err(Rule::Invalid(found))
    }
}

fn not_editable(field: Field, situation: Situation) -> Violation {
    let text = format!(
        "cannot be changed in review status {} and stage {}",
        situation.status.name(),
        situation.stage.name()
    );
    Violation::new(
        &FieldPath::root().field(field.path()),
        ViolationCode::ActionNotPermitted,
        text,
    )
}
