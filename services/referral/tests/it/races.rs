//! Covers concurrent acceptances, rejections, conversions and expiries: each offer and lead has exactly one outcome.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, Setup, partner};
use cosell_types::Role;
use futures::future::join_all;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, accept_request, alliance_lead, clients, convert_request, create_accepted_lead,
    create_lead_referral, create_referral, get_lead, get_referral, reject_request, start, start_with,
    wait_for_offer, wait_for_state,
};

/// Counts the events of offers with the given name.
async fn event_count(app: &App, event_name: &str) -> i64 {
    let mut admin = app.database.admin::<Referrals>().await;
    sqlx::query_scalar(
        "SELECT count(*) FROM event_journal
         WHERE aggregate_type = 'referral_offer' AND subject LIKE '%.' || $1",
    )
    .bind(event_name.to_owned())
    .fetch_one(&mut admin)
    .await
    .expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn ref_010_concurrent_acceptances_have_one_winner() {
    let app = start_with(Setup::default().with_max_calls(1024)).await;
    let referral = create_referral(&app, &[ALDER]).await;
    let id = wait_for_offer(&app, ALDER).await.referral_offer_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), ALDER, Role::AceManager))
        .collect();
    let attempts = (0..100).map(|number| {
        let clients = clients(&app, &members[number % members.len()]);
        let request = accept_request(&id);
        async move { clients.referrals().accept_referral_offer(request).await }
    });
    let (mut accepted_ids, mut codes) = (Vec::new(), Vec::new());
    for response in join_all(attempts).await {
        match response {
            Ok(response) => accepted_ids.push(
                response
                    .into_inner()
                    .referral_offer
                    .expect("the offer")
                    .opportunity_id,
            ),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(accepted_ids.len(), 1, "{accepted_ids:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(event_count(&app, "referral_offer_accepted").await, 1);
    let accepted_referral = wait_for_state(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(accepted_referral.offers[0].opportunity_id, accepted_ids[0]);
    app.finish::<Referrals>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ref_050_054_concurrent_acceptances_and_conversions_have_one_winner() {
    let app = start_with(Setup::default().with_max_calls(1024)).await;
    create_lead_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await.referral_offer_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), ALDER, Role::AceManager))
        .collect();
    let attempts = (0..100).map(|number| {
        let clients = clients(&app, &members[number % members.len()]);
        let request = accept_request(&offer);
        async move { clients.referrals().accept_referral_offer(request).await }
    });
    let accepted: Vec<_> = join_all(attempts)
        .await
        .into_iter()
        .filter_map(Result::ok)
        .collect();
    assert_eq!(accepted.len(), 1);
    let mut admin = app.database.admin::<Referrals>().await;
    let leads: i64 = sqlx::query_scalar("SELECT count(*) FROM lead")
        .fetch_one(&mut admin)
        .await
        .expect("a count");
    assert_eq!(leads, 1);

    let lead = create_accepted_lead(&app, BIRCH).await;
    let attempts = (0..100).map(|_| {
        let clients = clients(&app, &alliance_lead(BIRCH));
        let request = convert_request(&lead);
        async move { clients.leads().convert_lead(request).await }
    });
    let (mut accepted_ids, mut codes) = (Vec::new(), Vec::new());
    for response in join_all(attempts).await {
        match response {
            Ok(response) => accepted_ids.push(response.into_inner().lead.expect("the lead").opportunity_id),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(accepted_ids.len(), 1, "{accepted_ids:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(
        get_lead(&app, &alliance_lead(BIRCH), &lead.lead_id)
            .await
            .opportunity_id,
        accepted_ids[0]
    );
    let conversions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM event_journal WHERE type LIKE '%LeadConverted'")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
    assert_eq!(conversions, 1);
    app.finish::<Referrals>().await;
}

/// The expiry shifts with each iteration, from before the two answers to after them.
#[tokio::test(flavor = "multi_thread")]
async fn ref_010_concurrent_acceptance_rejection_and_expiry_have_one_outcome() {
    let app = start().await;
    let mut outcomes = BTreeMap::new();
    for iteration in 0..24 {
        let referral = create_referral(&app, &[ALDER, BIRCH]).await;
        let (id, offer) = (referral.referral_id.as_str(), referral.offers[0].clone());
        let end = DateTime::from_timestamp(offer.expire_time.expect("a time").seconds, 0).expect("a time");
        app.clock.advance(end - app.clock.now() - TimeDelta::seconds(1));
        let offer = offer.referral_offer_id;
        let (acceptor, rejector) = (
            clients(&app, &alliance_lead(ALDER)),
            clients(&app, &alliance_lead(ALDER)),
        );
        let requests = (accept_request(&offer), reject_request(&offer));
        let accepting =
            tokio::spawn(async move { acceptor.referrals().accept_referral_offer(requests.0).await });
        let rejecting =
            tokio::spawn(async move { rejector.referrals().reject_referral_offer(requests.1).await });
        for _ in 0..iteration / 2 {
            get_referral(&app, id).await;
        }
        app.clock.advance(TimeDelta::seconds(1));
        let accepted = accepting.await.expect("a response").is_ok();
        let rejected = rejecting.await.expect("a response").is_ok();
        assert!(!(accepted && rejected), "both succeeded in iteration {iteration}");
        let (state, offers) = match accepted {
            true => (pb::ReferralState::Accepted, 1),
            false => (pb::ReferralState::Offered, 2),
        };
        let updated = wait_for_state(&app, id, state, offers).await;
        let expected = match (accepted, rejected) {
            (true, _) => pb::ReferralOfferState::Accepted,
            (_, true) => pb::ReferralOfferState::Rejected,
            _ => pb::ReferralOfferState::Expired,
        };
        assert_eq!(updated.offers[0].state(), expected);
        *outcomes.entry(expected.as_str_name()).or_insert(0) += 1;
        // The second partner's offer expires too, which exhausts the referral.
        if !accepted {
            app.clock.advance(TimeDelta::days(9));
            wait_for_state(&app, id, pb::ReferralState::Exhausted, 2).await;
        }
    }
    let closed = event_count(&app, "referral_offer_accepted").await
        + event_count(&app, "referral_offer_rejected").await
        + event_count(&app, "referral_offer_expired").await;
    assert_eq!(
        closed,
        event_count(&app, "referral_offer_created").await,
        "each offer must reach one final state"
    );
    assert!(
        outcomes.contains_key("REFERRAL_OFFER_STATE_EXPIRED"),
        "{outcomes:?}"
    );
    assert!(outcomes.len() > 1, "{outcomes:?}");
    app.finish::<Referrals>().await;
}
