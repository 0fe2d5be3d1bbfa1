use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode,
    revision_time,
};
use serde::{Deserialize, Serialize};

use super::canonical::canonicalize;
use super::reference::{GOVERNMENT, US};
use super::rule::ok_or_invalid;
use super::values::{
    InvolvementType, OpportunityType, Origin, PrimaryNeedFromAws, ReviewStatus, Stage, Visibility,
};
use super::{
    CopySource, Details, Event, Facts, Field, LifecycleState, Review, Rule, check, customer_spend, related,
};

/// Maximum number of entries in the history of next steps (OPP-041).
const MAX_HISTORY: usize = 50;

/// The opportunity aggregate. It changes only through its methods. Each checks all rules first, changes nothing if one
/// is violated, and returns an event. Creation and updates are in this file, the review in `review.rs`, other commands
/// in `actions.rs`, `related.rs`, `tags.rs` and `shared.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opportunity {
    pub(super) id: OpportunityId,
    pub(super) account: AccountId,
    pub(super) revision: i64,
    pub(super) create_time: DateTime<Utc>,
    pub(super) update_time: DateTime<Utc>,
    pub(super) created_by: MemberId,
    pub(super) last_modified_by: Option<MemberId>,
    pub(super) owner: MemberId,
    pub(super) submitted_by: Option<MemberId>,
    pub(super) origin: Origin,
    #[serde(default)]
    pub(super) cloned_from: Option<OpportunityId>,
    #[serde(default)]
    pub(super) referral_offer: Option<String>,
    #[serde(default)]
    pub(super) lead: Option<String>,
    pub(super) shared_from: Option<CopySource>,
    #[serde(default)]
    pub(super) reopening: Option<Reopening>,
    /// When the partner closed the opportunity; `None` while it is open, and if an earlier release closed it.
    #[serde(default)]
    pub(super) close_time: Option<DateTime<Utc>>,
    pub(super) involvement: Option<InvolvementType>,
    pub(super) visibility: Option<Visibility>,
    pub(super) review: Review,
    pub(super) next_steps_history: Vec<NextStep>,
    pub(super) details: Details,
    /// Whether the reading member has flagged the opportunity: a fact of the reader, not stored in the record
    /// (OPP-066).
    #[serde(skip)]
    pub(super) is_flagged: bool,
    /// Whether this is a past revision of an opportunity whose current revision is classified (OPP-017).
    #[serde(skip)]
    pub(super) is_classified: bool,
}

/// An entry in the history of next steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// The text.
    pub value: Pii<String>,
    /// When the text was set.
    pub time: DateTime<Utc>,
}

impl NextStep {
    /// Adds the current next steps to the history, newest first. An empty text adds no entry.
    pub fn append_to_history(history: &mut Vec<NextStep>, value: &Pii<String>, time: DateTime<Utc>) {
        if !value.is_empty() {
            let value = value.clone();
            history.insert(0, NextStep { value, time });
            history.truncate(MAX_HISTORY);
        }
    }
}

/// The last reopening by AWS (OPP-035).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// The stage before the reopening.
    pub from: Stage,
    /// AWS's reason.
    pub reason: Pii<String>,
    /// When the opportunity was reopened.
    pub time: DateTime<Utc>,
}

impl Opportunity {
    /// Creates a draft (OPP-001 to OPP-018).
    pub fn create(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Event), Rule> {
        let (record, mut violations) = Self::build_draft(id, account, by, details, facts, now);
        check::new_close_date(&record.details, now.date_naive(), &mut violations);
        ok_or_invalid(violations)?;
        Ok((record, Event::Created))
    }

    /// Builds a draft and returns its violations, except those of the target close date (OPP-015).
    pub(super) fn build_draft(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        mut details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Vec<Violation>) {
        canonicalize(&mut details);
        derive_fields(&mut details);
        customer_spend::default_target_companies(&mut details);
        let mut violations = check::record(&details, facts);
        check::parent_opportunity(&details, facts, &mut violations);
        violations.extend(related::check_entities(
            &details.related_entity_identifiers,
            &account,
            facts,
        ));
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
            cloned_from: None,
            referral_offer: None,
            lead: None,
            shared_from: None,
            reopening: None,
            close_time: None,
            involvement: None,
            visibility: None,
            review: Review {
                status: ReviewStatus::PendingSubmission,
                round: 0,
                remarks: Pii::default(),
                fields_to_correct: Vec::new(),
                reason: None,
                submit_time: None,
            },
            next_steps_history: Vec::new(),
            details,
            is_flagged: false,
            is_classified: false,
        };
        record.append_next_steps_history(now);
        (record, violations)
    }

    /// Applies the selected fields of `input`. `None` if nothing changes (OPP-040, OPP-041).
    pub fn update(
        &mut self,
        by: &MemberId,
        selected: &[Field],
        input: &Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        let state = self.lifecycle_state();
        if !state.is_editable() {
            return Err(Rule::RecordNotEditable(state));
        }
        let mut input = input.clone();
        canonicalize(&mut input);
        let mut details = self.details.clone();
        for field in selected {
            field.copy(&input, &mut details);
        }
        let national_security = Field::NationalSecurity;
        // No answer counts as no: if the field is not editable, stating no instead of nothing is no change (OPP-017),
        // except in ACTION_REQUIRED for a Government customer, because the next submission requires the answer.
        let states_no = (self.details.national_security, details.national_security) == (None, Some(false));
        let gives_missing_answer = states_no
            && state.status == ReviewStatus::ActionRequired
            && details.customer.account.industry == GOVERNMENT;
        if states_no && !gives_missing_answer && !national_security.is_editable(state) {
            national_security.copy(&self.details, &mut details);
        }
        let is_answer_locked = national_security.differs(&self.details, &details)
            && !national_security.is_editable(state)
            && !gives_missing_answer;
        // A change that will be refused must not derive others, which would be reported as further violations.
        if !is_answer_locked {
            derive_fields(&mut details);
        }
        let sizes = [Field::ExpectedCustomerSpend, Field::ExpectedContractDuration];
        if sizes.iter().any(|field| selected.contains(field)) {
            customer_spend::reconcile_contract(
                &self.details,
                &mut details,
                selected.contains(&Field::ExpectedCustomerSpend),
            );
            customer_spend::default_target_companies(&mut details);
        }
        let today = now.date_naive();
        let is_closing = self.review.status == ReviewStatus::Approved
            && details.life_cycle.stage.is_terminal()
            && Field::Stage.differs(&self.details, &details);
        if is_closing && !selected.contains(&Field::TargetCloseDate) {
            super::closing::end_expectation(&mut details, today);
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
            .filter(|field| match **field {
                Field::NationalSecurity => is_answer_locked,
                field => !self.is_field_editable(field),
            })
            .collect();
        let mut violations: Vec<_> = locked.iter().map(|field| not_editable(**field, state)).collect();
        if state.status == ReviewStatus::ActionRequired && changed.contains(&Field::Stage) {
            check::open_correction(&details, &mut violations);
        }
        violations.extend(check::record(&details, facts));
        if changed.contains(&Field::RelatedOpportunity) {
            check::parent_opportunity(&details, facts, &mut violations);
        }
        if is_closing {
            check::closing(&details, facts, today, &mut violations);
        } else if changed.contains(&Field::TargetCloseDate) {
            check::new_close_date(&details, today, &mut violations);
        }
        let involvement = self.involvement_with(&details.primary_needs_from_aws);
        if let (ReviewStatus::Approved, Some(involvement)) = (self.review.status, involvement) {
            violations.extend(check::submittable(
                &details,
                involvement,
                self.visibility_with(involvement),
            ));
            self.check_solution(&details, facts, &mut violations);
        }
        violations = self.without_optional_fields(&details, violations);
        if !locked.is_empty() {
            return Err(Rule::FieldsNotEditable(state, violations));
        }
        ok_or_invalid(violations)?;

        let next_steps_changed = changed.contains(&Field::NextSteps);
        if is_closing {
            self.close_time = Some(now);
        }
        self.details = details;
        self.involvement = involvement;
        self.visibility = involvement.map(|involvement| self.visibility_with(involvement));
        self.advance_revision(Some(by), now);
        if next_steps_changed {
            self.append_next_steps_history(now);
        }
        Ok(Some(if state.is_stage_move(&changed) {
            Event::StageChanged {
                from: state.stage,
                fields: changed,
            }
        } else {
            Event::Updated(changed)
        }))
    }

    /// A solution is required; for an opportunity that AWS referred (other than as a lead) only from COMMITTED on
    /// (OPP-026, OPP-090, OPP-091).
    pub(super) fn check_solution(
        &self,
        details: &Details,
        facts: &Facts<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let is_referred_opportunity = self.origin == Origin::AwsReferral && self.lead.is_none();
        if !is_referred_opportunity || details.life_cycle.stage >= Stage::Committed {
            let mut solution_violations = Vec::new();
            check::solution(details, facts, &mut solution_violations);
            violations.extend(self.without_optional_fields(details, solution_violations));
        }
    }

    /// The involvement with these needs: adding a need to an approved opportunity converts FOR_VISIBILITY_ONLY to
    /// CO_SELL, and nothing reverts that (OPP-027).
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

    /// The visibility with this involvement: FULL for CO_SELL, otherwise unchanged (OPP-022, OPP-027).
    pub(super) fn visibility_with(&self, involvement: InvolvementType) -> Visibility {
        match (involvement, self.visibility) {
            (InvolvementType::ForVisibilityOnly, Some(visibility)) => visibility,
            _ => Visibility::Full,
        }
    }

    pub(super) fn advance_revision(&mut self, by: Option<&MemberId>, now: DateTime<Utc>) {
        // Without a stored close time it is that of the last change, which this change must not move.
        self.close_time = self.close_time();
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        self.last_modified_by = by.cloned();
    }

    pub(super) fn append_next_steps_history(&mut self, now: DateTime<Utc>) {
        NextStep::append_to_history(
            &mut self.next_steps_history,
            &self.details.life_cycle.next_steps,
            now,
        );
    }

    /// Sets whether the reading member has flagged the opportunity (OPP-066).
    pub fn set_flagged(&mut self, is_flagged: bool) {
        self.is_flagged = is_flagged;
    }

    /// The state that decides which changes are allowed now.
    pub fn lifecycle_state(&self) -> LifecycleState {
        LifecycleState {
            status: self.review.status,
            stage: self.details.life_cycle.stage,
            involvement: self.involvement,
            fields_to_correct: self.review.opened_fields().collect(),
        }
    }

    /// Whether the member owns, created or last submitted the opportunity (ACC-011).
    pub fn is_own_opportunity_of(&self, member: &MemberId) -> bool {
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

    /// The opportunity that this one was cloned from.
    pub fn cloned_from(&self) -> Option<OpportunityId> {
        self.cloned_from
    }

    /// The last reopening by AWS.
    pub fn reopening(&self) -> Option<&Reopening> {
        self.reopening.as_ref()
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

    /// Whether the customer's identity is hidden from AWS and other services (OPP-017).
    pub fn is_classified(&self) -> bool {
        self.is_classified || self.details.is_national_security()
    }

    /// Removes next steps from before the last submission, except the current one, because AWS does not see those of
    /// the draft (ACC-012).
    pub fn without_draft_next_steps(mut self) -> Self {
        let (submitted, current) = (self.review.submit_time, &self.details.life_cycle.next_steps);
        let mut is_newest = true;
        self.next_steps_history.retain(|step| {
            let is_current = std::mem::take(&mut is_newest) && step.value == *current;
            is_current || submitted.is_some_and(|submitted| step.time > submitted)
        });
        self
    }

    /// This past revision, with the reader's flag and the classification of the current revision.
    pub fn with_reader_context_of(mut self, current: &Opportunity) -> Self {
        self.is_flagged = current.is_flagged;
        self.is_classified = current.is_classified();
        self
    }

    pub fn referral_offer(&self) -> Option<&str> {
        self.referral_offer.as_deref()
    }

    pub fn lead(&self) -> Option<&str> {
        self.lead.as_deref()
    }

    pub fn is_flagged(&self) -> bool {
        self.is_flagged
    }
}

/// Sets the fields that derive from others: the country of a national-security opportunity is the United States
/// (OPP-017), and new business has no parent opportunity (OPP-005).
fn derive_fields(details: &mut Details) {
    if details.is_national_security() {
        details.customer.account.address.country_code = US.into();
    }
    if details.opportunity_type == OpportunityType::NetNewBusiness {
        details.project.related_opportunity_id = None;
    }
}

fn not_editable(field: Field, state: LifecycleState) -> Violation {
    let text = format!(
        "Cannot be changed in review status {} and stage {}.",
        state.status.name(),
        state.stage.name()
    );
    Violation::new(
        &FieldPath::root().field(field.path()),
        ViolationCode::ActionNotPermitted,
        text,
    )
}
