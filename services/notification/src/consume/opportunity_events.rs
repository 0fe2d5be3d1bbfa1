use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_types::MemberId;

use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{Contact, RecordRef, ReviewFacts, TemplateFacts, field_labels};

/// The title of a sales contact in the opportunity team (NOT-002).
const SALES_CONTACT_TITLE: &str = "PartnerAccountManager";

/// Prepares the notification of a change of the review status or of a reopening. Reads the opportunity at the revision
/// of the event, which does not contain names and texts.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
    kind: NotificationKind,
) -> Result<PreparedNotification, HandlerError> {
    let id = delivery
        .aggregate_id
        .parse()
        .map_err(|_| HandlerError::permanent("the aggregate id is not an opportunity id"))?;
    let record = dependencies
        .peers
        .find_revision(&delivery.aggregate_id, delivery.version)
        .await?
        .ok_or_else(|| HandlerError::Bug("the revision of the event does not exist".to_owned()))?;
    let mut review = review_facts(&record);
    if kind == NotificationKind::OpportunityReopened {
        let life_cycle = record.life_cycle.as_ref();
        let reopening = life_cycle.and_then(|life_cycle| life_cycle.reopening.as_ref());
        review.reason = reopening
            .map(|reopening| reopening.reason.clone())
            .unwrap_or_default();
    }
    let facts = TemplateFacts {
        records: vec![RecordRef::Opportunity(delivery.aggregate_id.clone())],
        project: convert::project(&record),
        review,
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: concerned_members(&record),
        contacts: sales_contacts(&record),
        ..PreparedNotification::of_opportunity(kind, Some(id), facts)
    })
}

/// The members whose own opportunity it is (ACC-011).
pub fn concerned_members(record: &opportunity::Opportunity) -> Vec<MemberId> {
    [&record.owner_member_id, &record.created_by, &record.submitted_by]
        .into_iter()
        .filter_map(|member| member.parse().ok())
        .collect()
}

/// The contacts that receive e-mail about the opportunity (NOT-002).
pub fn sales_contacts(record: &opportunity::Opportunity) -> Vec<Contact> {
    record
        .opportunity_team
        .iter()
        .filter(|contact| contact.business_title == SALES_CONTACT_TITLE)
        .map(|contact| Contact {
            email: contact.email.as_str().into(),
        })
        .collect()
}

fn review_facts(record: &opportunity::Opportunity) -> ReviewFacts {
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
    ReviewFacts {
        partner: String::new(),
        round: life_cycle.review_round,
        reason: reason.to_owned(),
        comments: life_cycle.review_comments,
        correctable_fields: field_labels(&life_cycle.correctable_fields),
    }
}
