//! Leads are offered and accepted like deals.

use chrono::TimeDelta;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::referral_offer;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_referral::Referrals;
use cosell_testkit::harness::{FarEnd, Setup, refused, service};
use prost::Message as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, HIDDEN_OF_LEAD, accept, by, get, get_lead, lead, lead_details, lead_referral, leads, noon,
    offered, offered_lead, offers, refer, refer_lead, reject, request_id, sales, start, start_with, until,
};

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn ref_051_before_the_answer_a_partner_reads_of_a_lead_what_it_may_know_and_nothing_else() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = refer_lead(&app, &[ALDER, BIRCH]).await;
    let offer = offered(&app, ALDER).await;
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
    let shown = pb::OfferedLead {
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
    assert_eq!(offer.payload, Some(referral_offer::Payload::Lead(shown)));

    // Byte by byte: what is hidden, who else may get it, and how AWS calls it.
    let whole = lead_referral(&[ALDER]).encode_to_vec();
    for hidden in HIDDEN_OF_LEAD {
        assert!(holds(&whole, hidden), "{hidden} is to be hidden, and not there");
    }
    let mut secrets: Vec<_> = HIDDEN_OF_LEAD.to_vec();
    secrets.extend([BIRCH, referral.referral_id.as_str()]);
    let list = by(&app, &lead(ALDER))
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    let rehearsed = pb::AcceptReferralOfferRequest {
        validate_only: true,
        ..accept(&offer.referral_offer_id)
    };
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .accept_referral_offer(rehearsed)
        .await;
    let answer = answer.expect("an answer").into_inner();
    let rehearsal = answer.referral_offer.as_ref().expect("the offer");
    assert_eq!(
        (rehearsal.state(), rehearsal.lead_id.as_str()),
        (pb::ReferralOfferState::Accepted, "")
    );
    let rehearsed = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: vec![offer.referral_offer_id.clone()],
        validate_only: true,
        ..Default::default()
    };
    let many = by(&app, &lead(ALDER))
        .referrals()
        .batch_accept_referral_offers(rehearsed)
        .await;
    let mut answers = vec![
        offer.encode_to_vec(),
        list.expect("a list").into_inner().encode_to_vec(),
        answer.encode_to_vec(),
        many.expect("results").into_inner().encode_to_vec(),
    ];
    assert_eq!(leads(&app, &lead(ALDER)).await, [], "a rehearsal leaves nothing");
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 2)
        .await;
    for event in told.iter().filter(|event| event.header("ce-accountid") == ALDER) {
        answers.push(event.payload.clone());
        answers.push(format!("{} {:?}", event.subject, event.headers).into_bytes());
    }
    assert_eq!(answers.len(), 6, "one event is the partner's");
    for (number, answer) in answers.iter().enumerate() {
        for secret in &secrets {
            assert!(!holds(answer, secret), "answer {number} holds {secret}");
        }
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_050_an_acceptance_makes_the_lead_at_once_and_no_opportunity() {
    let app = start_with(Setup::default().with_bus()).await;
    let referral = refer_lead(&app, &[ALDER]).await;
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
        assert_eq!((answer.opportunity_id.as_str(), answer.revision), ("", 2));
        ids.push(answer.lead_id);
    }
    assert_eq!(ids[0], ids[1]);
    let made = get_lead(&app, &lead(ALDER), &ids[0]).await;
    assert_eq!(
        (
            made.state(),
            made.owner_member_id.as_str(),
            made.referral_offer_id.as_str(),
            made.revision
        ),
        (
            pb::LeadState::Unqualified,
            "mem-lead-111111111111",
            offer.referral_offer_id.as_str(),
            1
        )
    );
    assert_eq!(made.details, Some(lead_details()), "now with all that is known");
    assert_eq!(leads(&app, &lead(ALDER)).await, [made]);

    let known = until(&app, &referral.referral_id, pb::ReferralState::Accepted, 1).await;
    assert_eq!(known.offers[0].opportunity_id, "");
    assert_eq!(known.payload, Some(Payload::Lead(lead_details())));
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: offer.referral_offer_id.clone(),
    };
    let deal = by(&app, &service("opportunity"))
        .internal()
        .get_accepted_opportunity(request)
        .await;
    refused(deal, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 5)
        .await;
    let accepted: pb::ReferralOfferAccepted = told[2].message();
    assert_eq!(
        (accepted.opportunity_id.as_str(), &accepted.lead_id),
        ("", &ids[0])
    );
    let begun: pb::LeadAccepted = told[3].message();
    assert_eq!(
        begun,
        pb::LeadAccepted {
            lead_id: ids[0].clone(),
            account_id: ALDER.to_owned(),
            revision: 1,
            owner_member_id: "mem-lead-111111111111".to_owned(),
            referral_offer_id: offer.referral_offer_id,
        }
    );
    for event in &told {
        for hidden in HIDDEN_OF_LEAD {
            assert!(!holds(&event.payload, hidden), "{} holds {hidden}", event.subject);
        }
    }
    app.finish::<Referrals>().await;
}

fn address(lead: &mut pb::LeadDetails) -> &mut opportunity::Address {
    lead.address.as_mut().expect("an address")
}

#[tokio::test]
async fn ref_050_a_deal_or_a_lead_is_offered_and_of_lists_what_is_of_lists() {
    let app = start().await;
    let mut nothing = lead_referral(&[ALDER]);
    nothing.referral.as_mut().expect("a referral").payload = None;
    let with = |change: fn(&mut pb::LeadDetails)| {
        let mut request = lead_referral(&[ALDER]);
        change(offered_lead(&mut request));
        request
    };
    for (request, field) in [
        (nothing, "referral.payload"),
        (
            with(|lead| lead.industry = "Witchcraft".to_owned()),
            "referral.lead.industry",
        ),
        (
            with(|lead| address(lead).country_code = "XX".to_owned()),
            "referral.lead.address.country_code",
        ),
        (
            with(|lead| lead.market_segment = "Gigantic".to_owned()),
            "referral.lead.market_segment",
        ),
        (
            with(|lead| lead.aws_maturity = "Curious".to_owned()),
            "referral.lead.aws_maturity",
        ),
        (
            with(|lead| lead.interactions.clear()),
            "referral.lead.interactions",
        ),
        (
            with(|lead| {
                let time = lead.interactions[1].interaction_date.as_mut();
                time.expect("a time").seconds = i64::MAX;
            }),
            "referral.lead.interactions[1].interaction_date",
        ),
        (
            with(|lead| lead.customer_website_url = "no website".to_owned()),
            "referral.lead.customer_website_url",
        ),
    ] {
        let answer = by(&app, &sales()).referrals().create_referral(request).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field], "{refusal:?}");
    }
    assert_eq!(offers(&app, &lead(ALDER)).await, [], "nothing was changed");
    let written = with(|lead| {
        lead.industry = "retail".to_owned();
        lead.market_segment = " MEDIUM".to_owned();
        lead.aws_maturity = "single – account".to_owned();
        address(lead).country_code = "de".to_owned();
        let contact = lead.interactions[0].contact.as_mut();
        contact.expect("a contact").email = "Hidden-Person@customer.example".to_owned();
    });
    let made = by(&app, &sales()).referrals().create_referral(written).await;
    let made = made.expect("a referral").into_inner().referral.expect("one");
    assert_eq!(
        made.payload,
        Some(Payload::Lead(lead_details())),
        "written as the lists and addresses are"
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_011_031_a_lead_that_is_not_wanted_is_gone_and_the_next_one_gets_it() {
    let app = start().await;
    let referral = refer_lead(&app, &[ALDER, BIRCH]).await;
    let first = offered(&app, ALDER).await;
    let answer = by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(reject(&first.referral_offer_id))
        .await;
    let answer = answer
        .expect("a rejection")
        .into_inner()
        .referral_offer
        .expect("the offer");
    assert_eq!(
        (answer.payload_type(), answer.payload),
        (PayloadType::LeadInvitation, None)
    );
    let second = offered(&app, BIRCH).await;
    assert_eq!(second.payload, first.payload);
    // Over a weekend, to the end of the fifth business day.
    app.clock.advance(TimeDelta::days(8));
    until(&app, &referral.referral_id, pb::ReferralState::Exhausted, 2).await;
    assert_eq!(offers(&app, &lead(BIRCH)).await, []);
    let late = by(&app, &lead(BIRCH))
        .referrals()
        .accept_referral_offer(accept(&second.referral_offer_id))
        .await;
    refused(late, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    for account in [ALDER, BIRCH] {
        assert_eq!(leads(&app, &lead(account)).await, []);
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_032_050_deals_and_leads_are_accepted_together() {
    let app = start().await;
    refer(&app, &[ALDER]).await;
    for _ in 0..2 {
        refer_lead(&app, &[ALDER]).await;
    }
    let mine = offers(&app, &lead(ALDER)).await;
    let request = pb::BatchAcceptReferralOffersRequest {
        referral_offer_ids: mine.iter().map(|offer| offer.referral_offer_id.clone()).collect(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = by(&app, &lead(ALDER))
            .referrals()
            .batch_accept_referral_offers(request.clone())
            .await;
        let results = answer.expect("results").into_inner().results;
        let ids: Vec<_> = results
            .into_iter()
            .map(|result| match result.result.expect("a result") {
                Outcome::ReferralOffer(offer) => (offer.payload_type(), offer.opportunity_id, offer.lead_id),
                Outcome::Error(error) => panic!("{error:?}"),
            })
            .collect();
        seen.push(ids);
    }
    assert_eq!(seen[0], seen[1], "a repetition answers how they stand");
    for (kind, opportunity, lead) in &seen[0] {
        let is_lead = *kind == PayloadType::LeadInvitation;
        assert_eq!((opportunity.is_empty(), lead.is_empty()), (is_lead, !is_lead));
    }
    let mut named: Vec<_> = seen[0].iter().map(|(_, _, lead)| lead.clone()).collect();
    named.retain(|lead| !lead.is_empty());
    named.sort();
    let mut known: Vec<_> = leads(&app, &lead(ALDER))
        .await
        .into_iter()
        .map(|lead| lead.lead_id)
        .collect();
    known.sort();
    assert_eq!((known.len(), known), (2, named));
    let referral = refer(&app, &[BIRCH]).await;
    let payload = get(&app, &referral.referral_id).await.payload;
    assert!(matches!(payload, Some(Payload::Opportunity(_))), "{payload:?}");
    app.finish::<Referrals>().await;
}
