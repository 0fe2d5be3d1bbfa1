//! Every cell of the review table (REV-002), the rules of claims and decisions, and random sequences of commands.

use chrono::{DateTime, Utc};
use cosell_types::{ClosedList as _, MemberId, OpportunityId};
use proptest::prelude::*;

use super::values::{Decision, ReviewReason, State};
use super::{Event, ReviewCase, Rule, Summary};

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn member(id: &str) -> MemberId {
    id.parse().expect("a member id")
}

fn opened() -> ReviewCase {
    let id = "rc-0000000000001".parse().expect("a case id");
    let opportunity = OpportunityId::from_number(7).expect("an id");
    let account = "111111111111".parse().expect("an account");
    ReviewCase::open(id, opportunity, account, 1, now(), Summary::default(), now()).0
}

fn claimed() -> ReviewCase {
    let mut case = opened();
    case.claim(&member("tara"), false, now()).expect("a claim");
    case
}

fn decide(case: &mut ReviewCase, decision: Decision) -> Result<Event, Rule> {
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

/// A claimed case in a state, reached by the legal way.
fn in_state(state: State) -> ReviewCase {
    let mut case = claimed();
    match state {
        State::Submitted => {}
        State::InReview => drop(case.start(&member("tara"), now()).expect("a start")),
        State::ActionRequired => drop(decide(&mut case, Decision::ActionRequired).expect("a decision")),
        State::Approved => drop(decide(&mut case, Decision::Approve).expect("a decision")),
        State::Rejected => drop(decide(&mut case, Decision::Reject).expect("a decision")),
        State::Withdrawn => drop(case.withdrawn(1, now()).expect("a withdrawal")),
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

/// What happened; `Ok(None)` when nothing needed to.
fn run(case: &mut ReviewCase, by: &str, command: &Command) -> Result<Option<Event>, Rule> {
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
            .open_round(*round, now(), Summary::default(), now())
            .map(Some),
        Command::Withdrawn(round) => Ok(case.withdrawn(*round, now())),
    }
}

/// From each state (row) by each command (column): the state after it, or `-` where it is not legal. A withdrawal comes
/// from the opportunity, which has decided already: it wins in every state.
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
fn rev_002_010_every_cell_of_the_review_table() {
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
    assert_eq!(rows.len(), State::ALL.len());
    for row in rows {
        let from = State::from_name(row[0]).expect("a state");
        for (command, cell) in commands.iter().zip(&row[1..]) {
            let before = in_state(from);
            let mut case = before.clone();
            // Another reviewer takes over; everything else is for the one who has the case.
            let by = if matches!(command, Command::Claim(_)) {
                "umar"
            } else {
                "tara"
            };
            let result = run(&mut case, by, command);
            if *cell == "-" {
                let refused = matches!(result, Ok(None) | Err(Rule::IllegalTransition { .. }));
                assert!(refused, "{command:?} from {from:?}: {result:?}");
                assert_eq!(case, before, "{command:?} from {from:?} must change nothing");
            } else {
                assert!(
                    matches!(result, Ok(Some(_))),
                    "{command:?} from {from:?}: {result:?}"
                );
                assert_eq!(
                    case.state(),
                    State::from_name(cell).expect("a state"),
                    "{command:?} from {from:?}"
                );
                assert_eq!(case.revision(), before.revision() + 1);
            }
        }
    }
}

#[test]
fn rev_003_a_case_is_its_reviewers() {
    let mut free = opened();
    assert_eq!(free.start(&member("tara"), now()), Err(Rule::NotClaimed));
    assert_eq!(decide(&mut free, Decision::Approve), Err(Rule::NotClaimed));

    let mut case = claimed();
    let before = case.clone();
    let taken = Err(Rule::ClaimedByAnother(member("tara")));
    assert_eq!(case.claim(&member("umar"), false, now()), taken);
    assert_eq!(case.start(&member("umar"), now()).map(Some), taken);
    assert_eq!(
        case.claim(&member("tara"), false, now()),
        Ok(None),
        "claiming one's own again is nothing"
    );
    assert_eq!(case, before);
    assert_eq!(case.claim(&member("umar"), true, now()), Ok(Some(Event::Claimed)));
    assert_eq!(case.assignee(), Some(&member("umar")));
}

#[test]
fn rev_001_the_reviewer_keeps_the_case_in_the_next_round() {
    let mut case = in_state(State::ActionRequired);
    case.open_round(2, now(), Summary::default(), now())
        .expect("a round");
    assert_eq!((case.round(), case.assignee()), (2, Some(&member("tara"))));
    assert_eq!(
        case.rounds()[0].ruling.as_ref().map(|ruling| ruling.decision),
        Some(Decision::ActionRequired)
    );
    assert_eq!(case.rounds()[1].ruling, None);
}

#[test]
fn rev_006_a_withdrawal_wins_over_a_decision_of_the_same_moment() {
    let mut case = in_state(State::Approved);
    assert_eq!(case.withdrawn(1, now()), Some(Event::Withdrawn));
    assert_eq!(case.state(), State::Withdrawn);
    let mut later = in_state(State::ActionRequired);
    later
        .open_round(2, now(), Summary::default(), now())
        .expect("a round");
    assert_eq!(
        later.withdrawn(1, now()),
        None,
        "of an earlier round it says nothing new"
    );
}

#[test]
fn rev_011_012_reason_and_remarks_belong_to_the_decision() {
    use Decision::{ActionRequired, Approve, Reject};
    let other = Some(ReviewReason::Other);
    let wrong = |decision, reason, remarks: &str| {
        let mut case = claimed();
        let before = case.clone();
        match case.decide(
            &member("tara"),
            decision,
            reason,
            remarks.into(),
            Vec::new(),
            now(),
        ) {
            Ok(_) => Vec::new(),
            Err(Rule::Invalid(found)) => {
                assert_eq!(case, before);
                found.into_iter().map(|violation| violation.field).collect()
            }
            Err(rule) => panic!("{rule:?}"),
        }
    };
    assert_eq!(wrong(Approve, None, ""), [""; 0]);
    assert_eq!(wrong(Approve, None, "Well done."), [""; 0]);
    assert_eq!(wrong(Approve, other, ""), ["reason"]);
    assert_eq!(wrong(Reject, other, ""), [""; 0]);
    assert_eq!(wrong(Reject, None, ""), ["reason"]);
    assert_eq!(wrong(ActionRequired, other, "Correct this."), [""; 0]);
    assert_eq!(wrong(ActionRequired, None, " \n"), ["reason", "review_comments"]);
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
    fn every_sequence_keeps_what_must_hold(commands in commands()) {
        let mut case = opened();
        for (by, command) in commands {
            let before = case.clone();
            match run(&mut case, by, &command) {
                Ok(Some(_)) => prop_assert_eq!(case.revision(), before.revision() + 1),
                Ok(None) | Err(_) => prop_assert_eq!(&case, &before),
            }
            let decided = matches!(case.state(), State::Approved | State::Rejected | State::ActionRequired);
            let last = case.rounds().last().expect("a round");
            prop_assert!(!decided || last.ruling.is_some());
            prop_assert_eq!(case.state() == State::Withdrawn, last.withdraw_time.is_some());
            prop_assert!(case.state() != State::InReview || case.assignee().is_some());
            let stored = serde_json::to_value(&case).expect("serializable");
            prop_assert_eq!(&serde_json::from_value::<ReviewCase>(stored).expect("readable"), &case);
        }
    }
}

#[test]
fn rev_013_only_a_decision_that_asks_for_corrections_opens_fields() {
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
    ] {
        let before = claimed();
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
                let ruling = case.rounds().last().and_then(|round| round.ruling.clone());
                assert_eq!(ruling.expect("a ruling").fields_to_correct, fields);
            }
            Err(Rule::Invalid(found)) => {
                let found: Vec<_> = found.iter().map(|found| found.field.as_str()).collect();
                assert_eq!(found, paths, "{decision:?}");
                assert_eq!(case, before, "a refused call changes nothing");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
