//! Forged, expired and malformed tokens: all are refused with the same error, which does not reveal the cause
//! (ACC-003).

use cosell_grpc::Issuer;
use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_testkit::harness::{App, Client, refused};
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::support::{start, user};

async fn list(app: &App, client: Client) -> Result<tonic::Response<pb::ListOpportunitiesResponse>, Status> {
    let mut client = OpportunityServiceClient::new(client.with_channel(app.channel.clone()));
    client
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await
}

#[tokio::test]
async fn acc_003_each_invalid_token_is_refused_with_the_same_error() {
    let app = start().await;
    app.directory.add_member(&user());
    let issuer = &app.issuer;
    let now = app.clock.now().timestamp();
    let valid = issuer.claims(&user());
    let with = |key: &str, value: Value| {
        let mut claims = valid.clone();
        claims[key] = value;
        issuer.sign(&claims).expect("a token")
    };
    let without = |key: &str| {
        let mut claims = valid.clone();
        claims.as_object_mut().expect("claims").remove(key);
        issuer.sign(&claims).expect("a token")
    };
    let token = issuer.sign(&valid).expect("a token");
    assert!(
        list(&app, Client::with_token(&token)).await.is_ok(),
        "the valid token is accepted"
    );
    let header = |members: Value| issuer.sign_with(&members, &valid).expect("a token");
    for (case, token) in [
        ("clock skew of up to 30 seconds", with("iat", json!(now + 20))),
        (
            "a long media type",
            header(json!({ "typ": "application/at+jwt" })),
        ),
        ("a media type in capitals", header(json!({ "typ": "AT+JWT" }))),
        (
            "a fraction of a second",
            with(
                "exp",
                json!(f64::from(u32::try_from(now).expect("a time")) + 60.5),
            ),
        ),
        (
            "one of several audiences",
            with("aud", json!(["other", "cosell"])),
        ),
        ("an unknown member of the header", header(json!({ "note": "x" }))),
    ] {
        let answer = list(&app, Client::with_token(&token)).await;
        assert!(answer.is_ok(), "{case}: {answer:?}");
    }

    let mut parts = token.split('.');
    let (first, claims, signature) = (
        parts.next().expect("a header"),
        parts.next().expect("claims"),
        parts.next().expect("a signature"),
    );
    // {"alg":"none","typ":"at+jwt","kid":"development"} and the like, without padding.
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiZGV2ZWxvcG1lbnQifQ";
    let hs256 = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImRldmVsb3BtZW50In0";
    let other_issuer = Issuer::generate(app.clock.clone()).expect("another issuer");
    let invalid = [
        (
            "another issuer's key",
            other_issuer.token(&user()).expect("a token"),
        ),
        ("algorithm none", format!("{none}.{claims}.")),
        (
            "algorithm none, with a signature",
            format!("{none}.{claims}.{signature}"),
        ),
        ("a symmetric algorithm", format!("{hs256}.{claims}.{signature}")),
        ("another type of token", header(json!({ "typ": "JWT" }))),
        (
            "an unknown critical extension",
            header(json!({ "crit": ["b64"] })),
        ),
        (
            "an empty list of critical extensions",
            header(json!({ "crit": [] })),
        ),
        ("a payload that is not encoded", header(json!({ "b64": false }))),
        ("a list of issuers", with("iss", json!([valid["iss"]]))),
        ("no time as the earliest use", with("nbf", json!(null))),
        ("the latest expiry", with("exp", json!(i64::MAX))),
        ("the earliest time of issue", with("iat", json!(i64::MIN))),
        ("the latest start", with("nbf", json!(u64::MAX))),
        ("the earliest expiry", with("exp", json!(i64::MIN))),
        ("no signature", format!("{first}.{claims}.")),
        ("only two parts", format!("{first}.{claims}")),
        ("claims that were not signed", {
            let other = with("account_id", json!("222222222222"));
            format!("{first}.{}.{signature}", other.split('.').nth(1).expect("claims"))
        }),
        ("junk", "junk".to_owned()),
        ("nothing", String::new()),
        ("nine kilobytes", with("extra", json!("x".repeat(9000)))),
        ("expired", with("exp", json!(now - 31))),
        ("not valid yet", with("nbf", json!(now + 31))),
        ("issued in the future", with("iat", json!(now + 31))),
        ("valid for too long", with("exp", json!(now + 3601))),
        ("no expiry", without("exp")),
        ("expiry as text", with("exp", json!((now + 60).to_string()))),
        ("no time of issue", without("iat")),
        (
            "another issuer's name",
            with("iss", json!("https://evil.example")),
        ),
        ("no issuer", without("iss")),
        ("another audience", with("aud", json!("other-audience"))),
        ("no audience", without("aud")),
        ("no subject", without("sub")),
        (
            "an e-mail address as subject",
            with("sub", json!("jane@alder.example")),
        ),
        ("a subject that is too long", with("sub", json!("m".repeat(65)))),
        ("no account", without("account_id")),
        ("an invalid account", with("account_id", json!("1111"))),
        ("no side", without("side")),
        ("an unknown side", with("side", json!("root"))),
        ("a member as a service", with("side", json!("service"))),
    ];
    for (case, token) in invalid {
        let result = list(&app, Client::with_token(&token)).await;
        let refusal = refused(result, Code::Unauthenticated, "TOKEN_INVALID");
        let text = "The bearer token in the `authorization` header is missing or invalid. Get a new token.";
        assert_eq!(
            refusal.message, text,
            "{case}: the message must not reveal the cause"
        );
    }
    refused(
        list(&app, Client::new(issuer, None)).await,
        Code::Unauthenticated,
        "TOKEN_INVALID",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_003_expired_token_is_refused_after_leeway() {
    let app = start().await;
    app.directory.add_member(&user());
    let token = app.issuer.token(&user()).expect("a token");
    app.clock.advance(chrono::TimeDelta::minutes(60));
    assert!(
        list(&app, Client::with_token(&token)).await.is_ok(),
        "within the leeway"
    );
    app.clock.advance(chrono::TimeDelta::seconds(31));
    refused(
        list(&app, Client::with_token(&token)).await,
        Code::Unauthenticated,
        "TOKEN_INVALID",
    );
    app.finish::<Opportunities>().await;
}
