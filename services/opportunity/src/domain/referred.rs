//! Opportunities that AWS referred, and drafts of converted leads (OPP-090, OPP-091).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, MemberId, OpportunityId, Violation};

use super::canonical::canonicalize;
use super::reference::USE_CASE;
use super::values::{InvolvementType, Origin, ReviewStatus, Stage, Visibility};
use super::{AwsDetails, AwsField, AwsSummary, Contact, Details, Event, Facts, Opportunity, Policy, check};

impl Opportunity {
    /// Creates the opportunity of an accepted referral offer, as APPROVED, and returns its violations. The partner's
    /// acceptance was confirmed, so the opportunity is created even if a rule has become stricter since the offer, or
    /// the target close date has passed.
    pub fn from_referral_offer(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        offer: &str,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Event, Vec<Violation>) {
        let details = reset_for_partner(details);
        let (mut record, mut violations) = Self::build_draft(id, account, by.clone(), details, facts, now);
        let (involvement, visibility) = (InvolvementType::CoSell, Visibility::Full);
        violations.extend(check::submittable(&record.details, involvement, visibility));
        check::postal_code(&record.details, &mut violations);
        record.origin = Origin::AwsReferral;
        record.referral_offer = Some(offer.to_owned());
        record.involvement = Some(involvement);
        record.visibility = Some(visibility);
        record.submitted_by = Some(by);
        record.review.status = ReviewStatus::Approved;
        record.review.submit_time = Some(now);
        (record, Event::Created, violations)
    }

    /// Creates the draft of a converted lead. Required fields that the lead does not have stay empty; the partner
    /// completes them before it submits the opportunity (OPP-091).
    pub fn from_lead(
        id: OpportunityId,
        account: AccountId,
        by: MemberId,
        lead: &str,
        details: Details,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        let mut details = reset_for_partner(details);
        // The use case of a lead is free text; that of an opportunity is a standard value.
        if !USE_CASE.has(&details.project.customer_use_case) {
            details.project.customer_use_case.clear();
        }
        let (mut record, _) = Self::build_draft(id, account, by, details, facts, now);
        record.origin = Origin::AwsReferral;
        record.lead = Some(lead.to_owned());
        (record, Event::Created)
    }
}

/// Checks what an opportunity must state when it is offered, besides what its acceptance checks: a target close date to
/// come, and the answer for a Government customer, which nobody asks for after the acceptance (OPP-017).
pub fn check_referral_offer(record: &Opportunity, now: DateTime<Utc>) -> Vec<Violation> {
    let mut violations = Vec::new();
    check::new_close_date(record.details(), now.date_naive(), &mut violations);
    check::government_answer(record.details(), &mut violations);
    violations
}

/// Clears the fields that only the receiving partner sets.
fn reset_for_partner(mut details: Details) -> Details {
    canonicalize(&mut details);
    details.life_cycle.stage = Stage::Prospect;
    details.life_cycle.closed_lost_reason = None;
    details.partner_opportunity_identifier.clear();
    details.project.related_opportunity_id = None;
    details.related_entity_identifiers = super::RelatedEntityIdentifiers::default();
    details.opportunity_team.clear();
    details.tags.clear();
    details
}

/// The AWS summary of a referred opportunity, with AWS's contacts as its opportunity team, and the fields that it sets.
pub fn initial_aws_summary(
    record: &Opportunity,
    aws_contacts: Vec<Contact>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(AwsSummary, Vec<AwsField>), Vec<Violation>> {
    let input = AwsDetails {
        opportunity_team: aws_contacts,
        ..AwsDetails::default()
    };
    let mut summary = AwsSummary::empty(record);
    let changed = summary.update(&[AwsField::OpportunityTeam], &input, policy, now)?;
    Ok((summary, changed))
}
