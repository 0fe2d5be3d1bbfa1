//! Converts review cases from the domain to messages.

use cosell_grpc::Failure;
use cosell_grpc::convert::{date, timestamp};
use cosell_proto::cosell::review::v1 as pb;
use cosell_types::ClosedList as _;
use prost::Message as _;

use crate::domain::{ReviewCase, Round};

/// The case as in lists: without its rounds.
pub fn case_without_rounds(case: &ReviewCase) -> pb::ReviewCase {
    let summary = case.summary();
    pb::ReviewCase {
        review_case_id: case.id().to_string(),
        opportunity_id: case.opportunity().to_string(),
        account_id: case.account().to_string(),
        etag: cosell_grpc::etags::of(case.revision()),
        revision: case.revision(),
        state: case.state().number(),
        round: case.round(),
        assignee_member_id: case.assignee().map(ToString::to_string).unwrap_or_default(),
        create_time: Some(timestamp(case.create_time())),
        update_time: Some(timestamp(case.update_time())),
        submit_time: Some(timestamp(case.submit_time())),
        customer_company_name: summary.company_name.reveal().clone(),
        project_title: summary.title.reveal().clone(),
        target_close_date: summary.target_close_date.map(date),
        involvement_type: summary.involvement_type,
        rounds: Vec::new(),
    }
}

/// The case with its rounds. `snapshots` has the encoded opportunity of each round by its number.
pub fn case_with_rounds(case: &ReviewCase, snapshots: &[(i32, Vec<u8>)]) -> Result<pb::ReviewCase, Failure> {
    let mut message = case_without_rounds(case);
    for round in case.rounds() {
        message.rounds.push(review_round(round, snapshots)?);
    }
    Ok(message)
}

fn review_round(round: &Round, snapshots: &[(i32, Vec<u8>)]) -> Result<pb::ReviewRound, Failure> {
    let opportunity = snapshots
        .iter()
        .find(|(number, _)| *number == round.number)
        .map(|(_, bytes)| cosell_proto::cosell::opportunity::v1::Opportunity::decode(bytes.as_slice()))
        .transpose()
        .map_err(Failure::internal)?;
    let outcome = round.outcome.as_ref();
    Ok(pb::ReviewRound {
        round: round.number,
        submit_time: Some(timestamp(round.submit_time)),
        opportunity,
        start_time: round.start_time.map(timestamp),
        decision: outcome.map_or(0, |outcome| outcome.decision.number()),
        reason: outcome
            .and_then(|outcome| outcome.reason)
            .map_or(0, |reason| reason.number()),
        review_comments: outcome
            .map(|outcome| outcome.review_comments.reveal().clone())
            .unwrap_or_default(),
        decided_by: outcome
            .map(|outcome| outcome.decided_by.to_string())
            .unwrap_or_default(),
        decide_time: outcome.map(|outcome| timestamp(outcome.decide_time)),
        withdraw_time: round.withdraw_time.map(timestamp),
        fields_to_correct: outcome
            .map(|outcome| outcome.fields_to_correct.clone())
            .unwrap_or_default(),
    })
}
