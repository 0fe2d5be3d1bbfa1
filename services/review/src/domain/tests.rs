//! Covers the review state machine: every cell of the transition table (REV-002), the rules on claims and decisions,
//! and the invariants of a case under random sequences of commands.

use chrono::{DateTime, Utc};
use cosell_types::{ClosedList as _, MemberId, OpportunityId};
use proptest::prelude::*;

use super::correctable::correctable_paths;
use super::values::{CaseState, Decision, ReviewReason};
use super::{CaseEvent, ReviewCase, Rule, SubmissionSummary};

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn member(id: &str) -> MemberId {
    id.parse().expect("a member id")
}

fn open_case() -> ReviewCase {
    let id = "rc-0000000000001".parse().expect("a case id");
    let opportunity = OpportunityId::from_number(7).expect("an id");
    let account = "111111111111".parse().expect("an account");
    ReviewCase::open(
        id,
        opportunity,
        account,
        1,
        now(),
        SubmissionSummary::default(),
        now(),
    )
    .0
}

fn claimed_case() -> ReviewCase {
    let mut case = open_case();
    case.claim(&member("tara"), false, now()).expect("a claim");
    case
}

fn decide(case: &mut ReviewCase, decision: Decision) -> Result<CaseEvent, Rule> {
    let reason = (decision != Decision::Approve).then_some(ReviewReason::Other);
    case.decide(
        &member("tara"),
        decision,
        reason,
        "Remarks.".into(),
        Vec::new(),
        now(),
    )
}

/// A claimed case in the given state, reached by legal transitions.
fn case_in_state(state: CaseState) -> ReviewCase {
    let mut case = claimed_case();
    match state {
        CaseState::Submitted => {}
        CaseState::InReview => drop(case.start(&member("tara"), now()).expect("a start")),
        CaseState::ActionRequired => drop(decide(&mut case, Decision::ActionRequired).expect("a decision")),
        CaseState::Approved => drop(decide(&mut case, Decision::Approve).expect("a decision")),
        CaseState::Rejected => drop(decide(&mut case, Decision::Reject).expect("a decision")),
        CaseState::Withdrawn => drop(case.withdraw(1, now()).expect("a withdrawal")),
    }
    case
}

#[derive(Clone, Debug)]
enum Command {
    Claim(bool),
    Start,
    Decide(Decision),
    OpenRound(i32),
    Withdrawn(i32),
}

/// Applies a command. `Ok(None)` means that the case did not change.
fn apply_command(case: &mut ReviewCase, by: &str, command: &Command) -> Result<Option<CaseEvent>, Rule> {
    let by = member(by);
    match command {
        Command::Claim(take_over) => case.claim(&by, *take_over, now()),
        Command::Start => case.start(&by, now()).map(Some),
        Command::Decide(decision) => {
            let reason = (*decision != Decision::Approve).then_some(ReviewReason::Other);
            case.decide(&by, *decision, reason, "Remarks.".into(), Vec::new(), now())
                .map(Some)
        }
        Command::OpenRound(round) => case
            .open_round(*round, now(), SubmissionSummary::default(), now())
            .map(Some),
        Command::Withdrawn(round) => Ok(case.withdraw(*round, now())),
    }
}

/// The state after each command (column) in each state (row); `-` marks an illegal transition. A withdrawal is already
/// effective at the opportunity, so it applies in every state.
const TABLE: &str = "
                 CLAIM      START      APPROVE   ACTION_REQUIRED  REJECT    OPEN_ROUND  WITHDRAWN
SUBMITTED        SUBMITTED  IN_REVIEW  APPROVED  ACTION_REQUIRED  REJECTED  -           WITHDRAWN
IN_REVIEW        IN_REVIEW  -          APPROVED  ACTION_REQUIRED  REJECTED  -           WITHDRAWN
ACTION_REQUIRED  -          -          -         -                -         SUBMITTED   WITHDRAWN
APPROVED         -          -          -         -                -         -           WITHDRAWN
REJECTED         -          -          -         -                -         -           WITHDRAWN
WITHDRAWN        -          -          -         -                -         SUBMITTED   -
";

#[test]
fn rev_002_010_case_in_each_state_allows_only_listed_transitions() {
    let commands = [
        Command::Claim(true),
        Command::Start,
        Command::Decide(Decision::Approve),
        Command::Decide(Decision::ActionRequired),
        Command::Decide(Decision::Reject),
        Command::OpenRound(2),
        Command::Withdrawn(1),
    ];
    let rows: Vec<Vec<_>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|r| r.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), CaseState::ALL.len());
    for row in rows {
        let from = CaseState::from_name(row[0]).expect("a state");
        for (command, cell) in commands.iter().zip(&row[1..]) {
            let before = case_in_state(from);
            let mut case = before.clone();
            // The claim takes the case over from another reviewer; every other command is the assignee's.
            let by = if matches!(command, Command::Claim(_)) {
                "umar"
            } else {
                "tara"
            };
            let result = apply_command(&mut case, by, command);
            if *cell == "-" {
                let is_refused = matches!(result, Ok(None) | Err(Rule::IllegalTransition { .. }));
                assert!(is_refused, "{command:?} from {from:?}: {result:?}");
                assert_eq!(
                    case, before,
                    "a refused {command:?} in {from:?} must not change the case"
                );
            } else {
                assert!(
                    matches!(result, Ok(Some(_))),
                    "{command:?} from {from:?}: {result:?}"
                );
                assert_eq!(
                    case.state(),
                    CaseState::from_name(cell).expect("a state"),
                    "{command:?} from {from:?}"
                );
                assert_eq!(case.revision(), before.revision() + 1);
            }
        }
    }
}

#[test]
fn rev_003_case_accepts_commands_only_from_its_assignee() {
    let mut unclaimed = open_case();
    assert_eq!(unclaimed.start(&member("tara"), now()), Err(Rule::NotClaimed));
    assert_eq!(decide(&mut unclaimed, Decision::Approve), Err(Rule::NotClaimed));

    let mut case = claimed_case();
    let before = case.clone();
    let claimed_by_other = Err(Rule::ClaimedByAnother(member("tara")));
    assert_eq!(case.claim(&member("umar"), false, now()), claimed_by_other);
    assert_eq!(case.start(&member("umar"), now()).map(Some), claimed_by_other);
    assert_eq!(
        case.claim(&member("tara"), false, now()),
        Ok(None),
        "a repeated claim by the assignee must not change the case"
    );
    assert_eq!(case, before);
    assert_eq!(
        case.claim(&member("umar"), true, now()),
        Ok(Some(CaseEvent::Claimed))
    );
    assert_eq!(case.assignee(), Some(&member("umar")));
}

#[test]
fn rev_001_case_keeps_its_assignee_in_the_next_round() {
    let mut case = case_in_state(CaseState::ActionRequired);
    case.open_round(2, now(), SubmissionSummary::default(), now())
        .expect("a round");
    assert_eq!((case.round(), case.assignee()), (2, Some(&member("tara"))));
    assert_eq!(
        case.rounds()[0].outcome.as_ref().map(|outcome| outcome.decision),
        Some(Decision::ActionRequired)
    );
    assert_eq!(case.rounds()[1].outcome, None);
}

#[test]
fn rev_006_withdrawal_overrides_decision_on_the_same_round() {
    let mut case = case_in_state(CaseState::Approved);
    assert_eq!(case.withdraw(1, now()), Some(CaseEvent::Withdrawn));
    assert_eq!(case.state(), CaseState::Withdrawn);
    let mut next_round = case_in_state(CaseState::ActionRequired);
    next_round
        .open_round(2, now(), SubmissionSummary::default(), now())
        .expect("a round");
    assert_eq!(
        next_round.withdraw(1, now()),
        None,
        "a withdrawal of an earlier round must not change the case"
    );
}

#[test]
fn rev_011_012_reason_and_comments_must_match_the_decision() {
    use Decision::{ActionRequired, Approve, Reject};
    let other = Some(ReviewReason::Other);
    let invalid_fields = |decision, reason, comments: &str| {
        let mut case = claimed_case();
        let before = case.clone();
        match case.decide(
            &member("tara"),
            decision,
            reason,
            comments.into(),
            Vec::new(),
            now(),
        ) {
            Ok(_) => Vec::new(),
            Err(Rule::Invalid(violations)) => {
                assert_eq!(case, before);
                violations.into_iter().map(|violation| violation.field).collect()
            }
            Err(rule) => panic!("{rule:?}"),
        }
    };
    assert_eq!(invalid_fields(Approve, None, ""), [""; 0]);
    assert_eq!(invalid_fields(Approve, None, "Well done."), [""; 0]);
    assert_eq!(invalid_fields(Approve, other, ""), ["reason"]);
    assert_eq!(invalid_fields(Reject, other, ""), [""; 0]);
    assert_eq!(invalid_fields(Reject, None, ""), ["reason"]);
    assert_eq!(invalid_fields(ActionRequired, other, "Correct this."), [""; 0]);
    assert_eq!(
        invalid_fields(ActionRequired, None, " \n"),
        ["reason", "review_comments"]
    );
}

fn commands() -> impl Strategy<Value = Vec<(&'static str, Command)>> {
    let command = prop_oneof![
        any::<bool>().prop_map(Command::Claim),
        Just(Command::Start),
        proptest::sample::select(Decision::ALL).prop_map(Command::Decide),
        (1..5).prop_map(Command::OpenRound),
        (1..5).prop_map(Command::Withdrawn),
    ];
    proptest::collection::vec((proptest::sample::select(&["tara", "umar"][..]), command), 1..40)
}

proptest! {
    #[test]
    fn case_invariants_hold_for_random_command_sequences(commands in commands()) {
        let mut case = open_case();
        for (by, command) in commands {
            let before = case.clone();
            match apply_command(&mut case, by, &command) {
                Ok(Some(_)) => prop_assert_eq!(case.revision(), before.revision() + 1),
                Ok(None) | Err(_) => prop_assert_eq!(&case, &before),
            }
            let decided = matches!(case.state(), CaseState::Approved | CaseState::Rejected | CaseState::ActionRequired);
            let last = case.rounds().last().expect("a round");
            prop_assert!(!decided || last.outcome.is_some());
            prop_assert_eq!(case.state() == CaseState::Withdrawn, last.withdraw_time.is_some());
            prop_assert!(case.state() != CaseState::InReview || case.assignee().is_some());
            let stored = serde_json::to_value(&case).expect("serializable");
            prop_assert_eq!(&serde_json::from_value::<ReviewCase>(stored).expect("readable"), &case);
        }
    }
}

#[test]
fn rev_013_only_action_required_may_list_fields_to_correct() {
    use Decision::{ActionRequired, Approve, Reject};
    let title = vec!["project.title".to_owned()];
    for (decision, reason, fields, paths) in [
        (Approve, None, title.clone(), vec!["fields_to_correct[0]"]),
        (
            Reject,
            Some(ReviewReason::Other),
            title.clone(),
            vec!["fields_to_correct[0]"],
        ),
        (
            ActionRequired,
            Some(ReviewReason::Other),
            vec![
                "project.title".to_owned(),
                "national_security".to_owned(),
                "account_id".to_owned(),
            ],
            vec!["fields_to_correct[1]", "fields_to_correct[2]"],
        ),
        (
            ActionRequired,
            Some(ReviewReason::Other),
            title.clone(),
            Vec::new(),
        ),
        (
            ActionRequired,
            Some(ReviewReason::ClarifySolution),
            correctable_paths().map(ToOwned::to_owned).collect(),
            Vec::new(),
        ),
        (
            ActionRequired,
            Some(ReviewReason::ClarifySolution),
            vec![
                "related_entity_identifiers.solutions".to_owned(),
                "related_entity_identifiers.aws_marketplace_offers".to_owned(),
                "related_entity_identifiers.aws_marketplace_offer_sets".to_owned(),
                "opportunity_team".to_owned(),
                "tags".to_owned(),
            ],
            vec![
                "fields_to_correct[1]",
                "fields_to_correct[2]",
                "fields_to_correct[3]",
                "fields_to_correct[4]",
            ],
        ),
    ] {
        let before = claimed_case();
        let mut case = before.clone();
        let decided = case.decide(
            &member("tara"),
            decision,
            reason,
            "Remarks".into(),
            fields.clone(),
            now(),
        );
        match decided {
            Ok(_) => {
                assert!(paths.is_empty(), "{decision:?}");
                let outcome = case.rounds().last().and_then(|round| round.outcome.clone());
                assert_eq!(outcome.expect("a outcome").fields_to_correct, fields);
            }
            Err(Rule::Invalid(violations)) => {
                let fields: Vec<_> = violations
                    .iter()
                    .map(|violation| violation.field.as_str())
                    .collect();
                assert_eq!(fields, paths, "{decision:?}");
                assert_eq!(case, before, "a refused decision must not change the case");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
