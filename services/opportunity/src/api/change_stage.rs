use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, convert, status, visible};
use crate::domain::{Field, Opportunity};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::ChangeStageRequest>,
) -> Result<pb::ChangeStageResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &record));
    }
    etags::check(&message.etag, record.revision())?;
    let (given, wrong) = convert::details(&as_record(message));
    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let changed = record.update(&member.id, &selected(message), &given, &facts, api.clock.now());
    if let Some(event) = status::together(wrong, changed, id)? {
        conclude(tx, &call, &record, &event).await?;
    }
    Ok(respond(&api, &record))
}

/// The same as an update of a record that says nothing else.
fn as_record(message: &pb::ChangeStageRequest) -> pb::Opportunity {
    pb::Opportunity {
        customer: Some(pb::Customer {
            account: Some(pb::Account {
                aws_account_id: message.aws_account_id.clone(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        life_cycle: Some(pb::LifeCycle {
            stage: message.stage,
            closed_lost_reason: message.closed_lost_reason,
            target_close_date: message.target_close_date,
            next_steps: message.next_steps.clone(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The reason goes with the stage; the others are changed where they are given.
fn selected(message: &pb::ChangeStageRequest) -> Vec<Field> {
    let mut selected = vec![Field::Stage, Field::ClosedLostReason];
    if message.target_close_date.is_some() {
        selected.push(Field::TargetCloseDate);
    }
    if !message.aws_account_id.is_empty() {
        selected.push(Field::AwsAccountId);
    }
    if !message.next_steps.is_empty() {
        selected.push(Field::NextSteps);
    }
    selected
}

fn respond(api: &Api, record: &Opportunity) -> pb::ChangeStageResponse {
    pb::ChangeStageResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
