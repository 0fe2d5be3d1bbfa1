//! Leads of which partners make opportunities (REF-054).

use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{FarEnd, Setup, refused, service};
use tonic::Code;

use crate::support::{
    ALDER, accept_lead, accepted_lead, add_interaction, assign, by, convert, get_lead, lead, lead_details,
    lead_referral, offered_lead, request_id, sales, set_state, start, start_with,
};

#[tokio::test]
async fn ref_054_an_opportunity_is_made_of_a_lead_once_and_the_lead_is_closed() {
    let app = start_with(Setup::default().with_bus()).await;
    let made = accepted_lead(&app, ALDER).await;
    let read = async || {
        let request = pb::GetConvertedLeadRequest {
            lead_id: made.lead_id.clone(),
        };
        by(&app, &service("opportunity"))
            .internal()
            .get_converted_lead(request)
            .await
    };
    refused(read().await, Code::NotFound, "LEAD_NOT_FOUND");
    let calls = by(&app, &lead(ALDER));
    calls
        .leads()
        .set_lead_state(set_state(&made, pb::LeadState::Disqualified))
        .await
        .expect("a state");
    let answer = calls.leads().convert_lead(convert(&made)).await;
    refused(answer, Code::FailedPrecondition, "LEAD_DISQUALIFIED");
    calls
        .leads()
        .set_lead_state(set_state(&made, pb::LeadState::Unqualified))
        .await
        .expect("a state");
    let before = get_lead(&app, &lead(ALDER), &made.lead_id).await;
    let stale = pb::ConvertLeadRequest {
        etag: made.etag.clone(),
        ..convert(&made)
    };
    refused(
        calls.leads().convert_lead(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let request = pb::ConvertLeadRequest {
        request_id: request_id(),
        etag: before.etag.clone(),
        ..convert(&made)
    };
    let rehearsed = pb::ConvertLeadRequest {
        validate_only: true,
        ..request.clone()
    };
    let answer = calls.leads().convert_lead(rehearsed).await.expect("an answer");
    let seen = answer.into_inner().lead.expect("the lead");
    assert_eq!(
        (seen.state(), seen.opportunity_id.as_str()),
        (pb::LeadState::Qualified, "")
    );
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, before);
    refused(read().await, Code::NotFound, "LEAD_NOT_FOUND");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = calls
            .leads()
            .convert_lead(request.clone())
            .await
            .expect("an opportunity");
        let seen = answer.into_inner().lead.expect("the lead");
        assert_eq!((seen.state(), seen.revision), (pb::LeadState::Qualified, 4));
        ids.push(seen.opportunity_id);
    }
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with('O'), "{}", ids[0]);
    let details = read().await.expect("the lead").into_inner().details;
    assert_eq!(details, Some(lead_details()));

    let closed = get_lead(&app, &lead(ALDER), &made.lead_id).await;
    let refusals = [
        refused(
            calls.leads().convert_lead(convert(&made)).await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            calls
                .leads()
                .set_lead_state(set_state(&made, pb::LeadState::Disqualified))
                .await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            calls.leads().add_lead_interaction(add_interaction(&made)).await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            calls
                .leads()
                .assign_lead(assign(&made, "mem-lead-111111111111"))
                .await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
    ];
    for refusal in refusals {
        assert_eq!(refusal.metadata["opportunity_id"], ids[0]);
    }
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, closed);
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 8)
        .await;
    let of_lead: Vec<_> = told
        .iter()
        .filter(|event| event.subject.contains(&made.lead_id))
        .map(|event| event.subject.rsplit('.').next().expect("a verb").to_owned())
        .collect();
    assert_eq!(
        of_lead,
        [
            "lead_accepted",
            "lead_state_changed",
            "lead_state_changed",
            "lead_converted"
        ]
    );
    let converted = told
        .iter()
        .find(|event| event.header("ce-type").ends_with("LeadConverted"));
    let converted: pb::LeadConverted = converted.expect("an event").message();
    assert_eq!(
        converted,
        pb::LeadConverted {
            lead_id: made.lead_id.clone(),
            account_id: ALDER.to_owned(),
            revision: 4,
            converted_by: "mem-lead-111111111111".to_owned(),
            opportunity_id: ids[0].clone(),
        }
    );
    app.finish::<Referrals>().await;
}

/// AWS need not know the industry and the country; the opportunity needs them.
#[tokio::test]
async fn ref_054_conversion_asks_for_industry_and_country_of_a_lead_without_them() {
    let app = start().await;
    let mut request = lead_referral(&[ALDER]);
    let known = offered_lead(&mut request);
    known.industry.clear();
    known.address = None;
    let answer = by(&app, &sales()).referrals().create_referral(request).await;
    let referral = answer.expect("a referral").into_inner().referral;
    let made = accept_lead(&app, ALDER, &referral.expect("a referral")).await;
    let calls = by(&app, &lead(ALDER));
    for (industry, country, paths) in [
        ("", "", vec!["industry", "country_code"]),
        ("Witchcraft", "DE", vec!["industry"]),
        ("Retail", "XX", vec!["country_code"]),
    ] {
        let request = pb::ConvertLeadRequest {
            industry: industry.to_owned(),
            country_code: country.to_owned(),
            ..convert(&made)
        };
        let answer = calls.leads().convert_lead(request).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), paths, "{refusal:?}");
    }
    assert_eq!(
        get_lead(&app, &lead(ALDER), &made.lead_id).await,
        made,
        "a refused call changes nothing"
    );
    let request = pb::ConvertLeadRequest {
        industry: "retail".to_owned(),
        country_code: "de".to_owned(),
        ..convert(&made)
    };
    let answer = calls.leads().convert_lead(request).await.expect("an opportunity");
    let converted = answer.into_inner().lead.expect("the lead");
    let details = converted.details.expect("details");
    let country = details.address.map(|address| address.country_code);
    assert_eq!(
        (details.industry.as_str(), country.as_deref()),
        ("Retail", Some("DE"))
    );
    app.finish::<Referrals>().await;
}
