//! Two partners work a deal together, and talk about it with AWS.

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::collaboration::v1::{engagement_invitation, resource_snapshot};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, ReviewStatus};
use tokio::time::Instant;

use super::calls::{PATIENCE, PAUSE, get, headline, request_id};
use super::journey::{Journey, Traveller};
use super::people::{Person, reason};
use super::referral::until_there;
use crate::BIRCH;

const MANAGER: &str = "alder-ace-manager";
const OTHER: &str = "birch-alliance-lead";
const OWNER: &str = "aws-account-owner";
const SELLER: &str = "aws-sales-representative";

impl Journey<'_> {
    /// A partner shares a deal that AWS has validated; the other one reads what it may know, takes part, and has a copy of its
    /// own, which needs no review.
    pub(super) async fn share(&mut self, travellers: &[Traveller<'_>]) -> anyhow::Result<()> {
        let (manager, other) = (self.person(MANAGER)?, self.person(OTHER)?);
        let id = self.validated(&manager, travellers).await?;
        let request = collaboration::ShareOpportunityRequest {
            opportunity_id: id.clone(),
            receivers: vec![collaboration::ShareReceiver {
                account_id: BIRCH.to_owned(),
                alias: "Birch, for the data".to_owned(),
                responsibilities: vec![ReceiverResponsibility::SoftwarePartner.into()],
            }],
            message: "You know such data; shall we do it together?".to_owned(),
            sender_contacts: vec![opportunity::Contact {
                first_name: "Chiara".to_owned(),
                last_name: "Rossi".to_owned(),
                email: "chiara.rossi@alder.example".to_owned(),
                ..Default::default()
            }],
            request_id: request_id(),
            ..Default::default()
        };
        let made = manager
            .collaboration()
            .share_opportunity(request)
            .await?
            .into_inner();
        let engagement = made.engagement.context("an engagement")?;
        let invitation = made
            .engagement_invitations
            .into_iter()
            .next()
            .context("an invitation")?;
        self.say(
            &manager.id,
            format!("shares    {id}  in {}", engagement.engagement_id),
        );

        let invitation_id = invitation.engagement_invitation_id;
        let request = collaboration::GetEngagementInvitationRequest {
            engagement_invitation_id: invitation_id.clone(),
        };
        let seen = other.collaboration().get_engagement_invitation(request).await?;
        let payload = seen
            .into_inner()
            .engagement_invitation
            .and_then(|seen| seen.payload);
        let Some(engagement_invitation::Payload::OpportunityInvitation(offered)) = payload else {
            bail!("the invitation says nothing of an opportunity");
        };
        let customer = offered.customer.unwrap_or_default();
        let project = offered.project.unwrap_or_default();
        let what = format!(
            "sees      {invitation_id}  {}: {}",
            customer.company_name, project.title
        );
        self.say(&other.id, what);
        let request = collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: invitation_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let answer = other
            .collaboration()
            .accept_engagement_invitation(request)
            .await?;
        let accepted = answer
            .into_inner()
            .engagement_invitation
            .context("the invitation")?;
        self.say(&other.id, format!("accepts   {invitation_id}"));
        let copy = until_there(&other, &accepted.opportunity_id).await?;
        let life_cycle = copy.life_cycle.clone().unwrap_or_default();
        ensure!(
            life_cycle.review_status() == ReviewStatus::Approved
                && copy.engagement_invitation_id == invitation_id,
            "the copy comes of the invitation and stands where the other record stands"
        );
        self.say(
            &other.id,
            format!("has       {}  {}", copy.opportunity_id, headline(&copy)),
        );
        let title = snapshot(&other, &engagement.engagement_id, &id).await?;
        self.say(&other.id, format!("reads     {id}  as it is shared: {title}"));
        Ok(())
    }

    /// People of the partner and of AWS talk about the deal in a channel, which people of AWS keep by hand here.
    pub(super) async fn chat(&mut self, travellers: &[Traveller<'_>]) -> anyhow::Result<()> {
        let (manager, owner) = (self.person(MANAGER)?, self.person(OWNER)?);
        let id = self.validated(&manager, travellers).await?;
        let request = collaboration::RequestChannelRequest {
            opportunity_id: id.clone(),
            member_ids: vec![MANAGER.to_owned()],
            purpose: "Who does what, and when".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let channel = match manager.channels().request_channel(request).await {
            Ok(answer) => answer.into_inner().channel.context("a channel")?,
            Err(status) => return Err(status).context(format!("a channel on {id}")),
        };
        let channel_id = channel.channel_id;
        self.say(&manager.id, format!("asks for  {channel_id}  on {id}"));
        let request = collaboration::ApproveChannelRequest {
            channel_id: channel_id.clone(),
            aws_member_ids: vec![SELLER.to_owned()],
            link: "https://chat.example/cosell".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        owner.channels().approve_channel(request).await?;
        self.say(&owner.id, format!("approves  {channel_id}"));
        self.until_asked(&manager, &channel_id).await?;
        let request = collaboration::JoinChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        manager.channels().join_channel(request).await?;
        self.say(&manager.id, format!("joins     {channel_id}"));
        let request = collaboration::LeaveChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        manager.channels().leave_channel(request).await?;
        self.say(&manager.id, format!("leaves    {channel_id}"));
        // The journey may be played here again.
        let request = collaboration::ArchiveChannelRequest {
            channel_id: channel_id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        owner.channels().archive_channel(request).await?;
        self.say(&owner.id, format!("archives  {channel_id}"));
        Ok(())
    }

    /// A deal of Alder that AWS has validated and sells with it, large enough for a channel.
    async fn validated(&self, manager: &Person, travellers: &[Traveller<'_>]) -> anyhow::Result<String> {
        for traveller in travellers {
            if !traveller.record.member.starts_with("alder") {
                continue;
            }
            let record = get(manager, &traveller.id).await?;
            let life_cycle = record.life_cycle.clone().unwrap_or_default();
            let spend = record
                .project
                .iter()
                .flat_map(|project| &project.expected_customer_spend);
            let spend: i64 = spend
                .filter_map(|entry| entry.amount.as_ref())
                .map(|amount| amount.units)
                .sum();
            let is_it = life_cycle.review_status() == ReviewStatus::Approved
                && life_cycle.stage() == opportunity::Stage::Qualified
                && record.involvement_type() == opportunity::InvolvementType::CoSell
                && !record.national_security()
                && spend >= 1_000;
            if is_it {
                return Ok(traveller.id.clone());
            }
        }
        anyhow::bail!("no deal of the journey is shared")
    }

    async fn until_asked(&self, person: &Person, channel: &str) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let request = collaboration::GetChannelRequest {
                channel_id: channel.to_owned(),
                ..Default::default()
            };
            let found = person.channels().get_channel(request).await?.into_inner();
            let members = found.channel.unwrap_or_default().members;
            let own = members.iter().find(|one| one.member_id == person.id);
            if own.is_some_and(|own| own.state() == collaboration::ChannelMemberState::Invited) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "{} is not asked to {channel}", person.id);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The title of a deal of another partner, as a snapshot has it, once there is one.
async fn snapshot(person: &Person, engagement: &str, opportunity: &str) -> anyhow::Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let request = collaboration::GetResourceSnapshotRequest {
            engagement_id: engagement.to_owned(),
            opportunity_id: opportunity.to_owned(),
            template: collaboration::SnapshotTemplate::OpportunitySummary.into(),
            revision: None,
        };
        match person.snapshots().get_resource_snapshot(request).await {
            Ok(answer) => {
                let Some(resource_snapshot::Payload::Opportunity(said)) =
                    answer.into_inner().resource_snapshot.and_then(|one| one.payload)
                else {
                    anyhow::bail!("a snapshot that says nothing");
                };
                return Ok(said.project.unwrap_or_default().title);
            }
            Err(status) if reason(&status) != "SNAPSHOT_NOT_FOUND" => return Err(status.into()),
            Err(_) => ensure!(
                Instant::now() < until,
                "{opportunity} is not seen in {engagement}"
            ),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
