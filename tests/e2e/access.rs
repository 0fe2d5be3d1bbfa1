//! Who may call what: every RPC of the interface by every kind of caller, against a table written by hand; and what
//! those learn who may not know.

use std::collections::{BTreeMap, BTreeSet};

use cosell::demo;
use cosell_grpc::Issuer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_testkit::harness::{Client, Refusal, member, service};
use cosell_tests::repository::root;
use cosell_tests::{InProcess, World};
use cosell_types::{Caller, Clock, Role, Side};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use tonic::client::Grpc;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::journey::INPUT;
use Role::{
    AccountOwner, AceManager, AceUser, AllianceLead, AllianceTeam, IsvSuccessManager, MarketingStaff, Pdm,
    Psm, Reviewer, SalesRepresentative, TechnicalStaff, WwpsPdm,
};

/// Partners who may hand a record to AWS.
const SUBMITTERS: [Role; 5] = [AllianceLead, AllianceTeam, AceManager, MarketingStaff, AceUser];
/// Partners who keep records.
const KEEPERS: [Role; 6] = [
    AllianceLead,
    AllianceTeam,
    AceManager,
    MarketingStaff,
    AceUser,
    TechnicalStaff,
];
/// AWS people who see records.
const VIEWERS: [Role; 7] = [
    Reviewer,
    SalesRepresentative,
    AccountOwner,
    Pdm,
    WwpsPdm,
    Psm,
    IsvSuccessManager,
];

/// Who may make a call.
struct Allowed {
    roles: Vec<Role>,
    /// A member without any role.
    nobody: bool,
    services: bool,
}

fn only(roles: &[&[Role]]) -> Allowed {
    Allowed {
        roles: roles.concat(),
        nobody: false,
        services: false,
    }
}

fn or_services(mut allowed: Allowed) -> Allowed {
    allowed.services = true;
    allowed
}

fn every_member() -> Allowed {
    Allowed {
        roles: Role::ALL.to_vec(),
        nobody: true,
        services: false,
    }
}

/// The table.
fn table() -> BTreeMap<&'static str, Allowed> {
    let opportunities = [
        ("CreateOpportunity", only(&[&KEEPERS])),
        ("GetOpportunity", or_services(only(&[&KEEPERS, &VIEWERS]))),
        ("ListOpportunities", only(&[&KEEPERS, &VIEWERS])),
        ("UpdateOpportunity", only(&[&KEEPERS])),
        ("SubmitOpportunity", only(&[&SUBMITTERS])),
        ("WithdrawSubmission", only(&[&SUBMITTERS])),
        ("DiscardDraft", only(&[&KEEPERS])),
        ("GetAllowedActions", only(&[&KEEPERS, &VIEWERS])),
    ];
    let reviews = [
        ("ListReviewCases", only(&[&[Reviewer]])),
        ("GetReviewCase", or_services(only(&[&[Reviewer]]))),
        ("ClaimReviewCase", only(&[&[Reviewer]])),
        ("StartReview", only(&[&[Reviewer]])),
        ("DecideReview", only(&[&[Reviewer]])),
    ];
    let notifications = [
        ("ListNotifications", every_member()),
        ("MarkRead", every_member()),
        ("GetUnreadCount", every_member()),
        ("GetPreferences", every_member()),
        ("UpdatePreferences", every_member()),
    ];
    opportunities
        .into_iter()
        .chain(reviews)
        .chain(notifications)
        .collect()
}

/// Every RPC of the interface.
fn rpcs() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("the definitions");
    let services: Vec<_> = pool
        .services()
        .filter(|service| service.package_name().starts_with("cosell."))
        .collect();
    services
        .iter()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// A kind of caller, by name: somebody of the kind, and whether an entry of the table lets it in.
type Kind = (String, Caller, Box<dyn Fn(&Allowed) -> bool>);

/// Every kind of caller.
fn callers() -> Vec<Kind> {
    let mut all: Vec<Kind> = Vec::new();
    let account = |side| {
        if side == Side::Aws {
            cosell::AWS
        } else {
            cosell::ALDER
        }
    };
    for role in Role::ALL {
        let caller = member("somebody", account(role.side()), role.side(), &[role]);
        all.push((
            role.to_string(),
            caller,
            Box::new(move |allowed| allowed.roles.contains(&role)),
        ));
        // A role of the other side is no role.
        let other = if role.side() == Side::Aws {
            Side::Partner
        } else {
            Side::Aws
        };
        let caller = member("somebody", account(other), other, &[role]);
        all.push((
            format!("{role} on the other side"),
            caller,
            Box::new(|allowed| allowed.nobody),
        ));
    }
    for side in [Side::Partner, Side::Aws] {
        let caller = member("somebody", account(side), side, &[]);
        all.push((
            format!("no role, {side:?}"),
            caller,
            Box::new(|allowed| allowed.nobody),
        ));
    }
    all.push((
        "a service".to_owned(),
        service("review"),
        Box::new(|allowed| allowed.services),
    ));
    all
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
    (world, running, issuer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_001_002_010_every_rpc_lets_in_exactly_whom_the_table_says() {
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
        for (name, caller, holds) in callers() {
            let client = Client::new(&issuer, Some(&caller)).over(channel.clone());
            // An empty message: whoever is let in is refused for what is missing, or answered.
            let refusal = call(client, rpc, DynamicMessage::new(rpc.input()))
                .await
                .err()
                .map(|status| Refusal::from(&status));
            let seen = match &refusal {
                None => true,
                Some(refusal) if refusal.reason == "INVALID_FIELDS" => true,
                Some(refusal)
                    if (refusal.code, refusal.reason.as_str())
                        == (Code::PermissionDenied, "ROLE_NOT_PERMITTED") =>
                {
                    false
                }
                Some(other) => {
                    wrong.push(format!("{} by {name}: {other:?}", rpc.name()));
                    continue;
                }
            };
            if seen != holds(allowed) {
                wrong.push(format!(
                    "{} by {name}: {}",
                    rpc.name(),
                    if seen { "let in" } else { "kept out" }
                ));
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
    let about: Vec<_> = rpcs()
        .into_iter()
        .filter(|rpc| rpc.input().get_field_by_name("opportunity_id").is_some())
        .collect();
    assert!(about.len() >= 6, "{about:?}");

    let input = demo::read(&root().join(INPUT)).expect("the input");
    let today = Clock::system().now().date_naive();
    let whole = input.records[0].first(today).expect("a record");
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(whole.clone()),
        ..Default::default()
    };
    let made = running
        .person("alder-ace-user")
        .opportunities()
        .create_opportunity(request)
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
                let mut message = DynamicMessage::new(rpc.input());
                message.set_field_by_name("opportunity_id", Value::String(id.to_owned()));
                if rpc.input().get_field_by_name("involvement_type").is_some() {
                    message.set_field_by_name("involvement_type", Value::EnumNumber(1));
                }
                if rpc.name() == "UpdateOpportunity" {
                    let record = rpc.input().get_field_by_name("opportunity").expect("a record");
                    let prost_reflect::Kind::Message(kind) = record.kind() else {
                        panic!("a message")
                    };
                    let mut dynamic = DynamicMessage::new(kind);
                    dynamic.transcode_from(&whole).expect("a record");
                    message.set_field(&record, Value::Message(dynamic));
                }
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
