//! Two partners share an opportunity in an engagement, and one of them discusses it with AWS in a channel.

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::collaboration::v1::{engagement_invitation, resource_snapshot};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, ReviewStatus};
use cosell_types::{ClosedList as _, Role};
use tokio::time::Instant;

use super::calls::{POLL_INTERVAL, WAIT_LIMIT, get_opportunity, request_id, summary_line};
use super::member_client::{MemberClient, error_reason};
use super::referral::wait_for_opportunity;
use super::scenario::{DemoOpportunity, Scenario};
use crate::BIRCH;
use crate::seed::seed_members;

const MANAGER: &str = "alder-ace-manager";
const RECEIVER: &str = "birch-alliance-lead";
const OWNER: &str = "aws-account-owner";
const OTHER_OWNER: &str = "aws-account-owner-2";
const SELLER: &str = "aws-sales-representative";

impl Scenario<'_> {
    /// A partner shares an approved opportunity; the receiver accepts the invitation and gets a shared copy, which
    /// needs no review.
    pub(super) async fn share(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let (manager, receiver) = (self.member(MANAGER)?, self.member(RECEIVER)?);
        let id = self.find_approved(&manager, opportunities).await?;
        let request = collaboration::ShareOpportunityRequest {
            opportunity_id: id.clone(),
            receivers: vec![collaboration::ShareReceiver {
                account_id: BIRCH.to_owned(),
                alias: "Birch, for the data".to_owned(),
                responsibilities: vec![ReceiverResponsibility::SoftwarePartner.into()],
            }],
            message: "You have experience with such data; shall we work on this together?".to_owned(),
            sender_contacts: vec![opportunity::Contact {
                first_name: "Chiara".to_owned(),
                last_name: "Rossi".to_owned(),
                email: "chiara.rossi@alder.example".to_owned(),
                ..Default::default()
            }],
            request_id: request_id(),
            ..Default::default()
        };
        let shared = manager
            .collaboration()
            .share_opportunity(request)
            .await?
            .into_inner();
        let engagement = shared.engagement.context("an engagement")?;
        let invitation = shared
            .engagement_invitations
            .into_iter()
            .next()
            .context("an invitation")?;
        self.report(
            &manager.id,
            format!("shares    {id}  in {}", engagement.engagement_id),
        );

        let invitation_id = invitation.engagement_invitation_id;
        let request = collaboration::GetEngagementInvitationRequest {
            engagement_invitation_id: invitation_id.clone(),
        };
        let seen = receiver
            .collaboration()
            .get_engagement_invitation(request)
            .await?;
        let payload = seen
            .into_inner()
            .engagement_invitation
            .and_then(|seen| seen.payload);
        let Some(engagement_invitation::Payload::OpportunityInvitation(offered)) = payload else {
            bail!("the invitation has no opportunity");
        };
        let customer = offered.customer.unwrap_or_default();
        let project = offered.project.unwrap_or_default();
        let event = format!(
            "sees      {invitation_id}  {}: {}",
            customer.company_name, project.title
        );
        self.report(&receiver.id, event);
        let request = collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: invitation_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let response = receiver
            .collaboration()
            .accept_engagement_invitation(request)
            .await?;
        let accepted = response
            .into_inner()
            .engagement_invitation
            .context("the invitation")?;
        self.report(&receiver.id, format!("accepts   {invitation_id}"));
        let copy = wait_for_opportunity(&receiver, &accepted.opportunity_id).await?;
        let life_cycle = copy.life_cycle.clone().unwrap_or_default();
        ensure!(
            life_cycle.review_status() == ReviewStatus::Approved
                && copy.engagement_invitation_id == invitation_id,
            "the shared copy has another invitation or review status"
        );
        self.report(
            &receiver.id,
            format!("has       {}  {}", copy.opportunity_id, summary_line(&copy)),
        );
        let title = wait_for_snapshot(&receiver, &engagement.engagement_id, &id).await?;
        self.report(&receiver.id, format!("reads     {id}  in the snapshot: {title}"));
        Ok(())
    }

    /// A member of the partner requests, joins and leaves a channel on an opportunity; AWS manages it manually.
    pub(super) async fn use_channel(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let (manager, owner) = (self.member(MANAGER)?, self.member(OWNER)?);
        let id = self.find_approved(&manager, opportunities).await?;
        self.mark_strategic(&owner, &id).await?;
        let request = collaboration::RequestChannelRequest {
            opportunity_id: id.clone(),
            member_ids: vec![MANAGER.to_owned()],
            purpose: "Who does what, and when".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let channel = match manager.channels().request_channel(request).await {
            Ok(response) => response.into_inner().channel.context("a channel")?,
            Err(status) => return Err(status).context(format!("requesting a channel on {id}")),
        };
        let channel_id = channel.channel_id;
        self.report(&manager.id, format!("requests  {channel_id}  on {id}"));
        let other = self.member(OTHER_OWNER)?;
        self.verify_channel_request_notified(&owner, &other, &id).await?;
        let request = collaboration::ApproveChannelRequest {
            channel_id: channel_id.clone(),
            aws_member_ids: vec![SELLER.to_owned()],
            link: "https://chat.example/cosell".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        owner.channels().approve_channel(request).await?;
        self.report(&owner.id, format!("approves  {channel_id}"));
        self.wait_for_channel_invitation(&manager, &channel_id).await?;
        let request = collaboration::JoinChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        manager.channels().join_channel(request).await?;
        self.report(&manager.id, format!("joins     {channel_id}"));
        let request = collaboration::LeaveChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        manager.channels().leave_channel(request).await?;
        self.report(&manager.id, format!("leaves    {channel_id}"));
        // The demo may run on this installation again.
        let request = collaboration::ArchiveChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        owner.channels().archive_channel(request).await?;
        self.report(&owner.id, format!("archives  {channel_id}"));
        Ok(())
    }

    /// AWS marks the opportunity as strategic, which makes it eligible for a channel, and names its account owner.
    async fn mark_strategic(&mut self, owner: &MemberClient, id: &str) -> anyhow::Result<()> {
        let account_owner = seed_members()
            .into_iter()
            .find(|member| member.id() == owner.id)
            .context("a seeded account owner")?;
        let request = opportunity::UpdateAwsOpportunitySummaryRequest {
            opportunity_id: id.to_owned(),
            aws_opportunity_summary: Some(opportunity::AwsOpportunitySummary {
                strategic: Some(true),
                opportunity_team: vec![opportunity::Contact {
                    first_name: account_owner.first_name.to_owned(),
                    last_name: account_owner.last_name.to_owned(),
                    email: account_owner.email(),
                    business_title: Role::AccountOwner.literal().to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        owner
            .aws_summaries()
            .update_aws_opportunity_summary(request)
            .await?;
        self.report(
            &owner.id,
            format!("marks     {id}  as strategic, with its account owner"),
        );
        Ok(())
    }

    /// The id of an approved co-sell opportunity of Alder. It is eligible for a channel once AWS marks it as strategic.
    async fn find_approved(
        &self,
        manager: &MemberClient,
        opportunities: &[DemoOpportunity<'_>],
    ) -> anyhow::Result<String> {
        for item in opportunities {
            if !item.record.member.starts_with("alder") {
                continue;
            }
            let content = get_opportunity(manager, &item.id).await?;
            let life_cycle = content.life_cycle.clone().unwrap_or_default();
            let can_be_eligible = life_cycle.review_status() == ReviewStatus::Approved
                && life_cycle.stage() == opportunity::Stage::Qualified
                && content.involvement_type() == opportunity::InvolvementType::CoSell
                && !content.national_security();
            if can_be_eligible {
                return Ok(item.id.clone());
            }
        }
        anyhow::bail!("the demo has no opportunity that can be eligible for a channel")
    }

    async fn wait_for_channel_invitation(&self, member: &MemberClient, channel: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + WAIT_LIMIT;
        loop {
            let request = collaboration::GetChannelRequest {
                channel_id: channel.to_owned(),
                ..Default::default()
            };
            let found = member.channels().get_channel(request).await?.into_inner();
            let members = found.channel.unwrap_or_default().members;
            let own = members.iter().find(|entry| entry.member_id == member.id);
            if own.is_some_and(|own| own.state() == collaboration::ChannelMemberState::Invited) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{} is not invited to {channel}",
                member.id
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Waits for a snapshot of another partner's opportunity and returns its title.
async fn wait_for_snapshot(
    client: &MemberClient,
    engagement: &str,
    opportunity: &str,
) -> anyhow::Result<String> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let request = collaboration::GetResourceSnapshotRequest {
            engagement_id: engagement.to_owned(),
            opportunity_id: opportunity.to_owned(),
            template: collaboration::SnapshotTemplate::OpportunitySummary.into(),
            revision: None,
        };
        match client.snapshots().get_resource_snapshot(request).await {
            Ok(response) => {
                let snapshot = response.into_inner().resource_snapshot;
                let Some(resource_snapshot::Payload::Opportunity(content)) =
                    snapshot.and_then(|snapshot| snapshot.payload)
                else {
                    anyhow::bail!("the snapshot has no opportunity");
                };
                return Ok(content.project.unwrap_or_default().title);
            }
            Err(status) if error_reason(&status) != "SNAPSHOT_NOT_FOUND" => return Err(status.into()),
            Err(_) => ensure!(
                Instant::now() < deadline,
                "{engagement} has no snapshot of {opportunity}"
            ),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
