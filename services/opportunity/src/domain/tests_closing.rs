//! The end of an opportunity: its close date (OPP-043), corrections afterwards (OPP-049), and a refused submission in a
//! terminal stage (OPP-024).

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use cosell_types::ViolationCode;

use super::field_warnings::on_closing;
use super::fixtures::{draft, facts, in_stage, in_status, member, now, submittable, today};
use super::values::{ClosedLostReason, InvolvementType, ReviewStatus, Stage, Visibility};
use super::{ClosureCorrection, Details, Event, Field, Opportunity, Rule};

const STAGE: [Field; 2] = [Field::Stage, Field::ClosedLostReason];
const STAGE_AND_DATE: [Field; 3] = [Field::Stage, Field::ClosedLostReason, Field::TargetCloseDate];

fn day(offset: i64) -> NaiveDate {
    today() + TimeDelta::days(offset)
}

fn approved() -> Opportunity {
    in_status(ReviewStatus::Approved, InvolvementType::CoSell)
}

/// Closes the record as lost; `date` is the close date of the input.
fn lose(record: &mut Opportunity, fields: &[Field], date: Option<NaiveDate>) -> Result<Option<Event>, Rule> {
    let mut input = record.details().clone();
    input.life_cycle.stage = Stage::ClosedLost;
    input.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
    input.life_cycle.target_close_date = date.or(input.life_cycle.target_close_date);
    record.update(&member("creator"), fields, &input, &facts(), now())
}

#[test]
fn opp_043_loss_without_date_moves_future_close_date_to_today_and_warns() {
    let mut record = approved();
    assert!(record.details().life_cycle.target_close_date > Some(today()));
    let event = lose(&mut record, &STAGE, None).expect("a loss");
    assert_eq!(record.details().life_cycle.target_close_date, Some(today()));
    let warning = on_closing(event.as_ref(), &STAGE).expect("a warning");
    assert_eq!(warning.field, Field::TargetCloseDate.path());
}

#[test]
fn opp_043_loss_with_date_keeps_it_and_refuses_future_one() {
    let mut record = approved();
    let event = lose(&mut record, &STAGE_AND_DATE, Some(day(-3))).expect("a loss");
    assert_eq!(record.details().life_cycle.target_close_date, Some(day(-3)));
    assert_eq!(on_closing(event.as_ref(), &STAGE_AND_DATE), None);
    let mut record = approved();
    let Err(Rule::Invalid(violations)) = lose(&mut record, &STAGE_AND_DATE, Some(day(1))) else {
        panic!("a loss in the future was accepted");
    };
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, Field::TargetCloseDate.path());
    assert_eq!(violations[0].code, ViolationCode::ValueOutOfRange);
    assert_eq!(record, approved());
}

fn correction(date: Option<NaiveDate>, aws_account: &str) -> ClosureCorrection {
    ClosureCorrection {
        target_close_date: date,
        aws_account_id: aws_account.into(),
    }
}

fn correct(
    record: &mut Opportunity,
    correction: &ClosureCorrection,
    at: DateTime<Utc>,
) -> Result<Option<Event>, Rule> {
    record.correct_closed(&member("creator"), correction, &facts(), at)
}

#[test]
fn opp_049_correction_changes_date_and_account_and_neither_stage_nor_review() {
    for stage in [Stage::Launched, Stage::ClosedLost] {
        let before = in_stage(stage, InvolvementType::CoSell);
        let mut record = before.clone();
        let change = correction(Some(day(-2)), "123456789012");
        let event = correct(&mut record, &change, now()).expect("a correction");
        let fields = vec![Field::TargetCloseDate, Field::AwsAccountId];
        assert_eq!(event, Some(Event::ClosureCorrected(fields)));
        assert_eq!(record.revision(), before.revision() + 1);
        assert_eq!(record.lifecycle_state(), before.lifecycle_state());
        assert_eq!(record.review(), before.review());
        assert_eq!(record.close_time(), before.close_time());
        assert_eq!(
            correct(&mut record, &change, now()),
            Ok(None),
            "nothing changes twice"
        );
    }
}

#[test]
fn opp_049_correction_is_refused_for_open_ones_future_dates_and_after_30_days() {
    let mut open = approved();
    let refused = correct(&mut open, &correction(Some(today()), ""), now());
    assert!(
        matches!(refused, Err(Rule::ActionNotAllowed { .. })),
        "{refused:?}"
    );
    let mut closed = in_stage(Stage::ClosedLost, InvolvementType::CoSell);
    let refused = correct(&mut closed, &correction(Some(day(1)), ""), now());
    assert!(matches!(refused, Err(Rule::Invalid(_))), "{refused:?}");
    let last = now() + Days::new(30);
    let in_time = correct(&mut closed.clone(), &correction(Some(day(-1)), ""), last);
    assert!(matches!(in_time, Ok(Some(_))), "{in_time:?}");
    let late = last + TimeDelta::milliseconds(1);
    let refused = correct(&mut closed, &correction(Some(day(-1)), ""), late);
    let close_time = now();
    assert_eq!(refused, Err(Rule::CorrectionPeriodEnded { close_time, days: 30 }));
}

#[test]
fn opp_049_period_of_record_of_earlier_release_is_not_extended_by_corrections() {
    let mut record = in_stage(Stage::ClosedLost, InvolvementType::CoSell);
    record.close_time = None;
    let closed_at = record.close_time().expect("the last change");
    let later = now() + Days::new(29);
    correct(&mut record, &correction(Some(day(-1)), ""), later).expect("a correction");
    assert_eq!(record.close_time(), Some(closed_at));
}

/// Tags and the fields that stay open in LAUNCHED do not extend the period either.
#[test]
fn opp_049_other_changes_of_record_of_earlier_release_do_not_move_its_close_time() {
    let mut record = in_stage(Stage::Launched, InvolvementType::CoSell);
    record.close_time = None;
    let closed_at = record.close_time().expect("the last change");
    let mut input = Details::default();
    input.project.additional_comments = "Billing has begun.".into();
    record
        .update(
            &member("creator"),
            &[Field::AdditionalComments],
            &input,
            &facts(),
            now() + TimeDelta::days(20),
        )
        .expect("a comment");
    assert_eq!(record.close_time(), Some(closed_at));
}

#[test]
fn opp_043_close_date_before_60_years_is_refused() {
    let mut record = approved();
    let result = lose(&mut record, &STAGE_AND_DATE, "1966-03-01".parse().ok());
    assert!(matches!(result, Err(Rule::Invalid(_))), "{result:?}");
    assert!(lose(&mut record, &STAGE_AND_DATE, "1966-03-02".parse().ok()).is_ok());
}

#[test]
fn opp_035_049_reopening_ends_the_correction_period() {
    let mut record = in_stage(Stage::ClosedLost, InvolvementType::CoSell);
    record
        .reopen(Stage::Qualified, "Budget approved".into(), &facts(), now())
        .expect("a reopening");
    assert_eq!(record.close_time(), None);
}

#[test]
fn opp_024_submission_in_terminal_stage_has_one_violation() {
    let mut details = submittable();
    details.related_entity_identifiers.solutions.clear();
    details.life_cycle.stage = Stage::Launched;
    let mut record = draft(details);
    let refused = record.submit(
        &member("creator"),
        InvolvementType::CoSell,
        Visibility::Full,
        &facts(),
        now(),
    );
    let Err(Rule::Invalid(violations)) = refused else {
        panic!("a closed opportunity was submitted");
    };
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, "life_cycle.stage");
}
