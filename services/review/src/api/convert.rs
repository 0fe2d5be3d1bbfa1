//! Between the interface and the domain.

use cosell_grpc::Failure;
use cosell_grpc::convert::{date, timestamp};
use cosell_proto::cosell::review::v1 as pb;
use cosell_types::ClosedList as _;
use prost::Message as _;

use crate::domain::{ReviewCase, Round};

/// The case as lists show it.
pub fn summary(case: &ReviewCase) -> pb::ReviewCase {
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

/// The case with its rounds and what was submitted in each.
pub fn whole(case: &ReviewCase, snapshots: &[(i32, Vec<u8>)]) -> Result<pb::ReviewCase, Failure> {
    let mut shown = summary(case);
    for round in case.rounds() {
        shown.rounds.push(show_round(round, snapshots)?);
    }
    Ok(shown)
}

fn show_round(round: &Round, snapshots: &[(i32, Vec<u8>)]) -> Result<pb::ReviewRound, Failure> {
    let opportunity = snapshots
        .iter()
        .find(|(number, _)| *number == round.number)
        .map(|(_, bytes)| cosell_proto::cosell::opportunity::v1::Opportunity::decode(bytes.as_slice()))
        .transpose()
        .map_err(Failure::internal)?;
    let ruling = round.ruling.as_ref();
    Ok(pb::ReviewRound {
        round: round.number,
        submit_time: Some(timestamp(round.submit_time)),
        opportunity,
        start_time: round.start_time.map(timestamp),
        decision: ruling.map_or(0, |ruling| ruling.decision.number()),
        reason: ruling
            .and_then(|ruling| ruling.reason)
            .map_or(0, |reason| reason.number()),
        review_comments: ruling
            .map(|ruling| ruling.remarks.reveal().clone())
            .unwrap_or_default(),
        decided_by: ruling.map(|ruling| ruling.by.to_string()).unwrap_or_default(),
        decide_time: ruling.map(|ruling| timestamp(ruling.time)),
        withdraw_time: round.withdraw_time.map(timestamp),
        fields_to_correct: ruling
            .map(|ruling| ruling.fields_to_correct.clone())
            .unwrap_or_default(),
    })
}
