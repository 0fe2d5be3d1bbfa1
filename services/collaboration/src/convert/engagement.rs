//! The proto form of engagements and engagement invitations.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::{date, day, timestamp};
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_context::Payload;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_types::standard::{COUNTRY, INDUSTRY};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, Member, ParticipantType, Side, Violation, ViolationCode,
};
use prost::Message as _;

use crate::domain::values::EngagementInvitationState;
use crate::domain::{Engagement, EngagementContext, Invitation, Participant};

/// The engagement as visible to the member.
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
        member_count: i32::try_from(engagement.member_count()).unwrap_or(i32::MAX),
        opportunity_id: own.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn context(context: &EngagementContext) -> pb::EngagementContext {
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

/// The context of a request. Fails if a value is not in its list, or the date is invalid (COL-030).
pub fn context_from_proto(context: pb::EngagementContext) -> Result<EngagementContext, Failure> {
    let Some(Payload::CustomerProject(customer_project)) = context.payload else {
        return Err(Failure::internal("the validated request has no payload"));
    };
    let customer = customer_project.customer.unwrap_or_default();
    let project = customer_project.project.unwrap_or_default();
    let date = project.target_completion_date.as_ref();
    let target_completion_date = date.and_then(day);
    let (root, mut violations) = (FieldPath::root(), Vec::new());
    let customer_path = root.field("context.customer_project.customer");
    let industry = INDUSTRY.canonical(&customer.industry);
    if industry.is_none() {
        violations.push(Violation::not_in(&INDUSTRY, &customer_path.field("industry")));
    }
    if !COUNTRY.has(&customer.country_code) {
        violations.push(Violation::not_in(&COUNTRY, &customer_path.field("country_code")));
    }
    if date.is_some() && target_completion_date.is_none() {
        let date_path = root.field("context.customer_project.project.target_completion_date");
        let text = "Must be a valid calendar date.";
        violations.push(Violation::new(&date_path, ViolationCode::InvalidValue, text));
    }
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    Ok(EngagementContext {
        id: context.context_id,
        company_name: customer.company_name.into(),
        industry: industry.unwrap_or_default().to_owned(),
        website_url: customer.website_url.into(),
        country_code: customer.country_code,
        title: project.title.into(),
        business_problem: project.business_problem.into(),
        target_completion_date,
    })
}

/// A participant as visible to the member. The opportunity ID is visible only to its account and to AWS (COL-020).
pub fn engagement_member(participant: &Participant, member: &Member) -> pb::EngagementMember {
    let sees_opportunity = member.side == Side::Aws || member.account == participant.account;
    let opportunity = participant.opportunity.filter(|_| sees_opportunity);
    pb::EngagementMember {
        account_id: participant.account.to_string(),
        company_name: participant.profile.name.reveal().clone(),
        website_url: participant.profile.website.reveal().clone(),
        state: participant.state.number(),
        invite_time: participant.invite_time.map(timestamp),
        join_time: participant.join_time.map(timestamp),
        end_time: participant.end_time.map(timestamp),
        opportunity_id: opportunity.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// An invitation as visible to the partner account, or to AWS without one, at this time. Includes the content only while
/// it is readable (COL-012).
pub fn invitation(
    invitation: &Invitation,
    content: Option<Vec<u8>>,
    partner: Option<&AccountId>,
    now: DateTime<Utc>,
) -> Result<pb::EngagementInvitation, Failure> {
    let participant = partner.and_then(|account| invitation.participant_type(account));
    let is_sender = participant == Some(ParticipantType::Sender);
    let is_receiver = participant == Some(ParticipantType::Receiver);
    let answer = invitation.answer();
    let is_canceled = invitation.state() == EngagementInvitationState::Canceled;
    // The acting member is visible only to its own account and to AWS.
    let sees_actor = if is_canceled { !is_receiver } else { !is_sender };
    let content = content
        .filter(|_| invitation.has_readable_content(now))
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
        participant_type: participant.map_or(0, |participant| participant.number()),
        state: invitation.state_at(now).number(),
        create_time: Some(timestamp(invitation.create_time())),
        expire_time: Some(timestamp(invitation.expire_time())),
        answer_time: answer.map(|answer| timestamp(answer.time)),
        answered_by: answer
            .and_then(|answer| answer.by.as_ref())
            .filter(|_| sees_actor)
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

/// The invitation after its acceptance. With `validate_only` it has no opportunity ID, because the real call draws
/// another one.
pub fn answered_invitation(
    answered: &Invitation,
    content: Option<Vec<u8>>,
    member: &Member,
    now: DateTime<Utc>,
    validate_only: bool,
) -> Result<pb::EngagementInvitation, Failure> {
    let mut message = invitation(answered, content, member.own_account(), now)?;
    if validate_only {
        message.opportunity_id.clear();
    }
    Ok(message)
}
