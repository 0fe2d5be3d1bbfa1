//! Property tests over random command sequences: an illegal command is refused and changes nothing, a legal one makes
//! exactly one revision, and the invariants hold after each command. Also the stored form of a record.

use cosell_types::ClosedList as _;
use proptest::prelude::*;

use super::fixtures::{draft, facts, member, now, submittable};
use super::values::{InvolvementType, ReviewReason, ReviewStatus, Stage, Visibility};
use super::{Decision, Field, Opportunity, ReviewOutcome, Rule, Transition};

#[derive(Clone, Debug)]
enum Command {
    Submit(InvolvementType),
    Withdraw,
    Discard,
    StartReview(i32),
    Decide(i32, usize),
    Stage(Stage),
    NextSteps(String),
    Title(String),
    Problem(String),
}

impl Command {
    /// The requested transition; field updates request none.
    fn transition(&self) -> Option<Transition> {
        match self {
            Command::Submit(_) => Some(Transition::Submit),
            Command::Withdraw => Some(Transition::Withdraw),
            Command::Discard => Some(Transition::Discard),
            Command::StartReview(_) => Some(Transition::StartReview),
            Command::Decide(_, outcome) => {
                Some([Transition::Approve, Transition::RequireAction, Transition::Reject][*outcome])
            }
            Command::Stage(_) | Command::NextSteps(_) | Command::Title(_) | Command::Problem(_) => None,
        }
    }

    /// The updated field, if any.
    fn field(&self) -> Option<Field> {
        match self {
            Command::Stage(_) => Some(Field::Stage),
            Command::NextSteps(_) => Some(Field::NextSteps),
            Command::Title(_) => Some(Field::Title),
            Command::Problem(_) => Some(Field::CustomerBusinessProblem),
            _ => None,
        }
    }
}

/// Whether the refusal is the one that the rules define for the command (OPP-030, OPP-032, OPP-040).
fn is_documented(before: &Opportunity, command: &Command, rule: &Rule) -> bool {
    let lifecycle_state = before.lifecycle_state();
    match (command.transition(), command.field()) {
        (Some(step), _) if step.next_status(before.review().status).is_none() => {
            matches!(rule, Rule::ActionNotAllowed { action, .. } if *action == step.name())
        }
        (Some(Transition::Discard), _) => matches!(rule, Rule::AlreadySubmitted(_)),
        (_, Some(_)) if !lifecycle_state.is_editable() => matches!(rule, Rule::RecordNotEditable(_)),
        (_, Some(field)) if !field.is_editable(lifecycle_state) => {
            matches!(rule, Rule::FieldsNotEditable(..))
        }
        _ => matches!(rule, Rule::Invalid(_)),
    }
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let command = prop_oneof![
        3 => proptest::sample::select(InvolvementType::ALL).prop_map(Command::Submit),
        1 => Just(Command::Withdraw),
        1 => Just(Command::Discard),
        2 => (1..4).prop_map(Command::StartReview),
        4 => (1..4, 0..3_usize).prop_map(|(round, outcome)| Command::Decide(round, outcome)),
        2 => proptest::sample::select(Stage::ALL).prop_map(Command::Stage),
        1 => "[a-z]{1,9}".prop_map(Command::NextSteps),
        1 => "[a-z]{1,9}".prop_map(Command::Title),
        1 => "[a-z]{20,30}".prop_map(Command::Problem),
    ];
    proptest::collection::vec(command, 1..40)
}

/// Runs the command and returns whether it had an effect; `Err` if it was refused.
fn run(record: &mut Opportunity, command: &Command) -> Result<bool, Rule> {
    let actor = member("creator");
    let mut update = |field: Field, change: &dyn Fn(&mut super::Details)| {
        let mut input = record.details().clone();
        change(&mut input);
        record
            .update(&actor, &[field], &input, &facts(), now())
            .map(|event| event.is_some())
    };
    match command {
        Command::Stage(stage) => update(Field::Stage, &|input| input.life_cycle.stage = *stage),
        Command::NextSteps(text) => update(Field::NextSteps, &|input| {
            input.life_cycle.next_steps = text.as_str().into()
        }),
        Command::Title(text) => update(Field::Title, &|input| input.project.title = text.as_str().into()),
        Command::Problem(text) => update(Field::CustomerBusinessProblem, &|input| {
            input.project.customer_business_problem = text.as_str().into();
        }),
        Command::Submit(involvement) => record
            .submit(&actor, *involvement, Visibility::Full, &facts(), now())
            .map(|_| true),
        Command::Withdraw => record.withdraw(&actor, now()).map(|_| true),
        Command::Discard => record.discard(&actor, now()).map(|_| true),
        Command::StartReview(round) => Ok(record.start_review(*round, now()).is_some()),
        Command::Decide(round, outcome) => {
            let outcome = [
                ReviewOutcome::Approved,
                ReviewOutcome::ActionRequired(ReviewReason::Other),
                ReviewOutcome::Rejected(ReviewReason::ClarifySolution),
            ][*outcome];
            Ok(record
                .apply_decision(
                    *round,
                    Decision {
                        outcome,
                        remarks: "r".into(),
                        fields_to_correct: Vec::new(),
                    },
                    now(),
                )
                .is_some())
        }
    }
}

/// Invariants of every record.
fn assert_invariants(record: &Opportunity) -> Result<(), TestCaseError> {
    let review = record.review();
    let submitted = review.status != ReviewStatus::PendingSubmission;
    prop_assert!(!submitted || review.round > 0);
    prop_assert!(!submitted || (record.involvement().is_some() && record.submitted_by().is_some()));
    prop_assert!(!submitted || record.visibility().is_some());
    let expects_reason = matches!(
        review.status,
        ReviewStatus::ActionRequired | ReviewStatus::Rejected
    );
    prop_assert_eq!(review.reason.is_some(), expects_reason);
    prop_assert!(
        super::check::record(record.details(), &facts()).is_empty(),
        "an invalid record was stored"
    );
    if review.status == ReviewStatus::Approved {
        let involvement = record.involvement().unwrap_or(InvolvementType::CoSell);
        let visibility = record.visibility().unwrap_or(Visibility::Full);
        let mut violations = super::check::submittable(record.details(), involvement, visibility);
        record.check_solution(record.details(), &facts(), &mut violations);
        prop_assert_eq!(violations, []);
    }
    Ok(())
}

proptest! {
    #[test]
    fn opportunity_invariants_hold_for_random_command_sequences(commands in commands()) {
        let mut record = draft(submittable());
        for command in commands {
            let before = record.clone();
            match run(&mut record, &command) {
                Ok(true) => {
                    prop_assert_eq!(record.revision(), before.revision() + 1, "{:?}", &command);
                    let (from, to) = (before.review().status, record.review().status);
                    let is_allowed = command.transition().map_or(from == to, |step| step.next_status(from) == Some(to));
                    prop_assert!(is_allowed, "{:?}: {:?} to {:?}", &command, from, to);
                }
                Ok(false) => prop_assert_eq!(&record, &before, "{:?}", &command),
                Err(rule) => {
                    prop_assert_eq!(&record, &before, "{:?}", &command);
                    prop_assert!(is_documented(&before, &command, &rule), "{:?}: {:?}", &command, rule);
                }
            }
            assert_invariants(&record)?;
        }
    }

    #[test]
    fn opportunity_serialization_round_trip_preserves_all_fields(commands in commands()) {
        let mut record = draft(submittable());
        for command in commands {
            let _ = run(&mut record, &command);
        }
        let stored = serde_json::to_value(&record).expect("serializable");
        prop_assert_eq!(serde_json::from_value::<Opportunity>(stored).expect("readable"), record);
    }
}

/// Records stored by earlier versions must remain readable, because histories contain them. Do not change the fixture
/// when a field is added.
#[test]
fn opportunity_stored_by_first_version_remains_readable() {
    let stored = include_str!("fixture_record_v1.json");
    let record: Opportunity = serde_json::from_str(stored).expect("readable");
    assert_eq!(record.revision(), 4);
    assert_eq!(record.review().status, ReviewStatus::Approved);
    assert_eq!(record.details().customer.account.company_name.reveal(), "Alder");
    assert_eq!(record.details().life_cycle.stage, Stage::Qualified);
}
