//! Between the interface and the domain.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::{date, day, timestamp};
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_context::Payload;
use cosell_proto::cosell::collaboration::v1::engagement_invitation;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::{PayloadType, ReviewStatus};
use cosell_types::standard::{COUNTRY, INDUSTRY};
use cosell_types::{ClosedList as _, FieldPath, Member, ParticipantType, Side, Violation, ViolationCode};
use prost::Message as _;

use crate::domain::values::{EngagementInvitationState, EngagementMemberState};
use crate::domain::{
    Company, Context, Engagement, Invitation, Participant, Shareable, Snapshot, SnapshotJob,
};

/// The engagement as the member sees it.
pub fn engagement(engagement: &Engagement, member: &Member) -> pb::Engagement {
    let own = match member.side {
        Side::Aws => Some(engagement.opportunity()),
        Side::Partner => engagement
            .participant(&member.account)
            .and_then(|own| own.opportunity),
    };
    pb::Engagement {
        engagement_id: engagement.id().to_string(),
        etag: etags::of(engagement.revision()),
        revision: engagement.revision(),
        account_id: engagement.account().to_string(),
        created_by: engagement.created_by().to_string(),
        create_time: Some(timestamp(engagement.create_time())),
        update_time: Some(timestamp(engagement.update_time())),
        modified_by_account_id: engagement
            .modified_by()
            .map(ToString::to_string)
            .unwrap_or_default(),
        title: engagement.title().reveal().clone(),
        description: engagement.description().reveal().clone(),
        contexts: engagement.contexts().iter().map(context).collect(),
        member_count: i32::try_from(engagement.involved()).unwrap_or(i32::MAX),
        opportunity_id: own.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn context(context: &Context) -> pb::EngagementContext {
    let project = pb::CustomerProject {
        customer: Some(pb::EngagementCustomer {
            company_name: context.company_name.reveal().clone(),
            industry: context.industry.clone(),
            website_url: context.website_url.reveal().clone(),
            country_code: context.country_code.clone(),
        }),
        project: Some(pb::EngagementProject {
            title: context.title.reveal().clone(),
            business_problem: context.business_problem.reveal().clone(),
            target_completion_date: context.target_completion_date.map(date),
        }),
    };
    pb::EngagementContext {
        context_id: context.id.clone(),
        payload: Some(Payload::CustomerProject(project)),
    }
}

/// What a context of a request says.
pub fn context_given(given: pb::EngagementContext) -> Result<Context, Failure> {
    let Some(Payload::CustomerProject(said)) = given.payload else {
        return Err(Failure::internal("validated, but no payload"));
    };
    let (customer, project) = (
        said.customer.unwrap_or_default(),
        said.project.unwrap_or_default(),
    );
    let due = project.target_completion_date.as_ref();
    let target_completion_date = due.and_then(day);
    let (root, mut found) = (FieldPath::root(), Vec::new());
    let at = root.field("context.customer_project.customer");
    let industry = INDUSTRY.canonical(&customer.industry);
    if industry.is_none() {
        found.push(Violation::not_in(&INDUSTRY, &at.field("industry")));
    }
    if !COUNTRY.has(&customer.country_code) {
        found.push(Violation::not_in(&COUNTRY, &at.field("country_code")));
    }
    if due.is_some() && target_completion_date.is_none() {
        let at = root.field("context.customer_project.project.target_completion_date");
        let text = "is no day of the calendar";
        found.push(Violation::new(&at, ViolationCode::InvalidValue, text));
    }
    if !found.is_empty() {
        return Err(Failure::invalid(found));
    }
    Ok(Context {
        id: given.context_id,
        company_name: customer.company_name.into(),
        industry: industry.unwrap_or_default().to_owned(),
        website_url: customer.website_url.into(),
        country_code: customer.country_code,
        title: project.title.into(),
        business_problem: project.business_problem.into(),
        target_completion_date,
    })
}

/// A company of an engagement as the member sees it: the opportunities of others are not for partners.
pub fn participant(one: &Participant, member: &Member) -> pb::EngagementMember {
    let is_own = member.side == Side::Aws || member.account == one.account;
    let own = one.opportunity.filter(|_| is_own);
    pb::EngagementMember {
        account_id: one.account.to_string(),
        company_name: one.company.name.reveal().clone(),
        website_url: one.company.website.reveal().clone(),
        state: one.state.number(),
        invite_time: one.invite_time.map(timestamp),
        join_time: one.join_time.map(timestamp),
        end_time: one.end_time.map(timestamp),
        opportunity_id: own.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// An invitation as the member sees it at this time, with what the receiver may know as long as that is shown.
pub fn invitation(
    invitation: &Invitation,
    shown: Option<Vec<u8>>,
    member: &Member,
    now: DateTime<Utc>,
) -> Result<pb::EngagementInvitation, Failure> {
    let who = match member.side {
        Side::Aws => None,
        Side::Partner => invitation.participant(&member.account),
    };
    let is_sender = who == Some(ParticipantType::Sender);
    let is_receiver = who == Some(ParticipantType::Receiver);
    let answer = invitation.answer();
    let taken_back = invitation.state() == EngagementInvitationState::Canceled;
    // Who did it is for the own company.
    let names_actor = if taken_back { !is_receiver } else { !is_sender };
    let content = shown
        .filter(|_| invitation.is_shown(now))
        .map(|bytes| pb::EngagementInvitation::decode(bytes.as_slice()))
        .transpose()
        .map_err(Failure::internal)?;
    Ok(pb::EngagementInvitation {
        engagement_invitation_id: invitation.id().to_string(),
        etag: etags::of(invitation.revision()),
        revision: invitation.revision(),
        engagement_id: invitation.engagement().to_string(),
        sender_account_id: invitation.sender().to_string(),
        receiver_account_id: invitation.receiver().to_string(),
        receiver_alias: if is_sender {
            invitation.alias().reveal().clone()
        } else {
            String::new()
        },
        participant_type: who.map_or(0, |who| who.number()),
        state: invitation.state_at(now).number(),
        create_time: Some(timestamp(invitation.create_time())),
        expire_time: Some(timestamp(invitation.expire_time())),
        answer_time: answer.map(|answer| timestamp(answer.time)),
        answered_by: answer
            .and_then(|answer| answer.by.as_ref())
            .filter(|_| names_actor)
            .map(ToString::to_string)
            .unwrap_or_default(),
        rejection_reason: answer
            .and_then(|answer| answer.reason)
            .map_or(0, |reason| reason.number()),
        rejection_text: answer
            .map(|answer| answer.text.reveal().clone())
            .unwrap_or_default(),
        opportunity_id: invitation
            .opportunity()
            .filter(|_| !is_sender)
            .map(|id| id.to_string())
            .unwrap_or_default(),
        payload_type: PayloadType::OpportunityInvitation.into(),
        ..content.unwrap_or_default()
    })
}

/// The invitation after the answer. A rehearsed acceptance names no opportunity: the real one draws another id.
pub fn answered(
    given: &Invitation,
    shown: Option<Vec<u8>>,
    member: &Member,
    now: DateTime<Utc>,
    is_rehearsed: bool,
) -> Result<pb::EngagementInvitation, Failure> {
    let mut answer = invitation(given, shown, member, now)?;
    if is_rehearsed {
        answer.opportunity_id.clear();
    }
    Ok(answer)
}

/// What the sender adds to the record.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// What the sender writes to the receiver.
    pub message: &'a str,
    /// People of the sender.
    pub contacts: &'a [opportunity::Contact],
    /// The receiver's part in the deal.
    pub responsibilities: &'a [i32],
}

/// The fields of an invitation that its receiver may read before it accepts: the one place that decides it (COL-011).
pub fn content(
    engagement: &Engagement,
    record: &opportunity::Opportunity,
    words: Words<'_>,
) -> pb::EngagementInvitation {
    let project = record.project.clone().unwrap_or_default();
    let sender = engagement.participant(engagement.account());
    let context = context_of(record);
    let reachable = |person: &opportunity::Contact| opportunity::Contact {
        phone: String::new(),
        ..person.clone()
    };
    pb::EngagementInvitation {
        message: words.message.to_owned(),
        engagement_title: engagement.title().reveal().clone(),
        engagement_description: engagement.description().reveal().clone(),
        sender_company_name: sender
            .map(|one| one.company.name.reveal().clone())
            .unwrap_or_default(),
        existing_members: engagement
            .participants()
            .iter()
            .filter(|one| one.state == EngagementMemberState::Active)
            .map(|one| pb::ExistingMember {
                company_name: one.company.name.reveal().clone(),
                website_url: one.company.website.reveal().clone(),
            })
            .collect(),
        payload: Some(engagement_invitation::Payload::OpportunityInvitation(
            pb::OpportunityInvitation {
                sender_contacts: words.contacts.iter().map(reachable).collect(),
                receiver_responsibilities: words.responsibilities.to_vec(),
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
                        .filter_map(revenue)
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

/// What AWS would be paid; neither how it was reckoned, nor what others would be paid. An entry that only names its price
/// estimate says nothing then.
fn revenue(entry: opportunity::ExpectedCustomerSpend) -> Option<opportunity::ExpectedCustomerSpend> {
    let company = entry.target_company.trim();
    let is_of_aws = company.is_empty() || company.eq_ignore_ascii_case("AWS");
    (is_of_aws && entry.amount.is_some()).then(|| opportunity::ExpectedCustomerSpend {
        estimation_url: String::new(),
        ..entry
    })
}

/// What the record says of the customer, for all members of the engagement.
pub fn context_of(record: &opportunity::Opportunity) -> Context {
    let account = record
        .customer
        .clone()
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let project = record.project.clone().unwrap_or_default();
    let close = record
        .life_cycle
        .as_ref()
        .and_then(|life_cycle| life_cycle.target_close_date);
    Context {
        id: String::new(),
        company_name: account.company_name.into(),
        industry: account.industry,
        website_url: account.website_url.into(),
        country_code: account.address.unwrap_or_default().country_code,
        title: project.title.into(),
        business_problem: project.customer_business_problem.into(),
        target_completion_date: close.as_ref().and_then(day),
    }
}

/// What decides whether the record can be shared.
pub fn shareable(record: &opportunity::Opportunity) -> Shareable {
    let life_cycle = record.life_cycle.clone().unwrap_or_default();
    Shareable {
        is_with_aws: matches!(
            life_cycle.review_status(),
            ReviewStatus::Submitted | ReviewStatus::InReview | ReviewStatus::Approved
        ),
        is_open: !matches!(
            life_cycle.stage(),
            opportunity::Stage::Launched | opportunity::Stage::ClosedLost
        ),
        is_classified: record.national_security(),
        is_copy: !record.engagement_invitation_id.is_empty(),
    }
}

/// Whether the record is not for AWS sales.
pub fn is_limited(record: &opportunity::Opportunity) -> bool {
    record.visibility() != opportunity::Visibility::Full
}

/// Whether AWS has or had the record.
pub fn is_submitted(record: &opportunity::Opportunity) -> bool {
    let status = record
        .life_cycle
        .as_ref()
        .map_or(ReviewStatus::Unspecified, |life_cycle| life_cycle.review_status());
    status != ReviewStatus::PendingSubmission
}

/// What members of an engagement see of each other's opportunities: the one place that decides it (COL-040).
pub fn summary(record: opportunity::Opportunity) -> opportunity::Opportunity {
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

/// A snapshot, with what it says where that is given.
pub fn snapshot(snapshot: &Snapshot, payload: Option<Vec<u8>>) -> Result<pb::ResourceSnapshot, Failure> {
    let said =
        pb::ResourceSnapshot::decode(payload.unwrap_or_default().as_slice()).map_err(Failure::internal)?;
    let of = &snapshot.subject;
    Ok(pb::ResourceSnapshot {
        engagement_id: of.engagement.to_string(),
        opportunity_id: of.opportunity.to_string(),
        owner_account_id: of.account.to_string(),
        template: of.template.number(),
        revision: snapshot.revision,
        create_time: Some(timestamp(snapshot.create_time)),
        source_revision: snapshot.source_revision,
        ..said
    })
}

/// A job.
pub fn job(job: &SnapshotJob) -> pb::SnapshotJob {
    let of = job.subject();
    pb::SnapshotJob {
        snapshot_job_id: job.id().to_string(),
        etag: etags::of(job.revision()),
        revision: job.revision(),
        engagement_id: of.engagement.to_string(),
        opportunity_id: of.opportunity.to_string(),
        owner_account_id: of.account.to_string(),
        template: of.template.number(),
        state: job.state().number(),
        create_time: Some(timestamp(job.create_time())),
        last_success_time: job.last_success().map(timestamp),
        last_failure: job.last_failure().unwrap_or_default().to_owned(),
    }
}

/// What a company is called.
pub fn company(account: &cosell_proto::cosell::partner::v1::Account) -> Company {
    let profile = account.profile.as_ref();
    let name = match profile.map(|profile| profile.display_name.as_str()) {
        Some(name) if !name.is_empty() => name,
        _ if account.display_name.is_empty() => account.legal_name.as_str(),
        _ => account.display_name.as_str(),
    };
    Company {
        name: name.into(),
        website: profile
            .map(|profile| profile.website_url.as_str())
            .unwrap_or_default()
            .into(),
    }
}
