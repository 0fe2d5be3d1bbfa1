//! Visibility of opportunities: calls every RPC about an opportunity with every role, on the caller's own opportunity,
//! a colleague's, one of another account, one of a connected account, and for AWS before and after the submission.

use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{Client, Refusal};
use cosell_tests::requests::{Records, build_request, opportunity_rpcs};
use cosell_tests::scenario::{ELM, Scenario};
use cosell_tests::{TestServers, valid_opportunity};
use cosell_types::{Caller, Role, Side};
use prost_reflect::Value;

use crate::access_matrix::access_matrix;
use Role::{AceManager, AceUser, AllianceLead, AllianceTeam, MarketingStaff, Reviewer, TechnicalStaff};

/// The relation of a caller to an opportunity.
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

/// Whether an opportunity is visible to a member with a role (ACC-011, ACC-012).
fn is_visible(role: Role, relation: Relation) -> bool {
    match (role, relation) {
        (AllianceLead | AllianceTeam | AceManager, Own | Colleagues) => true,
        (MarketingStaff | AceUser | TechnicalStaff, Own) => true,
        (Reviewer, Submitted | SubmittedLimited) => true,
        (role, Submitted) => role.side() == Side::Aws,
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_010_011_012_rpc_depends_on_role_and_relation_to_the_opportunity() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    // Makes Elm a connected partner of Alder.
    scenario.provision_partners().await;
    let create = async |caller: &Caller, content: pb::Opportunity| {
        let request = pb::CreateOpportunityRequest {
            opportunity: Some(content),
            ..Default::default()
        };
        let created = scenario
            .client_of(caller)
            .opportunities()
            .create_opportunity(request)
            .await
            .expect("an opportunity");
        created
            .into_inner()
            .opportunity
            .expect("an opportunity")
            .opportunity_id
    };
    let submitted = async |caller: &Caller, visibility: pb::Visibility| {
        let mut content = valid_opportunity();
        let involvement = if visibility == pb::Visibility::Limited {
            content.primary_needs_from_aws.clear();
            pb::InvolvementType::ForVisibilityOnly
        } else {
            pb::InvolvementType::CoSell
        };
        let id = create(caller, content).await;
        let request = pb::SubmitOpportunityRequest {
            opportunity_id: id.clone(),
            involvement_type: involvement.into(),
            visibility: visibility.into(),
            ..Default::default()
        };
        scenario
            .client_of(caller)
            .lifecycle()
            .submit_opportunity(request)
            .await
            .expect("a submission");
        id
    };
    let seeded = cosell::seed_members();
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
        (Colleagues, create(&colleague, valid_opportunity()).await),
        (
            OtherAccounts,
            create(&caller("birch-ace-manager"), valid_opportunity()).await,
        ),
        (ConnectedAccounts, create(&elm, valid_opportunity()).await),
    ];
    let aws_opportunities = [
        (Draft, others[0].1.clone()),
        (Submitted, submitted(&colleague, pb::Visibility::Full).await),
        (
            SubmittedLimited,
            submitted(&colleague, pb::Visibility::Limited).await,
        ),
    ];
    let rpcs = opportunity_rpcs();
    let matrix = access_matrix();
    let (mut violations, mut cells) = (Vec::new(), 0);
    for member in &seeded {
        if member.account() == cosell::BIRCH || member.id().ends_with("-2") {
            continue;
        }
        let (role, caller) = (member.role(), member.caller().expect("a caller"));
        let mut opportunities = if role.side() == Side::Aws {
            aws_opportunities.to_vec()
        } else {
            others.to_vec()
        };
        if matrix["CreateOpportunity"].roles.contains(&role) {
            opportunities.push((Own, create(&caller, valid_opportunity()).await));
        }
        for (relation, id) in opportunities {
            for rpc in &rpcs {
                let named = Records {
                    opportunity: id.clone(),
                    member: "alder-alliance-lead".to_owned(),
                    ..Default::default()
                };
                let mut message = build_request(rpc, &named, &valid_opportunity());
                if rpc.input().get_field_by_name("validate_only").is_some() {
                    message.set_field_by_name("validate_only", Value::Bool(true));
                }
                // The current revision; the first was a draft.
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
                let client = Client::new(&scenario.issuer, Some(&caller));
                let answer = scenario.call(client, rpc, message).await;
                let reason = answer.err().map(|status| Refusal::from(&status).reason);
                let expected = if !matrix[rpc.name()].roles.contains(&role) {
                    Some("ROLE_NOT_PERMITTED")
                } else {
                    (!is_visible(role, relation)).then_some("OPPORTUNITY_NOT_FOUND")
                };
                // Reasons that depend on the opportunity's state do not count.
                let access_reason = reason.as_deref().filter(|reason| {
                    [
                        "ROLE_NOT_PERMITTED",
                        "OPPORTUNITY_NOT_FOUND",
                        "INVALID_FIELDS",
                        "INTERNAL",
                    ]
                    .contains(reason)
                });
                if access_reason != expected {
                    violations.push(format!(
                        "{} by {role} on {relation:?}: {reason:?}, not {expected:?}",
                        rpc.name()
                    ));
                }
                cells += 1;
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(cells >= 300, "only {cells} cells");
    running.stop().await;
}
