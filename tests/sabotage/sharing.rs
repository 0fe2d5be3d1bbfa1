//! A partner takes part in deals that another one shares, while the process ends between two steps that belong together.

use std::time::Duration;

use cosell::demo::Person;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::ReceiverResponsibility;
use cosell_testkit::harness::{FarEnd, eventually};
use cosell_tests::scene::Scene;
use cosell_tests::{Child, World, record};
use tonic::Request;

use crate::acceptances::accepting_through;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const DEALS: usize = 4;

/// A deal of Alder that it shares with Birch; the invitation.
async fn shared(alder: &Person) -> String {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(record()),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let made = alder
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("a record");
    let id = made.into_inner().opportunity.expect("a record").opportunity_id;
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.clone(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    alder
        .lifecycle()
        .submit_opportunity(request)
        .await
        .expect("submitted");
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
        request_id: FarEnd::id(),
        ..Default::default()
    };
    // The connection is known within moments.
    let answer = eventually(async || alder.collaboration().share_opportunity(request.clone()).await).await;
    answer.into_inner().engagement_invitations[0]
        .engagement_invitation_id
        .clone()
}

/// Accepts, as often as it takes: with the same request id it is one acceptance. The opportunity, once there is an answer.
async fn accepted(
    partner: &Person,
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

async fn through(point: &str, passes: &[usize]) {
    let world = World::start();
    let address = Child::address();
    let first = Child::start(PROGRAM, &world, address, &[]).await;
    Scene::new(&world, first.channel(), &first.info)
        .connect(cosell::ALDER, cosell::BIRCH, "Let us work together")
        .await;
    let alder = first.person("alder-ace-manager");
    let mut requests = Vec::new();
    for _ in 0..DEALS {
        requests.push(collaboration::AcceptEngagementInvitationRequest {
            engagement_invitation_id: shared(&alder).await,
            request_id: FarEnd::id(),
            ..Default::default()
        });
    }
    world.settled().await;
    first.stop();
    let child = accepting_through(
        (&world, address),
        (point, passes),
        ("birch-ace-manager", &requests),
        "shared_from",
        accepted,
    )
    .await;
    let answered = "SELECT count(*) FROM notification.notification WHERE kind = 'ENGAGEMENT_ANSWERED'";
    assert_eq!(world.count(answered).await, DEALS as i64, "one notice each");
    let orphans = "SELECT (SELECT count(*) FROM collaboration.invitation WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM opportunity.dead_letter) + (SELECT count(*) FROM notification.dead_letter)
        + (SELECT count(*) FROM collaboration.engagement_member m WHERE NOT EXISTS (
            SELECT FROM opportunity.opportunity o WHERE o.account_id = m.account_id AND o.opportunity_id = m.opportunity_id))";
    assert_eq!(world.count(orphans).await, 0);
    child.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_a_crash_after_publishing_an_acceptance_makes_one_copy() {
    through("relay-published", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_a_crash_after_the_copy_was_made_makes_no_second_one() {
    through("consumer-committed/opportunity-collaboration", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_092_a_crash_after_an_acceptance_was_committed_loses_none() {
    through("relay-read", &[1, 0]).await;
}
