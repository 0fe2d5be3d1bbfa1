//! A partner accepts referrals of AWS while the process aborts between two steps of one operation.

use std::time::Duration;

use cosell::demo::MemberClient;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_testkit::harness::{PeerStub, eventually_within};
use cosell_tests::payloads::referral_to;
use cosell_tests::{RECOVERY, ServiceProcess, TestServers};
use tonic::Request;

use crate::acceptance_crash::accept_through_crashes;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const REFERRALS: usize = 6;

/// Refers an opportunity to Alder and returns the id of the offer.
async fn refer(sales: &MemberClient) -> String {
    let request = referral::CreateReferralRequest {
        referral: Some(referral_to(cosell::ALDER)),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let answer = sales
        .referrals()
        .create_referral(request)
        .await
        .expect("a referral");
    let created = answer.into_inner().referral.expect("a referral");
    created.offers[0].referral_offer_id.clone()
}

/// Accepts an offer once; retries use the same request id. Returns the opportunity's id if the call succeeds.
async fn accept(partner: &MemberClient, request: &referral::AcceptReferralOfferRequest) -> Option<String> {
    let mut request = Request::new(request.clone());
    request.set_timeout(Duration::from_secs(5));
    let answer = partner.referrals().accept_referral_offer(request).await.ok()?;
    answer
        .into_inner()
        .referral_offer
        .map(|offer| offer.opportunity_id)
}

async fn accept_all_through(point: &str, passes: &[usize]) {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    let first = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    let sales = first.member("aws-sales-representative");
    let mut requests = Vec::new();
    for _ in 0..REFERRALS {
        requests.push(referral::AcceptReferralOfferRequest {
            referral_offer_id: refer(&sales).await,
            request_id: PeerStub::id(),
            ..Default::default()
        });
    }
    servers.wait_until_idle().await;
    first.stop();
    let child = accept_through_crashes(
        (&servers, address),
        (point, passes),
        ("alder-ace-manager", &requests),
        "referral_offer",
        accept,
    )
    .await;
    // A background worker of the last process closes the referrals within seconds.
    let notifications = "SELECT count(*) FROM notification.notification WHERE kind = 'REFERRAL_ANSWERED'";
    eventually_within(RECOVERY, async || match servers.count(notifications).await {
        count if count == REFERRALS as i64 => Ok(()),
        count => Err(format!("{count} notifications")),
    })
    .await;
    let inconsistencies = "SELECT (SELECT count(*) FROM referral.offer WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM referral.referral WHERE state <> 'ACCEPTED')
        + (SELECT count(*) FROM opportunity.dead_letter) + (SELECT count(*) FROM notification.dead_letter)";
    assert_eq!(servers.count(inconsistencies).await, 0);
    child.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_crash_after_publishing_acceptance_creates_one_opportunity() {
    accept_all_through("relay-published", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_crash_after_creating_opportunity_creates_no_second_one() {
    accept_all_through("consumer-committed/opportunity-referral", &[1, 0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_030_crash_after_committing_acceptance_loses_none() {
    accept_all_through("relay-read", &[1, 0]).await;
}
