use cosell_events::Cause;
use cosell_grpc::mask::{Selection, select};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, Scope, Tx, begin, claim, commit};
use cosell_types::Violation;

use super::Api;
use crate::convert::{Reader, contact, enum_value, insights, related};
use crate::domain::{AwsCustomer, AwsDetails, AwsField, AwsLifeCycle, AwsProject, Opportunity};
use crate::events::{CONTEXT, aws_summary_event_name};
use crate::load::load_approved;
use crate::status::SUMMARY;
use crate::{status, store, view};

/// Does not use [`change`](crate::write::change): the summary is an aggregate of its own with its own revision, which
/// AWS writes in the scope of the partner account.
pub async fn handle(
    api: Api,
    call: Call<pb::UpdateAwsOpportunitySummaryRequest>,
) -> Result<pb::UpdateAwsOpportunitySummaryResponse, Failure> {
    let message = &call.message;
    let mut tx = begin(&api.db, &call).await?;
    let record = load_approved(&mut tx, &call, &message.opportunity_id).await?;
    let claimed = claim_request_id(&mut tx, &call, &record).await?;
    let mut summary = store::load_aws_summary(&mut tx, &record).await?;
    let respond = |summary| pb::UpdateAwsOpportunitySummaryResponse {
        aws_opportunity_summary: Some(view::aws_summary(&call.caller, summary, &record)),
    };
    if claimed != Claim::New {
        return Ok(respond(summary));
    }
    etags::check(&message.etag, summary.revision())?;
    let (details, fields, violations) = selected_details(&call);
    let now = api.clock.now();
    let changed = match summary.update(&fields, &details, &api.policy, now) {
        Ok(changed) if violations.is_empty() => changed,
        result => {
            let violated = result.err().unwrap_or_default().into_iter();
            let violated = violated
                .map(|violation| violation.with_parent(SUMMARY.field))
                .collect();
            return Err(Failure::invalid(status::merge_violations(
                SUMMARY, violations, violated,
            )));
        }
    };
    if !changed.is_empty() {
        store::save_aws_summary(&mut tx, &summary, &changed, Cause::of(&call, now)).await?;
        let event = aws_summary_event_name(&summary, &changed);
        if commit(tx, &call, CONTEXT, &[event]).await? {
            let (id, revision) = (record.id(), summary.revision());
            tracing::info!(opportunity.id = %id, revision, event, "AWS summary changed");
        }
    }
    Ok(respond(summary))
}

/// Claims the request id and switches to the scope of the partner account, to which the AWS summary belongs. The
/// request id of a member is stored with its own account, that of a service, which has no account, with the partner's.
async fn claim_request_id(
    tx: &mut Tx,
    call: &Call<pb::UpdateAwsOpportunitySummaryRequest>,
    record: &Opportunity,
) -> Result<Claim, Failure> {
    let id = &call.message.opportunity_id;
    let account = Scope::account(record.account());
    if call.caller.account().is_none() {
        tx.switch_scope(&account).await?;
        return claim(tx, call, id).await;
    }
    let claimed = claim(tx, call, id).await?;
    tx.switch_scope(&account).await?;
    Ok(claimed)
}

/// The summary of the request, the fields to update, and the violations of both.
fn selected_details(
    call: &Call<pb::UpdateAwsOpportunitySummaryRequest>,
) -> (AwsDetails, Vec<AwsField>, Vec<Violation>) {
    let settable: Vec<_> = AwsField::ALL.iter().map(|field| field.path()).collect();
    let mut reader = Reader::default();
    let details = read_details(
        &mut reader,
        call.message.aws_opportunity_summary.clone().unwrap_or_default(),
    );
    let mut violations = call.form_violations.clone();
    violations.extend(reader.violations);
    let fields = match select(call.message.update_mask.as_ref(), &settable) {
        Ok(Selection::Fields(paths)) => paths.into_iter().filter_map(AwsField::from_path).collect(),
        Ok(Selection::SetFields) => {
            let empty = AwsDetails::default();
            let all = AwsField::ALL.iter().copied();
            all.filter(|field| field.differs(&details, &empty)).collect()
        }
        Err(invalid) => {
            violations.extend(invalid);
            Vec::new()
        }
    };
    (details, fields, violations)
}

/// Reads the summary of the request. Output-only fields are ignored.
fn read_details(reader: &mut Reader, summary: pb::AwsOpportunitySummary) -> AwsDetails {
    let life_cycle = summary.life_cycle.unwrap_or_default();
    let project = summary.project.unwrap_or_default();
    let close_date = life_cycle.target_close_date.as_ref();
    let close_date_path = "aws_opportunity_summary.life_cycle.target_close_date";
    AwsDetails {
        involvement_type: enum_value(summary.involvement_type),
        involvement_type_change_reason: enum_value(summary.involvement_type_change_reason),
        life_cycle: AwsLifeCycle {
            stage: enum_value(life_cycle.stage),
            closed_lost_reason: life_cycle.closed_lost_reason,
            target_close_date: reader.date(close_date, close_date_path),
            next_steps: life_cycle.next_steps.into(),
        },
        opportunity_team: summary.opportunity_team.into_iter().map(contact).collect(),
        customer: AwsCustomer {
            contacts: summary
                .customer
                .unwrap_or_default()
                .contacts
                .into_iter()
                .map(contact)
                .collect(),
        },
        related_entity_identifiers: related(summary.related_entity_identifiers.unwrap_or_default()),
        project: AwsProject {
            expected_customer_spend: reader.spend(project.expected_customer_spend, SUMMARY.field),
            aws_partition: project.aws_partition,
        },
        insights: insights::read(summary.insights.unwrap_or_default()),
        cosell_motion: summary.cosell_motion,
        cosell_motion_reason: summary.cosell_motion_reason.into(),
        strategic: summary.strategic,
        software_revenue: summary
            .software_revenue
            .map(|revenue| insights::read_revenue(reader, &revenue)),
    }
}
