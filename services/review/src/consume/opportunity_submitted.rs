use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_grpc::convert::day;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId, random};
use prost::Message as _;

use super::{CaseChange, OpportunityEvents};
use crate::domain::{CaseId, ReviewCase, SubmissionSummary};
use crate::store;

/// A submitted opportunity.
pub struct Submission {
    opportunity: OpportunityId,
    round: i32,
    summary: SubmissionSummary,
    /// The encoded opportunity, as it was submitted.
    snapshot: Vec<u8>,
}

/// Reads the opportunity at the revision of the event. The event does not contain it, because it has personal data.
pub async fn prepare(handler: &OpportunityEvents, delivery: &Delivery) -> Result<CaseChange, HandlerError> {
    let event: opportunity::OpportunitySubmitted = delivery.message()?;
    let id: OpportunityId = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let message = opportunity::GetOpportunityRequest {
        opportunity_id: event.opportunity_id,
        as_of: Some(AsOf::Revision(event.revision)),
    };
    let request = handler.opportunity.request(message)?;
    let response = OpportunityServiceClient::new(handler.opportunity.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_opportunity(request)
        .await;
    let response = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner();
    let record = response
        .opportunity
        .ok_or_else(|| HandlerError::Bug("the response has no opportunity".to_owned()))?;
    Ok(CaseChange::Submitted(Box::new(Submission {
        opportunity: id,
        round: event.round,
        summary: summarize(&record),
        snapshot: record.encode_to_vec(),
    })))
}

fn summarize(record: &opportunity::Opportunity) -> SubmissionSummary {
    let account = record
        .customer
        .as_ref()
        .and_then(|customer| customer.account.as_ref());
    let close_date = record
        .life_cycle
        .as_ref()
        .and_then(|life_cycle| life_cycle.target_close_date);
    SubmissionSummary {
        company_name: account
            .map(|account| account.company_name.clone())
            .unwrap_or_default()
            .into(),
        title: record
            .project
            .as_ref()
            .map(|project| project.title.clone())
            .unwrap_or_default()
            .into(),
        target_close_date: close_date.as_ref().and_then(day),
        involvement_type: record.involvement_type,
    }
}

pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    submission: Submission,
) -> Result<(), HandlerError> {
    let now = clock.now();
    let existing = store::load_case_of_opportunity(tx, &delivery.account, submission.opportunity).await?;
    let (case, event) = match existing {
        Some(mut case) => {
            let opened = case.open_round(submission.round, delivery.time, submission.summary, now);
            let event = opened.map_err(|rule| HandlerError::permanent(rule.to_string()))?;
            (case, event)
        }
        None => {
            let id: CaseId = random::prefixed("rc-")
                .parse()
                .map_err(|_| HandlerError::Bug("the generated review case id is invalid".to_owned()))?;
            let account = delivery.account.clone();
            let Submission {
                opportunity,
                round,
                summary,
                ..
            } = submission;
            ReviewCase::open(id, opportunity, account, round, delivery.time, summary, now)
        }
    };
    Ok(store::save_round(tx, &case, &submission.snapshot, &event, delivery.cause(now)).await?)
}
