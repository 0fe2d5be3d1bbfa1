//! Covers the conversion of leads to opportunities (REF-054): once only, with industry and country, and readable by the
//! opportunity service afterwards.

use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{PeerStub, Setup, refused, service};
use tonic::Code;

use crate::support::{
    ALDER, accept_lead, add_interaction_request, alliance_lead, assign_request, clients, convert_request,
    create_accepted_lead, get_lead, lead_details, lead_details_mut, lead_referral_request, request_id, sales,
    set_state_request, start, start_with,
};

#[tokio::test]
async fn ref_054_converted_lead_creates_one_opportunity_and_accepts_no_changes() {
    let app = start_with(Setup::default().with_bus()).await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let get_converted_lead = async || {
        let request = pb::GetConvertedLeadRequest {
            lead_id: lead.lead_id.clone(),
        };
        clients(&app, &service("opportunity"))
            .internal()
            .get_converted_lead(request)
            .await
    };
    refused(get_converted_lead().await, Code::NotFound, "LEAD_NOT_FOUND");
    let clients = clients(&app, &alliance_lead(ALDER));
    clients
        .leads()
        .set_lead_state(set_state_request(&lead, pb::LeadState::Disqualified))
        .await
        .expect("a state");
    let response = clients.leads().convert_lead(convert_request(&lead)).await;
    refused(response, Code::FailedPrecondition, "LEAD_DISQUALIFIED");
    clients
        .leads()
        .set_lead_state(set_state_request(&lead, pb::LeadState::Unqualified))
        .await
        .expect("a state");
    let before = get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await;
    let stale = pb::ConvertLeadRequest {
        etag: lead.etag.clone(),
        ..convert_request(&lead)
    };
    refused(
        clients.leads().convert_lead(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let request = pb::ConvertLeadRequest {
        request_id: request_id(),
        etag: before.etag.clone(),
        ..convert_request(&lead)
    };
    let dry_run = pb::ConvertLeadRequest {
        validate_only: true,
        ..request.clone()
    };
    let response = clients.leads().convert_lead(dry_run).await.expect("a response");
    let seen = response.into_inner().lead.expect("the lead");
    assert_eq!(
        (seen.state(), seen.opportunity_id.as_str()),
        (pb::LeadState::Qualified, "")
    );
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, before);
    refused(get_converted_lead().await, Code::NotFound, "LEAD_NOT_FOUND");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let response = clients
            .leads()
            .convert_lead(request.clone())
            .await
            .expect("an opportunity");
        let seen = response.into_inner().lead.expect("the lead");
        assert_eq!((seen.state(), seen.revision), (pb::LeadState::Qualified, 4));
        ids.push(seen.opportunity_id);
    }
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with('O'), "{}", ids[0]);
    let details = get_converted_lead().await.expect("the lead").into_inner().details;
    assert_eq!(details, Some(lead_details()));

    let closed = get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await;
    let refusals = [
        refused(
            clients.leads().convert_lead(convert_request(&lead)).await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            clients
                .leads()
                .set_lead_state(set_state_request(&lead, pb::LeadState::Disqualified))
                .await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            clients
                .leads()
                .add_lead_interaction(add_interaction_request(&lead))
                .await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
        refused(
            clients
                .leads()
                .assign_lead(assign_request(&lead, "mem-lead-111111111111"))
                .await,
            Code::FailedPrecondition,
            "LEAD_CONVERTED",
        ),
    ];
    for refusal in refusals {
        assert_eq!(refusal.metadata["opportunity_id"], ids[0]);
    }
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, closed);
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 8)
        .await;
    let lead_events: Vec<_> = events
        .iter()
        .filter(|event| event.subject.contains(&lead.lead_id))
        .map(|event| {
            event
                .subject
                .rsplit('.')
                .next()
                .expect("an event name")
                .to_owned()
        })
        .collect();
    assert_eq!(
        lead_events,
        [
            "lead_accepted",
            "lead_state_changed",
            "lead_state_changed",
            "lead_converted"
        ]
    );
    let converted = events
        .iter()
        .find(|event| event.header("ce-type").ends_with("LeadConverted"));
    let converted: pb::LeadConverted = converted.expect("an event").message();
    assert_eq!(
        converted,
        pb::LeadConverted {
            lead_id: lead.lead_id.clone(),
            account_id: ALDER.to_owned(),
            revision: 4,
            converted_by: "mem-lead-111111111111".to_owned(),
            opportunity_id: ids[0].clone(),
        }
    );
    app.finish::<Referrals>().await;
}

/// A lead may lack industry and country; an opportunity requires both.
#[tokio::test]
async fn ref_054_conversion_requires_missing_industry_and_country() {
    let app = start().await;
    let mut request = lead_referral_request(&[ALDER]);
    let details = lead_details_mut(&mut request);
    details.industry.clear();
    details.address = None;
    let response = clients(&app, &sales()).referrals().create_referral(request).await;
    let referral = response.expect("a referral").into_inner().referral;
    let lead = accept_lead(&app, ALDER, &referral.expect("a referral")).await;
    let clients = clients(&app, &alliance_lead(ALDER));
    for (industry, country, paths) in [
        ("", "", vec!["industry", "country_code"]),
        ("Witchcraft", "DE", vec!["industry"]),
        ("Retail", "XX", vec!["country_code"]),
    ] {
        let request = pb::ConvertLeadRequest {
            industry: industry.to_owned(),
            country_code: country.to_owned(),
            ..convert_request(&lead)
        };
        let response = clients.leads().convert_lead(request).await;
        let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), paths, "{refusal:?}");
    }
    assert_eq!(
        get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await,
        lead,
        "a refused conversion must not change the lead"
    );
    let request = pb::ConvertLeadRequest {
        industry: "retail".to_owned(),
        country_code: "de".to_owned(),
        ..convert_request(&lead)
    };
    let response = clients
        .leads()
        .convert_lead(request)
        .await
        .expect("an opportunity");
    let converted = response.into_inner().lead.expect("the lead");
    let details = converted.details.expect("details");
    let country = details.address.map(|address| address.country_code);
    assert_eq!(
        (details.industry.as_str(), country.as_deref()),
        ("Retail", Some("DE"))
    );
    app.finish::<Referrals>().await;
}
