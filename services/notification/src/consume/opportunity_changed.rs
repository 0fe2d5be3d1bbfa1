use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::r#type::v1::ReviewReason;

use super::{FromOpportunity, News};
use crate::domain::values::Kind;
use crate::domain::{Contact, Facts};
use crate::store::About;

/// The title that makes a person of the opportunity team a sales contact of the partner.
const SALES_CONTACT: &str = "PartnerAccountManager";

/// Names and texts are not in the event; they are read where they are kept, as they were at the event's revision.
pub async fn prepare(handler: &FromOpportunity, delivery: &Delivery, kind: Kind) -> Result<News, Fault> {
    let question = opportunity::GetOpportunityRequest {
        opportunity_id: delivery.aggregate_id.clone(),
        as_of: Some(AsOf::Revision(delivery.version)),
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
    let id = delivery
        .aggregate_id
        .parse()
        .map_err(|_| Fault::permanent("the aggregate is no opportunity"))?;

    let mut own_of = Vec::new();
    for member in [&record.owner_member_id, &record.created_by, &record.submitted_by] {
        own_of.extend(member.parse().ok());
    }
    let contacts = record
        .opportunity_team
        .iter()
        .filter(|person| person.business_title == SALES_CONTACT)
        .map(|person| Contact {
            email: person.email.as_str().into(),
        })
        .collect();
    let mut facts = facts(&record);
    if kind == Kind::OpportunityReopened {
        let reopening = record.life_cycle.and_then(|life_cycle| life_cycle.reopening);
        facts.remarks = reopening.map(|reopening| reopening.reason).unwrap_or_default();
    }
    Ok(News {
        kind,
        about: About {
            opportunity: Some(id),
            invitation: None,
        },
        own_of,
        contacts,
        reviewer: None,
        facts,
    })
}

fn facts(record: &opportunity::Opportunity) -> Facts {
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
    Facts {
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
        remarks: life_cycle.review_comments,
        ..Facts::default()
    }
}
