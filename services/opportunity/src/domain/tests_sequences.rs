//! Random sequences of commands: whatever is tried in whatever order, an illegal command is refused and changes
//! nothing, a legal one makes exactly one step, and what must always hold does.

use cosell_types::ClosedList as _;
use proptest::prelude::*;

use super::fixtures::{draft, facts, member, now, submittable};
use super::values::{InvolvementType, ReviewReason, ReviewStatus, Stage, Visibility};
use super::{Decision, Field, Opportunity, Outcome, Rule, Transition};

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
    /// The transition that it asks for; changes of fields ask for none.
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

    /// The field that it changes.
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

/// Whether this is the refusal that the rules name for the command (OPP-030, OPP-032, OPP-040).
fn is_documented(before: &Opportunity, command: &Command, rule: &Rule) -> bool {
    let situation = before.situation();
    match (command.transition(), command.field()) {
        (Some(step), _) if step.from(before.review().status).is_none() => {
            matches!(rule, Rule::NotPossible { action, .. } if *action == step.name())
        }
        (Some(Transition::Discard), _) => matches!(rule, Rule::WasSubmitted(_)),
        (_, Some(_)) if !situation.is_editable() => matches!(rule, Rule::RecordNotEditable(_)),
        (_, Some(field)) if !field.is_editable(situation) => matches!(rule, Rule::FieldsNotEditable(..)),
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

/// Whether the command had an effect; `Err` when it was refused.
fn run(record: &mut Opportunity, command: &Command) -> Result<bool, Rule> {
    let by = member("creator");
    let mut update = |field: Field, change: &dyn Fn(&mut super::Details)| {
        let mut given = record.details().clone();
        change(&mut given);
        record
            .update(&by, &[field], &given, &facts(), now())
            .map(|event| event.is_some())
    };
    match command {
        Command::Stage(stage) => update(Field::Stage, &|given| given.life_cycle.stage = *stage),
        Command::NextSteps(text) => update(Field::NextSteps, &|given| {
            given.life_cycle.next_steps = text.as_str().into()
        }),
        Command::Title(text) => update(Field::Title, &|given| given.project.title = text.as_str().into()),
        Command::Problem(text) => update(Field::CustomerBusinessProblem, &|given| {
            given.project.customer_business_problem = text.as_str().into();
        }),
        Command::Submit(involvement) => record
            .submit(&by, *involvement, Visibility::Full, &facts(), now())
            .map(|_| true),
        Command::Withdraw => record.withdraw(&by, now()).map(|_| true),
        Command::Discard => record.discard(&by, now()).map(|_| true),
        Command::StartReview(round) => Ok(record.review_started(*round, now()).is_some()),
        Command::Decide(round, outcome) => {
            let outcome = [
                Outcome::Approved,
                Outcome::ActionRequired(ReviewReason::Other),
                Outcome::Rejected(ReviewReason::ClarifySolution),
            ][*outcome];
            Ok(record
                .decided(
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

/// What must hold of every record at every moment.
fn holds(record: &Opportunity) -> Result<(), TestCaseError> {
    let review = record.review();
    let submitted = review.status != ReviewStatus::PendingSubmission;
    prop_assert!(!submitted || review.round > 0);
    prop_assert!(!submitted || (record.involvement().is_some() && record.submitted_by().is_some()));
    prop_assert!(!submitted || record.visibility().is_some());
    let has_reason = matches!(
        review.status,
        ReviewStatus::ActionRequired | ReviewStatus::Rejected
    );
    prop_assert_eq!(review.reason.is_some(), has_reason);
    prop_assert!(
        super::check::record(record.details(), &facts()).is_empty(),
        "an invalid record was kept"
    );
    if review.status == ReviewStatus::Approved {
        let involvement = record.involvement().unwrap_or(InvolvementType::CoSell);
        let visibility = record.visibility().unwrap_or(Visibility::Full);
        let mut found = super::check::submittable(record.details(), involvement, visibility);
        record.check_solution(record.details(), &facts(), &mut found);
        prop_assert_eq!(found, []);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_sequence_keeps_what_must_hold(commands in commands()) {
        let mut record = draft(submittable());
        for command in commands {
            let before = record.clone();
            match run(&mut record, &command) {
                Ok(true) => {
                    prop_assert_eq!(record.revision(), before.revision() + 1, "{:?}", &command);
                    let (from, to) = (before.review().status, record.review().status);
                    let legal = command.transition().map_or(from == to, |step| step.from(from) == Some(to));
                    prop_assert!(legal, "{:?}: {:?} to {:?}", &command, from, to);
                }
                Ok(false) => prop_assert_eq!(&record, &before, "{:?}", &command),
                Err(rule) => {
                    prop_assert_eq!(&record, &before, "{:?}", &command);
                    prop_assert!(is_documented(&before, &command, &rule), "{:?}: {:?}", &command, rule);
                }
            }
            holds(&record)?;
        }
    }

    #[test]
    fn a_record_survives_storage(commands in commands()) {
        let mut record = draft(submittable());
        for command in commands {
            let _ = run(&mut record, &command);
        }
        let stored = serde_json::to_value(&record).expect("serializable");
        prop_assert_eq!(serde_json::from_value::<Opportunity>(stored).expect("readable"), record);
    }
}

/// A record as an earlier version stored it. It must stay readable for ever: histories hold such documents. When a
/// field is added, this text stays as it is.
#[test]
fn a_record_of_the_first_version_is_still_read() {
    let stored = include_str!("fixture_record_v1.json");
    let record: Opportunity = serde_json::from_str(stored).expect("readable");
    assert_eq!(record.revision(), 4);
    assert_eq!(record.review().status, ReviewStatus::Approved);
    assert_eq!(record.details().customer.account.company_name.reveal(), "Alder");
    assert_eq!(record.details().life_cycle.stage, Stage::Qualified);
}
