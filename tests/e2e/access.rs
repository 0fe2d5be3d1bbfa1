//! Who may call what: every RPC of the interface by every kind of caller, against a table written by hand; and what
//! those learn who may not know.

use std::collections::BTreeSet;

use cosell_grpc::Issuer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::partner::v1::apply_directory_request::Record;
use cosell_testkit::harness::{Client, Refusal, member, service};
use cosell_tests::requests::{Records, request, rpcs, rpcs_about_an_opportunity};
use cosell_tests::{InProcess, World, record};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side};
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::client::Grpc;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use Role::{AceManager, AceUser, AllianceLead, Pdm, Reviewer};

use crate::matrix::{Allowed, table};

/// Whether a kind of caller comes past access, or with which reason it is refused.
type Expected = Box<dyn Fn(&Allowed, bool) -> Option<&'static str>>;

/// A kind of caller, by name: somebody of the kind, and what an entry of the table means for it, given whether the RPC
/// is one of the directory's own.
type Kind = (String, Caller, Expected);

fn if_let_in(let_in: bool) -> Option<&'static str> {
    (!let_in).then_some("ROLE_NOT_PERMITTED")
}

/// Every kind of caller. Those with a role are seeded.
fn callers() -> Vec<Kind> {
    let mut all: Vec<Kind> = Vec::new();
    for seeded in cosell::members() {
        // One of each role.
        if seeded.account() == cosell::BIRCH || seeded.id().ends_with("-2") {
            continue;
        }
        let role = seeded.role();
        all.push((
            role.to_string(),
            seeded.caller().expect("a caller"),
            Box::new(move |allowed, _| if_let_in(allowed.roles.contains(&role))),
        ));
    }
    assert_eq!(all.len(), Role::ALL.len(), "one of each role");
    let out = |_: &Allowed, _: bool| Some("MEMBER_INACTIVE");
    let invited: Expected = Box::new(|allowed, own| match (own, allowed.invited) {
        (true, invited) => if_let_in(invited),
        (false, _) => Some("MEMBER_INACTIVE"),
    });
    for (name, id, account, side, expected) in [
        (
            "no role, partner",
            "alder-nobody",
            cosell::ALDER,
            Side::Partner,
            Box::new(|allowed: &Allowed, _| if_let_in(allowed.nobody)) as Expected,
        ),
        (
            "no role, AWS",
            "aws-nobody",
            cosell::AWS,
            Side::Aws,
            Box::new(|allowed: &Allowed, _| if_let_in(allowed.nobody)),
        ),
        ("invited", "alder-invited", cosell::ALDER, Side::Partner, invited),
        (
            "deactivated",
            "alder-former",
            cosell::ALDER,
            Side::Partner,
            Box::new(out),
        ),
        (
            "of a suspended account",
            "cedar-lead",
            CEDAR,
            Side::Partner,
            Box::new(out),
        ),
        (
            "unknown to the directory",
            "alder-unknown",
            cosell::ALDER,
            Side::Partner,
            Box::new(out),
        ),
        (
            "of another account",
            "alder-alliance-lead",
            cosell::BIRCH,
            Side::Partner,
            Box::new(out),
        ),
        (
            "on the other side",
            "aws-reviewer",
            cosell::AWS,
            Side::Partner,
            Box::new(out),
        ),
    ] {
        all.push((name.to_owned(), member(id, account, side, &[]), expected));
    }
    all.push((
        "a service".to_owned(),
        service("review"),
        Box::new(|allowed, _| if_let_in(allowed.services)),
    ));
    all.push((
        "the provisioner".to_owned(),
        service("provisioner"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.provisioner)),
    ));
    all.push((
        "the opportunity service".to_owned(),
        service("opportunity"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.opportunity)),
    ));
    all.push((
        "the notification service".to_owned(),
        service("notification"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.notification)),
    ));
    all.push((
        "the collaboration service".to_owned(),
        service("collaboration"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.collaboration)),
    ));
    all.push((
        "the referral service".to_owned(),
        service("referral"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.referral)),
    ));
    all.push((
        "the CRM".to_owned(),
        service("crm"),
        Box::new(|allowed, _| if_let_in(allowed.services || allowed.crm)),
    ));
    all
}

/// An account that is suspended.
const CEDAR: &str = "333333333333";

/// Those of the callers who are not seeded, as the directory takes them over.
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
        (cosell::ALDER, "alder-nobody", Active, vec![]),
        (cosell::ALDER, "alder-invited", Invited, vec![AceUser]),
        (cosell::ALDER, "alder-former", Deactivated, vec![AceManager]),
        (cosell::AWS, "aws-nobody", Active, vec![]),
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
    // Whatever is answered: only whether matters here.
    grpc.unary(
        Request::new(message),
        path,
        ProstCodec::<DynamicMessage, ()>::default(),
    )
    .await
    .map(drop)
}

async fn installation() -> (World, InProcess, Issuer) {
    let world = World::start();
    let running = world.run().await;
    let issuer = cosell::issuer(&world.state(), Clock::system()).expect("the issuer");
    let token = issuer.token(&service("provisioner")).expect("a token");
    let records = futures::stream::iter(further_members());
    let mut tell = |_: i64, refusal: Status| panic!("{refusal:?}");
    cosell::directory::apply(running.channel(), &token, records, &mut tell)
        .await
        .expect("further members");
    (world, running, issuer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_001_002_004_010_every_rpc_lets_in_exactly_whom_the_table_says() {
    let table = table();
    let rpcs = rpcs();
    let named: BTreeSet<_> = rpcs.iter().map(|rpc| rpc.name().to_owned()).collect();
    assert_eq!(
        named.len(),
        rpcs.len(),
        "two RPCs have one name, which this table cannot tell apart"
    );
    let listed: BTreeSet<_> = table.keys().map(|&name| name.to_owned()).collect();
    assert_eq!(named, listed, "the interface and the table");

    let (_world, running, issuer) = installation().await;
    let channel = running.channel();
    let mut wrong = Vec::new();
    for rpc in &rpcs {
        let allowed = &table[rpc.name()];
        for (name, caller, expected) in callers() {
            let client = Client::new(&issuer, Some(&caller)).over(channel.clone());
            // An empty message: whoever is let in is refused for what is missing, or answered.
            let mut message = DynamicMessage::new(rpc.input());
            if rpc.input().get_field_by_name("validate_only").is_some() {
                message.set_field_by_name("validate_only", Value::Bool(true));
            }
            let refusal = call(client, rpc, message)
                .await
                .err()
                .map(|status| Refusal::from(&status));
            let reason = refusal.as_ref().map(|refusal| refusal.reason.as_str());
            // Past access, whatever becomes of it there. A service has no account of its own.
            let seen = reason.filter(|reason| !["INVALID_FIELDS", "ACCOUNT_NOT_FOUND"].contains(reason));
            let own = rpc.full_name().starts_with("cosell.partner.");
            if seen != expected(allowed, own) {
                wrong.push(format!("{} by {name}: {reason:?}", rpc.name()));
            }
        }
        for (name, client) in [
            ("without a token", Client::new(&issuer, None)),
            ("with nonsense for a token", Client::with_token("nonsense")),
        ] {
            let status = call(
                client.over(channel.clone()),
                rpc,
                DynamicMessage::new(rpc.input()),
            )
            .await;
            let refusal = status.err().map(|status| Refusal::from(&status));
            if refusal.as_ref().is_none_or(|refusal| {
                (refusal.code, refusal.reason.as_str()) != (Code::Unauthenticated, "TOKEN_INVALID")
            }) {
                wrong.push(format!("{} {name}: {refusal:?}", rpc.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    running.stop().await;
}

/// Whoever may not see a record gets, for every call about it, the very words it gets for a record that never was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_a_record_of_another_is_refused_like_one_that_never_was() {
    let (_world, running, issuer) = installation().await;
    let about = rpcs_about_an_opportunity();
    assert!(about.len() >= 6, "{about:?}");

    let whole = record();
    let creation = opportunity::CreateOpportunityRequest {
        opportunity: Some(whole.clone()),
        ..Default::default()
    };
    let made = running
        .person("alder-ace-user")
        .opportunities()
        .create_opportunity(creation)
        .await
        .expect("a record");
    let real = made.into_inner().opportunity.expect("a record").opportunity_id;
    let never = "O9000000000000000001";

    let strangers = [
        // Another partner, whatever its role.
        member(
            "birch-alliance-lead",
            cosell::BIRCH,
            Side::Partner,
            &[AllianceLead],
        ),
        member("birch-ace-user", cosell::BIRCH, Side::Partner, &[AceUser]),
        // A colleague who works on its own records only.
        member("alder-ace-user-2", cosell::ALDER, Side::Partner, &[AceUser]),
        // AWS, before it is submitted.
        member("aws-reviewer", cosell::AWS, Side::Aws, &[Reviewer]),
        member("aws-pdm", cosell::AWS, Side::Aws, &[Pdm]),
    ];
    for stranger in &strangers {
        for rpc in &about {
            let ask = async |id: &str| {
                let records = Records {
                    opportunity: id.to_owned(),
                    member: "alder-alliance-lead".to_owned(),
                    ..Default::default()
                };
                let message = request(rpc, &records, &whole);
                let client = Client::new(&issuer, Some(stranger)).over(running.channel());
                let status = call(client, rpc, message).await.expect_err("refused");
                let mut refusal = Refusal::from(&status);
                refusal.message = refusal.message.replace(id, "<id>");
                for value in refusal.metadata.values_mut() {
                    *value = value.replace(id, "<id>");
                }
                refusal
            };
            let (theirs, nobodys) = (ask(&real).await, ask(never).await);
            let who = stranger.actor();
            assert_eq!(
                theirs,
                nobodys,
                "{} by {who} tells that the record exists",
                rpc.name()
            );
            assert!(
                ["OPPORTUNITY_NOT_FOUND", "ROLE_NOT_PERMITTED"].contains(&theirs.reason.as_str()),
                "{} by {who}: {theirs:?}",
                rpc.name()
            );
        }
    }
    running.stop().await;
}
