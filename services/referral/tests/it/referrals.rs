//! What AWS offers.

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_referral::{Options, Referrals};
use cosell_testkit::harness::{Setup, aws, partner, refused};
use cosell_types::Role;
use prost_types::Timestamp;
use tonic::Code;

use crate::support::{ALDER, BIRCH, by, deal, get, lead, offers, refer, referral, request_id, sales, start};

#[tokio::test]
async fn ref_004_010_a_deal_is_offered_to_the_first_of_the_list() {
    let app = start().await;
    let referral = refer(&app, &[ALDER, BIRCH]).await;
    assert_eq!(referral.state(), pb::ReferralState::Offered);
    assert_eq!(referral.offers.len(), 1);
    assert_eq!(referral.offers[0].account_id, ALDER);
    // Made on a Monday: until the end of the next one.
    let expire = referral.offers[0].expire_time.expect("a time").seconds;
    assert_eq!(expire, 1_773_100_800);
    assert_eq!(get(&app, &referral.referral_id).await, referral);
    assert_eq!(offers(&app, &lead(ALDER)).await.len(), 1);
    assert_eq!(offers(&app, &lead(BIRCH)).await, []);
    let list = by(&app, &sales())
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
async fn plt_002_a_repeated_offer_is_one_offer() {
    let app = start().await;
    let request = pb::CreateReferralRequest {
        request_id: request_id(),
        ..referral(&[ALDER])
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = by(&app, &sales())
            .referrals()
            .create_referral(request.clone())
            .await;
        ids.push(
            answer
                .expect("a referral")
                .into_inner()
                .referral
                .expect("a referral")
                .referral_id,
        );
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(offers(&app, &lead(ALDER)).await.len(), 1);
    let unknown = pb::GetReferralRequest {
        referral_id: "ref-0000000000000".to_owned(),
    };
    let answer = by(&app, &sales()).referrals().get_referral(unknown).await;
    refused(answer, Code::NotFound, "REFERRAL_NOT_FOUND");
    let rehearsed = pb::CreateReferralRequest {
        validate_only: true,
        ..referral(&[BIRCH])
    };
    by(&app, &sales())
        .referrals()
        .create_referral(rehearsed)
        .await
        .expect("an answer");
    assert_eq!(offers(&app, &lead(BIRCH)).await, []);
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn plt_002_what_was_done_is_answered_though_it_could_not_be_done_again() {
    let app = start().await;
    let request = pb::CreateReferralRequest {
        request_id: request_id(),
        ..referral(&[ALDER])
    };
    let made = by(&app, &sales())
        .referrals()
        .create_referral(request.clone())
        .await;
    let made = made.expect("a referral").into_inner().referral;
    // Another replica, that does not reach the opportunity service.
    let options = Options::new("http://127.0.0.1:9".to_owned());
    let replica = Setup::beside(&app)
        .start_on::<Referrals>(app.database.shared(), options)
        .await;
    let again = by(&replica, &sales()).referrals().create_referral(request).await;
    assert_eq!(again.expect("a referral").into_inner().referral, made);
    let another = by(&replica, &sales())
        .referrals()
        .create_referral(referral(&[BIRCH]))
        .await;
    refused(another, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    replica.finish::<Referrals>().await;
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_001_002_003_what_cannot_be_offered_says_why() {
    let app = start().await;
    let unknown = by(&app, &sales())
        .referrals()
        .create_referral(referral(&[ALDER, "555555555555"]))
        .await;
    let refusal = refused(unknown, Code::FailedPrecondition, "RECEIVER_NOT_ELIGIBLE");
    assert_eq!(refusal.metadata["account_id"], "555555555555");
    assert_eq!(refusal.metadata["cause"], "NOT_ACTIVE");

    let mut later = referral(&[ALDER]);
    later.referral.as_mut().expect("a referral").customer_consent_time = Some(Timestamp {
        seconds: 1_999_999_999,
        nanos: 0,
    });
    let mut untitled = referral(&[ALDER]);
    let mut record = deal();
    record.project.as_mut().expect("a project").title.clear();
    untitled.referral.as_mut().expect("a referral").payload = Some(Payload::Opportunity(record));
    let mut nobody = referral(&[ALDER]);
    nobody.referral.as_mut().expect("a referral").sender_contacts[0]
        .email
        .clear();
    for (request, field) in [
        (pb::CreateReferralRequest::default(), "referral"),
        (later, "referral.customer_consent_time"),
        (untitled, "referral.opportunity.project.title"),
        (nobody, "referral.sender_contacts[0].email"),
        (referral(&[]), "referral.receiver_account_ids"),
        (referral(&[ALDER, ALDER]), "referral.receiver_account_ids"),
    ] {
        let refusal = refused(
            by(&app, &sales()).referrals().create_referral(request).await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        assert_eq!(refusal.fields[0].0, field, "{refusal:?}");
    }
    assert_eq!(offers(&app, &lead(ALDER)).await, [], "nothing was changed");
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_040_who_offers_and_who_answers_is_a_matter_of_roles() {
    let app = start().await;
    refer(&app, &[ALDER]).await;
    for caller in [lead(ALDER), aws("mem-reviewer", Role::Reviewer)] {
        let answer = by(&app, &caller)
            .referrals()
            .create_referral(referral(&[ALDER]))
            .await;
        refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    for role in [Role::AceUser, Role::TechnicalStaff, Role::CloudAdmin] {
        let answer = by(&app, &partner("mem-other", ALDER, role))
            .referrals()
            .list_referral_offers(pb::ListReferralOffersRequest::default())
            .await;
        refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    for role in [Role::AllianceTeam, Role::AceManager, Role::MarketingStaff] {
        let seen = offers(&app, &partner(&format!("mem-{role}"), ALDER, role)).await;
        assert_eq!(seen.len(), 1, "{role}");
    }
    app.finish::<Referrals>().await;
}
