use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::r#type::v1::ReviewReason;

use super::{OpportunityEvents, PreparedNotification};
use crate::domain::values::NotificationKind;
use crate::domain::{Contact, TemplateFacts};
use crate::store::RelatedRecords;

/// The title of a sales contact in the opportunity team (NOT-002).
const SALES_CONTACT_TITLE: &str = "PartnerAccountManager";

/// Prepares the notification of a change of the review status or of a reopening. Reads the opportunity at the revision
/// of the event, which does not contain names and texts.
pub async fn prepare(
    handler: &OpportunityEvents,
    delivery: &Delivery,
    kind: NotificationKind,
) -> Result<PreparedNotification, HandlerError> {
    let message = opportunity::GetOpportunityRequest {
        opportunity_id: delivery.aggregate_id.clone(),
        as_of: Some(AsOf::Revision(delivery.version)),
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
    let id = delivery
        .aggregate_id
        .parse()
        .map_err(|_| HandlerError::permanent("the aggregate id is not an opportunity id"))?;

    let mut concerned_members = Vec::new();
    for member in [&record.owner_member_id, &record.created_by, &record.submitted_by] {
        concerned_members.extend(member.parse().ok());
    }
    let contacts = record
        .opportunity_team
        .iter()
        .filter(|contact| contact.business_title == SALES_CONTACT_TITLE)
        .map(|contact| Contact {
            email: contact.email.as_str().into(),
        })
        .collect();
    let mut facts = facts(&record);
    if kind == NotificationKind::OpportunityReopened {
        let reopening = record.life_cycle.and_then(|life_cycle| life_cycle.reopening);
        facts.comments = reopening.map(|reopening| reopening.reason).unwrap_or_default();
    }
    Ok(PreparedNotification {
        kind,
        related: RelatedRecords {
            opportunity: Some(id),
            connection_invitation: None,
        },
        concerned_members,
        contacts,
        reviewer: None,
        facts,
    })
}

fn facts(record: &opportunity::Opportunity) -> TemplateFacts {
    let account = record
        .customer
        .as_ref()
        .and_then(|customer| customer.account.as_ref());
    let life_cycle = record.life_cycle.clone().unwrap_or_default();
    let reason = match life_cycle.review_status_reason() {
        ReviewReason::Unspecified => "",
        ReviewReason::BulkUploadResponse => "Bulk Upload Response",
        ReviewReason::ClarifyRevenue => "Clarify Revenue",
        ReviewReason::ClarifySolution => "Clarify Solution",
        ReviewReason::ForecastConflict => "Forecast Conflict",
        ReviewReason::Other => "Other",
        ReviewReason::OtherInternalReview => "Other - Internal Review",
    };
    TemplateFacts {
        opportunity_id: record.opportunity_id.clone(),
        company: account
            .map(|account| account.company_name.clone())
            .unwrap_or_default(),
        title: record
            .project
            .as_ref()
            .map(|project| project.title.clone())
            .unwrap_or_default(),
        round: life_cycle.review_round,
        reason: reason.to_owned(),
        comments: life_cycle.review_comments,
        ..TemplateFacts::default()
    }
}
