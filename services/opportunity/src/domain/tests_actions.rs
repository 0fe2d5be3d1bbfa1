//! Actions that are not plain field updates: stage changes, reopening, assignment, cloning and next steps (OPP-034 to
//! OPP-037, OPP-041). A table states which action is permitted in each review status and stage.

use cosell_types::{ClosedList as _, OpportunityId};

use super::fixtures::{facts, in_stage, in_status, member, now, today};
use super::values::{ClosedLostReason, InvolvementType, ReviewStatus, Stage, StageMove};
use super::{Details, Event, Field, Opportunity, Rule};

/// Permitted actions (`x`) by review status and, for APPROVED records, by stage.
const TABLE: &str = "
                     next_step  assign  clone  reopen
PENDING_SUBMISSION   .          x       .      .
SUBMITTED            .          .       x      .
IN_REVIEW            .          .       x      .
ACTION_REQUIRED      .          x       x      .
REJECTED             .          .       x      .
PROSPECT             x          x       x      .
QUALIFIED            x          x       x      .
TECHNICAL_VALIDATION x          x       x      .
BUSINESS_VALIDATION  x          x       x      .
COMMITTED            x          x       x      .
LAUNCHED             .          .       x      x
CLOSED_LOST          .          .       x      x
";

/// A record in the named review status, or an APPROVED record in the named stage.
fn record_in(name: &str) -> Opportunity {
    if let Some(status) = ReviewStatus::from_name(name) {
        return in_status(status, InvolvementType::CoSell);
    }
    let stage = Stage::from_name(name).expect("a status or a stage");
    if stage == Stage::Prospect {
        return in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    }
    in_stage(stage, InvolvementType::CoSell)
}

fn new_id() -> OpportunityId {
    OpportunityId::from_number(8).expect("an id")
}

fn clone_of(source: &Opportunity, fields: &[Field], input: &Details) -> Result<(Opportunity, Event), Rule> {
    source.clone_with(new_id(), member("cloner"), fields, input, &facts(), now())
}

/// Input that sets only the target close date, to a date in the future.
fn future_close_date() -> (Vec<Field>, Details) {
    let mut input = Details::default();
    input.life_cycle.target_close_date = today().succ_opt();
    (vec![Field::TargetCloseDate], input)
}

#[test]
fn opp_035_036_037_041_actions_in_each_status_and_stage_match_the_table() {
    let actor = member("creator");
    let mut rows = 0;
    for row in TABLE.trim_matches('\n').lines().skip(1) {
        let cells: Vec<_> = row.split_whitespace().collect();
        let before = record_in(cells[0]);
        let (fields, input) = future_close_date();
        let mut changed = [before.clone(), before.clone(), before.clone()];
        let results = [
            changed[0]
                .add_next_step(&actor, "Call again".into(), now())
                .map(drop),
            changed[1].assign(&actor, &member("other"), None, now()).map(drop),
            clone_of(&before, &fields, &input).map(drop),
            changed[2]
                .reopen(Stage::Qualified, "Budget approved".into(), &facts(), now())
                .map(drop),
        ];
        for (result, cell) in results.iter().zip(&cells[1..]) {
            match (*cell, result) {
                ("x", Ok(())) | (".", Err(Rule::ActionNotAllowed { .. })) => {}
                _ => panic!("{row}: {result:?}"),
            }
        }
        for (record, cell) in changed.iter().zip([cells[1], cells[2], cells[4]]) {
            let steps = i64::from(cell == "x");
            assert_eq!(record.revision(), before.revision() + steps, "{row}");
            assert_eq!(*record == before, steps == 0, "{row}");
        }
        rows += 1;
    }
    assert_eq!(rows, ReviewStatus::ALL.len() - 1 + Stage::ALL.len());
}

#[test]
fn opp_034_stage_change_is_classified_as_the_documented_move() {
    use StageMove::{Advanced, Launched, Lost, Regressed, Skipped};
    for from in Stage::ALL.iter().copied().filter(|stage| !stage.is_terminal()) {
        for to in Stage::ALL.iter().copied().filter(|to| *to != from) {
            let expected = match to {
                Stage::Launched => Launched,
                Stage::ClosedLost => Lost,
                _ if to < from => Regressed,
                _ if to.number() == from.number() + 1 => Advanced,
                _ => Skipped,
            };
            assert_eq!(StageMove::between(from, to), expected, "{from:?} to {to:?}");
            let mut record = record_in(from.name());
            let mut input = record.details().clone();
            input.life_cycle.stage = to;
            if to == Stage::ClosedLost {
                input.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
            }
            input.life_cycle.target_close_date = Some(today());
            let mut fields = vec![Field::Stage, Field::ClosedLostReason];
            if to == Stage::Launched {
                fields.push(Field::TargetCloseDate);
            }
            let event = record.update(&member("creator"), &fields, &input, &facts(), now());
            let event = event.expect("a stage change").expect("an event");
            let Event::StageChanged {
                from: previous,
                fields,
            } = event
            else {
                panic!("{from:?} to {to:?}: {event:?}")
            };
            assert_eq!(previous, from);
            assert!(fields.contains(&Field::Stage));
        }
    }
}

#[test]
fn opp_034_stage_change_in_draft_is_an_ordinary_update() {
    let mut draft = record_in("PENDING_SUBMISSION");
    let mut input = draft.details().clone();
    input.life_cycle.stage = Stage::Committed;
    let event = draft.update(&member("creator"), &[Field::Stage], &input, &facts(), now());
    assert_eq!(event, Ok(Some(Event::Updated(vec![Field::Stage]))));
}

#[test]
fn opp_035_reopening_records_reason_and_clears_closed_lost_reason() {
    let mut record = record_in("CLOSED_LOST");
    let event = record.reopen(Stage::Committed, "A new budget".into(), &facts(), now());
    assert_eq!(event, Ok(Event::Reopened(Stage::ClosedLost)));
    let life_cycle = &record.details().life_cycle;
    assert_eq!(
        (life_cycle.stage, life_cycle.closed_lost_reason),
        (Stage::Committed, None)
    );
    let reopening = record.reopening().expect("a reopening");
    assert_eq!((reopening.from, reopening.time), (Stage::ClosedLost, now()));
    assert_eq!(reopening.reason.reveal(), "A new budget");
    assert_eq!(record.last_modified_by(), None, "the change was made by AWS");
}

#[test]
fn opp_035_reopening_requires_open_stage_valid_for_the_record() {
    let mut details = super::fixtures::submittable();
    details.related_entity_identifiers.solutions.clear();
    details.project.other_solution_description = "In words".into();
    let mut record = super::fixtures::draft(details);
    let actor = member("creator");
    record
        .submit(
            &actor,
            InvolvementType::CoSell,
            super::values::Visibility::Full,
            &facts(),
            now(),
        )
        .expect("a submission");
    let approved = super::Decision {
        outcome: super::ReviewOutcome::Approved,
        remarks: "".into(),
        fields_to_correct: Vec::new(),
    };
    record.apply_decision(1, approved, now()).expect("a decision");
    let mut input = record.details().clone();
    input.life_cycle.stage = Stage::ClosedLost;
    input.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
    record
        .update(
            &actor,
            &[Field::Stage, Field::ClosedLostReason],
            &input,
            &facts(),
            now(),
        )
        .expect("a change to CLOSED_LOST");
    let before = record.clone();
    for stage in [Stage::Committed, Stage::Launched, Stage::ClosedLost] {
        let Err(Rule::Invalid(violations)) = record.reopen(stage, "Why".into(), &facts(), now()) else {
            panic!("reopening in {stage:?} was accepted")
        };
        assert!(
            violations
                .iter()
                .all(|violation| violation.field == "life_cycle.stage"),
            "{violations:?}"
        );
        assert_eq!(record, before);
    }
    record
        .reopen(Stage::Qualified, "Why".into(), &facts(), now())
        .expect("an open stage");
}

#[test]
fn opp_036_assignment_to_current_owner_is_a_no_op() {
    let mut record = record_in("QUALIFIED");
    let before = record.clone();
    assert_eq!(
        record.assign(&member("lead"), &member("creator"), None, now()),
        Ok(None)
    );
    assert_eq!(record, before);
    let event = record.assign(&member("lead"), &member("other"), None, now());
    assert_eq!(
        event,
        Ok(Some(Event::Assigned {
            from: member("creator"),
            job: None
        }))
    );
    assert_eq!(record.owner(), &member("other"));
    assert_eq!(record.last_modified_by(), Some(&member("lead")));
    assert!(
        record.is_own_opportunity_of(&member("creator")),
        "the creator keeps access after the transfer"
    );
}

#[test]
fn opp_037_clone_copies_details_without_key_lifecycle_and_history() {
    let mut source = record_in("CLOSED_LOST");
    source
        .reopen(Stage::Qualified, "Why".into(), &facts(), now())
        .expect("a reopening");
    let mut input = source.details().clone();
    input.partner_opportunity_identifier = "CRM-1".to_owned();
    input.life_cycle.next_steps = "Call again".into();
    let fields = [Field::PartnerOpportunityIdentifier, Field::NextSteps];
    source
        .update(&member("creator"), &fields, &input, &facts(), now())
        .expect("an update");
    // The source was lost today, and a close date lies in the future at creation.
    let (fields, input) = future_close_date();
    let (clone, event) = clone_of(&source, &fields, &input).expect("a clone");
    assert_eq!(event, Event::Created);
    assert_eq!(
        (clone.id(), clone.cloned_from(), clone.revision()),
        (new_id(), Some(source.id()), 1)
    );
    assert_eq!(clone.owner(), &member("cloner"));
    assert_eq!(clone.review().status, ReviewStatus::PendingSubmission);
    assert_eq!(
        (clone.review().round, clone.submitted_by(), clone.reopening()),
        (0, None, None)
    );
    assert!(clone.next_steps_history().is_empty());
    let mut expected = source.details().clone();
    expected.partner_opportunity_identifier.clear();
    expected.life_cycle.stage = Stage::Prospect;
    expected.life_cycle.target_close_date = input.life_cycle.target_close_date;
    expected.life_cycle.next_steps = "".into();
    assert_eq!(clone.details(), &expected);
}

#[test]
fn opp_037_clone_overrides_apply_and_are_validated_as_at_creation() {
    let source = record_in("LAUNCHED");
    let Err(Rule::Invalid(violations)) = clone_of(&source, &[], &Details::default()) else {
        panic!("a clone with a past close date was accepted")
    };
    assert_eq!(violations[0].field, "life_cycle.target_close_date");
    let (mut fields, mut input) = future_close_date();
    input.project.title = "Another".into();
    input.life_cycle.stage = Stage::Qualified;
    fields.extend([Field::Title, Field::Stage]);
    let (clone, _) = clone_of(&source, &fields, &input).expect("a clone");
    assert_eq!(clone.details().project.title.reveal(), "Another");
    assert_eq!(clone.details().life_cycle.stage, Stage::Qualified);
}

#[test]
fn opp_041_repeated_next_step_is_added_to_history_again() {
    let mut record = record_in("QUALIFIED");
    for _ in 0..2 {
        let event = record.add_next_step(&member("creator"), "Call again".into(), now());
        assert_eq!(event, Ok(Event::Updated(vec![Field::NextSteps])));
    }
    assert_eq!(record.next_steps_history().len(), 2);
}
