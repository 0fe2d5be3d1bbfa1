//! Covers what partners do with accepted leads: state, touch points, assignment, visibility and lists (REF-052 to
//! REF-056).

use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, PeerStub, Refusal, Setup, aws, partner, refused, service};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, add_interaction_request, alliance_lead, assign_request, clients, convert_request,
    create_accepted_lead, get_lead, list_leads, request_id, set_state_request, start, start_with,
};

fn ace_user(id: &str) -> Caller {
    partner(id, ALDER, Role::AceUser)
}

#[tokio::test]
async fn ref_053_lead_state_and_custom_text_are_set_and_validated() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let set = async |request: pb::SetLeadStateRequest| {
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .set_lead_state(request)
            .await;
        response.map(|response| response.into_inner().lead.expect("the lead"))
    };
    let custom = pb::SetLeadStateRequest {
        custom_state: " Wants a call in May ".to_owned(),
        request_id: request_id(),
        etag: lead.etag.clone(),
        ..set_state_request(&lead, pb::LeadState::Other)
    };
    let dry_run = pb::SetLeadStateRequest {
        validate_only: true,
        ..custom.clone()
    };
    let seen = set(dry_run).await.expect("a response");
    assert_eq!((seen.state(), seen.revision), (pb::LeadState::Other, 2));
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, lead);
    for _ in 0..2 {
        let seen = set(custom.clone()).await.expect("a state");
        assert_eq!(
            (seen.state(), seen.custom_state.as_str(), seen.revision),
            (pb::LeadState::Other, "Wants a call in May", 2)
        );
    }
    let before = get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await;
    // Setting the current state again changes nothing, even if the text differs in surrounding white space.
    let same = pb::SetLeadStateRequest {
        custom_state: "Wants a call in May".to_owned(),
        ..set_state_request(&lead, pb::LeadState::Other)
    };
    assert_eq!(set(same).await.expect("the lead"), before);
    let stale = pb::SetLeadStateRequest {
        etag: lead.etag.clone(),
        ..set_state_request(&lead, pb::LeadState::Qualified)
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .set_lead_state(stale)
        .await;
    let refusal = refused(response, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    let without_text = set_state_request(&lead, pb::LeadState::Other);
    let unexpected_text = pb::SetLeadStateRequest {
        custom_state: "Yes".to_owned(),
        ..set_state_request(&lead, pb::LeadState::Qualified)
    };
    let long_text = pb::SetLeadStateRequest {
        custom_state: "x".repeat(256),
        ..set_state_request(&lead, pb::LeadState::Other)
    };
    for request in [without_text, unexpected_text, long_text] {
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .set_lead_state(request)
            .await;
        let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["custom_state"]);
    }
    let without_state = set_state_request(&lead, pb::LeadState::Unspecified);
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .set_lead_state(without_state)
        .await;
    assert_eq!(
        refused(response, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["state"]
    );
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, before);
    let seen = set(set_state_request(&lead, pb::LeadState::Qualified)).await;
    let seen = seen.expect("a state");
    assert_eq!(
        (seen.state(), seen.custom_state.as_str()),
        (pb::LeadState::Qualified, "")
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_052_interactions_are_added_up_to_ten() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let add = async |request: pb::AddLeadInteractionRequest| {
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .add_lead_interaction(request)
            .await;
        response.map(|response| response.into_inner().lead.expect("the lead"))
    };
    let count = |lead: &pb::Lead| lead.details.as_ref().expect("details").interactions.len();
    let mut first = pb::AddLeadInteractionRequest {
        request_id: request_id(),
        etag: lead.etag.clone(),
        ..add_interaction_request(&lead)
    };
    first.interaction.as_mut().expect("an interaction").contact = Some(pb::LeadContact {
        email: "Somebody@Customer.example".to_owned(),
        ..Default::default()
    });
    let dry_run = pb::AddLeadInteractionRequest {
        validate_only: true,
        ..first.clone()
    };
    assert_eq!(count(&add(dry_run).await.expect("a response")), 3);
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, lead);
    for _ in 0..2 {
        let seen = add(first.clone()).await.expect("an interaction");
        assert_eq!((count(&seen), seen.revision), (3, 2));
        let added = &seen.details.as_ref().expect("details").interactions[2];
        let contact = added.contact.as_ref().expect("a contact");
        assert_eq!(
            contact.email, "somebody@customer.example",
            "the address must be stored in lower case"
        );
    }
    let mut invalid_time = add_interaction_request(&lead);
    let time = &mut invalid_time
        .interaction
        .as_mut()
        .expect("an interaction")
        .interaction_date;
    time.get_or_insert_default().seconds = i64::MIN;
    let without_interaction = pb::AddLeadInteractionRequest {
        interaction: None,
        ..add_interaction_request(&lead)
    };
    for (request, field) in [
        (invalid_time, "interaction.interaction_date"),
        (without_interaction, "interaction"),
    ] {
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .add_lead_interaction(request)
            .await;
        let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field]);
    }
    let stale = pb::AddLeadInteractionRequest {
        etag: lead.etag.clone(),
        ..add_interaction_request(&lead)
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .add_lead_interaction(stale)
        .await;
    refused(response, Code::Aborted, "ETAG_MISMATCH");
    for expected in 4..=10 {
        let seen = add(add_interaction_request(&lead)).await.expect("an interaction");
        assert_eq!(count(&seen), expected);
    }
    let before = get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await;
    let mut client = clients(&app, &alliance_lead(ALDER)).leads();
    let response = client.add_lead_interaction(add_interaction_request(&lead)).await;
    let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(
        (refusal.fields[0].0.as_str(), refusal.fields[0].1.as_str()),
        ("interaction", "TOO_MANY_VALUES")
    );
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, before);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_056_lead_is_assigned_to_eligible_member_who_then_sees_it() {
    let app = start_with(Setup::default().with_bus()).await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let (seller, other) = (ace_user("mem-seller"), ace_user("mem-other"));
    let marketer = partner("mem-marketer", ALDER, Role::MarketingStaff);
    let other_account = partner("mem-birch", BIRCH, Role::AceManager);
    // A first call adds each member to the replica.
    for caller in [&seller, &other, &marketer, &other_account] {
        list_leads(&app, caller).await;
    }
    for ineligible in ["mem-marketer", "mem-birch", "mem-unknown"] {
        let mut client = clients(&app, &alliance_lead(ALDER)).leads();
        let response = client.assign_lead(assign_request(&lead, ineligible)).await;
        let refusal = refused(response, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["owner_member_id"], "{ineligible}");
    }
    let request = pb::AssignLeadRequest {
        request_id: request_id(),
        etag: lead.etag.clone(),
        ..assign_request(&lead, "mem-seller")
    };
    let dry_run = pb::AssignLeadRequest {
        validate_only: true,
        ..request.clone()
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .assign_lead(dry_run)
        .await;
    let seen = response.expect("a response").into_inner().lead.expect("the lead");
    assert_eq!(seen.owner_member_id, "mem-seller");
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, lead);
    for _ in 0..2 {
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .assign_lead(request.clone())
            .await;
        let seen = response.expect("the lead").into_inner().lead.expect("the lead");
        assert_eq!((seen.owner_member_id.as_str(), seen.revision), ("mem-seller", 2));
    }
    let mut client = clients(&app, &seller).leads();
    let again = client.assign_lead(assign_request(&lead, "mem-seller")).await;
    let again = again.expect("the lead").into_inner().lead.expect("the lead");
    assert_eq!(
        again.revision, 2,
        "assigning the current owner must not change the lead"
    );
    let stale = pb::AssignLeadRequest {
        etag: lead.etag.clone(),
        ..assign_request(&lead, "mem-other")
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .assign_lead(stale)
        .await;
    refused(response, Code::Aborted, "ETAG_MISMATCH");

    assert_eq!(list_leads(&app, &seller).await.len(), 1);
    assert_eq!(list_leads(&app, &marketer).await, []);
    assert_eq!(list_leads(&app, &other).await, []);
    let owner = clients(&app, &seller);
    owner
        .leads()
        .set_lead_state(set_state_request(&lead, pb::LeadState::Qualified))
        .await
        .expect("a state");
    owner
        .leads()
        .assign_lead(assign_request(&lead, "mem-other"))
        .await
        .expect("an assignment");
    let hidden = owner
        .leads()
        .get_lead(pb::GetLeadRequest {
            lead_id: lead.lead_id.clone(),
        })
        .await;
    refused(hidden, Code::NotFound, "LEAD_NOT_FOUND");
    let events = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("referral", 8)
        .await;
    let assigned: Vec<pb::LeadAssigned> = events
        .iter()
        .filter(|event| event.header("ce-type").ends_with("LeadAssigned"))
        .map(|event| event.message())
        .collect();
    let expected = pb::LeadAssigned {
        lead_id: lead.lead_id.clone(),
        account_id: ALDER.to_owned(),
        revision: 2,
        previous_owner_member_id: "mem-lead-111111111111".to_owned(),
        owner_member_id: "mem-seller".to_owned(),
    };
    assert_eq!((assigned.len(), &assigned[0]), (2, &expected));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_lead_of_another_owner_is_not_found() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let nonexistent = pb::Lead {
        lead_id: "lead-0000000000000".to_owned(),
        ..Default::default()
    };
    let technician = partner("mem-technician", ALDER, Role::TechnicalStaff);
    let marketer = partner("mem-marketer", ALDER, Role::MarketingStaff);
    for caller in [alliance_lead(BIRCH), ace_user("mem-other"), technician, marketer] {
        let hidden = refusals(&app, &caller, &lead, Code::NotFound, "LEAD_NOT_FOUND").await;
        let absent = refusals(&app, &caller, &nonexistent, Code::NotFound, "LEAD_NOT_FOUND").await;
        for (mut hidden, absent) in hidden.into_iter().zip(absent) {
            hidden.message = hidden.message.replace(&lead.lead_id, &nonexistent.lead_id);
            hidden
                .metadata
                .insert("lead_id".to_owned(), nonexistent.lead_id.clone());
            assert_eq!(hidden.message, absent.message);
            assert_eq!(hidden.fields, absent.fields);
        }
        assert_eq!(list_leads(&app, &caller).await, []);
    }
    for caller in [
        aws("mem-sales", Role::SalesRepresentative),
        partner("mem-admin", ALDER, Role::CloudAdmin),
        service("opportunity"),
    ] {
        let (code, reason) = (Code::PermissionDenied, "ROLE_NOT_PERMITTED");
        refusals(&app, &caller, &lead, code, reason).await;
        let mut client = clients(&app, &caller).leads();
        let list = client.list_leads(pb::ListLeadsRequest::default()).await;
        refused(list, code, reason);
    }
    for caller in [alliance_lead(ALDER), service("review")] {
        let request = pb::GetConvertedLeadRequest {
            lead_id: lead.lead_id.clone(),
        };
        let response = clients(&app, &caller)
            .internal()
            .get_converted_lead(request)
            .await;
        refused(response, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    assert_eq!(get_lead(&app, &alliance_lead(ALDER), &lead.lead_id).await, lead);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_leads_are_listed_newest_first_in_pages() {
    let app = start().await;
    let mut created = Vec::new();
    for _ in 0..3 {
        created.push(create_accepted_lead(&app, ALDER).await);
        app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    created.reverse();
    assert_eq!(list_leads(&app, &alliance_lead(ALDER)).await, created);
    let (mut token, mut seen) = (String::new(), Vec::new());
    for expected in [2, 1] {
        let request = pb::ListLeadsRequest {
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let response = clients(&app, &alliance_lead(ALDER))
            .leads()
            .list_leads(request)
            .await;
        let response = response.expect("a page").into_inner();
        assert_eq!(response.leads.len(), expected);
        seen.extend(response.leads);
        token = response.next_page_token;
    }
    assert_eq!((seen, token.as_str()), (created.clone(), ""));
    clients(&app, &alliance_lead(ALDER))
        .leads()
        .set_lead_state(set_state_request(&created[1], pb::LeadState::Qualified))
        .await
        .expect("a state");
    let by_state = pb::ListLeadsRequest {
        states: vec![pb::LeadState::Qualified.into(), pb::LeadState::Other.into()],
        ..Default::default()
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .list_leads(by_state.clone())
        .await;
    let found = response.expect("a list").into_inner().leads;
    assert_eq!((found.len(), &found[0].lead_id), (1, &created[1].lead_id));
    let invalid_token = pb::ListLeadsRequest {
        page_token: "nonsense".to_owned(),
        ..by_state
    };
    let response = clients(&app, &alliance_lead(ALDER))
        .leads()
        .list_leads(invalid_token)
        .await;
    refused(response, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    app.finish::<Referrals>().await;
}

/// Calls every RPC that takes a lead, and returns the refusals.
async fn refusals(app: &App, caller: &Caller, lead: &pb::Lead, code: Code, reason: &str) -> Vec<Refusal> {
    let clients = clients(app, caller);
    let get = pb::GetLeadRequest {
        lead_id: lead.lead_id.clone(),
    };
    vec![
        refused(clients.leads().get_lead(get).await, code, reason),
        refused(
            clients
                .leads()
                .set_lead_state(set_state_request(lead, pb::LeadState::Qualified))
                .await,
            code,
            reason,
        ),
        refused(
            clients
                .leads()
                .add_lead_interaction(add_interaction_request(lead))
                .await,
            code,
            reason,
        ),
        refused(
            clients
                .leads()
                .assign_lead(assign_request(lead, "mem-lead-111111111111"))
                .await,
            code,
            reason,
        ),
        refused(
            clients.leads().convert_lead(convert_request(lead)).await,
            code,
            reason,
        ),
    ]
}
