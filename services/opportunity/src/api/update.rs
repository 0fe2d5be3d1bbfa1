use cosell_grpc::mask::{Selection, select};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::Violation;

use super::{Api, conclude, convert, status, visible};
use crate::domain::{Advice, Details, Field, Opportunity, advice};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateOpportunityRequest>,
) -> Result<pb::UpdateOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &record, Vec::new()));
    }
    etags::check(&message.etag, record.revision())?;
    let (given, selected, wrong) = selection(&call);
    let facts = store::facts(
        &mut tx,
        &api.policy,
        record.account(),
        &[&given, record.details()],
    )
    .await?;
    let updated = record.update(&member.id, &selected, &given, &facts, api.clock.now());
    let event = status::together(wrong, updated, id)?;
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    let hints = advice::on_change(&given, record.details());
    let hints = hints
        .into_iter()
        .filter(|hint| selected.iter().any(|field| hint.is_about(*field)));
    Ok(respond(&api, &record, hints.collect()))
}

/// What is given, which of it counts, and what is wrong with either.
fn selection(call: &Call<pb::UpdateOpportunityRequest>) -> (Details, Vec<Field>, Vec<Violation>) {
    let settable: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    let (given, found) = convert::details(&call.message.opportunity.clone().unwrap_or_default());
    let mut wrong = call.shape.clone();
    wrong.extend(found);
    let selected = match select(call.message.update_mask.as_ref(), &settable) {
        Ok(Selection::Fields(paths)) => paths.into_iter().filter_map(Field::from_path).collect(),
        Ok(Selection::Given) => {
            let nothing = Details::default();
            Field::ALL
                .iter()
                .copied()
                .filter(|field| field.differs(&given, &nothing))
                .collect()
        }
        Err(found) => {
            wrong.extend(found);
            Vec::new()
        }
    };
    (given, selected, wrong)
}

fn respond(api: &Api, record: &Opportunity, hints: Vec<Advice>) -> pb::UpdateOpportunityResponse {
    pb::UpdateOpportunityResponse {
        warnings: convert::warnings(hints),
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
