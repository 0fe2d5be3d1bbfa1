//! Accounts, terms and profiles (DIR-001, DIR-003, DIR-020, DIR-030 to DIR-032).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{refused, service};
use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, CEDAR, account, account_record, apply, by, company, lead, profile, start, start_with,
    who,
};

fn reading(account: &str) -> pb::GetAccountRequest {
    pb::GetAccountRequest {
        account_id: account.to_owned(),
    }
}

#[tokio::test]
async fn dir_020_an_account_is_read_by_its_members_by_aws_and_by_services() {
    let app = start().await;
    let mut user = by(&app, &who(ALDER, "alder-standard"));
    assert_eq!(account(&mut user).await.display_name, "Alder");
    for id in [BIRCH, "888888888888"] {
        refused(
            user.accounts().get_account(reading(id)).await,
            Code::NotFound,
            "ACCOUNT_NOT_FOUND",
        );
    }
    let aws = by(&app, &who(AWS, "aws-pdm"));
    let seen = aws
        .accounts()
        .get_account(reading(BIRCH))
        .await
        .expect("an account")
        .into_inner();
    assert_eq!(seen.account.expect("an account").legal_name, "Birch Ltd");
    let collaboration = by(&app, &service("collaboration"));
    let seen = collaboration.accounts().get_account(reading(BIRCH)).await;
    let seen = seen
        .expect("an account")
        .into_inner()
        .account
        .expect("an account");
    assert_eq!(seen.account_id, BIRCH);
    // A service has no account of its own.
    for id in ["", "888888888888"] {
        let answer = collaboration.accounts().get_account(reading(id)).await;
        refused(answer, Code::NotFound, "ACCOUNT_NOT_FOUND");
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_003_the_lead_accepts_the_terms_once() {
    let app = start().await;
    let request = pb::AcceptTermsRequest::default();
    let team = by(&app, &who(ALDER, "alder-team"));
    refused(
        team.accounts().accept_terms(request.clone()).await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    let first = lead(&app, ALDER)
        .accounts()
        .accept_terms(request.clone())
        .await
        .expect("an account")
        .into_inner();
    let again = lead(&app, ALDER)
        .accounts()
        .accept_terms(request)
        .await
        .expect("an account")
        .into_inner();
    assert_eq!(first, again, "again changes nothing");
    let seen = first.account.expect("an account");
    assert_eq!(
        (seen.terms_accepted_by.as_str(), seen.revision),
        ("alder-lead", 2)
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_001_nobody_of_a_suspended_account_is_let_in() {
    let app = start().await;
    let mut suspended = company(ALDER, "Alder");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_record(suspended)]).await;
    let answer = lead(&app, ALDER).accounts().get_account(reading("")).await;
    refused(answer, Code::PermissionDenied, "MEMBER_INACTIVE");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_030_031_032_a_profile_is_written_and_shown_a_few_times_a_day() {
    let app = start_with(Options {
        profile_updates_per_day: 2,
        visibility_updates_per_day: 2,
        ..Options::default()
    })
    .await;
    let cedar = lead(&app, CEDAR);
    let showing = |visibility: pb::ProfileVisibility| pb::SetProfileVisibilityRequest {
        visibility: visibility.into(),
        ..Default::default()
    };
    let (public, private) = (pb::ProfileVisibility::Public, pb::ProfileVisibility::Private);
    let none = cedar.accounts().set_profile_visibility(showing(public)).await;
    refused(none, Code::FailedPrecondition, "PROFILE_REQUIRED");

    let writing = |name: &str| pb::UpdateProfileRequest {
        profile: Some(profile(name)),
        ..Default::default()
    };
    let mut wrong = writing("Cedar");
    if let Some(profile) = &mut wrong.profile {
        profile.website_url = "http://cedar.example".to_owned();
        profile.industry_segments = vec!["Retail".to_owned(); 4];
    }
    let refusal = refused(
        cedar.accounts().update_profile(wrong).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        ["profile.website_url", "profile.industry_segments"]
    );

    let made = cedar
        .accounts()
        .update_profile(writing("Cedar"))
        .await
        .expect("a profile")
        .into_inner();
    let made = made.account.expect("an account").profile.expect("a profile");
    assert!(made.profile_id.starts_with("pprofile-"), "{}", made.profile_id);
    assert_eq!(made.visibility(), private);
    cedar
        .accounts()
        .update_profile(writing("Cedar"))
        .await
        .expect("the same is no change");
    cedar
        .accounts()
        .update_profile(writing("Cedar & Sons"))
        .await
        .expect("a change");
    let third = cedar.accounts().update_profile(writing("Cedar and Sons")).await;
    let third = refused(
        third,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_PROFILE_UPDATE_PER_DAY",
    );
    assert_eq!(third.metadata["limit"], "2");
    for visibility in [public, private] {
        cedar
            .accounts()
            .set_profile_visibility(showing(visibility))
            .await
            .expect("a change");
    }
    let third = cedar.accounts().set_profile_visibility(showing(public)).await;
    let reason = "LIMIT_EXCEEDED_NUMBER_OF_PROFILE_VISIBILITY_UPDATE_PER_DAY";
    refused(third, Code::ResourceExhausted, reason);
    app.clock.advance(chrono::TimeDelta::hours(15));
    // The token of the day before has run out with it.
    let cedar = lead(&app, CEDAR);
    cedar
        .accounts()
        .set_profile_visibility(showing(public))
        .await
        .expect("a new day");
    app.finish::<Partners>().await;
}
