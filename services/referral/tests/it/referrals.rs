//! Covers `CreateReferral`, `GetReferral` and `ListReferrals`: routing to the first receiver, idempotency, eligibility,
//! validation, and roles.

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_referral::{Options, Referrals};
use cosell_testkit::harness::{Setup, aws, partner, refused};
use cosell_types::Role;
use prost_types::Timestamp;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, alliance_lead, clients, create_referral, get_referral, list_offers, offered_opportunity,
    referral_request, request_id, sales, start,
};

#[tokio::test]
async fn ref_004_010_referral_is_offered_to_first_receiver_only() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER, BIRCH]).await;
    assert_eq!(referral.state(), pb::ReferralState::Offered);
    assert_eq!(referral.offers.len(), 1);
    assert_eq!(referral.offers[0].account_id, ALDER);
    // Created on a Monday, so it expires at the end of the next Monday.
    let expire = referral.offers[0].expire_time.expect("a time").seconds;
    assert_eq!(expire, 1_773_100_800);
    assert_eq!(get_referral(&app, &referral.referral_id).await, referral);
    assert_eq!(list_offers(&app, &alliance_lead(ALDER)).await.len(), 1);
    assert_eq!(list_offers(&app, &alliance_lead(BIRCH)).await, []);
    let list = clients(&app, &sales())
        .referrals()
        .list_referrals(pb::ListReferralsRequest {
            receiver_account_ids: vec![BIRCH.to_owned()],
            ..Default::default()
        })
        .await;
    assert_eq!(list.expect("a list").into_inner().referrals, [referral]);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn plt_002_repeated_create_referral_creates_one_referral() {
    let app = start().await;
    let request = pb::CreateReferralRequest {
        request_id: request_id(),
        ..referral_request(&[ALDER])
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let response = clients(&app, &sales())
            .referrals()
            .create_referral(request.clone())
            .await;
        ids.push(
            response
                .expect("a referral")
                .into_inner()
                .referral
                .expect("a referral")
                .referral_id,
        );
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(list_offers(&app, &alliance_lead(ALDER)).await.len(), 1);
    let unknown = pb::GetReferralRequest {
        referral_id: "ref-0000000000000".to_owned(),
    };
    let response = clients(&app, &sales()).referrals().get_referral(unknown).await;
    refused(response, Code::NotFound, "REFERRAL_NOT_FOUND");
    let dry_run = pb::CreateReferralRequest {
        validate_only: true,
        ..referral_request(&[BIRCH])
    };
    clients(&app, &sales())
        .referrals()
        .create_referral(dry_run)
        .await
        .expect("a response");
    assert_eq!(list_offers(&app, &alliance_lead(BIRCH)).await, []);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn plt_002_repeated_create_referral_succeeds_without_opportunity_service() {
    let app = start().await;
    let request = pb::CreateReferralRequest {
        request_id: request_id(),
        ..referral_request(&[ALDER])
    };
    let created = clients(&app, &sales())
        .referrals()
        .create_referral(request.clone())
        .await;
    let created = created.expect("a referral").into_inner().referral;
    // A second replica, which cannot reach the opportunity service.
    let options = Options::new("http://127.0.0.1:9".to_owned());
    let replica = Setup::replica_of(&app)
        .start_on::<Referrals>(app.database.shared(), options)
        .await;
    let again = clients(&replica, &sales())
        .referrals()
        .create_referral(request)
        .await;
    assert_eq!(again.expect("a referral").into_inner().referral, created);
    let new_request = clients(&replica, &sales())
        .referrals()
        .create_referral(referral_request(&[BIRCH]))
        .await;
    refused(new_request, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    replica.finish::<Referrals>().await;
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_001_002_003_invalid_referral_is_refused_with_its_cause() {
    let app = start().await;
    let unknown = clients(&app, &sales())
        .referrals()
        .create_referral(referral_request(&[ALDER, "555555555555"]))
        .await;
    let refusal = refused(unknown, Code::FailedPrecondition, "RECEIVER_NOT_ELIGIBLE");
    assert_eq!(refusal.metadata["account_id"], "555555555555");
    assert_eq!(refusal.metadata["cause"], "NOT_ACTIVE");

    let with_consent = |consent: Option<Timestamp>| {
        let mut request = referral_request(&[ALDER]);
        request
            .referral
            .as_mut()
            .expect("a referral")
            .customer_consent_time = consent;
        request
    };
    let consent_time = |seconds, nanos| Some(Timestamp { seconds, nanos });
    let mut untitled = referral_request(&[ALDER]);
    let mut record = offered_opportunity();
    record.project.as_mut().expect("a project").title.clear();
    untitled.referral.as_mut().expect("a referral").payload = Some(Payload::Opportunity(record));
    let mut without_email = referral_request(&[ALDER]);
    without_email
        .referral
        .as_mut()
        .expect("a referral")
        .sender_contacts[0]
        .email
        .clear();
    let consent = "referral.customer_consent_time";
    for (request, field, code) in [
        (
            pb::CreateReferralRequest::default(),
            "referral",
            "REQUIRED_FIELD_MISSING",
        ),
        (with_consent(None), consent, "REQUIRED_FIELD_MISSING"),
        (with_consent(consent_time(i64::MAX, 0)), consent, "INVALID_VALUE"),
        (with_consent(consent_time(0, -1)), consent, "INVALID_VALUE"),
        (
            with_consent(consent_time(1_999_999_999, 0)),
            consent,
            "VALUE_OUT_OF_RANGE",
        ),
        (
            untitled,
            "referral.opportunity.project.title",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            without_email,
            "referral.sender_contacts[0].email",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            referral_request(&[]),
            "referral.receiver_account_ids",
            "NOT_ENOUGH_VALUES",
        ),
        (
            referral_request(&[ALDER, ALDER]),
            "referral.receiver_account_ids",
            "INVALID_VALUE",
        ),
    ] {
        let refusal = refused(
            clients(&app, &sales()).referrals().create_referral(request).await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        let (path, violation, _) = &refusal.fields[0];
        assert_eq!((path.as_str(), violation.as_str()), (field, code), "{refusal:?}");
    }
    assert_eq!(
        list_offers(&app, &alliance_lead(ALDER)).await,
        [],
        "a refused call must not create an offer"
    );
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_040_create_referral_and_list_offers_require_matching_roles() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    for caller in [alliance_lead(ALDER), aws("mem-reviewer", Role::Reviewer)] {
        let response = clients(&app, &caller)
            .referrals()
            .create_referral(referral_request(&[ALDER]))
            .await;
        refused(response, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    for role in [
        Role::AceUser,
        Role::MarketingStaff,
        Role::TechnicalStaff,
        Role::CloudAdmin,
    ] {
        let response = clients(&app, &partner(&format!("mem-{role}"), ALDER, role))
            .referrals()
            .list_referral_offers(pb::ListReferralOffersRequest::default())
            .await;
        refused(response, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    for role in [Role::AllianceTeam, Role::AceManager] {
        let seen = list_offers(&app, &partner(&format!("mem-{role}"), ALDER, role)).await;
        assert_eq!(seen.len(), 1, "{role}");
    }
    app.finish::<Referrals>().await;
}
