//! Every RPC about an opportunity, by every role, on records that its holder stands to in every way: its own, a
//! colleague's, one of another account, one of an account that its own is connected with, and for AWS before and after
//! the submission.

use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{Client, Refusal};
use cosell_tests::requests::{Records, request, rpcs_about_an_opportunity};
use cosell_tests::scene::{ELM, Scene};
use cosell_tests::{World, record};
use cosell_types::{Caller, Role, Side};
use prost_reflect::Value;

use crate::matrix::table;
use Role::{AceManager, AceUser, AllianceLead, AllianceTeam, MarketingStaff, Reviewer, TechnicalStaff};

/// How a caller stands to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Own,
    Colleagues,
    OtherAccounts,
    ConnectedAccounts,
    Draft,
    Submitted,
    SubmittedLimited,
}
use Relation::{Colleagues, ConnectedAccounts, Draft, OtherAccounts, Own, Submitted, SubmittedLimited};

/// Whether a record is there for the holder of a role (ACC-011, ACC-012).
fn is_there(role: Role, relation: Relation) -> bool {
    match (role, relation) {
        (AllianceLead | AllianceTeam | AceManager | MarketingStaff, Own | Colleagues) => true,
        (AceUser | TechnicalStaff, Own) => true,
        (Reviewer, Submitted | SubmittedLimited) => true,
        (role, Submitted) => role.side() == Side::Aws,
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_010_011_012_every_rpc_by_every_role_on_records_of_every_relation() {
    let world = World::start();
    let running = world.run().await;
    let scene = Scene::new(&world, running.channel(), &running.info);
    // Elm becomes a partner that Alder is connected with.
    scene.neighbours().await;
    let create = async |caller: &Caller, record: pb::Opportunity| {
        let request = pb::CreateOpportunityRequest {
            opportunity: Some(record),
            ..Default::default()
        };
        let made = scene
            .by(caller)
            .opportunities()
            .create_opportunity(request)
            .await
            .expect("a record");
        made.into_inner().opportunity.expect("a record").opportunity_id
    };
    let submitted = async |caller: &Caller, visibility: pb::Visibility| {
        let mut record = record();
        let involvement = if visibility == pb::Visibility::Limited {
            record.primary_needs_from_aws.clear();
            pb::InvolvementType::ForVisibilityOnly
        } else {
            pb::InvolvementType::CoSell
        };
        let id = create(caller, record).await;
        let request = pb::SubmitOpportunityRequest {
            opportunity_id: id.clone(),
            involvement_type: involvement.into(),
            visibility: visibility.into(),
            ..Default::default()
        };
        scene
            .by(caller)
            .lifecycle()
            .submit_opportunity(request)
            .await
            .expect("a submission");
        id
    };
    let seeded = cosell::members();
    let caller = |id: &str| {
        let member = seeded
            .iter()
            .find(|member| member.id() == id)
            .expect("a seeded member");
        member.caller().expect("a caller")
    };
    let colleague = caller("alder-ace-user-2");
    let elm = cosell_testkit::harness::member("elm-lead", ELM, Side::Partner, &[]);
    let others = [
        (Colleagues, create(&colleague, record()).await),
        (
            OtherAccounts,
            create(&caller("birch-ace-manager"), record()).await,
        ),
        (ConnectedAccounts, create(&elm, record()).await),
    ];
    let of_aws = [
        (Draft, others[0].1.clone()),
        (Submitted, submitted(&colleague, pb::Visibility::Full).await),
        (
            SubmittedLimited,
            submitted(&colleague, pb::Visibility::Limited).await,
        ),
    ];
    let about = rpcs_about_an_opportunity();
    let table = table();
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for member in &seeded {
        if member.account() == cosell::BIRCH || member.id().ends_with("-2") {
            continue;
        }
        let (role, caller) = (member.role(), member.caller().expect("a caller"));
        let mut records = if role.side() == Side::Aws {
            of_aws.to_vec()
        } else {
            others.to_vec()
        };
        if table["CreateOpportunity"].roles.contains(&role) {
            records.push((Own, create(&caller, record()).await));
        }
        for (relation, id) in records {
            for rpc in &about {
                let named = Records {
                    opportunity: id.clone(),
                    member: "alder-alliance-lead".to_owned(),
                    ..Default::default()
                };
                let mut message = request(rpc, &named, &record());
                if rpc.input().get_field_by_name("validate_only").is_some() {
                    message.set_field_by_name("validate_only", Value::Bool(true));
                }
                // Its current revision: the first was a draft.
                let revision = if matches!(relation, Submitted | SubmittedLimited) {
                    2
                } else {
                    1
                };
                for field in ["from_revision", "to_revision"] {
                    if rpc.input().get_field_by_name(field).is_some() {
                        message.set_field_by_name(field, Value::I64(revision));
                    }
                }
                let client = Client::new(&scene.issuer, Some(&caller));
                let answer = scene.call(client, rpc, message).await;
                let reason = answer.err().map(|status| Refusal::from(&status).reason);
                let expected = if !table[rpc.name()].roles.contains(&role) {
                    Some("ROLE_NOT_PERMITTED")
                } else {
                    (!is_there(role, relation)).then_some("OPPORTUNITY_NOT_FOUND")
                };
                // Past access, whatever the state of the record makes of it.
                let seen = reason.as_deref().filter(|reason| {
                    [
                        "ROLE_NOT_PERMITTED",
                        "OPPORTUNITY_NOT_FOUND",
                        "INVALID_FIELDS",
                        "INTERNAL",
                    ]
                    .contains(reason)
                });
                if seen != expected {
                    wrong.push(format!(
                        "{} by {role} on {relation:?}: {reason:?}, not {expected:?}",
                        rpc.name()
                    ));
                }
                cells += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cells >= 300, "only {cells} cells");
    running.stop().await;
}
