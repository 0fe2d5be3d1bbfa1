//! Every cell of the review status table (OPP-030 to OPP-033).

use cosell_types::ClosedList as _;

use super::fixtures::{facts, in_status, member, now};
use super::values::{InvolvementType, ReviewReason, ReviewStatus, Visibility};
use super::{Decision, Event, Opportunity, Outcome, Rule, Transition};

/// From each status (row) by each transition (column): the status after it, or `-` where it is not legal.
const TABLE: &str = "
                    SUBMIT     WITHDRAW            DISCARD             START      APPROVE   REQUIRE          REJECT
PENDING_SUBMISSION  SUBMITTED  -                   PENDING_SUBMISSION  -          -         -                -
SUBMITTED           -          PENDING_SUBMISSION  -                   IN_REVIEW  APPROVED  ACTION_REQUIRED  REJECTED
IN_REVIEW           -          -                   -                   -          APPROVED  ACTION_REQUIRED  REJECTED
ACTION_REQUIRED     SUBMITTED  -                   -                   -          -         -                -
APPROVED            -          -                   -                   -          -         -                -
REJECTED            -          -                   -                   -          -         -                -
";

fn cells() -> Vec<(ReviewStatus, Transition, Option<ReviewStatus>)> {
    let mut cells = Vec::new();
    for row in TABLE.trim_matches('\n').lines().skip(1) {
        let mut words = row.split_whitespace();
        let from = words.next().and_then(ReviewStatus::from_name).expect("a status");
        for (transition, word) in Transition::ALL.into_iter().zip(words) {
            let to = (word != "-").then(|| ReviewStatus::from_name(word).expect("a status"));
            cells.push((from, transition, to));
        }
    }
    cells
}

/// Asks the record for a transition. What comes from review is no error when it is too late: it changes nothing.
fn attempt(record: &mut Opportunity, transition: Transition) -> Result<Option<Event>, Rule> {
    let by = member("creator");
    let decision = |outcome| Decision {
        outcome,
        remarks: "Remarks.".into(),
        fields_to_correct: Vec::new(),
    };
    match transition {
        Transition::Submit => record
            .submit(&by, InvolvementType::CoSell, Visibility::Full, &facts(), now())
            .map(Some),
        Transition::Withdraw => record.withdraw(&by, now()).map(Some),
        Transition::Discard => record.discard(&by, now()).map(Some),
        Transition::StartReview => Ok(record.review_started(1, now())),
        Transition::Approve => Ok(record.decided(1, decision(Outcome::Approved), now())),
        Transition::RequireAction => {
            Ok(record.decided(1, decision(Outcome::ActionRequired(ReviewReason::Other)), now()))
        }
        Transition::Reject => Ok(record.decided(1, decision(Outcome::Rejected(ReviewReason::Other)), now())),
    }
}

#[test]
fn opp_030_every_cell_of_the_transition_table() {
    let cells = cells();
    assert_eq!(cells.len(), ReviewStatus::ALL.len() * Transition::ALL.len());
    for (from, transition, to) in cells {
        assert_eq!(transition.from(from), to, "{transition:?} from {from:?}");
        let before = in_status(from, InvolvementType::CoSell);
        let mut record = before.clone();
        let result = attempt(&mut record, transition);
        match to {
            Some(to) => {
                assert!(
                    matches!(result, Ok(Some(_))),
                    "{transition:?} from {from:?}: {result:?}"
                );
                assert_eq!(record.review().status, to, "{transition:?} from {from:?}");
                assert_eq!(record.revision(), before.revision() + 1);
            }
            None => {
                let refused = matches!(result, Ok(None) | Err(Rule::NotPossible { .. }));
                assert!(refused, "{transition:?} from {from:?}: {result:?}");
                assert_eq!(record, before, "{transition:?} from {from:?} must change nothing");
            }
        }
    }
}

#[test]
fn opp_030_a_correction_opens_the_next_round_and_clears_the_last_answer() {
    let mut record = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell);
    assert_eq!(record.review().reason, Some(ReviewReason::ClarifyRevenue));
    record
        .submit(
            &member("other"),
            InvolvementType::CoSell,
            Visibility::Full,
            &facts(),
            now(),
        )
        .expect("a submission");
    assert_eq!((record.review().round, record.review().reason), (2, None));
    assert!(record.review().remarks.is_empty());
    assert_eq!(record.submitted_by(), Some(&member("other")));
}

#[test]
fn opp_032_what_was_submitted_once_cannot_be_discarded() {
    let mut record = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
    record.withdraw(&member("creator"), now()).expect("a withdrawal");
    let before = record.clone();
    assert!(matches!(
        record.discard(&member("creator"), now()),
        Err(Rule::WasSubmitted(_))
    ));
    assert_eq!(record, before);
}

#[test]
fn opp_033_an_answer_to_an_earlier_round_changes_nothing() {
    let mut record = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell);
    record
        .submit(
            &member("creator"),
            InvolvementType::CoSell,
            Visibility::Full,
            &facts(),
            now(),
        )
        .expect("round 2");
    let before = record.clone();
    let late = Decision {
        outcome: Outcome::Approved,
        remarks: "".into(),
        fields_to_correct: Vec::new(),
    };
    assert_eq!(record.decided(1, late, now()), None);
    assert_eq!(record.review_started(1, now()), None);
    assert_eq!(record, before);
}
