//! A deal goes from one partner to the next.

use chrono::TimeDelta;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::{Options, Referrals};
use cosell_testkit::harness::{FarEnd, Setup, opportunities};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, accept, by, lead, offered, offers, refer, reject, start, start_with, until,
};

#[tokio::test]
async fn ref_011_after_a_rejection_and_after_the_time_the_next_one_gets_it() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = refer(&app, &[ALDER, BIRCH, CEDAR]).await;
    let id = referral.referral_id.as_str();
    let first = offered(&app, ALDER).await;
    by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(reject(&first.referral_offer_id))
        .await
        .expect("a rejection");
    let second = offered(&app, BIRCH).await;
    assert_ne!(first.referral_offer_id, second.referral_offer_id);
    assert_eq!(offers(&app, &lead(CEDAR)).await, []);
    // Over a weekend, to the end of the fifth business day.
    app.clock.advance(TimeDelta::days(8));
    let third = offered(&app, CEDAR).await;
    assert_eq!(offers(&app, &lead(BIRCH)).await, []);
    by(&app, &lead(CEDAR))
        .referrals()
        .accept_referral_offer(accept(&third.referral_offer_id))
        .await
        .expect("an acceptance");
    let known = until(&app, id, pb::ReferralState::Accepted, 3).await;
    let states: Vec<_> = known.offers.iter().map(pb::ReferralOfferStatus::state).collect();
    assert_eq!(
        states,
        [
            pb::ReferralOfferState::Rejected,
            pb::ReferralOfferState::Expired,
            pb::ReferralOfferState::Accepted
        ]
    );
    assert_eq!(known.revision, 4);
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 10)
        .await;
    // What the second and the third are told names nobody else, and looks as what the first was told.
    let first_id = first.referral_offer_id.as_str();
    for (account, own) in [
        (BIRCH, &second.referral_offer_id),
        (CEDAR, &third.referral_offer_id),
    ] {
        for event in told
            .iter()
            .filter(|event| event.header("ce-accountid") == account)
        {
            let text = format!("{} {:?} {:?}", event.subject, event.headers, event.payload);
            for secret in [id, ALDER, first_id] {
                assert!(!text.contains(secret), "{account} is told {secret}: {text}");
            }
            if event.subject.ends_with(".referral_offer_created") {
                assert_eq!(event.header("ce-actor"), "service:referral");
                assert_eq!(event.header("ce-requestid"), *own);
            }
        }
    }
    let of_aws: Vec<_> = told
        .iter()
        .filter(|event| event.header("ce-subject") == id)
        .map(|event| event.subject.rsplit('.').next().expect("a verb"))
        .collect();
    assert_eq!(
        of_aws,
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
async fn ref_020_who_has_not_answered_is_reminded_a_business_day_before() {
    let app = start_with(Setup::default().with_bus()).await;
    refer(&app, &[ALDER]).await;
    // The last business day begins on Monday.
    app.clock.advance(TimeDelta::hours(7 * 24 - 9));
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 3)
        .await;
    let due: pb::ReferralOfferExpiresSoon = told[2].message();
    assert_eq!((due.account_id.as_str(), due.revision), (ALDER, 2));
    app.finish::<Referrals>().await;
}

/// Several replicas work through what became due while none of them ran.
#[tokio::test]
async fn ref_021_three_replicas_end_each_offer_once_and_hand_each_deal_on_once() {
    let app = start().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(refer(&app, &[ALDER, BIRCH]).await.referral_id);
    }
    let opportunity_url = opportunities(|_, _| Err(Code::NotFound)).await;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let options = Options::new(opportunity_url.clone());
        let replica = Setup::beside(&app).start_on::<Referrals>(app.database.shared(), options);
        replicas.push(replica.await);
    }
    app.clock.advance(TimeDelta::days(8));
    for id in &ids {
        until(&app, id, pb::ReferralState::Offered, 2).await;
    }
    assert_eq!(offers(&app, &lead(BIRCH)).await.len(), 20);
    for replica in replicas {
        replica.finish::<Referrals>().await;
    }
    app.finish::<Referrals>().await;
}
