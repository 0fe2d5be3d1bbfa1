//! Covers accounts through the API: visibility, terms, suspension, profiles and their daily limits (DIR-001, DIR-003,
//! DIR-020, DIR-030 to DIR-032).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{refused, service};
use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, CEDAR, account_record, account_request, alliance_lead, apply, caller, clients,
    get_account, profile, start, start_with,
};

fn get_request(account: &str) -> pb::GetAccountRequest {
    pb::GetAccountRequest {
        account_id: account.to_owned(),
    }
}

#[tokio::test]
async fn dir_020_account_is_read_by_its_members_aws_and_services() {
    let app = start().await;
    let mut user = clients(&app, &caller(ALDER, "alder-standard"));
    assert_eq!(get_account(&mut user).await.display_name, "Alder");
    for id in [BIRCH, "888888888888"] {
        refused(
            user.accounts().get_account(get_request(id)).await,
            Code::NotFound,
            "ACCOUNT_NOT_FOUND",
        );
    }
    let aws = clients(&app, &caller(AWS, "aws-pdm"));
    let seen = aws
        .accounts()
        .get_account(get_request(BIRCH))
        .await
        .expect("an account")
        .into_inner();
    assert_eq!(seen.account.expect("an account").legal_name, "Birch Ltd");
    let collaboration = clients(&app, &service("collaboration"));
    let seen = collaboration.accounts().get_account(get_request(BIRCH)).await;
    let seen = seen
        .expect("an account")
        .into_inner()
        .account
        .expect("an account");
    assert_eq!(seen.account_id, BIRCH);
    // A service has no account, so it must name one that exists.
    for id in ["", "888888888888"] {
        let response = collaboration.accounts().get_account(get_request(id)).await;
        refused(response, Code::NotFound, "ACCOUNT_NOT_FOUND");
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_003_terms_are_accepted_once_by_alliance_lead() {
    let app = start().await;
    let request = pb::AcceptTermsRequest::default();
    let team = clients(&app, &caller(ALDER, "alder-team"));
    refused(
        team.accounts().accept_terms(request.clone()).await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    let first = alliance_lead(&app, ALDER)
        .accounts()
        .accept_terms(request.clone())
        .await
        .expect("an account")
        .into_inner();
    let again = alliance_lead(&app, ALDER)
        .accounts()
        .accept_terms(request)
        .await
        .expect("an account")
        .into_inner();
    assert_eq!(first, again, "a repeated acceptance must not change the account");
    let seen = first.account.expect("an account");
    assert_eq!(
        (seen.terms_accepted_by.as_str(), seen.revision),
        ("alder-lead", 2)
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_001_member_of_suspended_account_is_refused() {
    let app = start().await;
    let mut suspended = account_record(ALDER, "Alder");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_request(suspended)]).await;
    let response = alliance_lead(&app, ALDER)
        .accounts()
        .get_account(get_request(""))
        .await;
    refused(response, Code::PermissionDenied, "MEMBER_INACTIVE");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_030_031_032_profile_and_visibility_changes_are_limited_per_day() {
    let app = start_with(Options {
        profile_updates_per_day: 2,
        visibility_updates_per_day: 2,
        ..Options::default()
    })
    .await;
    let cedar = alliance_lead(&app, CEDAR);
    let visibility_request = |visibility: pb::ProfileVisibility| pb::SetProfileVisibilityRequest {
        visibility: visibility.into(),
        ..Default::default()
    };
    let (public, private) = (pb::ProfileVisibility::Public, pb::ProfileVisibility::Private);
    let without_profile = cedar
        .accounts()
        .set_profile_visibility(visibility_request(public))
        .await;
    refused(without_profile, Code::FailedPrecondition, "PROFILE_REQUIRED");

    let profile_request = |name: &str| pb::UpdateProfileRequest {
        profile: Some(profile(name)),
        ..Default::default()
    };
    let mut invalid = profile_request("Cedar");
    if let Some(profile) = &mut invalid.profile {
        profile.website_url = "http://cedar.example".to_owned();
        profile.industry_segments = vec!["Retail".to_owned(); 4];
    }
    let refusal = refused(
        cedar.accounts().update_profile(invalid).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        ["profile.website_url", "profile.industry_segments"]
    );

    let updated = cedar
        .accounts()
        .update_profile(profile_request("Cedar"))
        .await
        .expect("a profile")
        .into_inner();
    let created = updated.account.expect("an account").profile.expect("a profile");
    assert!(
        created.profile_id.starts_with("pprofile-"),
        "{}",
        created.profile_id
    );
    assert_eq!(created.visibility(), private);
    cedar
        .accounts()
        .update_profile(profile_request("Cedar"))
        .await
        .expect("an unchanged profile");
    cedar
        .accounts()
        .update_profile(profile_request("Cedar & Sons"))
        .await
        .expect("a change");
    let third = cedar
        .accounts()
        .update_profile(profile_request("Cedar and Sons"))
        .await;
    let third = refused(
        third,
        Code::ResourceExhausted,
        "LIMIT_EXCEEDED_NUMBER_OF_PROFILE_UPDATE_PER_DAY",
    );
    assert_eq!(third.metadata["limit"], "2");
    for visibility in [public, private] {
        cedar
            .accounts()
            .set_profile_visibility(visibility_request(visibility))
            .await
            .expect("a change");
    }
    let third = cedar
        .accounts()
        .set_profile_visibility(visibility_request(public))
        .await;
    let reason = "LIMIT_EXCEEDED_NUMBER_OF_PROFILE_VISIBILITY_UPDATE_PER_DAY";
    refused(third, Code::ResourceExhausted, reason);
    app.clock.advance(chrono::TimeDelta::hours(15));
    // The token of the previous day has expired, so a new client is needed.
    let cedar = alliance_lead(&app, CEDAR);
    cedar
        .accounts()
        .set_profile_visibility(visibility_request(public))
        .await
        .expect("a change on the next day");
    app.finish::<Partners>().await;
}
