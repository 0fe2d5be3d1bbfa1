//! Test fixtures: a running review service with a fake opportunity service, and builders of its requests and events.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_proto::google::r#type::Date;
use cosell_review::{Options, Reviews};
use cosell_testkit::harness::{App, Client, PeerStub, Setup, aws, eventually, opportunities};
use cosell_types::{Caller, Clock, Role, random};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type ReviewClient = ReviewServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";

pub fn opportunity_record(id: &str, revision: i64) -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_id: id.to_owned(),
        revision,
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: format!("Customer of {id}"),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        project: Some(opportunity::Project {
            title: "Data platform".to_owned(),
            ..Default::default()
        }),
        life_cycle: Some(opportunity::LifeCycle {
            target_close_date: Some(Date {
                year: 2026,
                month: 9,
                day: 30,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub async fn start() -> (App, PeerStub) {
    // The fake server has every record at every revision.
    let opportunity_url = opportunities(|id, revision| Ok(opportunity_record(id, revision))).await;
    let app = Setup::default()
        .with_bus()
        .start::<Reviews>(Options { opportunity_url })
        .await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    (app, peer)
}

pub fn tara() -> Caller {
    aws("mem-tara", Role::Reviewer)
}

pub fn umar() -> Caller {
    aws("mem-umar", Role::Reviewer)
}

pub fn client(app: &App, caller: &Caller) -> ReviewClient {
    ReviewServiceClient::new(app.channel_for(caller))
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub fn submitted(account: &str, id: &str, revision: i64, round: i32) -> opportunity::OpportunitySubmitted {
    opportunity::OpportunitySubmitted {
        opportunity_id: id.to_owned(),
        account_id: account.to_owned(),
        revision,
        round,
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        visibility: opportunity::Visibility::Full.into(),
    }
}

/// Publishes a submission as the first event of its opportunity, and waits for the review case.
pub async fn submit(app: &App, peer: &PeerStub, account: &str, id: &str) -> pb::ReviewCase {
    peer.publish_event("opportunity", account, id, 1, &submitted(account, id, 1, 1))
        .await;
    wait_for_round(app, id, 1).await
}

/// Waits until the case of an opportunity has reached a round.
pub async fn wait_for_round(app: &App, id: &str, round: i32) -> pb::ReviewCase {
    eventually(async || {
        let filter = pb::ReviewCaseFilter {
            opportunity_ids: vec![id.to_owned()],
            ..Default::default()
        };
        let request = pb::ListReviewCasesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let list = client(app, &tara())
            .list_review_cases(request)
            .await
            .expect("a list")
            .into_inner()
            .review_cases;
        let case = list.into_iter().find(|case| case.round == round);
        case.ok_or_else(|| format!("round {round} of {id} is not open"))
    })
    .await
}

pub async fn get_case(app: &App, id: &str) -> pb::ReviewCase {
    let request = pb::GetReviewCaseRequest {
        review_case_id: id.to_owned(),
    };
    let response = client(app, &tara())
        .get_review_case(request)
        .await
        .expect("the case");
    response.into_inner().review_case.expect("the case")
}

pub fn claim_request(id: &str) -> pb::ClaimReviewCaseRequest {
    pb::ClaimReviewCaseRequest {
        review_case_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn start_request(id: &str) -> pb::StartReviewRequest {
    pb::StartReviewRequest {
        review_case_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn decide_request(id: &str, decision: pb::ReviewDecision) -> pb::DecideReviewRequest {
    pb::DecideReviewRequest {
        review_case_id: id.to_owned(),
        decision: decision.into(),
        ..Default::default()
    }
}

pub async fn count(app: &App, sql: &'static str) -> i64 {
    let mut admin = app.database.admin::<Reviews>().await;
    sqlx::query_scalar(sql)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}
