//! The review status transition table (OPP-030), resubmission, discarding (OPP-032) and late decisions (OPP-033).

use cosell_types::ClosedList as _;

use super::fixtures::{facts, in_status, member, now};
use super::values::{InvolvementType, ReviewReason, ReviewStatus, Visibility};
use super::{Decision, Event, Opportunity, ReviewOutcome, Rule, Transition};

/// The resulting status by current status (row) and transition (column); `-` is an illegal transition.
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
        let mut cells_of_row = row.split_whitespace();
        let from = cells_of_row
            .next()
            .and_then(ReviewStatus::from_name)
            .expect("a status");
        for (transition, cell) in Transition::ALL.into_iter().zip(cells_of_row) {
            let to = (cell != "-").then(|| ReviewStatus::from_name(cell).expect("a status"));
            cells.push((from, transition, to));
        }
    }
    cells
}

/// Applies a transition to the record. Review events that arrive too late are ignored without an error.
fn apply(record: &mut Opportunity, transition: Transition) -> Result<Option<Event>, Rule> {
    let actor = member("creator");
    let decision = |outcome| Decision {
        outcome,
        remarks: "Remarks.".into(),
        fields_to_correct: Vec::new(),
    };
    match transition {
        Transition::Submit => record
            .submit(&actor, InvolvementType::CoSell, Visibility::Full, &facts(), now())
            .map(Some),
        Transition::Withdraw => record.withdraw(&actor, now()).map(Some),
        Transition::Discard => record.discard(&actor, now()).map(Some),
        Transition::StartReview => Ok(record.start_review(1, now())),
        Transition::Approve => Ok(record.apply_decision(1, decision(ReviewOutcome::Approved), now())),
        Transition::RequireAction => Ok(record.apply_decision(
            1,
            decision(ReviewOutcome::ActionRequired(ReviewReason::Other)),
            now(),
        )),
        Transition::Reject => {
            Ok(record.apply_decision(1, decision(ReviewOutcome::Rejected(ReviewReason::Other)), now()))
        }
    }
}

#[test]
fn opp_030_review_status_transitions_match_the_table() {
    let cells = cells();
    assert_eq!(cells.len(), ReviewStatus::ALL.len() * Transition::ALL.len());
    for (from, transition, to) in cells {
        assert_eq!(transition.next_status(from), to, "{transition:?} from {from:?}");
        let before = in_status(from, InvolvementType::CoSell);
        let mut record = before.clone();
        let result = apply(&mut record, transition);
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
                let refused = matches!(result, Ok(None) | Err(Rule::ActionNotAllowed { .. }));
                assert!(refused, "{transition:?} from {from:?}: {result:?}");
                assert_eq!(record, before, "{transition:?} from {from:?} must change nothing");
            }
        }
    }
}

#[test]
fn opp_030_resubmission_opens_next_round_and_clears_last_decision() {
    let mut record = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell);
    assert_eq!(record.review().reason, Some(ReviewReason::Other));
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
fn opp_032_previously_submitted_draft_cannot_be_discarded() {
    let mut record = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
    record.withdraw(&member("creator"), now()).expect("a withdrawal");
    let before = record.clone();
    assert!(matches!(
        record.discard(&member("creator"), now()),
        Err(Rule::AlreadySubmitted(_))
    ));
    assert_eq!(record, before);
}

#[test]
fn opp_033_decision_on_earlier_round_is_ignored() {
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
    let late_decision = Decision {
        outcome: ReviewOutcome::Approved,
        remarks: "".into(),
        fields_to_correct: Vec::new(),
    };
    assert_eq!(record.apply_decision(1, late_decision, now()), None);
    assert_eq!(record.start_review(1, now()), None);
    assert_eq!(record, before);
}
