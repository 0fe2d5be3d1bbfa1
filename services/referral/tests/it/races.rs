//! Many at once: one outcome.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, Setup, partner};
use cosell_types::Role;
use futures::future::join_all;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, accept, accepted_lead, by, convert, get, get_lead, lead, offered, refer, refer_lead,
    reject, start, start_with, until,
};

/// How many events there are of an offer with a name.
async fn told(app: &App, verb: &str) -> i64 {
    let mut admin = app.database.admin::<Referrals>().await;
    sqlx::query_scalar("SELECT count(*) FROM event_journal WHERE aggregate_type = 'referral_offer' AND subject LIKE '%.' || $1")
        .bind(verb.to_owned())
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn ref_010_of_a_hundred_acceptances_one_wins() {
    let app = start_with(Setup::default().with_room(256)).await;
    let referral = refer(&app, &[ALDER]).await;
    let id = offered(&app, ALDER).await.referral_offer_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), ALDER, Role::AceManager))
        .collect();
    let calls = (0..100).map(|number| {
        let calls = by(&app, &members[number % members.len()]);
        let request = accept(&id);
        async move { calls.referrals().accept_referral_offer(request).await }
    });
    let (mut won, mut codes) = (Vec::new(), Vec::new());
    for answer in join_all(calls).await {
        match answer {
            Ok(answer) => won.push(
                answer
                    .into_inner()
                    .referral_offer
                    .expect("the offer")
                    .opportunity_id,
            ),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(told(&app, "referral_offer_accepted").await, 1);
    let known = until(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(known.offers[0].opportunity_id, won[0]);
    app.finish::<Referrals>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ref_050_054_of_a_hundred_acceptances_and_conversions_of_a_lead_one_wins() {
    let app = start_with(Setup::default().with_room(256)).await;
    refer_lead(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await.referral_offer_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), ALDER, Role::AceManager))
        .collect();
    let calls = (0..100).map(|number| {
        let calls = by(&app, &members[number % members.len()]);
        let request = accept(&offer);
        async move { calls.referrals().accept_referral_offer(request).await }
    });
    let accepted: Vec<_> = join_all(calls).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(accepted.len(), 1);
    let mut count = app.database.admin::<Referrals>().await;
    let leads: i64 = sqlx::query_scalar("SELECT count(*) FROM lead")
        .fetch_one(&mut count)
        .await
        .expect("a count");
    assert_eq!(leads, 1);

    let made = accepted_lead(&app, BIRCH).await;
    let calls = (0..100).map(|_| {
        let calls = by(&app, &lead(BIRCH));
        let request = convert(&made);
        async move { calls.leads().convert_lead(request).await }
    });
    let (mut won, mut codes) = (Vec::new(), Vec::new());
    for answer in join_all(calls).await {
        match answer {
            Ok(answer) => won.push(answer.into_inner().lead.expect("the lead").opportunity_id),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(
        get_lead(&app, &lead(BIRCH), &made.lead_id).await.opportunity_id,
        won[0]
    );
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM event_journal WHERE type LIKE '%LeadConverted'")
        .fetch_one(&mut count)
        .await
        .expect("a count");
    assert_eq!(told, 1);
    app.finish::<Referrals>().await;
}

/// The end of an offer comes a little later in each round: at first before the answers, in the end after them.
#[tokio::test(flavor = "multi_thread")]
async fn ref_010_acceptance_rejection_and_the_end_of_time_at_once_have_one_outcome() {
    let app = start().await;
    let mut outcomes = BTreeMap::new();
    for round in 0..24 {
        let referral = refer(&app, &[ALDER, BIRCH]).await;
        let (id, offer) = (referral.referral_id.as_str(), referral.offers[0].clone());
        let end = DateTime::from_timestamp(offer.expire_time.expect("a time").seconds, 0).expect("a time");
        app.clock.advance(end - app.clock.now() - TimeDelta::seconds(1));
        let offer = offer.referral_offer_id;
        let (one, other) = (by(&app, &lead(ALDER)), by(&app, &lead(ALDER)));
        let requests = (accept(&offer), reject(&offer));
        let accepting = tokio::spawn(async move { one.referrals().accept_referral_offer(requests.0).await });
        let rejecting =
            tokio::spawn(async move { other.referrals().reject_referral_offer(requests.1).await });
        for _ in 0..round / 2 {
            get(&app, id).await;
        }
        app.clock.advance(TimeDelta::seconds(1));
        let accepted = accepting.await.expect("an answer").is_ok();
        let rejected = rejecting.await.expect("an answer").is_ok();
        assert!(!(accepted && rejected), "both in round {round}");
        let (state, offers) = match accepted {
            true => (pb::ReferralState::Accepted, 1),
            false => (pb::ReferralState::Offered, 2),
        };
        let known = until(&app, id, state, offers).await;
        let expected = match (accepted, rejected) {
            (true, _) => pb::ReferralOfferState::Accepted,
            (_, true) => pb::ReferralOfferState::Rejected,
            _ => pb::ReferralOfferState::Expired,
        };
        assert_eq!(known.offers[0].state(), expected);
        *outcomes.entry(expected.as_str_name()).or_insert(0) += 1;
        // The second partner's offer ends too, and then nobody has it.
        if !accepted {
            app.clock.advance(TimeDelta::days(9));
            until(&app, id, pb::ReferralState::Exhausted, 2).await;
        }
    }
    let ended = told(&app, "referral_offer_accepted").await
        + told(&app, "referral_offer_rejected").await
        + told(&app, "referral_offer_expired").await;
    assert_eq!(
        ended,
        told(&app, "referral_offer_created").await,
        "each offer has ended once"
    );
    assert!(
        outcomes.contains_key("REFERRAL_OFFER_STATE_EXPIRED"),
        "{outcomes:?}"
    );
    assert!(outcomes.len() > 1, "{outcomes:?}");
    app.finish::<Referrals>().await;
}
