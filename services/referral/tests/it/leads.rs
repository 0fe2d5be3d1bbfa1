//! What partners do with leads that they have accepted.

use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, FarEnd, Refusal, Setup, aws, partner, refused, service};
use cosell_types::{Caller, Role};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, accepted_lead, add_interaction, assign, by, convert, get_lead, lead, leads, request_id,
    set_state, start, start_with,
};

fn user(id: &str) -> Caller {
    partner(id, ALDER, Role::AceUser)
}

#[tokio::test]
async fn ref_053_what_has_become_of_a_lead_is_said_in_four_ways() {
    let app = start().await;
    let made = accepted_lead(&app, ALDER).await;
    let set = async |request: pb::SetLeadStateRequest| {
        let answer = by(&app, &lead(ALDER)).leads().set_lead_state(request).await;
        answer.map(|answer| answer.into_inner().lead.expect("the lead"))
    };
    let custom = pb::SetLeadStateRequest {
        custom_state: " Wants a call in May ".to_owned(),
        request_id: request_id(),
        etag: made.etag.clone(),
        ..set_state(&made, pb::LeadState::Other)
    };
    let rehearsed = pb::SetLeadStateRequest {
        validate_only: true,
        ..custom.clone()
    };
    let seen = set(rehearsed).await.expect("an answer");
    assert_eq!((seen.state(), seen.revision), (pb::LeadState::Other, 2));
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, made);
    for _ in 0..2 {
        let seen = set(custom.clone()).await.expect("a state");
        assert_eq!(
            (seen.state(), seen.custom_state.as_str(), seen.revision),
            (pb::LeadState::Other, "Wants a call in May", 2)
        );
    }
    let before = get_lead(&app, &lead(ALDER), &made.lead_id).await;
    // What it is in already is no change, also with words that differ in blanks only.
    let same = pb::SetLeadStateRequest {
        custom_state: "Wants a call in May".to_owned(),
        ..set_state(&made, pb::LeadState::Other)
    };
    assert_eq!(set(same).await.expect("the lead"), before);
    let stale = pb::SetLeadStateRequest {
        etag: made.etag.clone(),
        ..set_state(&made, pb::LeadState::Qualified)
    };
    let answer = by(&app, &lead(ALDER)).leads().set_lead_state(stale).await;
    let refusal = refused(answer, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(refusal.metadata["current_etag"], "\"2\"");
    let wordless = set_state(&made, pb::LeadState::Other);
    let wordy = pb::SetLeadStateRequest {
        custom_state: "Yes".to_owned(),
        ..set_state(&made, pb::LeadState::Qualified)
    };
    let lengthy = pb::SetLeadStateRequest {
        custom_state: "x".repeat(256),
        ..set_state(&made, pb::LeadState::Other)
    };
    for request in [wordless, wordy, lengthy] {
        let answer = by(&app, &lead(ALDER)).leads().set_lead_state(request).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["custom_state"]);
    }
    let stateless = set_state(&made, pb::LeadState::Unspecified);
    let answer = by(&app, &lead(ALDER)).leads().set_lead_state(stateless).await;
    assert_eq!(
        refused(answer, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["state"]
    );
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, before);
    let seen = set(set_state(&made, pb::LeadState::Qualified)).await;
    let seen = seen.expect("a state");
    assert_eq!(
        (seen.state(), seen.custom_state.as_str()),
        (pb::LeadState::Qualified, "")
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_052_what_the_customer_does_is_noted_up_to_ten_times() {
    let app = start().await;
    let made = accepted_lead(&app, ALDER).await;
    let add = async |request: pb::AddLeadInteractionRequest| {
        let answer = by(&app, &lead(ALDER)).leads().add_lead_interaction(request).await;
        answer.map(|answer| answer.into_inner().lead.expect("the lead"))
    };
    let count = |lead: &pb::Lead| lead.details.as_ref().expect("details").interactions.len();
    let mut first = pb::AddLeadInteractionRequest {
        request_id: request_id(),
        etag: made.etag.clone(),
        ..add_interaction(&made)
    };
    first.interaction.as_mut().expect("one").contact = Some(pb::LeadContact {
        email: "Somebody@Customer.example".to_owned(),
        ..Default::default()
    });
    let rehearsed = pb::AddLeadInteractionRequest {
        validate_only: true,
        ..first.clone()
    };
    assert_eq!(count(&add(rehearsed).await.expect("an answer")), 3);
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, made);
    for _ in 0..2 {
        let seen = add(first.clone()).await.expect("an interaction");
        assert_eq!((count(&seen), seen.revision), (3, 2));
        let added = &seen.details.as_ref().expect("details").interactions[2];
        let contact = added.contact.as_ref().expect("a contact");
        assert_eq!(contact.email, "somebody@customer.example", "kept in lower case");
    }
    let mut nowhen = add_interaction(&made);
    let time = &mut nowhen.interaction.as_mut().expect("one").interaction_date;
    time.get_or_insert_default().seconds = i64::MIN;
    let nothing = pb::AddLeadInteractionRequest {
        interaction: None,
        ..add_interaction(&made)
    };
    for (request, field) in [(nowhen, "interaction.interaction_date"), (nothing, "interaction")] {
        let answer = by(&app, &lead(ALDER)).leads().add_lead_interaction(request).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field]);
    }
    let stale = pb::AddLeadInteractionRequest {
        etag: made.etag.clone(),
        ..add_interaction(&made)
    };
    let answer = by(&app, &lead(ALDER)).leads().add_lead_interaction(stale).await;
    refused(answer, Code::Aborted, "ETAG_MISMATCH");
    for expected in 4..=10 {
        let seen = add(add_interaction(&made)).await.expect("an interaction");
        assert_eq!(count(&seen), expected);
    }
    let before = get_lead(&app, &lead(ALDER), &made.lead_id).await;
    let mut calls = by(&app, &lead(ALDER)).leads();
    let answer = calls.add_lead_interaction(add_interaction(&made)).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(
        (refusal.fields[0].0.as_str(), refusal.fields[0].1.as_str()),
        ("interaction", "TOO_MANY_VALUES")
    );
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, before);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_056_a_lead_is_given_to_somebody_who_may_have_it_and_then_is_theirs() {
    let app = start_with(Setup::default().with_bus()).await;
    let made = accepted_lead(&app, ALDER).await;
    let (seller, other) = (user("mem-seller"), user("mem-other"));
    let marketer = partner("mem-marketer", ALDER, Role::MarketingStaff);
    let stranger = partner("mem-stranger", BIRCH, Role::AceManager);
    // Whom the service knows it knows since they called.
    for caller in [&seller, &other, &marketer, &stranger] {
        leads(&app, caller).await;
    }
    for nobody in ["mem-marketer", "mem-stranger", "mem-unknown"] {
        let mut calls = by(&app, &lead(ALDER)).leads();
        let answer = calls.assign_lead(assign(&made, nobody)).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["owner_member_id"], "{nobody}");
    }
    let request = pb::AssignLeadRequest {
        request_id: request_id(),
        etag: made.etag.clone(),
        ..assign(&made, "mem-seller")
    };
    let rehearsed = pb::AssignLeadRequest {
        validate_only: true,
        ..request.clone()
    };
    let answer = by(&app, &lead(ALDER)).leads().assign_lead(rehearsed).await;
    let seen = answer.expect("an answer").into_inner().lead.expect("the lead");
    assert_eq!(seen.owner_member_id, "mem-seller");
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, made);
    for _ in 0..2 {
        let answer = by(&app, &lead(ALDER)).leads().assign_lead(request.clone()).await;
        let seen = answer.expect("the lead").into_inner().lead.expect("the lead");
        assert_eq!((seen.owner_member_id.as_str(), seen.revision), ("mem-seller", 2));
    }
    let mut calls = by(&app, &seller).leads();
    let again = calls.assign_lead(assign(&made, "mem-seller")).await;
    let again = again.expect("the lead").into_inner().lead.expect("the lead");
    assert_eq!(again.revision, 2, "no change");
    let stale = pb::AssignLeadRequest {
        etag: made.etag.clone(),
        ..assign(&made, "mem-other")
    };
    let answer = by(&app, &lead(ALDER)).leads().assign_lead(stale).await;
    refused(answer, Code::Aborted, "ETAG_MISMATCH");

    assert_eq!(leads(&app, &seller).await.len(), 1);
    assert_eq!(leads(&app, &marketer).await.len(), 1, "the whole pipeline");
    assert_eq!(leads(&app, &other).await, []);
    let theirs = by(&app, &seller);
    theirs
        .leads()
        .set_lead_state(set_state(&made, pb::LeadState::Qualified))
        .await
        .expect("a state");
    theirs
        .leads()
        .assign_lead(assign(&made, "mem-other"))
        .await
        .expect("given away");
    let gone = theirs
        .leads()
        .get_lead(pb::GetLeadRequest {
            lead_id: made.lead_id.clone(),
        })
        .await;
    refused(gone, Code::NotFound, "LEAD_NOT_FOUND");
    let told = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("referral", 8)
        .await;
    let assigned: Vec<pb::LeadAssigned> = told
        .iter()
        .filter(|event| event.header("ce-type").ends_with("LeadAssigned"))
        .map(|event| event.message())
        .collect();
    let expected = pb::LeadAssigned {
        lead_id: made.lead_id.clone(),
        account_id: ALDER.to_owned(),
        revision: 2,
        previous_owner_member_id: "mem-lead-111111111111".to_owned(),
        owner_member_id: "mem-seller".to_owned(),
    };
    assert_eq!((assigned.len(), &assigned[0]), (2, &expected));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_a_lead_of_somebody_else_does_not_exist() {
    let app = start().await;
    let made = accepted_lead(&app, ALDER).await;
    let never = pb::Lead {
        lead_id: "lead-0000000000000".to_owned(),
        ..Default::default()
    };
    let technician = partner("mem-technician", ALDER, Role::TechnicalStaff);
    for caller in [lead(BIRCH), user("mem-other"), technician] {
        let theirs = refusals(&app, &caller, &made, Code::NotFound, "LEAD_NOT_FOUND").await;
        let nobodys = refusals(&app, &caller, &never, Code::NotFound, "LEAD_NOT_FOUND").await;
        for (mut theirs, nobodys) in theirs.into_iter().zip(nobodys) {
            theirs.message = theirs.message.replace(&made.lead_id, &never.lead_id);
            theirs
                .metadata
                .insert("lead_id".to_owned(), never.lead_id.clone());
            assert_eq!(theirs.message, nobodys.message);
            assert_eq!(theirs.fields, nobodys.fields);
        }
        assert_eq!(leads(&app, &caller).await, []);
    }
    for caller in [
        aws("mem-sales", Role::SalesRepresentative),
        partner("mem-admin", ALDER, Role::CloudAdmin),
        service("opportunity"),
    ] {
        let (code, reason) = (Code::PermissionDenied, "ROLE_NOT_PERMITTED");
        refusals(&app, &caller, &made, code, reason).await;
        let mut calls = by(&app, &caller).leads();
        let list = calls.list_leads(pb::ListLeadsRequest::default()).await;
        refused(list, code, reason);
    }
    for caller in [lead(ALDER), service("review")] {
        let request = pb::GetConvertedLeadRequest {
            lead_id: made.lead_id.clone(),
        };
        let answer = by(&app, &caller).internal().get_converted_lead(request).await;
        refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    assert_eq!(get_lead(&app, &lead(ALDER), &made.lead_id).await, made);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_055_leads_are_listed_newest_first_in_pages() {
    let app = start().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(accepted_lead(&app, ALDER).await);
        app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    made.reverse();
    assert_eq!(leads(&app, &lead(ALDER)).await, made);
    let (mut token, mut seen) = (String::new(), Vec::new());
    for expected in [2, 1] {
        let request = pb::ListLeadsRequest {
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let answer = by(&app, &lead(ALDER)).leads().list_leads(request).await;
        let answer = answer.expect("a page").into_inner();
        assert_eq!(answer.leads.len(), expected);
        seen.extend(answer.leads);
        token = answer.next_page_token;
    }
    assert_eq!((seen, token.as_str()), (made.clone(), ""));
    by(&app, &lead(ALDER))
        .leads()
        .set_lead_state(set_state(&made[1], pb::LeadState::Qualified))
        .await
        .expect("a state");
    let only = pb::ListLeadsRequest {
        states: vec![pb::LeadState::Qualified.into(), pb::LeadState::Other.into()],
        ..Default::default()
    };
    let answer = by(&app, &lead(ALDER)).leads().list_leads(only.clone()).await;
    let found = answer.expect("a list").into_inner().leads;
    assert_eq!((found.len(), &found[0].lead_id), (1, &made[1].lead_id));
    let strange = pb::ListLeadsRequest {
        page_token: "nonsense".to_owned(),
        ..only
    };
    let answer = by(&app, &lead(ALDER)).leads().list_leads(strange).await;
    refused(answer, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    app.finish::<Referrals>().await;
}

/// What each call about a lead is refused with.
async fn refusals(app: &App, caller: &Caller, made: &pb::Lead, code: Code, reason: &str) -> Vec<Refusal> {
    let calls = by(app, caller);
    let get = pb::GetLeadRequest {
        lead_id: made.lead_id.clone(),
    };
    vec![
        refused(calls.leads().get_lead(get).await, code, reason),
        refused(
            calls
                .leads()
                .set_lead_state(set_state(made, pb::LeadState::Qualified))
                .await,
            code,
            reason,
        ),
        refused(
            calls.leads().add_lead_interaction(add_interaction(made)).await,
            code,
            reason,
        ),
        refused(
            calls
                .leads()
                .assign_lead(assign(made, "mem-lead-111111111111"))
                .await,
            code,
            reason,
        ),
        refused(calls.leads().convert_lead(convert(made)).await, code, reason),
    ]
}
