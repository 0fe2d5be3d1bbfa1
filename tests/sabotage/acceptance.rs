//! A partner accepts deals of AWS while the process ends between two steps that belong together.

use std::time::Duration;

use cosell::demo::Person;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_testkit::harness::{FarEnd, eventually_within};
use cosell_tests::referrals::referral as deal;
use cosell_tests::{Child, RECOVERY, World};
use tonic::Request;

use crate::acceptances::accepting_through;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const DEALS: usize = 6;

/// A deal that is offered to Alder; the offer.
async fn offered(sales: &Person) -> String {
    let request = referral::CreateReferralRequest {
        referral: Some(deal(cosell::ALDER)),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let answer = sales
        .referrals()
        .create_referral(request)
        .await
        .expect("a referral");
    let made = answer.into_inner().referral.expect("a referral");
    made.offers[0].referral_offer_id.clone()
}

/// Accepts, as often as it takes: with the same request id it is one acceptance. The opportunity, once there is an answer.
async fn accepted(partner: &Person, request: &referral::AcceptReferralOfferRequest) -> Option<String> {
    let mut request = Request::new(request.clone());
    request.set_timeout(Duration::from_secs(5));
    let answer = partner.referrals().accept_referral_offer(request).await.ok()?;
    answer
        .into_inner()
        .referral_offer
        .map(|offer| offer.opportunity_id)
}

async fn through(point: &str, passes: &[usize]) {
    let world = World::start();
    let address = Child::address();
    let first = Child::start(PROGRAM, &world, address, &[]).await;
    let sales = first.person("aws-sales-representative");
    let mut requests = Vec::new();
    for _ in 0..DEALS {
        requests.push(referral::AcceptReferralOfferRequest {
            referral_offer_id: offered(&sales).await,
            request_id: FarEnd::id(),
            ..Default::default()
        });
    }
    world.settled().await;
    first.stop();
    let child = accepting_through(
        (&world, address),
        (point, passes),
        ("alder-ace-manager", &requests),
        "referral_offer",
        accepted,
    )
    .await;
    // The referral is concluded within seconds, by the worker of whichever process runs then.
    let answered = "SELECT count(*) FROM notification.notification WHERE kind = 'REFERRAL_ANSWERED'";
    eventually_within(RECOVERY, async || match world.count(answered).await {
        count if count == DEALS as i64 => Ok(()),
        count => Err(format!("{count} notices")),
    })
    .await;
    let orphans = "SELECT (SELECT count(*) FROM referral.offer WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM referral.referral WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM opportunity.dead_letter) + (SELECT count(*) FROM notification.dead_letter)";
    assert_eq!(world.count(orphans).await, 0);
    child.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_a_crash_after_publishing_an_acceptance_makes_one_opportunity() {
    through("relay-published", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_a_crash_after_the_opportunity_was_made_makes_no_second_one() {
    through("consumer-committed/opportunity-referral", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_a_crash_after_an_acceptance_was_committed_loses_none() {
    through("relay-read", &[1, 0]).await;
}
