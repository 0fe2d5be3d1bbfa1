//! The data of an opportunity that an engagement shares: its first context, the content of invitations, and the summary
//! in snapshots.

use cosell_grpc::convert::day;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_invitation;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::comparable_email;

use crate::domain::values::EngagementMemberState;
use crate::domain::{AccountProfile, Engagement, EngagementContext, SharingFacts};

/// The part of an invitation's content that the sender states in its request.
#[derive(Clone, Copy)]
pub struct SenderContent<'a> {
    pub message: &'a str,
    pub contacts: &'a [opportunity::Contact],
    /// The responsibilities of the receiver.
    pub responsibilities: &'a [i32],
}

/// The fields of an invitation that its receiver can read before it accepts. The only place that selects them
/// (COL-011).
pub fn invitation_content(
    engagement: &Engagement,
    record: &opportunity::Opportunity,
    sender_content: SenderContent<'_>,
) -> pb::EngagementInvitation {
    let project = record.project.clone().unwrap_or_default();
    let sender = engagement.participant(engagement.account());
    let context = context_from_opportunity(record);
    let shared_contact = |contact: &opportunity::Contact| opportunity::Contact {
        email: comparable_email(&contact.email),
        phone: String::new(),
        ..contact.clone()
    };
    pb::EngagementInvitation {
        message: sender_content.message.to_owned(),
        engagement_title: engagement.title().reveal().clone(),
        engagement_description: engagement.description().reveal().clone(),
        sender_company_name: sender
            .map(|sender| sender.profile.name.reveal().clone())
            .unwrap_or_default(),
        existing_members: engagement
            .participants()
            .iter()
            .filter(|participant| participant.state == EngagementMemberState::Active)
            .map(|participant| pb::ExistingMember {
                company_name: participant.profile.name.reveal().clone(),
                website_url: participant.profile.website.reveal().clone(),
            })
            .collect(),
        payload: Some(engagement_invitation::Payload::OpportunityInvitation(
            pb::OpportunityInvitation {
                sender_contacts: sender_content.contacts.iter().map(shared_contact).collect(),
                receiver_responsibilities: sender_content.responsibilities.to_vec(),
                customer: Some(pb::EngagementCustomer {
                    company_name: context.company_name.reveal().clone(),
                    industry: context.industry,
                    website_url: context.website_url.reveal().clone(),
                    country_code: context.country_code,
                }),
                project: Some(pb::OpportunityInvitationProject {
                    title: project.title,
                    business_problem: project.customer_business_problem,
                    customer_use_case: project.customer_use_case,
                    expected_customer_spend: project
                        .expected_customer_spend
                        .into_iter()
                        .filter_map(aws_spend)
                        .collect(),
                    target_completion_date: record
                        .life_cycle
                        .as_ref()
                        .and_then(|life_cycle| life_cycle.target_close_date),
                }),
            },
        )),
        ..Default::default()
    }
}

/// An entry of the expected spend with AWS, without its estimation URL. `None` for spend with other companies, and for
/// an entry without an amount.
fn aws_spend(entry: opportunity::ExpectedCustomerSpend) -> Option<opportunity::ExpectedCustomerSpend> {
    let company = entry.target_company.trim();
    let is_of_aws = company.is_empty() || company.eq_ignore_ascii_case("AWS");
    (is_of_aws && entry.amount.is_some()).then(|| opportunity::ExpectedCustomerSpend {
        estimation_url: String::new(),
        ..entry
    })
}

/// The first context of an engagement, from the shared opportunity (COL-030).
pub fn context_from_opportunity(record: &opportunity::Opportunity) -> EngagementContext {
    let account = record
        .customer
        .clone()
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let project = record.project.clone().unwrap_or_default();
    let close_date = record
        .life_cycle
        .as_ref()
        .and_then(|life_cycle| life_cycle.target_close_date);
    EngagementContext {
        id: String::new(),
        company_name: account.company_name.into(),
        industry: account.industry,
        website_url: account.website_url.into(),
        country_code: account.address.unwrap_or_default().country_code,
        title: project.title.into(),
        business_problem: project.customer_business_problem.into(),
        target_completion_date: close_date.as_ref().and_then(day),
    }
}

/// The facts that decide whether the opportunity can be shared (COL-001).
pub fn sharing_facts(record: &opportunity::Opportunity) -> SharingFacts {
    let life_cycle = record.life_cycle.clone().unwrap_or_default();
    SharingFacts {
        has_shareable_review_status: matches!(
            life_cycle.review_status(),
            ReviewStatus::Submitted | ReviewStatus::InReview | ReviewStatus::Approved
        ),
        is_open: !matches!(
            life_cycle.stage(),
            opportunity::Stage::Launched | opportunity::Stage::ClosedLost
        ),
        is_national_security: record.national_security(),
        is_shared_copy: !record.engagement_invitation_id.is_empty(),
    }
}

/// Whether the opportunity is hidden from AWS sales roles (COL-050).
pub fn is_limited(record: &opportunity::Opportunity) -> bool {
    record.visibility() != opportunity::Visibility::Full
}

/// Whether the opportunity is not a draft.
pub fn is_submitted(record: &opportunity::Opportunity) -> bool {
    let status = record
        .life_cycle
        .as_ref()
        .map_or(ReviewStatus::Unspecified, |life_cycle| life_cycle.review_status());
    status != ReviewStatus::PendingSubmission
}

/// The fields of an opportunity that all members of an engagement can read. The only place that selects them (COL-040).
pub fn opportunity_summary(record: opportunity::Opportunity) -> opportunity::Opportunity {
    let account = record
        .customer
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let project = record.project.unwrap_or_default();
    let life_cycle = record.life_cycle.unwrap_or_default();
    opportunity::Opportunity {
        opportunity_id: record.opportunity_id,
        account_id: record.account_id,
        opportunity_type: record.opportunity_type,
        primary_needs_from_aws: record.primary_needs_from_aws,
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                aws_account_id: String::new(),
                duns: String::new(),
                ..account
            }),
            contacts: Vec::new(),
        }),
        project: Some(opportunity::Project {
            title: project.title,
            customer_business_problem: project.customer_business_problem,
            customer_use_case: project.customer_use_case,
            delivery_models: project.delivery_models,
            sales_activities: project.sales_activities,
            expected_customer_spend: project.expected_customer_spend,
            expected_contract_duration: project.expected_contract_duration,
            other_solution_description: project.other_solution_description,
            ..Default::default()
        }),
        life_cycle: Some(opportunity::LifeCycle {
            stage: life_cycle.stage,
            target_close_date: life_cycle.target_close_date,
            review_status: life_cycle.review_status,
            next_steps: life_cycle.next_steps,
            ..Default::default()
        }),
        opportunity_team: record.opportunity_team,
        related_entity_identifiers: record.related_entity_identifiers,
        ..Default::default()
    }
}

/// The public name and website of an account.
pub fn account_profile(account: &cosell_proto::cosell::partner::v1::Account) -> AccountProfile {
    let profile = account.profile.as_ref();
    let name = match profile.map(|profile| profile.display_name.as_str()) {
        Some(name) if !name.is_empty() => name,
        _ if account.display_name.is_empty() => account.legal_name.as_str(),
        _ => account.display_name.as_str(),
    };
    AccountProfile {
        name: name.into(),
        website: profile
            .map(|profile| profile.website_url.as_str())
            .unwrap_or_default()
            .into(),
    }
}
