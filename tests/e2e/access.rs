//! Access control: calls every RPC as every kind of caller and compares the result with a manually written matrix; and
//! checks that a record of another account is indistinguishable from one that does not exist.

use std::collections::BTreeSet;

use cosell_grpc::Issuer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_testkit::harness::{Client, Refusal, member, service};
use cosell_tests::requests::{Records, build_request, opportunity_rpcs, rpcs};
use cosell_tests::{RunningServices, TestServers, valid_opportunity};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side};
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::client::Grpc;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use Role::{AceManager, AceUser, AllianceLead, Pdm, Reviewer};

use crate::access_matrix::{AllowedCallers, access_matrix};

/// The reason with which access control refuses a caller, given the entry of the matrix and whether the RPC is one of
/// the directory's own; `None` if the call is permitted.
type ExpectedReason = Box<dyn Fn(&AllowedCallers, bool) -> Option<&'static str>>;

/// A kind of caller: its name, an example, and the expected result.
type CallerKind = (String, Caller, ExpectedReason);

fn refused_unless(permitted: bool) -> Option<&'static str> {
    (!permitted).then_some("ROLE_NOT_PERMITTED")
}

/// Every kind of caller. Callers with a role are seeded members.
fn caller_kinds() -> Vec<CallerKind> {
    let mut all: Vec<CallerKind> = Vec::new();
    for seeded in cosell::seed_members() {
        // One of each role.
        if seeded.account() == cosell::BIRCH || seeded.id().ends_with("-2") {
            continue;
        }
        let role = seeded.role();
        all.push((
            role.to_string(),
            seeded.caller().expect("a caller"),
            Box::new(move |allowed, _| refused_unless(allowed.roles.contains(&role))),
        ));
    }
    assert_eq!(all.len(), Role::ALL.len(), "one of each role");
    let inactive = |_: &AllowedCallers, _: bool| Some("MEMBER_INACTIVE");
    let invited: ExpectedReason = Box::new(|allowed, own| match (own, allowed.invited) {
        (true, invited) => refused_unless(invited),
        (false, _) => Some("MEMBER_INACTIVE"),
    });
    for (name, id, account, side, expected) in [
        (
            "no role, partner",
            "alder-no-role",
            cosell::ALDER,
            Side::Partner,
            Box::new(|allowed: &AllowedCallers, _| refused_unless(allowed.without_role)) as ExpectedReason,
        ),
        (
            "no role, AWS",
            "aws-no-role",
            cosell::AWS,
            Side::Aws,
            Box::new(|allowed: &AllowedCallers, _| refused_unless(allowed.without_role)),
        ),
        ("invited", "alder-invited", cosell::ALDER, Side::Partner, invited),
        (
            "deactivated",
            "alder-former",
            cosell::ALDER,
            Side::Partner,
            Box::new(inactive),
        ),
        (
            "member of a suspended account",
            "cedar-lead",
            CEDAR,
            Side::Partner,
            Box::new(inactive),
        ),
        (
            "unknown to the directory",
            "alder-unknown",
            cosell::ALDER,
            Side::Partner,
            Box::new(inactive),
        ),
        (
            "token with another account",
            "alder-alliance-lead",
            cosell::BIRCH,
            Side::Partner,
            Box::new(inactive),
        ),
        (
            "token with the other side",
            "aws-reviewer",
            cosell::AWS,
            Side::Partner,
            Box::new(inactive),
        ),
    ] {
        all.push((name.to_owned(), member(id, account, side, &[]), expected));
    }
    // The review service stands for those that no row names.
    for name in [
        "review",
        "provisioner",
        "opportunity",
        "notification",
        "collaboration",
        "referral",
        "crm",
    ] {
        all.push((
            format!("the service {name}"),
            service(name),
            Box::new(move |allowed, _| refused_unless(allowed.permits_service(name))),
        ));
    }
    all
}

/// A suspended account.
const CEDAR: &str = "333333333333";

/// The members among the callers that are not seeded, as records of `ApplyDirectory`.
fn further_members() -> Vec<directory::ApplyDirectoryRequest> {
    use directory::MemberStatus::{Active, Deactivated, Invited};
    let suspended = directory::AccountRecord {
        account_id: CEDAR.to_owned(),
        side: directory::Side::Partner.into(),
        status: directory::AccountStatus::Suspended.into(),
        legal_name: "Cedar Ltd".to_owned(),
        display_name: "Cedar".to_owned(),
        terms_accepted: true,
        ..Default::default()
    };
    let mut records = vec![directory::ApplyDirectoryRequest {
        record: Some(Record::Account(suspended)),
        ..Default::default()
    }];
    for (account, id, status, roles) in [
        (CEDAR, "cedar-lead", Active, vec![AllianceLead]),
        (cosell::ALDER, "alder-no-role", Active, vec![]),
        (cosell::ALDER, "alder-invited", Invited, vec![AceUser]),
        (cosell::ALDER, "alder-former", Deactivated, vec![AceManager]),
        (cosell::AWS, "aws-no-role", Active, vec![]),
    ] {
        let record = directory::MemberRecord {
            account_id: account.to_owned(),
            member_id: id.to_owned(),
            person: Some(directory::Person {
                first_name: "Some".to_owned(),
                last_name: "Body".to_owned(),
                email: format!("{id}@cedar.example"),
                ..Default::default()
            }),
            roles: roles.iter().map(|role: &Role| role.number()).collect(),
            status: status.into(),
        };
        records.push(directory::ApplyDirectoryRequest {
            record: Some(Record::Member(record)),
            ..Default::default()
        });
    }
    records
}

async fn call(
    client: InterceptedService<Channel, Client>,
    rpc: &MethodDescriptor,
    message: DynamicMessage,
) -> Result<(), Status> {
    let mut grpc = Grpc::new(client);
    grpc.ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
    let path = path.parse().expect("a path");
    // Decodes the response as an empty message: only success matters here.
    grpc.unary(
        Request::new(message),
        path,
        ProstCodec::<DynamicMessage, ()>::default(),
    )
    .await
    .map(drop)
}

async fn start_services() -> (TestServers, RunningServices, Issuer) {
    let servers = TestServers::start();
    let running = servers.run().await;
    let issuer = cosell::issuer(&servers.state(), Clock::system()).expect("the issuer");
    let token = issuer.token(&service("provisioner")).expect("a token");
    let records = futures::stream::iter(further_members());
    let mut on_refusal = |_: i64, refusal: Status| panic!("{refusal:?}");
    cosell::directory::apply(running.channel(), &token, records, &mut on_refusal)
        .await
        .expect("further members");
    (servers, running, issuer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_001_002_004_010_rpc_permits_exactly_the_callers_of_the_matrix() {
    let matrix = access_matrix();
    let rpcs = rpcs();
    let defined: BTreeSet<_> = rpcs.iter().map(|rpc| rpc.name().to_owned()).collect();
    assert_eq!(
        defined.len(),
        rpcs.len(),
        "two RPCs share a name; the matrix needs unique names"
    );
    let listed: BTreeSet<_> = matrix.keys().map(|&name| name.to_owned()).collect();
    assert_eq!(defined, listed, "the RPCs of the API and of the matrix");

    let (_servers, running, issuer) = start_services().await;
    let channel = running.channel();
    let mut violations = Vec::new();
    for rpc in &rpcs {
        let allowed = &matrix[rpc.name()];
        for (name, caller, expected) in caller_kinds() {
            let client = Client::new(&issuer, Some(&caller)).with_channel(channel.clone());
            // An empty message: a permitted caller gets a response or INVALID_FIELDS.
            let mut message = DynamicMessage::new(rpc.input());
            if rpc.input().get_field_by_name("validate_only").is_some() {
                message.set_field_by_name("validate_only", Value::Bool(true));
            }
            let refusal = call(client, rpc, message)
                .await
                .err()
                .map(|status| Refusal::from(&status));
            let reason = refusal.as_ref().map(|refusal| refusal.reason.as_str());
            // Reasons of permitted calls do not count. A service has no account of its own.
            let access_reason =
                reason.filter(|reason| !["INVALID_FIELDS", "ACCOUNT_NOT_FOUND"].contains(reason));
            let own = rpc.full_name().starts_with("cosell.partner.");
            if access_reason != expected(allowed, own) {
                violations.push(format!("{} by {name}: {reason:?}", rpc.name()));
            }
        }
        for (name, client) in [
            ("without a token", Client::new(&issuer, None)),
            ("with an invalid token", Client::with_token("nonsense")),
        ] {
            let status = call(
                client.with_channel(channel.clone()),
                rpc,
                DynamicMessage::new(rpc.input()),
            )
            .await;
            let refusal = status.err().map(|status| Refusal::from(&status));
            if refusal.as_ref().is_none_or(|refusal| {
                (refusal.code, refusal.reason.as_str()) != (Code::Unauthenticated, "TOKEN_INVALID")
            }) {
                violations.push(format!("{} {name}: {refusal:?}", rpc.name()));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
    running.stop().await;
}

/// A caller without access to an opportunity gets the same error for every RPC as for an id that does not exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_invisible_opportunity_is_refused_like_a_nonexistent_one() {
    let (_servers, running, issuer) = start_services().await;
    let rpcs = opportunity_rpcs();
    assert!(rpcs.len() >= 6, "{rpcs:?}");

    let content = valid_opportunity();
    let creation = opportunity::CreateOpportunityRequest {
        opportunity: Some(content.clone()),
        ..Default::default()
    };
    let created = running
        .member("alder-ace-user")
        .opportunities()
        .create_opportunity(creation)
        .await
        .expect("an opportunity");
    let existing = created
        .into_inner()
        .opportunity
        .expect("an opportunity")
        .opportunity_id;
    let nonexistent = "O9000000000000000001";

    let callers = [
        // Members of another partner account.
        member(
            "birch-alliance-lead",
            cosell::BIRCH,
            Side::Partner,
            &[AllianceLead],
        ),
        member("birch-ace-user", cosell::BIRCH, Side::Partner, &[AceUser]),
        // A colleague whose role has access to its own opportunities only.
        member("alder-ace-user-2", cosell::ALDER, Side::Partner, &[AceUser]),
        // AWS, before the submission.
        member("aws-reviewer", cosell::AWS, Side::Aws, &[Reviewer]),
        member("aws-pdm", cosell::AWS, Side::Aws, &[Pdm]),
    ];
    for caller in &callers {
        for rpc in &rpcs {
            let refusal_for = async |id: &str| {
                let records = Records {
                    opportunity: id.to_owned(),
                    member: "alder-alliance-lead".to_owned(),
                    ..Default::default()
                };
                let message = build_request(rpc, &records, &content);
                let client = Client::new(&issuer, Some(caller)).with_channel(running.channel());
                let status = call(client, rpc, message).await.expect_err("refused");
                let mut refusal = Refusal::from(&status);
                refusal.message = refusal.message.replace(id, "<id>");
                for value in refusal.metadata.values_mut() {
                    *value = value.replace(id, "<id>");
                }
                refusal
            };
            let (invisible, absent) = (refusal_for(&existing).await, refusal_for(nonexistent).await);
            let actor = caller.actor();
            assert_eq!(
                invisible,
                absent,
                "{} by {actor} discloses that the opportunity exists",
                rpc.name()
            );
            assert!(
                ["OPPORTUNITY_NOT_FOUND", "ROLE_NOT_PERMITTED"].contains(&invisible.reason.as_str()),
                "{} by {actor}: {invisible:?}",
                rpc.name()
            );
        }
    }
    running.stop().await;
}
