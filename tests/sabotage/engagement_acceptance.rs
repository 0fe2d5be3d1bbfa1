//! A partner accepts engagement invitations while the process aborts between two steps of one operation.

use std::time::Duration;

use cosell::demo::MemberClient;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReceiverResponsibility;
use cosell_testkit::harness::{PeerStub, eventually};
use cosell_tests::scenario::Scenario;
use cosell_tests::{ServiceProcess, TestServers, valid_opportunity};
use tonic::Request;

use crate::acceptance_crash::accept_through_crashes;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const INVITATIONS: usize = 4;

/// Creates, submits and shares an opportunity of Alder with Birch, and returns the id of the invitation.
async fn share(alder: &MemberClient) -> String {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(valid_opportunity()),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let created = alder
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("an opportunity");
    let id = created
        .into_inner()
        .opportunity
        .expect("an opportunity")
        .opportunity_id;
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.clone(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    alder
        .lifecycle()
        .submit_opportunity(request)
        .await
        .expect("a submission");
    let request = collaboration::ShareOpportunityRequest {
        opportunity_id: id,
        receivers: vec![collaboration::ShareReceiver {
            account_id: cosell::BIRCH.to_owned(),
            responsibilities: vec![ReceiverResponsibility::Reseller.into()],
            ..Default::default()
        }],
        message: "Let us do this together.".to_owned(),
        sender_contacts: vec![opportunity::Contact {
            email: "chiara.rossi@alder.example".to_owned(),
            ..Default::default()
        }],
        request_id: PeerStub::id(),
        ..Default::default()
    };
    // Retries until the service has received the event of the connection.
    let answer = eventually(async || alder.collaboration().share_opportunity(request.clone()).await).await;
    answer.into_inner().engagement_invitations[0]
        .engagement_invitation_id
        .clone()
}

/// Accepts an invitation once; retries use the same request id. Returns the opportunity's id if the call succeeds.
async fn accept(
    partner: &MemberClient,
    request: &collaboration::AcceptEngagementInvitationRequest,
) -> Option<String> {
    let mut request = Request::new(request.clone());
    request.set_timeout(Duration::from_secs(5));
    let answer = partner
        .collaboration()
        .accept_engagement_invitation(request)
        .await
        .ok()?;
    answer
        .into_inner()
        .engagement_invitation
        .map(|invitation| invitation.opportunity_id)
}

async fn accept_all_through(point: &str, passes: &[usize]) {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    let first = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    Scenario::new(&servers, first.channel(), &first.info)
        .connect(cosell::ALDER, cosell::BIRCH, "Let us work together")
        .await;
    let alder = first.member("alder-ace-manager");
    let mut requests = Vec::new();
    for _ in 0..INVITATIONS {
        requests.push(collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: share(&alder).await,
            request_id: PeerStub::id(),
            ..Default::default()
        });
    }
    servers.wait_until_idle().await;
    first.stop();
    let child = accept_through_crashes(
        (&servers, address),
        (point, passes),
        ("birch-ace-manager", &requests),
        "shared_from",
        accept,
    )
    .await;
    let notifications = "SELECT count(*) FROM notification.notification WHERE kind = 'ENGAGEMENT_ANSWERED'";
    assert_eq!(
        servers.count(notifications).await,
        INVITATIONS as i64,
        "one notification per invitation"
    );
    let inconsistencies = "SELECT (SELECT count(*) FROM collaboration.invitation WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM opportunity.dead_letter) + (SELECT count(*) FROM notification.dead_letter)
        + (SELECT count(*) FROM collaboration.engagement_member m WHERE NOT EXISTS (
            SELECT FROM opportunity.opportunity o WHERE o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id))";
    assert_eq!(servers.count(inconsistencies).await, 0);
    child.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_crash_after_publishing_acceptance_creates_one_copy() {
    accept_all_through("relay-published", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_crash_after_creating_copy_creates_no_second_one() {
    accept_all_through("consumer-committed/opportunity-collaboration", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_crash_after_committing_acceptance_loses_none() {
    accept_all_through("relay-read", &[1, 0]).await;
}
