use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode,
    revision_time,
};
use serde::{Deserialize, Serialize};

use super::canonical::canonical;
use super::reference::US;
use super::values::{
    InvolvementType, OpportunityType, Origin, PrimaryNeedFromAws, ReviewStatus, Stage, Visibility,
};
use super::{Details, Event, Facts, Field, Review, Rule, Situation, Source, check, deal_size, related};

/// How many past next steps are kept (OPP-041).
const HISTORY: usize = 50;

/// An opportunity: the aggregate. It changes only through its methods, each of which checks everything first, changes
/// nothing when a rule is broken, and returns what happened. What changes what it says is here, its way through review in
/// `review.rs`, what else is done with it in `actions.rs`.
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
    pub(super) shared_from: Option<Source>,
    #[serde(default)]
    pub(super) reopening: Option<Reopening>,
    pub(super) involvement: Option<InvolvementType>,
    pub(super) visibility: Option<Visibility>,
    pub(super) review: Review,
    pub(super) next_steps_history: Vec<NextStep>,
    pub(super) details: Details,
    /// Whether the member for whom it was read has flagged it: of the reader, and no part of the record (OPP-066).
    #[serde(skip)]
    pub(super) is_flagged: bool,
    /// Whether it is read beside a record that is classified by now, whatever this one says (OPP-017).
    #[serde(skip)]
    pub(super) is_classified: bool,
}

/// A past value of the next steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// The text.
    pub value: Pii<String>,
    /// When it was set.
    pub time: DateTime<Utc>,
}

impl NextStep {
    /// Adds what the next steps are now to their history; that there are none is nothing to add.
    pub fn note(history: &mut Vec<NextStep>, value: &Pii<String>, time: DateTime<Utc>) {
        if !value.is_empty() {
            let value = value.clone();
            history.insert(0, NextStep { value, time });
            history.truncate(HISTORY);
        }
    }
}

/// AWS opened the deal again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// The stage that it was in.
    pub from: Stage,
    /// Why.
    pub reason: Pii<String>,
    /// When.
    pub time: DateTime<Utc>,
}

impl Opportunity {
    /// Registers a draft (OPP-001 to OPP-018).
    pub fn create(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Event), Rule> {
        let (record, mut found) = Self::draft(id, account, by, details, facts, now);
        check::new_close_date(&record.details, now.date_naive(), &mut found);
        none(found)?;
        Ok((record, Event::Created))
    }

    /// A draft, and what is wrong with it, but for a close date that has passed.
    pub(super) fn draft(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        mut details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Vec<Violation>) {
        canonical(&mut details);
        settle(&mut details);
        deal_size::settle(&mut details);
        let mut found = check::record(&details, facts);
        check::related(&details, facts, &mut found);
        found.extend(related::entities(
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
        record.note_next_steps(now);
        (record, found)
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
        let secrecy = Field::NationalSecurity;
        // No answer counts as no: where the question is closed, one for the other is no change (OPP-017).
        let is_same_answer = details.is_national_security() == self.details.is_national_security();
        if is_same_answer && !secrecy.is_editable(situation) {
            secrecy.copy(&self.details, &mut details);
        }
        // A refused change brings nothing with it.
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

        let locked: Vec<_> = changed.iter().filter(|field| !self.is_open(**field)).collect();
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
            ));
            self.check_solution(&details, facts, &mut found);
        }
        found = self.without_open(&details, found);
        if !locked.is_empty() {
            return Err(Rule::FieldsNotEditable(situation, found));
        }
        none(found)?;

        let steps_changed = changed.contains(&Field::NextSteps);
        let before = self.situation();
        self.details = details;
        self.involvement = involvement;
        self.visibility = involvement.map(|involvement| self.visibility_with(involvement));
        self.step(Some(by), now);
        if steps_changed {
            self.note_next_steps(now);
        }
        Ok(Some(if before.moves_with(&changed) {
            Event::StageChanged {
                from: before.stage,
                fields: changed,
            }
        } else {
            Event::Updated(changed)
        }))
    }

    /// A solution is needed, unless AWS has brought the deal, and not only a lead: then only from COMMITTED on
    /// (OPP-026, OPP-090, OPP-091).
    pub(super) fn check_solution(&self, details: &Details, facts: &Facts<'_>, found: &mut Vec<Violation>) {
        let is_deal_of_aws = self.origin == Origin::AwsReferral && self.lead.is_none();
        if !is_deal_of_aws || details.life_cycle.stage >= Stage::Committed {
            let mut wrong = Vec::new();
            check::solution(details, facts, &mut wrong);
            found.extend(self.without_open(details, wrong));
        }
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
    pub(super) fn visibility_with(&self, involvement: InvolvementType) -> Visibility {
        match (involvement, self.visibility) {
            (InvolvementType::ForVisibilityOnly, Some(visibility)) => visibility,
            _ => Visibility::Full,
        }
    }

    pub(super) fn step(&mut self, by: Option<&MemberId>, now: DateTime<Utc>) {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        self.last_modified_by = by.cloned();
    }

    pub(super) fn note_next_steps(&mut self, now: DateTime<Utc>) {
        NextStep::note(
            &mut self.next_steps_history,
            &self.details.life_cycle.next_steps,
            now,
        );
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
            opened: self
                .review
                .fields_to_correct
                .iter()
                .filter_map(|path| Field::from_path(path))
                .collect(),
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

    /// The record that this one was cloned from.
    pub fn cloned_from(&self) -> Option<OpportunityId> {
        self.cloned_from
    }

    /// When AWS last opened the deal again.
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

    /// Whether AWS and other services do not see whose deal it is (OPP-017).
    pub fn is_classified(&self) -> bool {
        self.is_classified || self.details.is_national_security()
    }

    /// Without next steps from before it was submitted, but for the one that it was submitted with: what a draft said is not
    /// for AWS (ACC-012).
    pub fn without_steps_of_draft(mut self) -> Self {
        let (submitted, current) = (self.review.submit_time, &self.details.life_cycle.next_steps);
        let mut is_first = true;
        self.next_steps_history.retain(|step| {
            let is_current = std::mem::take(&mut is_first) && step.value == *current;
            is_current || submitted.is_some_and(|submitted| step.time > submitted)
        });
        self
    }

    /// As a reader of a record that stands there today sees one of its past.
    pub fn beside(mut self, current: &Opportunity) -> Self {
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

/// What follows from what was given: the country of a national-security deal is the United States (OPP-017), and what is
/// new expands and renews nothing (OPP-005).
fn settle(details: &mut Details) {
    if details.is_national_security() {
        details.customer.account.address.country_code = US.into();
    }
    if details.opportunity_type == OpportunityType::NetNewBusiness {
        details.project.related_opportunity_id = None;
    }
}

pub(super) fn none(found: Vec<Violation>) -> Result<(), Rule> {
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
