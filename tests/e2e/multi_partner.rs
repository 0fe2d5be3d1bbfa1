//! Referrals of AWS to several partners, an opportunity that is shared with nine partners, and a channel on it. The
//! tests control the clock.

use chrono::TimeDelta;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::aws_summary_service_client::AwsSummaryServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_client::OpportunityLifecycleServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral_service_client::ReferralServiceClient;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, RejectionReason, ReviewStatus};
use cosell_proto::google::r#type::Date;
use cosell_testkit::harness::{Client, PeerStub, Refusal, eventually_within, member};
use cosell_tests::scenario::{Scenario, alliance_lead, apply_alliance_lead, apply_partner};
use cosell_tests::{RECOVERY, RunningServices, TestServers, payloads, valid_opportunity};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side};
use prost::Message as _;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use cosell::{ALDER, AWS, BIRCH};

type Calls = InterceptedService<Channel, Client>;

/// All services with a manual clock, and clients for any caller.
struct Fixture {
    servers: TestServers,
    running: RunningServices,
    clock: Clock,
}

impl Fixture {
    /// Starts the services with the clock on a Thursday.
    async fn start() -> Self {
        let clock = Clock::manual("2027-03-04T10:00:00Z".parse().expect("a time"));
        let servers = TestServers::start();
        let running = servers.run_at(&clock).await;
        Self {
            servers,
            running,
            clock,
        }
    }

    fn scenario(&self) -> Scenario<'_> {
        Scenario {
            servers: &self.servers,
            channel: self.running.channel(),
            issuer: cosell::issuer(&self.servers.state(), self.clock.clone()).expect("the issuer"),
            tokens: self.running.info.tokens.clone(),
        }
    }

    fn client(&self, caller: &Caller) -> Calls {
        Client::new(&self.scenario().issuer, Some(caller)).with_channel(self.running.channel())
    }

    fn collaboration(&self, account: &str) -> CollaborationServiceClient<Calls> {
        CollaborationServiceClient::new(self.client(&alliance_lead(account)))
    }

    fn referrals(&self, caller: &Caller) -> ReferralServiceClient<Calls> {
        ReferralServiceClient::new(self.client(caller))
    }

    fn channels(&self, caller: &Caller) -> ChannelServiceClient<Calls> {
        ChannelServiceClient::new(self.client(caller))
    }

    /// Waits until an opportunity of a partner exists and returns it.
    async fn wait_for_opportunity(&self, account: &str, id: &str) -> opportunity::Opportunity {
        let mut calls = OpportunityServiceClient::new(self.client(&alliance_lead(account)));
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: id.to_owned(),
            as_of: None,
        };
        eventually_within(RECOVERY, async || {
            let answer = calls.get_opportunity(request.clone()).await?.into_inner();
            anyhow::Ok(answer.opportunity.expect("an opportunity"))
        })
        .await
    }

    /// Refers an opportunity of AWS to these partners in order.
    async fn refer(&self, receivers: &[&str]) -> referral::Referral {
        let mut content = payloads::referral_to(ALDER);
        content.receiver_account_ids = receivers.iter().map(ToString::to_string).collect();
        let request = referral::CreateReferralRequest {
            referral: Some(content),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let created = self
            .referrals(&aws(Role::SalesRepresentative))
            .create_referral(request)
            .await;
        created
            .expect("a referral")
            .into_inner()
            .referral
            .expect("a referral")
    }

    /// Waits until the offers of a referral have these states.
    async fn wait_for_offer_states(&self, id: &str, states: &[referral::ReferralOfferState]) {
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
            let current: Vec<_> = found
                .offers
                .iter()
                .map(referral::ReferralOfferStatus::state)
                .collect();
            anyhow::ensure!(current == states, "{current:?}");
            Ok(())
        })
        .await;
    }

    /// Creates an approved opportunity of Alder that is eligible for a channel and returns its id.
    async fn approve_opportunity(&self) -> String {
        let mut opportunities = OpportunityServiceClient::new(self.client(&alliance_lead(ALDER)));
        let mut content = valid_opportunity();
        let life_cycle = content.life_cycle.get_or_insert_default();
        life_cycle.stage = opportunity::Stage::Qualified.into();
        life_cycle.target_close_date = Some(Date {
            year: 2050,
            month: 6,
            day: 30,
        });
        let spend = &mut content.project.get_or_insert_default().expected_customer_spend[0];
        spend.amount.get_or_insert_default().units = 10_000;
        let request = opportunity::CreateOpportunityRequest {
            opportunity: Some(content),
            ..Default::default()
        };
        let created = opportunities
            .create_opportunity(request)
            .await
            .expect("an opportunity")
            .into_inner();
        let id = created.opportunity.expect("an opportunity").opportunity_id;
        let request = opportunity::SubmitOpportunityRequest {
            opportunity_id: id.clone(),
            involvement_type: opportunity::InvolvementType::CoSell.into(),
            ..Default::default()
        };
        let mut lifecycle = OpportunityLifecycleServiceClient::new(self.client(&alliance_lead(ALDER)));
        lifecycle.submit_opportunity(request).await.expect("a submission");
        let mut reviewer = ReviewServiceClient::new(self.client(&aws(Role::Reviewer)));
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
                .ok_or_else(|| anyhow::anyhow!("no review case"))
        })
        .await
        .review_case_id;
        let claim = review::ClaimReviewCaseRequest {
            review_case_id: case.clone(),
            ..Default::default()
        };
        reviewer.claim_review_case(claim).await.expect("a claim");
        let decide = review::DecideReviewRequest {
            review_case_id: case,
            decision: review::ReviewDecision::Approve.into(),
            ..Default::default()
        };
        reviewer.decide_review(decide).await.expect("a decision");
        self.servers.wait_until_idle().await;
        id
    }
}

/// A seeded member of AWS.
fn aws(role: Role) -> Caller {
    let id = format!("aws-{}", role.name().to_lowercase().replace('_', "-"));
    member(&id, AWS, Side::Aws, &[role])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn referrals_are_accepted_in_batch_and_rejected_offer_routes_on_and_expires() {
    let fixture = Fixture::start().await;
    let (first, second) = (fixture.refer(&[ALDER]).await, fixture.refer(&[ALDER]).await);
    let third = fixture.refer(&[ALDER, BIRCH]).await;
    let mut alder = fixture.referrals(&alliance_lead(ALDER));
    let listed = alder
        .list_referral_offers(referral::ListReferralOffersRequest::default())
        .await;
    let offers = listed.expect("a list").into_inner().referral_offers;
    assert_eq!(offers.len(), 3);
    for offer in &offers {
        assert!(offer.payload.is_some(), "the receiver sees the payload");
        let bytes = offer.encode_to_vec();
        assert!(
            !bytes.windows(4).any(|window| window == b"ref-"),
            "the receiver does not see the referral id of AWS"
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
        let opportunity = fixture.wait_for_opportunity(ALDER, &offer.opportunity_id).await;
        assert_eq!(opportunity.origin(), opportunity::Origin::AwsReferral);
        assert_eq!(opportunity.referral_offer_id, offer.referral_offer_id);
    }
    let reject = referral::RejectReferralOfferRequest {
        referral_offer_id: third.offers[0].referral_offer_id.clone(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    };
    alder.reject_referral_offer(reject).await.expect("a rejection");
    let (rejected, pending) = (
        referral::ReferralOfferState::Rejected,
        referral::ReferralOfferState::Pending,
    );
    fixture
        .wait_for_offer_states(&third.referral_id, &[rejected, pending])
        .await;
    // An offer made on a Thursday expires at the end of the next Thursday: the weekend does not count.
    fixture.clock.advance(TimeDelta::days(7));
    fixture
        .wait_for_offer_states(&third.referral_id, &[rejected, pending])
        .await;
    fixture.clock.advance(TimeDelta::hours(14));
    fixture
        .wait_for_offer_states(
            &third.referral_id,
            &[rejected, referral::ReferralOfferState::Expired],
        )
        .await;
    let mut birch = fixture.referrals(&alliance_lead(BIRCH));
    let listed = birch
        .list_referral_offers(referral::ListReferralOffersRequest::default())
        .await;
    assert_eq!(
        listed.expect("a list").into_inner().referral_offers,
        [],
        "expired offers are not listed"
    );
    fixture.servers.wait_until_idle().await;
    fixture.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opportunity_is_shared_with_nine_partners_and_discussed_in_a_channel() {
    let fixture = Fixture::start().await;
    let others: Vec<_> = (1..=10).map(|number| format!("7000000000{number:02}")).collect();
    let scenario = fixture.scenario();
    let records = others.iter().flat_map(|account| {
        [
            apply_partner(account, &format!("Partner {account}")),
            apply_alliance_lead(account, &format!("lead-{account}")),
        ]
    });
    scenario.provision(records.collect()).await;
    for other in &others {
        scenario.connect(ALDER, other, "Let us work together").await;
    }
    let id = fixture.approve_opportunity().await;
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
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let mut alder = fixture.collaboration(ALDER);
    let shared = alder
        .share_opportunity(share(&others[..9]))
        .await
        .expect("a share")
        .into_inner();
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let tenth = alder
        .share_opportunity(share(&others[9..]))
        .await
        .expect_err("a refusal of the tenth receiver");
    assert_eq!(Refusal::from(&tenth).reason, "TOO_MANY_MEMBERS");

    // Four invitations are accepted, one is rejected, three are canceled, and one stays unanswered.
    for invitation in &shared.engagement_invitations[..4] {
        let account = &invitation.receiver_account_id;
        let request = collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: invitation.engagement_invitation_id.clone(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let answer = fixture
            .collaboration(account)
            .accept_engagement_invitation(request)
            .await;
        let accepted = answer
            .expect("an acceptance")
            .into_inner()
            .engagement_invitation
            .expect("an invitation");
        let copy = fixture
            .wait_for_opportunity(account, &accepted.opportunity_id)
            .await;
        let status = copy.life_cycle.clone().unwrap_or_default().review_status();
        assert_eq!(
            status,
            ReviewStatus::Approved,
            "the shared copy has the review status of Alder's opportunity"
        );
        assert_eq!(copy.engagement_invitation_id, invitation.engagement_invitation_id);
    }
    let request = collaboration::RejectEngagementInvitationRequest {
        engagement_invitation_id: shared.engagement_invitations[4].engagement_invitation_id.clone(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    };
    let rejected = fixture
        .collaboration(&others[4])
        .reject_engagement_invitation(request)
        .await;
    rejected.expect("a rejection");
    for invitation in &shared.engagement_invitations[5..8] {
        let request = collaboration::CancelEngagementInvitationRequest {
            engagement_invitation_id: invitation.engagement_invitation_id.clone(),
            ..Default::default()
        };
        alder
            .cancel_engagement_invitation(request)
            .await
            .expect("a cancellation");
    }
    fixture.servers.wait_until_idle().await;
    use_channel(&fixture, &id).await;
    // A call between services must not see the clock jump past the validity of its token.
    fixture.servers.wait_until_idle().await;

    fixture.clock.advance(TimeDelta::days(15));
    let states = eventually_within(RECOVERY, async || {
        let request = collaboration::ListEngagementMembersRequest {
            engagement_id: engagement.clone(),
            ..Default::default()
        };
        let found = fixture
            .collaboration(ALDER)
            .list_engagement_members(request)
            .await?;
        let states: Vec<_> = found
            .into_inner()
            .engagement_members
            .iter()
            .map(|member| member.state())
            .collect();
        anyhow::ensure!(
            !states.contains(&collaboration::EngagementMemberState::Invited),
            "{states:?}"
        );
        Ok(states)
    })
    .await;
    let count = |expected| states.iter().filter(|state| **state == expected).count();
    assert_eq!(
        count(collaboration::EngagementMemberState::Active),
        5,
        "Alder and the four partners that accepted"
    );
    assert_eq!(count(collaboration::EngagementMemberState::NotJoined), 5);
    fixture.servers.wait_until_idle().await;
    // No schema refers to a row that another schema lacks.
    let copies = "SELECT count(*) FROM opportunity.opportunity WHERE record ->> 'shared_from' IS NOT NULL";
    assert_eq!(fixture.servers.count(copies).await, 4);
    let orphans = "SELECT (SELECT count(*) FROM opportunity.opportunity_copy c WHERE NOT EXISTS (
          SELECT FROM opportunity.opportunity o WHERE o.account_id = c.copy_account_id AND o.opportunity_id = c.copy_opportunity_id))
        + (SELECT count(*) FROM collaboration.engagement_member m WHERE NOT EXISTS (
          SELECT FROM opportunity.opportunity o WHERE o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id))";
    assert_eq!(fixture.servers.count(orphans).await, 0);
    fixture.running.stop().await;
}

/// Marks an opportunity as strategic, which makes it eligible for a channel; requests, approves, joins and leaves one.
async fn use_channel(fixture: &Fixture, opportunity: &str) {
    let strategic = opportunity::UpdateAwsOpportunitySummaryRequest {
        opportunity_id: opportunity.to_owned(),
        aws_opportunity_summary: Some(opportunity::AwsOpportunitySummary {
            strategic: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut summaries = AwsSummaryServiceClient::new(fixture.client(&aws(Role::AccountOwner)));
    let marked = summaries.update_aws_opportunity_summary(strategic).await;
    marked.expect("a strategic opportunity");
    let manager = member("alder-ace-manager", ALDER, Side::Partner, &[Role::AceManager]);
    let mut channels = fixture.channels(&manager);
    let request = collaboration::RequestChannelRequest {
        opportunity_id: opportunity.to_owned(),
        member_ids: vec!["alder-ace-manager".to_owned()],
        purpose: "Who does what".to_owned(),
        ..Default::default()
    };
    let requested = channels
        .request_channel(request)
        .await
        .expect("a request")
        .into_inner();
    let channel_id = requested.channel.expect("a channel").channel_id;
    let request = collaboration::ApproveChannelRequest {
        channel_id: channel_id.clone(),
        link: "https://chat.example/opportunity".to_owned(),
        ..Default::default()
    };
    let approved = fixture
        .channels(&aws(Role::AccountOwner))
        .approve_channel(request)
        .await;
    approved.expect("an approval");
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
        .expect("a response")
        .into_inner()
        .channel;
    let state = left.expect("the channel").members[0].state();
    assert_eq!(state, collaboration::ChannelMemberState::Left);
}
