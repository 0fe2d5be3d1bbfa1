//! The proto form of channels, and the facts of an opportunity that decide whether it is eligible for one.

use cosell_grpc::convert::timestamp;
use cosell_grpc::etags;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::ClosedList as _;

use crate::domain::{Channel, ChannelMember, ChannelPreferences, OpportunityFacts};

pub fn channel(channel: &Channel) -> pb::Channel {
    let decision = channel.decision();
    pb::Channel {
        channel_id: channel.id().to_string(),
        etag: etags::of(channel.revision()),
        revision: channel.revision(),
        account_id: channel.account().to_string(),
        opportunity_id: channel.opportunity().to_string(),
        requested_by: channel.requested_by().to_string(),
        create_time: Some(timestamp(channel.create_time())),
        update_time: Some(timestamp(channel.update_time())),
        state: channel.state().number(),
        purpose: channel.purpose().reveal().clone(),
        decided_by: decision
            .and_then(|decision| decision.by.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        decide_time: decision.map(|decision| timestamp(decision.time)),
        decline_text: decision
            .map(|decision| decision.text.reveal().clone())
            .unwrap_or_default(),
        link: channel.link().reveal().clone(),
        provider: channel.provider().number(),
        members: channel.members().iter().map(channel_member).collect(),
        last_failure: channel.last_failure().unwrap_or_default().to_owned(),
    }
}

fn channel_member(member: &ChannelMember) -> pb::ChannelMember {
    pb::ChannelMember {
        account_id: member.member_ref.account.to_string(),
        member_id: member.member_ref.member.to_string(),
        state: member.state.number(),
        invite_time: member.invite_time.map(timestamp),
        update_time: Some(timestamp(member.update_time)),
    }
}

pub fn channel_preferences(preferences: &ChannelPreferences) -> pb::ChannelPreferences {
    pb::ChannelPreferences {
        opted_out: preferences.opted_out,
        etag: etags::of(preferences.revision),
    }
}

/// The facts that decide whether the opportunity is eligible for a channel (CHN-001). Its value is what AWS states in the
/// AWS summary, so that no partner makes its own opportunity eligible. Spend with the target company "Self" is not spend
/// with AWS.
pub fn opportunity_facts(
    record: &opportunity::Opportunity,
    summary: &opportunity::AwsOpportunitySummary,
) -> OpportunityFacts {
    use opportunity::Stage;
    let life_cycle = record.life_cycle.clone().unwrap_or_default();
    let monthly_amounts = summary
        .project
        .iter()
        .flat_map(|project| &project.expected_customer_spend)
        .filter(|entry| !entry.target_company.trim().eq_ignore_ascii_case("Self"))
        .filter_map(|entry| entry.amount.as_ref())
        .map(|amount| {
            amount
                .units
                .saturating_mul(100)
                .saturating_add(i64::from(amount.nanos) / 10_000_000)
        });
    OpportunityFacts {
        is_approved: life_cycle.review_status() == ReviewStatus::Approved,
        is_co_sell: record.involvement_type() == opportunity::InvolvementType::CoSell,
        has_eligible_stage: matches!(
            life_cycle.stage(),
            Stage::Qualified | Stage::TechnicalValidation | Stage::BusinessValidation | Stage::Committed
        ),
        monthly_spend: monthly_amounts.fold(0, i64::saturating_add),
        is_strategic: summary.strategic(),
    }
}
