//! Covers offers of opportunities from the partner's side: what is shown before acceptance (REF-012), acceptance,
//! rejection, expiry, batch acceptance, and visibility.

use chrono::TimeDelta;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral_offer::Payload;
use cosell_proto::cosell::r#type::v1::RejectionReason;
use cosell_referral::Referrals;
use cosell_testkit::harness::{PeerStub, Setup, refused, service};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, HIDDEN, accept_request, alliance_lead, clients, create_referral, get_referral, list_offers,
    offered_opportunity, reject_request, request_id, start, start_with, wait_for_offer, wait_for_state,
};

fn contains_text(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn ref_012_pending_offer_shows_only_listed_fields() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = create_referral(&app, &[ALDER, BIRCH]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    let Some(Payload::Opportunity(shown)) = offer.payload.clone() else {
        panic!("not an opportunity: {offer:?}");
    };
    assert_eq!(
        (
            shown.customer_company_name.as_str(),
            shown.postal_code.as_str(),
            shown.title.as_str(),
            shown.next_steps.as_str(),
            shown.lead_source.as_str(),
        ),
        ("Nordwind", "20457", "Data platform", "Meet the CIO", "AWS event")
    );
    assert_eq!(shown.origin(), opportunity::Origin::AwsReferral);
    assert_eq!(offer.sender_contacts[0].email, "vera@amazon.example");

    // No response or event contains a hidden value, another receiver, or the referral id.
    let mut secrets: Vec<_> = HIDDEN.to_vec();
    secrets.extend([BIRCH, referral.referral_id.as_str()]);
    let request_bytes = crate::support::referral_request(&[ALDER]).encode_to_vec();
    for hidden in HIDDEN {
        assert!(
            contains_text(&request_bytes, hidden),
            "the request must contain {hidden}"
        );
    }
    let list = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    let mut outputs = vec![
        offer.encode_to_vec(),
        list.expect("a list").into_inner().encode_to_vec(),
    ];
    let dry_run = pb::AcceptReferralOfferRequest {
        validate_only: true,
        ..accept_request(&offer.referral_offer_id)
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(dry_run)
        .await;
    let response = response.expect("a response").into_inner();
    assert_eq!(
        response
            .referral_offer
            .as_ref()
            .expect("the offer")
            .opportunity_id,
        "",
        "a dry run must not create an opportunity"
    );
    outputs.push(response.encode_to_vec());
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 2)
        .await;
    for event in events
        .iter()
        .filter(|event| event.header("ce-accountid") == ALDER)
    {
        outputs.push(event.payload.clone());
        outputs.push(format!("{} {:?}", event.subject, event.headers).into_bytes());
    }
    assert_eq!(outputs.len(), 5, "the partner must receive exactly one event");
    for (number, output) in outputs.iter().enumerate() {
        for secret in &secrets {
            assert!(
                !contains_text(output, secret),
                "output {number} contains {secret}"
            );
        }
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_030_accepted_offer_returns_same_opportunity_id_on_repetition() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = create_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    let request = pb::AcceptReferralOfferRequest {
        request_id: request_id(),
        ..accept_request(&offer.referral_offer_id)
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let response = clients(&app, &alliance_lead(ALDER))
            .referrals()
            .accept_referral_offer(request.clone())
            .await;
        let response = response
            .expect("an acceptance")
            .into_inner()
            .referral_offer
            .expect("the offer");
        assert_eq!(response.state(), pb::ReferralOfferState::Accepted);
        assert!(
            response.payload.is_some(),
            "an accepted offer must keep its payload"
        );
        ids.push(response.opportunity_id);
    }
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with('O'), "{}", ids[0]);
    let again = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    let refusal = refused(again, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    assert_eq!(refusal.metadata["state"], "ACCEPTED");

    let accepted_referral = wait_for_state(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(accepted_referral.offers[0].opportunity_id, ids[0]);
    // The opportunity service reads the full details from which it creates the opportunity.
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let details = clients(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    let details = details.expect("the opportunity details").into_inner();
    assert_eq!(details.opportunity, Some(offered_opportunity()));
    assert_eq!(details.sender_contacts.len(), 1);
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 4)
        .await;
    let event_names: Vec<_> = events
        .iter()
        .map(|event| event.subject.rsplit('.').next().expect("an event name"))
        .collect();
    assert_eq!(
        event_names,
        [
            "referral_created",
            "referral_offer_created",
            "referral_offer_accepted",
            "referral_accepted"
        ]
    );
    let accepted: pb::ReferralOfferAccepted = events[2].message();
    assert_eq!((accepted.opportunity_id, accepted.revision), (ids[0].clone(), 2));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_031_rejected_offer_requires_reason_and_hides_its_payload() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    let without_text = pb::RejectReferralOfferRequest {
        reason: RejectionReason::Other.into(),
        ..reject_request(&offer.referral_offer_id)
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(without_text)
        .await;
    let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.fields[0].0, "text");
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&offer.referral_offer_id))
        .await;
    let response = response
        .expect("a rejection")
        .into_inner()
        .referral_offer
        .expect("the offer");
    assert_eq!(response.state(), pb::ReferralOfferState::Rejected);
    assert_eq!(response.rejection_reason(), RejectionReason::UnableToSupport);
    assert_eq!((response.payload, response.message.as_str()), (None, ""));
    assert_eq!(response.sender_contacts, []);
    assert_eq!(
        list_offers(&app, &alliance_lead(ALDER)).await,
        [],
        "the default list must not contain rejected offers"
    );
    let rejected = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest {
            states: vec![pb::ReferralOfferState::Rejected.into()],
            ..Default::default()
        })
        .await;
    let rejected = rejected.expect("a list").into_inner().referral_offers;
    assert_eq!((rejected.len(), rejected[0].payload.clone()), (1, None));
    let late = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    refused(late, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id,
    };
    let details = clients(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    refused(details, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_021_expired_offer_is_not_found_by_partner_immediately() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    // One second before the end of the next Monday.
    app.clock
        .advance(TimeDelta::hours(8 * 24 - 9) - TimeDelta::seconds(1));
    assert_eq!(list_offers(&app, &alliance_lead(ALDER)).await.len(), 1);
    app.clock.advance(TimeDelta::seconds(1));
    let late = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    refused(late, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    assert_eq!(list_offers(&app, &alliance_lead(ALDER)).await, []);
    let exhausted = wait_for_state(&app, &referral.referral_id, pb::ReferralState::Exhausted, 1).await;
    assert_eq!(exhausted.offers[0].state(), pb::ReferralOfferState::Expired);
    let expired_only = pb::ListReferralOffersRequest {
        states: vec![pb::ReferralOfferState::Expired.into()],
        ..Default::default()
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .list_referral_offers(expired_only)
        .await;
    assert_eq!(response.expect("a list").into_inner().referral_offers, []);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_032_batch_acceptance_processes_each_offer_independently() {
    let app = start().await;
    for _ in 0..3 {
        create_referral(&app, &[ALDER]).await;
    }
    let own_ids: Vec<_> = list_offers(&app, &alliance_lead(ALDER))
        .await
        .into_iter()
        .map(|offer| offer.referral_offer_id)
        .collect();
    create_referral(&app, &[BIRCH]).await;
    let foreign_id = wait_for_offer(&app, BIRCH).await.referral_offer_id;
    clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&own_ids[2]))
        .await
        .expect("a rejection");
    let request = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: vec![
            own_ids[0].clone(),
            foreign_id.clone(),
            own_ids[2].clone(),
            own_ids[1].clone(),
        ],
        request_id: request_id(),
        ..Default::default()
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let response = clients(&app, &alliance_lead(ALDER))
            .referrals()
            .batch_accept_referral_offers(request.clone())
            .await;
        let results = response.expect("results").into_inner().results;
        let outcomes: Vec<_> = results
            .iter()
            .map(|result| match result.result.as_ref().expect("a result") {
                Outcome::ReferralOffer(offer) => Ok(offer.opportunity_id.clone()),
                Outcome::Error(error) => Err(Code::from(error.code)),
            })
            .collect();
        assert_eq!(outcomes[1], Err(Code::NotFound));
        assert_eq!(outcomes[2], Err(Code::FailedPrecondition));
        ids.push((outcomes[0].clone(), outcomes[3].clone()));
    }
    assert!(ids[0].0.is_ok() && ids[0].1.is_ok(), "{ids:?}");
    assert_ne!(ids[0].0, ids[0].1);
    assert_eq!(ids[0], ids[1], "a repeated request must return the same results");
    assert_eq!(
        wait_for_offer(&app, BIRCH).await.state(),
        pb::ReferralOfferState::Pending
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn acc_011_offer_to_another_account_is_not_found() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    let other_partner = alliance_lead(BIRCH);
    let request = pb::GetReferralOfferRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let response = clients(&app, &other_partner)
        .referrals()
        .get_referral_offer(request)
        .await;
    refused(response, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let response = clients(&app, &other_partner)
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    refused(response, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let response = clients(&app, &other_partner)
        .referrals()
        .reject_referral_offer(reject_request(&offer.referral_offer_id))
        .await;
    refused(response, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    assert_eq!(get_referral(&app, &referral.referral_id).await, referral);
    app.finish::<Referrals>().await;
}
