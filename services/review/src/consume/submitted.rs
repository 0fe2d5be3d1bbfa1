use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_grpc::convert::day;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId, random};
use prost::Message as _;

use super::{Change, FromOpportunity};
use crate::domain::{CaseId, ReviewCase, Summary};
use crate::store;

/// What was submitted.
pub struct Submission {
    opportunity: OpportunityId,
    round: i32,
    summary: Summary,
    snapshot: Vec<u8>,
}

/// What was submitted is not in the event, because it names people; it is read where it is kept, as it was then.
pub async fn prepare(handler: &FromOpportunity, delivery: &Delivery) -> Result<Change, Fault> {
    let event: opportunity::OpportunitySubmitted = delivery.message()?;
    let id: OpportunityId = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let question = opportunity::GetOpportunityRequest {
        opportunity_id: event.opportunity_id,
        as_of: Some(AsOf::Revision(event.revision)),
    };
    let request = handler.opportunity.request(question)?;
    let answer = OpportunityServiceClient::new(handler.opportunity.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_opportunity(request)
        .await;
    let answer = answer.map_err(|status| Fault::from_status(&status))?.into_inner();
    let record = answer
        .opportunity
        .ok_or_else(|| Fault::Bug("the answer holds no opportunity".to_owned()))?;
    Ok(Change::Submitted(Box::new(Submission {
        opportunity: id,
        round: event.round,
        summary: summary(&record),
        snapshot: record.encode_to_vec(),
    })))
}

fn summary(record: &opportunity::Opportunity) -> Summary {
    let account = record
        .customer
        .as_ref()
        .and_then(|customer| customer.account.as_ref());
    let close_date = record
        .life_cycle
        .as_ref()
        .and_then(|life_cycle| life_cycle.target_close_date);
    Summary {
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
) -> Result<(), Fault> {
    let now = clock.now();
    let existing = store::load_of_opportunity(tx, &delivery.account, submission.opportunity).await?;
    let (case, event) = match existing {
        Some(mut case) => {
            let opened = case.open_round(submission.round, delivery.time, submission.summary, now);
            let event = opened.map_err(|rule| Fault::permanent(rule.to_string()))?;
            (case, event)
        }
        None => {
            let id: CaseId = random::prefixed("rc-")
                .parse()
                .map_err(|_| Fault::Bug("an id".to_owned()))?;
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
