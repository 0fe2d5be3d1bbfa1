use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode,
    revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::correctable::CORRECTABLE;
use super::values::{Decision, ReviewReason, State};
use super::{Action, Event, Rule};

text_id!(
    /// A review case: `rc-` and 13 lower-case letters or digits.
    CaseId,
    "review case id",
    "rc- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "rc-")
);

/// A review case: the aggregate. It changes only through its methods, each of which checks everything first, changes
/// nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCase {
    id: CaseId,
    opportunity: OpportunityId,
    account: AccountId,
    revision: i64,
    state: State,
    assignee: Option<MemberId>,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    summary: Summary,
    rounds: Vec<Round>,
}

/// What the queue shows of the current submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The customer's company name.
    pub company_name: Pii<String>,
    /// The project's title.
    pub title: Pii<String>,
    /// The target close date.
    pub target_close_date: Option<NaiveDate>,
    /// `cosell.opportunity.v1.InvolvementType`.
    pub involvement_type: i32,
}

/// One submission and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Number, from 1; the opportunity counts them.
    pub number: i32,
    /// When it was submitted.
    pub submit_time: DateTime<Utc>,
    /// When the reviewer started.
    pub start_time: Option<DateTime<Utc>>,
    /// The decision.
    pub ruling: Option<Ruling>,
    /// When it was taken back.
    pub withdraw_time: Option<DateTime<Utc>>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// What was decided.
    pub decision: Decision,
    /// Why, unless it was approved.
    pub reason: Option<ReviewReason>,
    /// Remarks for the partner.
    pub remarks: Pii<String>,
    /// Paths of the fields that it opens for correction.
    #[serde(default)]
    pub fields_to_correct: Vec<String>,
    /// Who decided.
    pub by: MemberId,
    /// When.
    pub time: DateTime<Utc>,
}

impl ReviewCase {
    /// Opens a case for the first submission of an opportunity (REV-001).
    pub fn open(
        id: CaseId,
        opportunity: OpportunityId,
        account: AccountId,
        round: i32,
        submit_time: DateTime<Utc>,
        summary: Summary,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        let case = Self {
            id,
            opportunity,
            account,
            revision: 1,
            state: State::Submitted,
            assignee: None,
            create_time: now,
            update_time: now,
            summary,
            rounds: vec![Round::new(round, submit_time)],
        };
        (case, Event::RoundOpened)
    }

    /// Opens the next round. The reviewer of the one before keeps the case (REV-001, REV-003).
    pub fn open_round(
        &mut self,
        round: i32,
        submit_time: DateTime<Utc>,
        summary: Summary,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.require(Action::OpenRound, &[State::ActionRequired, State::Withdrawn])?;
        self.rounds.push(Round::new(round, submit_time));
        self.summary = summary;
        self.step(State::Submitted, now);
        Ok(Event::RoundOpened)
    }

    /// The partner took a round back. What it says wins over anything decided here in the same moment: the
    /// opportunity has not followed and never will (REV-006). `None` when it was known.
    pub fn withdrawn(&mut self, round: i32, now: DateTime<Utc>) -> Option<Event> {
        let current = self.rounds.last_mut().filter(|current| current.number == round)?;
        if self.state == State::Withdrawn {
            return None;
        }
        current.withdraw_time = Some(now);
        self.step(State::Withdrawn, now);
        Some(Event::Withdrawn)
    }

    /// Makes a reviewer the assignee. `None` when it is already (REV-003).
    pub fn claim(
        &mut self,
        by: &MemberId,
        take_over: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.require(Action::Claim, &[State::Submitted, State::InReview])?;
        match &self.assignee {
            Some(assignee) if assignee == by => return Ok(None),
            Some(assignee) if !take_over => return Err(Rule::ClaimedByAnother(assignee.clone())),
            _ => {}
        }
        self.assignee = Some(by.clone());
        self.step(self.state, now);
        Ok(Some(Event::Claimed))
    }

    /// Begins the review of the current round (REV-002).
    pub fn start(&mut self, by: &MemberId, now: DateTime<Utc>) -> Result<Event, Rule> {
        self.require(Action::Start, &[State::Submitted])?;
        self.require_assignee(by)?;
        if let Some(round) = self.rounds.last_mut() {
            round.start_time = Some(now);
        }
        self.step(State::InReview, now);
        Ok(Event::Started)
    }

    /// Decides the current round (REV-002, REV-010 to REV-012).
    pub fn decide(
        &mut self,
        by: &MemberId,
        decision: Decision,
        reason: Option<ReviewReason>,
        remarks: Pii<String>,
        fields_to_correct: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        let mut found = wrong(decision, reason, &remarks);
        found.extend(not_correctable(decision, &fields_to_correct));
        if !found.is_empty() {
            return Err(Rule::Invalid(found));
        }
        self.require(Action::Decide, &[State::Submitted, State::InReview])?;
        self.require_assignee(by)?;
        if let Some(round) = self.rounds.last_mut() {
            round.ruling = Some(Ruling {
                decision,
                reason,
                remarks,
                fields_to_correct,
                by: by.clone(),
                time: now,
            });
        }
        let state = match decision {
            Decision::Approve => State::Approved,
            Decision::ActionRequired => State::ActionRequired,
            Decision::Reject => State::Rejected,
        };
        self.step(state, now);
        Ok(Event::Decided(decision, reason))
    }

    fn require(&self, action: Action, states: &[State]) -> Result<(), Rule> {
        if states.contains(&self.state) {
            Ok(())
        } else {
            Err(Rule::IllegalTransition {
                state: self.state,
                action,
            })
        }
    }

    fn require_assignee(&self, by: &MemberId) -> Result<(), Rule> {
        match &self.assignee {
            None => Err(Rule::NotClaimed),
            Some(assignee) if assignee != by => Err(Rule::ClaimedByAnother(assignee.clone())),
            Some(_) => Ok(()),
        }
    }

    fn step(&mut self, state: State, now: DateTime<Utc>) {
        self.state = state;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }

    /// The current round.
    pub fn round(&self) -> i32 {
        self.rounds.last().map_or(0, |round| round.number)
    }

    /// When the current round was submitted.
    pub fn submit_time(&self) -> DateTime<Utc> {
        self.rounds
            .last()
            .map_or(self.create_time, |round| round.submit_time)
    }
}

impl Round {
    fn new(number: i32, submit_time: DateTime<Utc>) -> Self {
        Self {
            number,
            submit_time,
            start_time: None,
            ruling: None,
            withdraw_time: None,
        }
    }
}

#[expect(missing_docs, reason = "fields are documented once, in review.proto")]
impl ReviewCase {
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    pub fn opportunity(&self) -> OpportunityId {
        self.opportunity
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn assignee(&self) -> Option<&MemberId> {
        self.assignee.as_ref()
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }
}

/// What is wrong with a decision, whatever the case (REV-011, REV-012).
fn wrong(decision: Decision, reason: Option<ReviewReason>, remarks: &Pii<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    let root = FieldPath::root();
    let mut add =
        |field: &str, code, text: String| found.push(Violation::new(&root.field(field), code, text));
    match (decision, reason) {
        (Decision::Approve, Some(_)) => {
            add(
                "reason",
                ViolationCode::InvalidValue,
                "must not be given with APPROVE".to_owned(),
            );
        }
        (Decision::ActionRequired | Decision::Reject, None) => {
            let reasons: Vec<_> = ReviewReason::ALL.iter().map(|reason| reason.name()).collect();
            let text = format!(
                "is required with {}. Allowed: {}",
                decision.name(),
                reasons.join(", ")
            );
            add("reason", ViolationCode::RequiredFieldMissing, text);
        }
        _ => {}
    }
    if decision == Decision::ActionRequired && remarks.reveal().trim().is_empty() {
        let text = "are required with ACTION_REQUIRED: they tell the partner what to correct".to_owned();
        add("review_comments", ViolationCode::RequiredFieldMissing, text);
    }
    found
}

/// Fields that this decision does not open (REV-013).
fn not_correctable(decision: Decision, fields: &[String]) -> Vec<Violation> {
    let root = FieldPath::root();
    let wrong = |index: usize, path: &String| {
        let text = if decision != Decision::ActionRequired {
            "is only allowed with ACTION_REQUIRED"
        } else if !CORRECTABLE.contains(&path.as_str()) {
            "is the path of no field that can be opened for correction"
        } else {
            return None;
        };
        let field = format!("fields_to_correct[{index}]");
        let violation = Violation::new(&root.field(&field), ViolationCode::InvalidValue, text);
        Some(violation.rejecting(path))
    };
    fields
        .iter()
        .enumerate()
        .filter_map(|(index, path)| wrong(index, path))
        .collect()
}
