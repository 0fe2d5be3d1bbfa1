use cosell_events::Cause;
use cosell_grpc::mask::{Selection, select};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_telemetry::metrics;
use cosell_types::Violation;
use opentelemetry::KeyValue;

use super::convert::{Reader, contact, member, related};
use super::get_aws_summary::shown;
use super::{Api, SUMMARY, approved, convert_insights, status};
use crate::domain::{AwsCustomer, AwsDetails, AwsField, AwsLifeCycle, AwsProject, Opportunity};
use crate::events::{AWS_SUMMARY_CHANGED, CONTEXT};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateAwsOpportunitySummaryRequest>,
) -> Result<pb::UpdateAwsOpportunitySummaryResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let about = approved(&mut tx, &call, &message.opportunity_id).await?;
    let claimed = claim_for(&mut tx, &call, &about).await?;
    let mut summary = store::aws_summary(&mut tx, &about).await?;
    let respond = |summary| pb::UpdateAwsOpportunitySummaryResponse {
        aws_opportunity_summary: Some(shown(&call.caller, summary, &about)),
    };
    if claimed != Claim::New {
        return Ok(respond(summary));
    }
    etags::check(&message.etag, summary.revision())?;
    let (given, selected, wrong) = selection(&call);
    let now = api.clock.now();
    let changed = match summary.update(&selected, &given, &api.policy, now) {
        Ok(changed) if wrong.is_empty() => changed,
        refused => {
            let found = refused.err().unwrap_or_default().into_iter();
            let found = found.map(|violation| violation.under(SUMMARY.field)).collect();
            return Err(Failure::invalid(status::merged(SUMMARY, wrong, found)));
        }
    };
    if changed.is_empty() {
        return Ok(respond(summary));
    }
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: now,
    };
    store::save_aws_summary(&mut tx, &summary, &changed, cause).await?;
    if !message.validate_only {
        tx.commit().await?;
        let transition = format!("{CONTEXT}.{AWS_SUMMARY_CHANGED}");
        metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", transition)]);
        tracing::info!(opportunity.id = %about.id(), revision = summary.revision(), "opportunity {AWS_SUMMARY_CHANGED}");
    }
    Ok(respond(summary))
}

/// Claims the request's id, and goes on for the account of the opportunity, to which its AWS summary belongs. An id of
/// a member is kept with its own account, as everywhere; a service has none, so its id is kept with the opportunity's.
async fn claim_for(
    tx: &mut Tx,
    call: &Call<pb::UpdateAwsOpportunitySummaryRequest>,
    about: &Opportunity,
) -> Result<Claim, Failure> {
    let id = &call.message.opportunity_id;
    let account = Scope::account(about.account());
    if call.caller.account().is_none() {
        tx.act_for(&account).await?;
        return claim(tx, call, id).await;
    }
    let claimed = claim(tx, call, id).await?;
    tx.act_for(&account).await?;
    Ok(claimed)
}

/// What is given, which of it counts, and what is wrong with either.
fn selection(
    call: &Call<pb::UpdateAwsOpportunitySummaryRequest>,
) -> (AwsDetails, Vec<AwsField>, Vec<Violation>) {
    let settable: Vec<_> = AwsField::ALL.iter().map(|field| field.path()).collect();
    let mut reader = Reader::default();
    let given = details(
        &mut reader,
        call.message.aws_opportunity_summary.clone().unwrap_or_default(),
    );
    let mut wrong = call.shape.clone();
    wrong.extend(reader.found);
    let selected = match select(call.message.update_mask.as_ref(), &settable) {
        Ok(Selection::Fields(paths)) => paths.into_iter().filter_map(AwsField::from_path).collect(),
        Ok(Selection::Given) => {
            let nothing = AwsDetails::default();
            let given = AwsField::ALL
                .iter()
                .filter(|field| field.differs(&given, &nothing));
            given.copied().collect()
        }
        Err(found) => {
            wrong.extend(found);
            Vec::new()
        }
    };
    (given, selected, wrong)
}

/// What AWS says about a deal. Output-only fields are passed over.
fn details(reader: &mut Reader, given: pb::AwsOpportunitySummary) -> AwsDetails {
    let life_cycle = given.life_cycle.unwrap_or_default();
    let project = given.project.unwrap_or_default();
    let close_date = life_cycle.target_close_date.as_ref();
    let at = "aws_opportunity_summary.life_cycle.target_close_date";
    AwsDetails {
        involvement_type: member(given.involvement_type),
        involvement_type_change_reason: member(given.involvement_type_change_reason),
        life_cycle: AwsLifeCycle {
            stage: member(life_cycle.stage),
            closed_lost_reason: life_cycle.closed_lost_reason,
            target_close_date: reader.date(close_date, at),
            next_steps: life_cycle.next_steps.into(),
        },
        opportunity_team: given.opportunity_team.into_iter().map(contact).collect(),
        customer: AwsCustomer {
            contacts: given
                .customer
                .unwrap_or_default()
                .contacts
                .into_iter()
                .map(contact)
                .collect(),
        },
        related_entity_identifiers: related(given.related_entity_identifiers.unwrap_or_default()),
        project: AwsProject {
            expected_customer_spend: reader.spend(project.expected_customer_spend, SUMMARY.field),
            aws_partition: project.aws_partition,
        },
        insights: convert_insights::read(given.insights.unwrap_or_default()),
        cosell_motion: given.cosell_motion,
        cosell_motion_reason: given.cosell_motion_reason.into(),
        strategic: given.strategic,
        software_revenue: given
            .software_revenue
            .map(|given| convert_insights::read_revenue(reader, &given)),
    }
}
