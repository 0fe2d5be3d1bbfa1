//! Deals and leads that AWS has brought (OPP-090, OPP-091).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Violation};

use super::canonical::canonical;
use super::reference::USE_CASE;
use super::values::{InvolvementType, Origin, ReviewStatus, Stage, Visibility};
use super::{AwsDetails, AwsField, AwsSummary, Contact, Details, Event, Facts, Opportunity, Policy, check};

impl Opportunity {
    /// What a partner has of an offer that it accepted, and what is wrong with it: AWS has validated it, and its story
    /// begins anew. The partner has been told that it has the deal, so it has it also when a rule has become stricter since
    /// the offer, or the close date has passed.
    pub fn referred(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        offer: &str,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Event, Vec<Violation>) {
        let (mut record, mut found) = Self::draft(id, account, by.clone(), begun(details), facts, now);
        let (involvement, visibility) = (InvolvementType::CoSell, Visibility::Full);
        found.extend(check::submittable(&record.details, involvement, visibility));
        check::postal_code(&record.details, &mut found);
        record.origin = Origin::AwsReferral;
        record.referral_offer = Some(offer.to_owned());
        record.involvement = Some(involvement);
        record.visibility = Some(visibility);
        record.submitted_by = Some(by);
        record.review.status = ReviewStatus::Approved;
        record.review.submit_time = Some(now);
        (record, Event::Created, found)
    }

    /// The draft that a partner makes of a lead. What a draft needs and nobody knows of the customer yet is not
    /// there, and is the partner's to find out before it submits the record (OPP-091).
    pub fn of_lead(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        lead: &str,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        let mut details = begun(details);
        // A lead says in any words what the customer wants to do, a record in those of the list.
        if !USE_CASE.has(&details.project.customer_use_case) {
            details.project.customer_use_case.clear();
        }
        let (mut record, _) = Self::draft(id, account, by, details, facts, now);
        record.origin = Origin::AwsReferral;
        record.lead = Some(lead.to_owned());
        (record, Event::Created)
    }
}

/// What is wrong with the close date of a deal that is about to be offered.
pub fn check_offer(record: &Opportunity, now: DateTime<Utc>) -> Vec<Violation> {
    let mut found = Vec::new();
    check::new_close_date(record.details(), now.date_naive(), &mut found);
    found
}

/// As the partner gets it: what is only the partner's is not there yet.
fn begun(mut details: Details) -> Details {
    canonical(&mut details);
    details.life_cycle.stage = Stage::Prospect;
    details.life_cycle.closed_lost_reason = None;
    details.partner_opportunity_identifier.clear();
    details.project.related_opportunity_id = None;
    details.related_entity_identifiers = super::RelatedEntityIdentifiers::default();
    details.opportunity_team.clear();
    details.tags.clear();
    details
}

/// What AWS has to say of such a deal: who its people are.
pub fn introduction(
    about: &Opportunity,
    people: Vec<Contact>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(AwsSummary, Vec<AwsField>), Vec<Violation>> {
    let given = AwsDetails {
        opportunity_team: people,
        ..AwsDetails::default()
    };
    let mut summary = AwsSummary::nothing(about);
    let changed = summary.update(&[AwsField::OpportunityTeam], &given, policy, now)?;
    Ok((summary, changed))
}
