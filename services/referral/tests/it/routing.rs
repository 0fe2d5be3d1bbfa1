//! Covers the routing of referrals to the next receiver after rejection or expiry, reminders, and scheduled work in
//! several replicas (REF-011, REF-020, REF-021).

use chrono::TimeDelta;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::{Options, Referrals};
use cosell_testkit::harness::{PeerStub, Setup, opportunities};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, accept_request, alliance_lead, clients, create_referral, list_offers,
    reject_request, start, start_with, wait_for_offer, wait_for_state,
};

#[tokio::test]
async fn ref_011_referral_is_routed_to_next_receiver_after_rejection_or_expiry() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = create_referral(&app, &[ALDER, BIRCH, CEDAR]).await;
    let id = referral.referral_id.as_str();
    let first = wait_for_offer(&app, ALDER).await;
    clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&first.referral_offer_id))
        .await
        .expect("a rejection");
    let second = wait_for_offer(&app, BIRCH).await;
    assert_ne!(first.referral_offer_id, second.referral_offer_id);
    assert_eq!(list_offers(&app, &alliance_lead(CEDAR)).await, []);
    // Across a weekend, to the end of the fifth business day.
    app.clock.advance(TimeDelta::days(8));
    let third = wait_for_offer(&app, CEDAR).await;
    assert_eq!(list_offers(&app, &alliance_lead(BIRCH)).await, []);
    clients(&app, &alliance_lead(CEDAR))
        .referrals()
        .accept_referral_offer(accept_request(&third.referral_offer_id))
        .await
        .expect("an acceptance");
    let accepted_referral = wait_for_state(&app, id, pb::ReferralState::Accepted, 3).await;
    let states: Vec<_> = accepted_referral
        .offers
        .iter()
        .map(pb::ReferralOfferStatus::state)
        .collect();
    assert_eq!(
        states,
        [
            pb::ReferralOfferState::Rejected,
            pb::ReferralOfferState::Expired,
            pb::ReferralOfferState::Accepted
        ]
    );
    assert_eq!(accepted_referral.revision, 4);
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 10)
        .await;
    // Events of the second and third receiver name no other receiver and look like those of the first one.
    let first_id = first.referral_offer_id.as_str();
    for (account, own) in [
        (BIRCH, &second.referral_offer_id),
        (CEDAR, &third.referral_offer_id),
    ] {
        for event in events
            .iter()
            .filter(|event| event.header("ce-accountid") == account)
        {
            let text = format!("{} {:?} {:?}", event.subject, event.headers, event.payload);
            for secret in [id, ALDER, first_id] {
                assert!(
                    !text.contains(secret),
                    "an event of {account} contains {secret}: {text}"
                );
            }
            if event.subject.ends_with(".referral_offer_created") {
                assert_eq!(event.header("ce-actor"), "service:referral");
                assert_eq!(event.header("ce-requestid"), *own);
            }
        }
    }
    let aws_events: Vec<_> = events
        .iter()
        .filter(|event| event.header("ce-subject") == id)
        .map(|event| event.subject.rsplit('.').next().expect("an event name"))
        .collect();
    assert_eq!(
        aws_events,
        [
            "referral_created",
            "referral_routed",
            "referral_routed",
            "referral_accepted"
        ]
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_020_reminder_is_published_one_business_day_before_expiry() {
    let app = start_with(Setup::default().with_bus()).await;
    create_referral(&app, &[ALDER]).await;
    // The last business day begins on Monday.
    app.clock.advance(TimeDelta::hours(7 * 24 - 9));
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 3)
        .await;
    let reminder: pb::ReferralOfferExpiresSoon = events[2].message();
    assert_eq!((reminder.account_id.as_str(), reminder.revision), (ALDER, 2));
    app.finish::<Referrals>().await;
}

/// Three replicas process the same expired offers concurrently.
#[tokio::test]
async fn ref_021_replicas_expire_each_offer_once_and_route_each_referral_once() {
    let app = start().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(create_referral(&app, &[ALDER, BIRCH]).await.referral_id);
    }
    let opportunity_url = opportunities(|_, _| Err(Code::NotFound)).await;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let options = Options::new(opportunity_url.clone());
        let replica = Setup::replica_of(&app).start_on::<Referrals>(app.database.shared(), options);
        replicas.push(replica.await);
    }
    app.clock.advance(TimeDelta::days(8));
    for id in &ids {
        wait_for_state(&app, id, pb::ReferralState::Offered, 2).await;
    }
    assert_eq!(list_offers(&app, &alliance_lead(BIRCH)).await.len(), 20);
    for replica in replicas {
        replica.finish::<Referrals>().await;
    }
    app.finish::<Referrals>().await;
}
