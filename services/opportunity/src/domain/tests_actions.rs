//! What is done with a record besides changing what it says, cell by cell (OPP-034 to OPP-037, OPP-041).

use cosell_types::{ClosedList as _, OpportunityId};

use super::fixtures::{facts, in_stage, in_status, member, now, today};
use super::values::{ClosedLostReason, InvolvementType, ReviewStatus, Stage, StageMove};
use super::{Details, Event, Field, Opportunity, Rule};

/// Which actions are possible in each status, for an APPROVED record also in each stage.
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

fn record(name: &str) -> Opportunity {
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

fn cloned(source: &Opportunity, fields: &[Field], given: &Details) -> Result<(Opportunity, Event), Rule> {
    source.clone_with(new_id(), member("cloner"), fields, given, &facts(), now())
}

/// With a day that is still to come.
fn in_time() -> (Vec<Field>, Details) {
    let mut given = Details::default();
    given.life_cycle.target_close_date = today().succ_opt();
    (vec![Field::TargetCloseDate], given)
}

#[test]
fn opp_035_036_037_041_every_action_in_every_status_and_stage() {
    let by = member("creator");
    let mut rows = 0;
    for row in TABLE.trim_matches('\n').lines().skip(1) {
        let cells: Vec<_> = row.split_whitespace().collect();
        let before = record(cells[0]);
        let (fields, given) = in_time();
        let mut changed = [before.clone(), before.clone(), before.clone()];
        let results = [
            changed[0]
                .add_next_step(&by, "Call again".into(), now())
                .map(drop),
            changed[1].assign(&by, &member("other"), None, now()).map(drop),
            cloned(&before, &fields, &given).map(drop),
            changed[2]
                .reopen(Stage::Qualified, "It goes on".into(), &facts(), now())
                .map(drop),
        ];
        for (result, cell) in results.iter().zip(&cells[1..]) {
            match (*cell, result) {
                ("x", Ok(())) | (".", Err(Rule::NotPossible { .. })) => {}
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
fn opp_034_every_move_of_a_stage() {
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
            let mut record = record(from.name());
            let mut given = record.details().clone();
            given.life_cycle.stage = to;
            if to == Stage::ClosedLost {
                given.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
            }
            given.life_cycle.target_close_date = Some(today());
            let mut fields = vec![Field::Stage, Field::ClosedLostReason];
            if to == Stage::Launched {
                fields.push(Field::TargetCloseDate);
            }
            let event = record.update(&member("creator"), &fields, &given, &facts(), now());
            let event = event.expect("a move").expect("an event");
            let Event::StageChanged { from: told, fields } = event else {
                panic!("{from:?} to {to:?}: {event:?}")
            };
            assert_eq!(told, from);
            assert!(fields.contains(&Field::Stage));
        }
    }
}

#[test]
fn opp_034_in_a_draft_the_stage_is_a_field_like_others() {
    let mut draft = record("PENDING_SUBMISSION");
    let mut given = draft.details().clone();
    given.life_cycle.stage = Stage::Committed;
    let event = draft.update(&member("creator"), &[Field::Stage], &given, &facts(), now());
    assert_eq!(event, Ok(Some(Event::Updated(vec![Field::Stage]))));
}

#[test]
fn opp_035_a_reopened_deal_says_why_and_has_lost_its_reason() {
    let mut record = record("CLOSED_LOST");
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
    assert_eq!(record.last_modified_by(), None, "AWS did");
}

#[test]
fn opp_035_a_deal_goes_on_in_an_open_stage_that_fits_it() {
    let mut details = super::fixtures::submittable();
    details.related_entity_identifiers.solutions.clear();
    details.project.other_solution_description = "In words".into();
    let mut record = super::fixtures::draft(details);
    let by = member("creator");
    record
        .submit(
            &by,
            InvolvementType::CoSell,
            super::values::Visibility::Full,
            &facts(),
            now(),
        )
        .expect("a submission");
    let approved = super::Decision {
        outcome: super::Outcome::Approved,
        remarks: "".into(),
        fields_to_correct: Vec::new(),
    };
    record.decided(1, approved, now()).expect("a decision");
    let mut given = record.details().clone();
    given.life_cycle.stage = Stage::ClosedLost;
    given.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
    record
        .update(
            &by,
            &[Field::Stage, Field::ClosedLostReason],
            &given,
            &facts(),
            now(),
        )
        .expect("a loss");
    let before = record.clone();
    for stage in [Stage::Committed, Stage::Launched, Stage::ClosedLost] {
        let Err(Rule::Invalid(found)) = record.reopen(stage, "Why".into(), &facts(), now()) else {
            panic!("{stage:?} is possible")
        };
        assert!(
            found
                .iter()
                .all(|violation| violation.field == "life_cycle.stage"),
            "{found:?}"
        );
        assert_eq!(record, before);
    }
    record
        .reopen(Stage::Qualified, "Why".into(), &facts(), now())
        .expect("an open stage");
}

#[test]
fn opp_036_giving_a_record_to_its_owner_changes_nothing() {
    let mut record = record("QUALIFIED");
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
        record.is_own_of(&member("creator")),
        "who created it keeps seeing it"
    );
}

#[test]
fn opp_037_a_clone_says_the_same_but_what_belongs_to_the_deal_that_was() {
    let mut source = record("CLOSED_LOST");
    source
        .reopen(Stage::Qualified, "Why".into(), &facts(), now())
        .expect("a reopening");
    let mut given = source.details().clone();
    given.partner_opportunity_identifier = "CRM-1".to_owned();
    given.life_cycle.next_steps = "Call again".into();
    let fields = [Field::PartnerOpportunityIdentifier, Field::NextSteps];
    source
        .update(&member("creator"), &fields, &given, &facts(), now())
        .expect("an update");
    let (clone, event) = cloned(&source, &[], &Details::default()).expect("a clone");
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
    expected.life_cycle.next_steps = "".into();
    assert_eq!(clone.details(), &expected);
}

#[test]
fn opp_037_what_is_stated_counts_and_is_checked_as_at_creation() {
    let source = record("LAUNCHED");
    let Err(Rule::Invalid(found)) = cloned(&source, &[], &Details::default()) else {
        panic!("the day has passed")
    };
    assert_eq!(found[0].field, "life_cycle.target_close_date");
    let (mut fields, mut given) = in_time();
    given.project.title = "Another".into();
    given.life_cycle.stage = Stage::Qualified;
    fields.extend([Field::Title, Field::Stage]);
    let (clone, _) = cloned(&source, &fields, &given).expect("a clone");
    assert_eq!(clone.details().project.title.reveal(), "Another");
    assert_eq!(clone.details().life_cycle.stage, Stage::Qualified);
}

#[test]
fn opp_041_the_same_step_again_counts_again() {
    let mut record = record("QUALIFIED");
    for _ in 0..2 {
        let event = record.add_next_step(&member("creator"), "Call again".into(), now());
        assert_eq!(event, Ok(Event::Updated(vec![Field::NextSteps])));
    }
    assert_eq!(record.next_steps_history().len(), 2);
}
