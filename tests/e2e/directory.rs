//! Partners from a list of the platform team: they join, find each other and connect, and what the directory says about
//! their people holds in every service, also while it is away.

use std::io::Cursor;
use std::time::Duration;

use cosell::demo::Person;
use cosell::directory;
use cosell_grpc::Issuer;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{Client, Refusal, eventually, eventually_within, member, refused, service};
use cosell_tests::{InProcess, World, record};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side};
use tokio::time::Instant;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

const ELM: &str = "444444444444";
const FIR: &str = "555555555555";
const OAK: &str = "666666666666";

/// The list, as a platform team writes it.
fn list() -> String {
    let mut lines = Vec::new();
    for (account, name) in [(ELM, "Elm"), (FIR, "Fir"), (OAK, "Oak")] {
        let low = name.to_lowercase();
        lines.push(format!(
            r#"{{"account": {{"accountId": "{account}", "side": "SIDE_PARTNER", "legalName": "{name} Ltd", "displayName": "{name}",
            "partnerTypes": ["PARTNER_TYPE_ISV"], "termsAccepted": true, "visibility": "PROFILE_VISIBILITY_PUBLIC",
            "profile": {{"displayName": "{name}", "primarySolutionType": "SOLUTION_TYPE_MANAGED_SERVICES",
            "industrySegments": ["Retail"]}}}}}}"#
        ).replace('\n', " "));
        for (role, who) in [("ALLIANCE_LEAD", "lead"), ("ACE_MANAGER", "manager")] {
            lines.push(format!(
                r#"{{"member": {{"account_id": "{account}", "member_id": "{low}-{who}", "roles": ["ROLE_{role}"],
                "person": {{"first_name": "Some", "last_name": "Body", "email": "{who}@{low}.example"}}}}}}"#
            ).replace('\n', " "));
        }
    }
    lines.join("\n")
}

struct Stage {
    world: World,
    running: InProcess,
    issuer: Issuer,
}

impl Stage {
    /// An installation into whose directory the list was taken over.
    async fn open() -> Self {
        let world = World::start();
        let running = world.run().await;
        let issuer = cosell::issuer(&world.state(), Clock::system()).expect("the issuer");
        let token = issuer.token(&service("provisioner")).expect("a token");
        for expected in [(9, 0), (0, 9)] {
            let (records, unread) = directory::lines(Cursor::new(list()), false).expect("records");
            let mut tell = |line: i64, refusal: Status| panic!("line {line}: {refusal:?}");
            let applied = directory::apply(running.channel(), &token, records, &mut tell).await;
            let applied = applied.expect("a summary");
            assert!(unread.lock().expect("lines").is_empty());
            assert_eq!((applied.created, applied.unchanged), expected, "{applied:?}");
        }
        Self {
            world,
            running,
            issuer,
        }
    }

    fn client(&self, account: &str, id: &str) -> InterceptedService<Channel, Client> {
        Client::new(&self.issuer, Some(&caller(account, id))).over(self.running.channel())
    }

    fn partner(&self, account: &str, id: &str) -> Person {
        let token = self.issuer.token(&caller(account, id)).expect("a token");
        Person::with_token(&self.running.channel(), id, &token).expect("somebody")
    }

    async fn list_opportunities(
        &self,
        account: &str,
        id: &str,
    ) -> Result<Response<opportunity::ListOpportunitiesResponse>, Status> {
        let request = opportunity::ListOpportunitiesRequest::default();
        OpportunityServiceClient::new(self.client(account, id))
            .list_opportunities(request)
            .await
    }

    /// Invites a company by the profile under which it is found.
    async fn invite(
        &self,
        from: (&str, &str),
        name: &str,
    ) -> Result<Response<pb::CreateConnectionInvitationResponse>, Status> {
        let calls = self.partner(from.0, from.1);
        let filter = pb::PartnerFilter {
            name: name.to_owned(),
            ..Default::default()
        };
        let request = pb::ListPartnersRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let found = calls
            .accounts()
            .list_partners(request)
            .await
            .expect("a page")
            .into_inner()
            .partners;
        assert_eq!(found.len(), 1, "{found:?}");
        let profile = found[0].profile.clone().expect("a profile");
        calls
            .connections()
            .create_connection_invitation(pb::CreateConnectionInvitationRequest {
                r#type: pb::ConnectionType::OpportunityCollaboration.into(),
                receiver_id: profile.profile_id,
                inviter_name: "Some Body".to_owned(),
                inviter_email: "lead@elm.example".to_owned(),
                message: "Let us work together".to_owned(),
                ..Default::default()
            })
            .await
    }
}

fn caller(account: &str, id: &str) -> Caller {
    member(id, account, Side::Partner, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dir_040_050_con_004_030_partners_of_a_list_find_each_other_and_connect() {
    let stage = Stage::open().await;
    let invitation = stage
        .invite((ELM, "elm-lead"), "fir")
        .await
        .expect("an invitation")
        .into_inner();
    let id = invitation
        .connection_invitation
        .expect("one")
        .connection_invitation_id;
    let accepting = pb::AcceptConnectionInvitationRequest {
        connection_invitation_id: id,
        ..Default::default()
    };
    let fir = stage.partner(FIR, "fir-lead");
    let answer = fir
        .connections()
        .accept_connection_invitation(accepting)
        .await
        .expect("a connection")
        .into_inner();
    assert_eq!(answer.connection.expect("one").other_account_id, ELM);

    // A third company wants nobody.
    let denying = pb::UpdateConnectionPreferencesRequest {
        access_type: pb::AccessType::DenyAll.into(),
        etag: "1".to_owned(),
        ..Default::default()
    };
    let oak = stage.partner(OAK, "oak-lead");
    oak.connections()
        .update_connection_preferences(denying)
        .await
        .expect("preferences");
    let refusal = stage.invite((ELM, "elm-lead"), "oak").await;
    refused(
        refusal,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_RECEIVER",
    );
    stage.running.stop().await;
}

/// A manager works while its role is withdrawn: soon nothing works any more. How soon is measured by
/// `cargo xtask bench withdrawal`, and held to the two seconds of ACC-004.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_004_a_role_withdrawn_while_its_holder_works() {
    let stage = Stage::open().await;
    eventually(async || {
        let answer = stage.list_opportunities(ELM, "elm-manager").await;
        answer.map(drop).map_err(|status| status.to_string())
    })
    .await;
    let withdrawing = pb::SetMemberRolesRequest {
        member_id: "elm-manager".to_owned(),
        roles: vec![Role::StandardUser.number()],
        ..Default::default()
    };
    stage
        .partner(ELM, "elm-lead")
        .members()
        .set_member_roles(withdrawing)
        .await
        .expect("other roles");
    // Two seconds, on a machine that does nothing else; what is kept far too long is noticed on any.
    eventually_within(Duration::from_secs(30), async || {
        match stage.list_opportunities(ELM, "elm-manager").await {
            Ok(_) => Err("a role that was withdrawn is still let in".to_owned()),
            Err(status) => match Refusal::from(&status).reason {
                reason if reason == "ROLE_NOT_PERMITTED" => Ok(()),
                reason => Err(format!("the former manager is refused, but with {reason}")),
            },
        }
    })
    .await;
    stage.running.stop().await;
}

/// The directory loses all rights in its database, which is as good as gone; whoever is known goes on working.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_004_the_pipeline_works_while_the_directory_is_down() {
    let stage = Stage::open().await;
    let record = record();
    let mut calls = OpportunityServiceClient::new(stage.client(ELM, "elm-manager"));
    let creating = |key: &str| opportunity::CreateOpportunityRequest {
        opportunity: Some(opportunity::Opportunity {
            partner_opportunity_identifier: key.to_owned(),
            ..record.clone()
        }),
        ..Default::default()
    };
    calls
        .create_opportunity(creating("before"))
        .await
        .expect("a record");
    let down = "REVOKE ALL ON SCHEMA partner FROM partner_app; REVOKE ALL ON ALL TABLES IN SCHEMA partner FROM partner_app";
    sqlx::raw_sql(down)
        .execute(&mut stage.world.admin().await)
        .await
        .expect("no rights");
    let request = pb::GetAccountRequest::default();
    let away = stage
        .partner(ELM, "elm-manager")
        .accounts()
        .get_account(request)
        .await;
    assert!(away.is_err(), "the directory is down");
    let until = Instant::now() + Duration::from_millis(1500);
    let mut made = 0;
    // Longer than anything is kept in memory.
    while Instant::now() < until || made < 2 {
        calls
            .create_opportunity(creating(&format!("while {made}")))
            .await
            .expect("a record");
        made += 1;
    }
    let listed = stage
        .list_opportunities(ELM, "elm-manager")
        .await
        .expect("a list")
        .into_inner();
    assert!(listed.opportunities.len() > 1, "{made} were made");
    stage.running.stop().await;
}
