//! AWS offers deals to partners, partners share a deal with many others, and people of both talk about it; the test moves the
//! time.

use chrono::TimeDelta;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_client::OpportunityLifecycleServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral_service_client::ReferralServiceClient;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, RejectionReason, ReviewStatus};
use cosell_proto::google::r#type::Date;
use cosell_testkit::harness::{Client, FarEnd, Refusal, eventually_within, member};
use cosell_tests::scene::{Scene, caller, company, lead};
use cosell_tests::{InProcess, RECOVERY, World, record, referrals};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side};
use prost::Message as _;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use cosell::{ALDER, AWS, BIRCH};

type Calls = InterceptedService<Channel, Client>;

/// Services at a time of the test's, and everybody's calls.
struct Stage {
    world: World,
    running: InProcess,
    clock: Clock,
}

impl Stage {
    /// On a Thursday.
    async fn open() -> Self {
        let clock = Clock::manual("2027-03-04T10:00:00Z".parse().expect("a time"));
        let world = World::start();
        let running = world.run_at(&clock).await;
        Self {
            world,
            running,
            clock,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            world: &self.world,
            channel: self.running.channel(),
            issuer: cosell::issuer(&self.world.state(), self.clock.clone()).expect("the issuer"),
            tokens: self.running.info.tokens.clone(),
        }
    }

    fn calls(&self, who: &Caller) -> Calls {
        Client::new(&self.scene().issuer, Some(who)).over(self.running.channel())
    }

    fn collaboration(&self, account: &str) -> CollaborationServiceClient<Calls> {
        CollaborationServiceClient::new(self.calls(&caller(account)))
    }

    fn referrals(&self, who: &Caller) -> ReferralServiceClient<Calls> {
        ReferralServiceClient::new(self.calls(who))
    }

    fn channels(&self, who: &Caller) -> ChannelServiceClient<Calls> {
        ChannelServiceClient::new(self.calls(who))
    }

    /// The record of a partner, once it is there.
    async fn record(&self, account: &str, id: &str) -> opportunity::Opportunity {
        let mut calls = OpportunityServiceClient::new(self.calls(&caller(account)));
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        eventually_within(RECOVERY, async || {
            let answer = calls.get_opportunity(request.clone()).await?.into_inner();
            anyhow::Ok(answer.opportunity.expect("the record"))
        })
        .await
    }

    /// AWS offers a deal to these, one after the other; the referral.
    async fn refer(&self, receivers: &[&str]) -> referral::Referral {
        let mut deal = referrals::referral(ALDER);
        deal.receiver_account_ids = receivers.iter().map(ToString::to_string).collect();
        let request = referral::CreateReferralRequest {
            referral: Some(deal),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let made = self
            .referrals(&aws(Role::SalesRepresentative))
            .create_referral(request)
            .await;
        made.expect("a referral")
            .into_inner()
            .referral
            .expect("a referral")
    }

    /// The referral, once its offers stand so.
    async fn until(&self, id: &str, states: &[referral::ReferralOfferState]) {
        let mut sales = self.referrals(&aws(Role::SalesRepresentative));
        eventually_within(RECOVERY, async || {
            let request = referral::GetReferralRequest {
                referral_id: id.to_owned(),
            };
            let found = sales
                .get_referral(request)
                .await?
                .into_inner()
                .referral
                .unwrap_or_default();
            let stand: Vec<_> = found
                .offers
                .iter()
                .map(referral::ReferralOfferStatus::state)
                .collect();
            anyhow::ensure!(stand == states, "{stand:?}");
            Ok(())
        })
        .await;
    }

    /// An approved opportunity of Alder that matters enough for a channel.
    async fn approved(&self) -> String {
        let mut calls = OpportunityServiceClient::new(self.calls(&caller(ALDER)));
        let mut given = record();
        let life_cycle = given.life_cycle.get_or_insert_default();
        life_cycle.stage = opportunity::Stage::Qualified.into();
        life_cycle.target_close_date = Some(Date {
            year: 2050,
            month: 6,
            day: 30,
        });
        let spend = &mut given.project.get_or_insert_default().expected_customer_spend[0];
        spend.amount.get_or_insert_default().units = 10_000;
        let request = opportunity::CreateOpportunityRequest {
            opportunity: Some(given),
            ..Default::default()
        };
        let made = calls
            .create_opportunity(request)
            .await
            .expect("a record")
            .into_inner();
        let id = made.opportunity.expect("a record").opportunity_id;
        let request = opportunity::SubmitOpportunityRequest {
            opportunity_id: id.clone(),
            involvement_type: opportunity::InvolvementType::CoSell.into(),
            ..Default::default()
        };
        let mut calls = OpportunityLifecycleServiceClient::new(self.calls(&caller(ALDER)));
        calls.submit_opportunity(request).await.expect("submitted");
        let mut reviewer = ReviewServiceClient::new(self.calls(&aws(Role::Reviewer)));
        let filter = review::ReviewCaseFilter {
            opportunity_ids: vec![id.clone()],
            ..Default::default()
        };
        let request = review::ListReviewCasesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let case = eventually_within(RECOVERY, async || {
            let found = reviewer.list_review_cases(request.clone()).await?.into_inner();
            found
                .review_cases
                .into_iter()
                .next()
                .ok_or_else(|| anyhow::anyhow!("no case"))
        })
        .await
        .review_case_id;
        let claim = review::ClaimReviewCaseRequest {
            review_case_id: case.clone(),
            ..Default::default()
        };
        reviewer.claim_review_case(claim).await.expect("claimed");
        let decide = review::DecideReviewRequest {
            review_case_id: case,
            decision: review::ReviewDecision::Approve.into(),
            ..Default::default()
        };
        reviewer.decide_review(decide).await.expect("decided");
        self.world.settled().await;
        id
    }
}

/// A seeded member of AWS.
fn aws(role: Role) -> Caller {
    let id = format!("aws-{}", role.name().to_lowercase().replace('_', "-"));
    member(&id, AWS, Side::Aws, &[role])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_deals_of_aws_two_are_taken_one_goes_on_and_ends_over_a_weekend() {
    let stage = Stage::open().await;
    let (first, second) = (stage.refer(&[ALDER]).await, stage.refer(&[ALDER]).await);
    let third = stage.refer(&[ALDER, BIRCH]).await;
    let mut alder = stage.referrals(&caller(ALDER));
    let listed = alder
        .list_referral_offers(referral::ListReferralOffersRequest::default())
        .await;
    let offers = listed.expect("a list").into_inner().referral_offers;
    assert_eq!(offers.len(), 3);
    for offer in &offers {
        assert!(offer.payload.is_some(), "what it may know");
        let bytes = offer.encode_to_vec();
        assert!(
            !bytes.windows(4).any(|window| window == b"ref-"),
            "how AWS calls it is AWS's"
        );
    }
    let request = referral::BatchAcceptReferralOffersRequest {
        referral_offer_ids: vec![
            first.offers[0].referral_offer_id.clone(),
            second.offers[0].referral_offer_id.clone(),
        ],
        ..Default::default()
    };
    let results = alder
        .batch_accept_referral_offers(request)
        .await
        .expect("results")
        .into_inner()
        .results;
    for result in results {
        let Some(Outcome::ReferralOffer(offer)) = result.result else {
            panic!("{result:?}");
        };
        let record = stage.record(ALDER, &offer.opportunity_id).await;
        assert_eq!(record.origin(), opportunity::Origin::AwsReferral);
        assert_eq!(record.referral_offer_id, offer.referral_offer_id);
    }
    let reject = referral::RejectReferralOfferRequest {
        referral_offer_id: third.offers[0].referral_offer_id.clone(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    };
    alder.reject_referral_offer(reject).await.expect("rejected");
    let (rejected, pending) = (
        referral::ReferralOfferState::Rejected,
        referral::ReferralOfferState::Pending,
    );
    stage.until(&third.referral_id, &[rejected, pending]).await;
    // Offered on a Thursday, it can be answered until the Thursday after has ended: the weekend does not count.
    stage.clock.advance(TimeDelta::days(7));
    stage.until(&third.referral_id, &[rejected, pending]).await;
    stage.clock.advance(TimeDelta::hours(14));
    stage
        .until(
            &third.referral_id,
            &[rejected, referral::ReferralOfferState::Expired],
        )
        .await;
    let mut birch = stage.referrals(&caller(BIRCH));
    let listed = birch
        .list_referral_offers(referral::ListReferralOffersRequest::default())
        .await;
    assert_eq!(
        listed.expect("a list").into_inner().referral_offers,
        [],
        "what is over is gone"
    );
    stage.world.settled().await;
    stage.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deal_is_shared_with_nine_and_talked_about_in_a_channel() {
    let stage = Stage::open().await;
    let others: Vec<_> = (1..=10).map(|number| format!("7000000000{number:02}")).collect();
    let scene = stage.scene();
    let records = others.iter().flat_map(|account| {
        [
            company(account, &format!("Company {account}")),
            lead(account, &format!("lead-{account}")),
        ]
    });
    scene.provision(records.collect()).await;
    for other in &others {
        scene.connect(ALDER, other, "Let us work together").await;
    }
    let id = stage.approved().await;
    let share = |receivers: &[String]| collaboration::ShareOpportunityRequest {
        opportunity_id: id.clone(),
        receivers: receivers
            .iter()
            .map(|account| collaboration::ShareReceiver {
                account_id: account.clone(),
                responsibilities: vec![ReceiverResponsibility::Reseller.into()],
                ..Default::default()
            })
            .collect(),
        message: "Let us do this together.".to_owned(),
        sender_contacts: vec![opportunity::Contact {
            email: "ada@alder.example".to_owned(),
            ..Default::default()
        }],
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let mut alder = stage.collaboration(ALDER);
    let shared = alder
        .share_opportunity(share(&others[..9]))
        .await
        .expect("shared")
        .into_inner();
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let tenth = alder
        .share_opportunity(share(&others[9..]))
        .await
        .expect_err("the tenth");
    assert_eq!(Refusal::from(&tenth).reason, "TOO_MANY_MEMBERS");

    // Four take part, one does not, three are not asked any more, one does not answer.
    for invitation in &shared.engagement_invitations[..4] {
        let account = &invitation.receiver_account_id;
        let request = collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: invitation.engagement_invitation_id.clone(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let answer = stage
            .collaboration(account)
            .accept_engagement_invitation(request)
            .await;
        let accepted = answer
            .expect("accepted")
            .into_inner()
            .engagement_invitation
            .expect("it");
        let copy = stage.record(account, &accepted.opportunity_id).await;
        let status = copy.life_cycle.clone().unwrap_or_default().review_status();
        assert_eq!(status, ReviewStatus::Approved, "it stands where Alder's stands");
        assert_eq!(copy.engagement_invitation_id, invitation.engagement_invitation_id);
    }
    let request = collaboration::RejectEngagementInvitationRequest {
        engagement_invitation_id: shared.engagement_invitations[4].engagement_invitation_id.clone(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    };
    let rejected = stage
        .collaboration(&others[4])
        .reject_engagement_invitation(request)
        .await;
    rejected.expect("rejected");
    for invitation in &shared.engagement_invitations[5..8] {
        let request = collaboration::CancelEngagementInvitationRequest {
            engagement_invitation_id: invitation.engagement_invitation_id.clone(),
            ..Default::default()
        };
        alder
            .cancel_engagement_invitation(request)
            .await
            .expect("canceled");
    }
    stage.world.settled().await;
    talk(&stage, &id).await;

    stage.clock.advance(TimeDelta::days(15));
    let states = eventually_within(RECOVERY, async || {
        let request = collaboration::ListEngagementMembersRequest {
            engagement_id: engagement.clone(),
            ..Default::default()
        };
        let found = stage
            .collaboration(ALDER)
            .list_engagement_members(request)
            .await?;
        let states: Vec<_> = found
            .into_inner()
            .engagement_members
            .iter()
            .map(|one| one.state())
            .collect();
        anyhow::ensure!(
            !states.contains(&collaboration::EngagementMemberState::Invited),
            "{states:?}"
        );
        Ok(states)
    })
    .await;
    let count = |wanted| states.iter().filter(|state| **state == wanted).count();
    assert_eq!(
        count(collaboration::EngagementMemberState::Active),
        5,
        "Alder, and four others"
    );
    assert_eq!(count(collaboration::EngagementMemberState::NotJoined), 5);
    stage.world.settled().await;
    // No schema has what another one does not know of.
    let copies = "SELECT count(*) FROM opportunity.opportunity WHERE record ->> 'shared_from' IS NOT NULL";
    assert_eq!(stage.world.count(copies).await, 4);
    let orphans = "SELECT (SELECT count(*) FROM opportunity.opportunity_copy c WHERE NOT EXISTS (
          SELECT FROM opportunity.opportunity o WHERE o.account_id = c.copy_account_id AND o.opportunity_id = c.copy_opportunity_id))
        + (SELECT count(*) FROM collaboration.engagement_member m WHERE NOT EXISTS (
          SELECT FROM opportunity.opportunity o WHERE o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id))";
    assert_eq!(stage.world.count(orphans).await, 0);
    stage.running.stop().await;
}

/// A channel on the deal is asked for, granted, joined and left.
async fn talk(stage: &Stage, opportunity: &str) {
    let manager = member("alder-ace-manager", ALDER, Side::Partner, &[Role::AceManager]);
    let mut channels = stage.channels(&manager);
    let request = collaboration::RequestChannelRequest {
        opportunity_id: opportunity.to_owned(),
        member_ids: vec!["alder-ace-manager".to_owned()],
        purpose: "Who does what".to_owned(),
        ..Default::default()
    };
    let asked = channels
        .request_channel(request)
        .await
        .expect("asked for")
        .into_inner();
    let channel_id = asked.channel.expect("a channel").channel_id;
    let request = collaboration::ApproveChannelRequest {
        channel_id: channel_id.clone(),
        link: "https://chat.example/deal".to_owned(),
        ..Default::default()
    };
    let approved = stage
        .channels(&aws(Role::AccountOwner))
        .approve_channel(request)
        .await;
    approved.expect("approved");
    let request = collaboration::JoinChannelRequest {
        channel_id: channel_id.clone(),
        ..Default::default()
    };
    eventually_within(RECOVERY, async || channels.join_channel(request.clone()).await).await;
    let request = collaboration::LeaveChannelRequest {
        channel_id,
        ..Default::default()
    };
    let left = channels
        .leave_channel(request)
        .await
        .expect("left")
        .into_inner()
        .channel;
    let stands = left.expect("the channel").members[0].state();
    assert_eq!(stands, collaboration::ChannelMemberState::Left);
}
