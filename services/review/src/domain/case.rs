use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode,
    revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::correctable::correctable_paths;
use super::values::{CaseState, Decision, ReviewReason};
use super::{CaseAction, CaseEvent, Rule};

text_id!(
    /// The id of a review case: `rc-` and 13 lower-case letters or digits.
    CaseId,
    "review case id",
    "rc- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "rc-")
);

/// The aggregate of a review case. Its methods check all rules first: a call that violates one returns an error and
/// changes nothing, any other returns the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCase {
    id: CaseId,
    opportunity: OpportunityId,
    account: AccountId,
    revision: i64,
    state: CaseState,
    assignee: Option<MemberId>,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    summary: SubmissionSummary,
    rounds: Vec<Round>,
}

/// The fields of the current submission that the review queue shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubmissionSummary {
    /// The customer's company name.
    pub company_name: Pii<String>,
    /// The project title.
    pub title: Pii<String>,
    /// The target close date.
    pub target_close_date: Option<NaiveDate>,
    /// `cosell.opportunity.v1.InvolvementType`.
    pub involvement_type: i32,
}

/// One submission and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The number of the submission round, from 1. The opportunity service assigns it.
    pub number: i32,
    /// When the partner submitted the opportunity.
    pub submit_time: DateTime<Utc>,
    /// When a reviewer started the review; `None` until then.
    pub start_time: Option<DateTime<Utc>>,
    /// The decision; `None` until a reviewer decides.
    #[serde(rename = "ruling")]
    pub outcome: Option<ReviewOutcome>,
    /// When the partner withdrew the submission; `None` if it did not.
    pub withdraw_time: Option<DateTime<Utc>>,
}

/// The decision on a round, with its reason and its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOutcome {
    /// The decision.
    pub decision: Decision,
    /// `None` only if the decision is APPROVE (REV-011).
    pub reason: Option<ReviewReason>,
    /// For the partner (REV-012).
    #[serde(rename = "remarks")]
    pub review_comments: Pii<String>,
    /// Paths of the fields that the decision opens for correction (REV-013).
    #[serde(default)]
    pub fields_to_correct: Vec<String>,
    /// The reviewer.
    #[serde(rename = "by")]
    pub decided_by: MemberId,
    /// When the reviewer decided.
    #[serde(rename = "time")]
    pub decide_time: DateTime<Utc>,
}

impl ReviewCase {
    /// Opens a case for the first submission of an opportunity (REV-001).
    pub fn open(
        id: CaseId,
        opportunity: OpportunityId,
        account: AccountId,
        round: i32,
        submit_time: DateTime<Utc>,
        summary: SubmissionSummary,
        now: DateTime<Utc>,
    ) -> (Self, CaseEvent) {
        let case = Self {
            id,
            opportunity,
            account,
            revision: 1,
            state: CaseState::Submitted,
            assignee: None,
            create_time: now,
            update_time: now,
            summary,
            rounds: vec![Round::new(round, submit_time)],
        };
        (case, CaseEvent::RoundOpened)
    }

    /// Opens the next round. The assignee stays the same (REV-001, REV-003).
    pub fn open_round(
        &mut self,
        round: i32,
        submit_time: DateTime<Utc>,
        summary: SubmissionSummary,
        now: DateTime<Utc>,
    ) -> Result<CaseEvent, Rule> {
        self.require_state(
            CaseAction::OpenRound,
            &[CaseState::ActionRequired, CaseState::Withdrawn],
        )?;
        self.rounds.push(Round::new(round, submit_time));
        self.summary = summary;
        self.transition_to(CaseState::Submitted, now);
        Ok(CaseEvent::RoundOpened)
    }

    /// Closes a round that the partner withdrew. The withdrawal takes precedence over a concurrent decision, which the
    /// opportunity has not applied and never will (REV-006). `None` if the round is not the current one or is already
    /// withdrawn.
    pub fn withdraw(&mut self, round: i32, now: DateTime<Utc>) -> Option<CaseEvent> {
        let current = self.rounds.last_mut().filter(|current| current.number == round)?;
        if self.state == CaseState::Withdrawn {
            return None;
        }
        current.withdraw_time = Some(now);
        self.transition_to(CaseState::Withdrawn, now);
        Some(CaseEvent::Withdrawn)
    }

    /// Assigns the case to the reviewer. `None` if the reviewer is already the assignee (REV-003).
    pub fn claim(
        &mut self,
        reviewer: &MemberId,
        take_over: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<CaseEvent>, Rule> {
        self.require_state(CaseAction::Claim, &[CaseState::Submitted, CaseState::InReview])?;
        match &self.assignee {
            Some(assignee) if assignee == reviewer => return Ok(None),
            Some(assignee) if !take_over => return Err(Rule::ClaimedByAnother(assignee.clone())),
            _ => {}
        }
        self.assignee = Some(reviewer.clone());
        self.transition_to(self.state, now);
        Ok(Some(CaseEvent::Claimed))
    }

    /// Starts the review of the current round (REV-002).
    pub fn start(&mut self, reviewer: &MemberId, now: DateTime<Utc>) -> Result<CaseEvent, Rule> {
        self.require_state(CaseAction::Start, &[CaseState::Submitted])?;
        self.require_assignee(reviewer)?;
        if let Some(round) = self.rounds.last_mut() {
            round.start_time = Some(now);
        }
        self.transition_to(CaseState::InReview, now);
        Ok(CaseEvent::Started)
    }

    /// Decides the current round (REV-002, REV-010 to REV-012).
    pub fn decide(
        &mut self,
        reviewer: &MemberId,
        decision: Decision,
        reason: Option<ReviewReason>,
        review_comments: Pii<String>,
        fields_to_correct: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<CaseEvent, Rule> {
        let mut violations = decision_violations(decision, reason, &review_comments);
        violations.extend(correction_violations(decision, &fields_to_correct));
        if !violations.is_empty() {
            return Err(Rule::Invalid(violations));
        }
        self.require_state(CaseAction::Decide, &[CaseState::Submitted, CaseState::InReview])?;
        self.require_assignee(reviewer)?;
        if let Some(round) = self.rounds.last_mut() {
            round.outcome = Some(ReviewOutcome {
                decision,
                reason,
                review_comments,
                fields_to_correct,
                decided_by: reviewer.clone(),
                decide_time: now,
            });
        }
        let state = match decision {
            Decision::Approve => CaseState::Approved,
            Decision::ActionRequired => CaseState::ActionRequired,
            Decision::Reject => CaseState::Rejected,
        };
        self.transition_to(state, now);
        Ok(CaseEvent::Decided(decision, reason))
    }

    fn require_state(&self, action: CaseAction, states: &[CaseState]) -> Result<(), Rule> {
        if states.contains(&self.state) {
            Ok(())
        } else {
            Err(Rule::IllegalTransition {
                state: self.state,
                action,
            })
        }
    }

    fn require_assignee(&self, reviewer: &MemberId) -> Result<(), Rule> {
        match &self.assignee {
            None => Err(Rule::NotClaimed),
            Some(assignee) if assignee != reviewer => Err(Rule::ClaimedByAnother(assignee.clone())),
            Some(_) => Ok(()),
        }
    }

    fn transition_to(&mut self, state: CaseState, now: DateTime<Utc>) {
        self.state = state;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }

    /// The number of the current round.
    pub fn round(&self) -> i32 {
        self.rounds.last().map_or(0, |round| round.number)
    }

    /// The submission time of the current round.
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
            outcome: None,
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

    pub fn state(&self) -> CaseState {
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

    pub fn summary(&self) -> &SubmissionSummary {
        &self.summary
    }

    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }
}

/// The violations of REV-011 and REV-012, which do not depend on the case.
fn decision_violations(
    decision: Decision,
    reason: Option<ReviewReason>,
    review_comments: &Pii<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let root = FieldPath::root();
    let mut add =
        |field: &str, code, text: String| violations.push(Violation::new(&root.field(field), code, text));
    match (decision, reason) {
        (Decision::Approve, Some(_)) => {
            add(
                "reason",
                ViolationCode::InvalidValue,
                "Must not be set with APPROVE.".to_owned(),
            );
        }
        (Decision::ActionRequired | Decision::Reject, None) => {
            let reasons: Vec<_> = ReviewReason::ALL.iter().map(|reason| reason.name()).collect();
            let text = format!(
                "Is required with {}. Must be one of {}.",
                decision.name(),
                reasons.join(", ")
            );
            add("reason", ViolationCode::RequiredFieldMissing, text);
        }
        _ => {}
    }
    if decision == Decision::ActionRequired && review_comments.reveal().trim().is_empty() {
        let text = "Is required with ACTION_REQUIRED: the partner needs to know what to correct.".to_owned();
        add("review_comments", ViolationCode::RequiredFieldMissing, text);
    }
    violations
}

/// The paths that this decision cannot name for correction (REV-013).
fn correction_violations(decision: Decision, paths: &[String]) -> Vec<Violation> {
    let root = FieldPath::root();
    let list = root.field("fields_to_correct");
    let violation = |index: usize, path: &String| {
        let invalid = |text: &str| {
            Violation::new(&list.index(index), ViolationCode::InvalidValue, text).with_rejected_value(path)
        };
        if decision != Decision::ActionRequired {
            return Some(invalid("Is allowed only with ACTION_REQUIRED."));
        }
        let text = match path.as_str() {
            path if correctable_paths().any(|allowed| allowed == path) => return None,
            "national_security" => {
                "Must not be named: the answer on national security cannot be changed after the submission."
            }
            "account_id" => "Must not be named: the account that owns an opportunity never changes.",
            _ => "Must be the path of a field that can be corrected, such as `project.title`.",
        };
        Some(invalid(text).with_allowed_values(correctable_paths(), ""))
    };
    paths
        .iter()
        .enumerate()
        .filter_map(|(index, path)| violation(index, path))
        .collect()
}
