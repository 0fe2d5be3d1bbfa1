//! Covers offers of leads: what the partner reads before acceptance (REF-051), acceptance, validation, rejection,
//! expiry, and batch acceptance together with offers of opportunities.

use chrono::TimeDelta;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::referral_offer;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_referral::Referrals;
use cosell_testkit::harness::{PeerStub, Setup, refused, service};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, HIDDEN_OF_LEAD, accept_request, alliance_lead, clients, create_lead_referral,
    create_referral, get_lead, get_referral, lead_details, lead_details_mut, lead_referral_request,
    list_leads, list_offers, noon, reject_request, request_id, sales, start, start_with, wait_for_offer,
    wait_for_state,
};

fn contains_text(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn ref_051_pending_lead_offer_shows_only_listed_fields() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = create_lead_referral(&app, &[ALDER, BIRCH]).await;
    let offer = wait_for_offer(&app, ALDER).await;
    assert_eq!(offer.payload_type(), PayloadType::LeadInvitation);
    let interaction = |day: i32, action: &str| pb::OfferedInteraction {
        source_type: "Event".to_owned(),
        source_name: "Cloud fair".to_owned(),
        customer_action: action.to_owned(),
        business_problem: "Orders are typed in twice, every day.".to_owned(),
        use_case: "Database".to_owned(),
        interaction_date: Some(noon(day)),
        contact_business_title: "Head of data".to_owned(),
    };
    let expected = pb::OfferedLead {
        customer_company_name: "Nordwind".to_owned(),
        customer_website_url: "www.nordwind.example".to_owned(),
        country_code: "DE".to_owned(),
        industry: "Retail".to_owned(),
        market_segment: "Medium".to_owned(),
        aws_maturity: "Single-Account".to_owned(),
        interactions: vec![
            interaction(11, "Came to the stand"),
            interaction(12, "Read a paper"),
        ],
    };
    assert_eq!(offer.payload, Some(referral_offer::Payload::Lead(expected)));

    // No response or event contains a hidden value, another receiver, or the referral id.
    let request_bytes = lead_referral_request(&[ALDER]).encode_to_vec();
    for hidden in HIDDEN_OF_LEAD {
        assert!(
            contains_text(&request_bytes, hidden),
            "the request must contain {hidden}"
        );
    }
    let mut secrets: Vec<_> = HIDDEN_OF_LEAD.to_vec();
    secrets.extend([BIRCH, referral.referral_id.as_str()]);
    let list = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    let dry_run = pb::AcceptReferralOfferRequest {
        validate_only: true,
        ..accept_request(&offer.referral_offer_id)
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .accept_referral_offer(dry_run)
        .await;
    let response = response.expect("a response").into_inner();
    let offer_after = response.referral_offer.as_ref().expect("the offer");
    assert_eq!(
        (offer_after.state(), offer_after.lead_id.as_str()),
        (pb::ReferralOfferState::Accepted, "")
    );
    let dry_run = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: vec![offer.referral_offer_id.clone()],
        validate_only: true,
        ..Default::default()
    };
    let batch = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .batch_accept_referral_offers(dry_run)
        .await;
    let mut outputs = vec![
        offer.encode_to_vec(),
        list.expect("a list").into_inner().encode_to_vec(),
        response.encode_to_vec(),
        batch.expect("results").into_inner().encode_to_vec(),
    ];
    assert_eq!(
        list_leads(&app, &alliance_lead(ALDER)).await,
        [],
        "a dry run must not create a lead"
    );
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
    assert_eq!(outputs.len(), 6, "the partner must receive exactly one event");
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
async fn ref_050_accepted_lead_offer_creates_lead_and_no_opportunity() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = create_lead_referral(&app, &[ALDER]).await;
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
        assert_eq!((response.opportunity_id.as_str(), response.revision), ("", 2));
        ids.push(response.lead_id);
    }
    assert_eq!(ids[0], ids[1]);
    let lead = get_lead(&app, &alliance_lead(ALDER), &ids[0]).await;
    assert_eq!(
        (
            lead.state(),
            lead.owner_member_id.as_str(),
            lead.referral_offer_id.as_str(),
            lead.revision
        ),
        (
            pb::LeadState::Unqualified,
            "mem-lead-111111111111",
            offer.referral_offer_id.as_str(),
            1
        )
    );
    assert_eq!(
        lead.details,
        Some(lead_details()),
        "an accepted lead must contain all details"
    );
    assert_eq!(list_leads(&app, &alliance_lead(ALDER)).await, [lead]);

    let accepted_referral = wait_for_state(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(accepted_referral.offers[0].opportunity_id, "");
    assert_eq!(accepted_referral.payload, Some(Payload::Lead(lead_details())));
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let opportunity = clients(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    refused(opportunity, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 5)
        .await;
    let accepted: pb::ReferralOfferAccepted = events[2].message();
    assert_eq!(
        (accepted.opportunity_id.as_str(), &accepted.lead_id),
        ("", &ids[0])
    );
    let lead_accepted: pb::LeadAccepted = events[3].message();
    assert_eq!(
        lead_accepted,
        pb::LeadAccepted {
            lead_id: ids[0].clone(),
            account_id: ALDER.to_owned(),
            revision: 1,
            owner_member_id: "mem-lead-111111111111".to_owned(),
            referral_offer_id: offer.referral_offer_id,
        }
    );
    for event in &events {
        for hidden in HIDDEN_OF_LEAD {
            assert!(
                !contains_text(&event.payload, hidden),
                "{} contains {hidden}",
                event.subject
            );
        }
    }
    app.finish::<Referrals>().await;
}

fn address(lead: &mut pb::LeadDetails) -> &mut opportunity::Address {
    lead.address.as_mut().expect("an address")
}

#[tokio::test]
async fn ref_050_lead_referral_requires_payload_and_standard_values() {
    let app = start().await;
    let mut without_payload = lead_referral_request(&[ALDER]);
    without_payload.referral.as_mut().expect("a referral").payload = None;
    let request_with = |change: fn(&mut pb::LeadDetails)| {
        let mut request = lead_referral_request(&[ALDER]);
        change(lead_details_mut(&mut request));
        request
    };
    for (request, field) in [
        (without_payload, "referral.payload"),
        (
            request_with(|lead| lead.industry = "Witchcraft".to_owned()),
            "referral.lead.industry",
        ),
        (
            request_with(|lead| address(lead).country_code = "XX".to_owned()),
            "referral.lead.address.country_code",
        ),
        (
            request_with(|lead| lead.market_segment = "Gigantic".to_owned()),
            "referral.lead.market_segment",
        ),
        (
            request_with(|lead| lead.aws_maturity = "Curious".to_owned()),
            "referral.lead.aws_maturity",
        ),
        (
            request_with(|lead| lead.interactions.clear()),
            "referral.lead.interactions",
        ),
        (
            request_with(|lead| {
                let time = lead.interactions[1].interaction_date.as_mut();
                time.expect("a time").seconds = i64::MAX;
            }),
            "referral.lead.interactions[1].interaction_date",
        ),
        (
            request_with(|lead| lead.customer_website_url = "no website".to_owned()),
            "referral.lead.customer_website_url",
        ),
    ] {
        let response = clients(&app, &sales()).referrals().create_referral(request).await;
        let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field], "{refusal:?}");
    }
    assert_eq!(
        list_offers(&app, &alliance_lead(ALDER)).await,
        [],
        "a refused call must not create an offer"
    );
    let unnormalized = request_with(|lead| {
        lead.industry = "retail".to_owned();
        lead.market_segment = " MEDIUM".to_owned();
        lead.aws_maturity = "single – account".to_owned();
        address(lead).country_code = "de".to_owned();
        let contact = lead.interactions[0].contact.as_mut();
        contact.expect("a contact").email = "Hidden-Person@customer.example".to_owned();
    });
    let created = clients(&app, &sales())
        .referrals()
        .create_referral(unnormalized)
        .await;
    let created = created
        .expect("a referral")
        .into_inner()
        .referral
        .expect("a referral");
    assert_eq!(
        created.payload,
        Some(Payload::Lead(lead_details())),
        "values must be normalized to the standard values"
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_011_031_rejected_lead_is_hidden_and_routed_to_next_receiver() {
    let app = start().await;
    let referral = create_lead_referral(&app, &[ALDER, BIRCH]).await;
    let first = wait_for_offer(&app, ALDER).await;
    let response = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&first.referral_offer_id))
        .await;
    let response = response
        .expect("a rejection")
        .into_inner()
        .referral_offer
        .expect("the offer");
    assert_eq!(
        (response.payload_type(), response.payload),
        (PayloadType::LeadInvitation, None)
    );
    let second = wait_for_offer(&app, BIRCH).await;
    assert_eq!(second.payload, first.payload);
    // Across a weekend, to the end of the fifth business day.
    app.clock.advance(TimeDelta::days(8));
    wait_for_state(&app, &referral.referral_id, pb::ReferralState::Exhausted, 2).await;
    assert_eq!(list_offers(&app, &alliance_lead(BIRCH)).await, []);
    let late = clients(&app, &alliance_lead(BIRCH))
        .referrals()
        .accept_referral_offer(accept_request(&second.referral_offer_id))
        .await;
    refused(late, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    for account in [ALDER, BIRCH] {
        assert_eq!(list_leads(&app, &alliance_lead(account)).await, []);
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_032_050_batch_accepts_opportunity_and_lead_offers() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    for _ in 0..2 {
        create_lead_referral(&app, &[ALDER]).await;
    }
    let own_offers = list_offers(&app, &alliance_lead(ALDER)).await;
    let request = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: own_offers
            .iter()
            .map(|offer| offer.referral_offer_id.clone())
            .collect(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let response = clients(&app, &alliance_lead(ALDER))
            .referrals()
            .batch_accept_referral_offers(request.clone())
            .await;
        let results = response.expect("results").into_inner().results;
        let ids: Vec<_> = results
            .into_iter()
            .map(|result| match result.result.expect("a result") {
                Outcome::ReferralOffer(offer) => (offer.payload_type(), offer.opportunity_id, offer.lead_id),
                Outcome::Error(error) => panic!("{error:?}"),
            })
            .collect();
        outcomes.push(ids);
    }
    assert_eq!(
        outcomes[0], outcomes[1],
        "a repeated request must return the same results"
    );
    for (kind, opportunity, lead) in &outcomes[0] {
        let is_lead = *kind == PayloadType::LeadInvitation;
        assert_eq!((opportunity.is_empty(), lead.is_empty()), (is_lead, !is_lead));
    }
    let mut accepted_ids: Vec<_> = outcomes[0].iter().map(|(_, _, lead)| lead.clone()).collect();
    accepted_ids.retain(|lead| !lead.is_empty());
    accepted_ids.sort();
    let mut listed_ids: Vec<_> = list_leads(&app, &alliance_lead(ALDER))
        .await
        .into_iter()
        .map(|lead| lead.lead_id)
        .collect();
    listed_ids.sort();
    assert_eq!((listed_ids.len(), listed_ids), (2, accepted_ids));
    let referral = create_referral(&app, &[BIRCH]).await;
    let payload = get_referral(&app, &referral.referral_id).await.payload;
    assert!(matches!(payload, Some(Payload::Opportunity(_))), "{payload:?}");
    app.finish::<Referrals>().await;
}
