use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::domain::{Field, field_warnings};
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::ChangeStageRequest>,
) -> Result<pb::ChangeStageResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let selected = selected_fields(message);
    let mut warnings = Vec::new();
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let (details, violations) = convert::details(&to_opportunity(message));
        let facts = store::load_facts(tx, &api.policy, record.account(), &[record.details()]).await?;
        let changed = record.update(&member.id, &selected, &details, &facts, api.clock.now());
        let event = status::ok_or_violations(violations, changed, id)?;
        warnings.extend(field_warnings::on_closing(event.as_ref(), &selected));
        Ok(event)
    })
    .await?;
    Ok(pb::ChangeStageResponse {
        warnings: convert::warnings(warnings),
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}

/// Converts the request to an opportunity with these fields only.
fn to_opportunity(message: &pb::ChangeStageRequest) -> pb::Opportunity {
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

/// The fields to update. The closed lost reason always changes with the stage, the others only if the request has them.
fn selected_fields(message: &pb::ChangeStageRequest) -> Vec<Field> {
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
