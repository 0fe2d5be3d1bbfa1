//! What partners see and answer.

use chrono::TimeDelta;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral_offer::Payload;
use cosell_proto::cosell::r#type::v1::RejectionReason;
use cosell_referral::Referrals;
use cosell_testkit::harness::{FarEnd, Setup, refused, service};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, HIDDEN, accept, by, deal, get, lead, offered, offers, refer, reject, request_id, start,
    start_with, until,
};

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn ref_012_before_the_answer_a_partner_reads_what_it_may_know_and_nothing_else() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = refer(&app, &[ALDER, BIRCH]).await;
    let offer = offered(&app, ALDER).await;
    let Some(Payload::Opportunity(shown)) = offer.payload.clone() else {
        panic!("no opportunity: {offer:?}");
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

    // Byte by byte: what is hidden, who else may get it, and how AWS calls it.
    let mut secrets: Vec<_> = HIDDEN.to_vec();
    secrets.extend([BIRCH, referral.referral_id.as_str()]);
    let whole = crate::support::referral(&[ALDER]).encode_to_vec();
    for hidden in HIDDEN {
        assert!(holds(&whole, hidden), "{hidden} is to be hidden, and not there");
    }
    let list = by(&app, &lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    let mut answers = vec![
        offer.encode_to_vec(),
        list.expect("a list").into_inner().encode_to_vec(),
    ];
    let rehearsed = pb::AcceptReferralOfferRequest {
        validate_only: true,
        ..accept(&offer.referral_offer_id)
    };
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .accept_referral_offer(rehearsed)
        .await;
    let answer = answer.expect("an answer").into_inner();
    assert_eq!(
        answer.referral_offer.as_ref().expect("the offer").opportunity_id,
        "",
        "there is none yet"
    );
    answers.push(answer.encode_to_vec());
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 2)
        .await;
    for event in told.iter().filter(|event| event.header("ce-accountid") == ALDER) {
        answers.push(event.payload.clone());
        answers.push(format!("{} {:?}", event.subject, event.headers).into_bytes());
    }
    assert_eq!(answers.len(), 5, "one event is the partner's");
    for (number, answer) in answers.iter().enumerate() {
        for secret in &secrets {
            assert!(!holds(answer, secret), "answer {number} holds {secret}");
        }
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_030_an_acceptance_names_the_opportunity_and_a_repetition_the_same_one() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = refer(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await;
    let request = pb::AcceptReferralOfferRequest {
        request_id: request_id(),
        ..accept(&offer.referral_offer_id)
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = by(&app, &lead(ALDER))
            .referrals()
            .accept_referral_offer(request.clone())
            .await;
        let answer = answer
            .expect("an acceptance")
            .into_inner()
            .referral_offer
            .expect("the offer");
        assert_eq!(answer.state(), pb::ReferralOfferState::Accepted);
        assert!(answer.payload.is_some(), "what was shown stays");
        ids.push(answer.opportunity_id);
    }
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with('O'), "{}", ids[0]);
    let again = by(&app, &lead(ALDER))
        .referrals()
        .accept_referral_offer(accept(&offer.referral_offer_id))
        .await;
    let refusal = refused(again, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    assert_eq!(refusal.metadata["state"], "ACCEPTED");

    let known = until(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(known.offers[0].opportunity_id, ids[0]);
    // The opportunity service reads what it makes the record of.
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let whole = by(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    let whole = whole.expect("the deal").into_inner();
    assert_eq!(whole.opportunity, Some(deal()));
    assert_eq!(whole.sender_contacts.len(), 1);
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 4)
        .await;
    let verbs: Vec<_> = told
        .iter()
        .map(|event| event.subject.rsplit('.').next().expect("a verb"))
        .collect();
    assert_eq!(
        verbs,
        [
            "referral_created",
            "referral_offer_created",
            "referral_offer_accepted",
            "referral_accepted"
        ]
    );
    let accepted: pb::ReferralOfferAccepted = told[2].message();
    assert_eq!((accepted.opportunity_id, accepted.revision), (ids[0].clone(), 2));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_031_what_was_rejected_is_gone() {
    let app = start().await;
    refer(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await;
    let bare = pb::RejectReferralOfferRequest {
        reason: RejectionReason::Other.into(),
        ..reject(&offer.referral_offer_id)
    };
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(bare)
        .await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.fields[0].0, "text");
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(reject(&offer.referral_offer_id))
        .await;
    let answer = answer
        .expect("a rejection")
        .into_inner()
        .referral_offer
        .expect("the offer");
    assert_eq!(answer.state(), pb::ReferralOfferState::Rejected);
    assert_eq!(answer.rejection_reason(), RejectionReason::UnableToSupport);
    assert_eq!((answer.payload, answer.message.as_str()), (None, ""));
    assert_eq!(answer.sender_contacts, []);
    assert_eq!(offers(&app, &lead(ALDER)).await, [], "not in the usual list");
    let rejected = by(&app, &lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest {
            states: vec![pb::ReferralOfferState::Rejected.into()],
            ..Default::default()
        })
        .await;
    let rejected = rejected.expect("a list").into_inner().referral_offers;
    assert_eq!((rejected.len(), rejected[0].payload.clone()), (1, None));
    let late = by(&app, &lead(ALDER))
        .referrals()
        .accept_referral_offer(accept(&offer.referral_offer_id))
        .await;
    refused(late, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id,
    };
    let whole = by(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    refused(whole, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_021_over_is_over_at_once() {
    let app = start().await;
    let referral = refer(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await;
    // To the last moment of the next Monday.
    app.clock
        .advance(TimeDelta::hours(8 * 24 - 9) - TimeDelta::seconds(1));
    assert_eq!(offers(&app, &lead(ALDER)).await.len(), 1);
    app.clock.advance(TimeDelta::seconds(1));
    let late = by(&app, &lead(ALDER))
        .referrals()
        .accept_referral_offer(accept(&offer.referral_offer_id))
        .await;
    refused(late, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    assert_eq!(offers(&app, &lead(ALDER)).await, []);
    let known = until(&app, &referral.referral_id, pb::ReferralState::Exhausted, 1).await;
    assert_eq!(known.offers[0].state(), pb::ReferralOfferState::Expired);
    let everything = pb::ListReferralOffersRequest {
        states: vec![pb::ReferralOfferState::Expired.into()],
        ..Default::default()
    };
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .list_referral_offers(everything)
        .await;
    assert_eq!(answer.expect("a list").into_inner().referral_offers, []);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_032_several_are_accepted_each_on_its_own() {
    let app = start().await;
    for _ in 0..3 {
        refer(&app, &[ALDER]).await;
    }
    let mine: Vec<_> = offers(&app, &lead(ALDER))
        .await
        .into_iter()
        .map(|offer| offer.referral_offer_id)
        .collect();
    refer(&app, &[BIRCH]).await;
    let foreign = offered(&app, BIRCH).await.referral_offer_id;
    by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(reject(&mine[2]))
        .await
        .expect("a rejection");
    let request = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: vec![mine[0].clone(), foreign.clone(), mine[2].clone(), mine[1].clone()],
        request_id: request_id(),
        ..Default::default()
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = by(&app, &lead(ALDER))
            .referrals()
            .batch_accept_referral_offers(request.clone())
            .await;
        let results = answer.expect("results").into_inner().results;
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
    assert_eq!(ids[0], ids[1], "a repetition answers how they stand");
    assert_eq!(
        offered(&app, BIRCH).await.state(),
        pb::ReferralOfferState::Pending
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn acc_011_an_offer_to_somebody_else_does_not_exist() {
    let app = start().await;
    let referral = refer(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await;
    let stranger = lead(BIRCH);
    let request = pb::GetReferralOfferRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let answer = by(&app, &stranger).referrals().get_referral_offer(request).await;
    refused(answer, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let answer = by(&app, &stranger)
        .referrals()
        .accept_referral_offer(accept(&offer.referral_offer_id))
        .await;
    refused(answer, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let answer = by(&app, &stranger)
        .referrals()
        .reject_referral_offer(reject(&offer.referral_offer_id))
        .await;
    refused(answer, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    assert_eq!(get(&app, &referral.referral_id).await, referral);
    app.finish::<Referrals>().await;
}
