//! A running service beside a stand-in of the opportunity service.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_proto::google::r#type::Date;
use cosell_review::{Options, Reviews};
use cosell_testkit::harness::{App, Client, FarEnd, Setup, aws, eventually, opportunities};
use cosell_types::{Caller, Clock, Role, random};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type Calls = ReviewServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";

pub fn record(id: &str, revision: i64) -> opportunity::Opportunity {
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

pub async fn start() -> (App, FarEnd) {
    // Every record exists, at every revision.
    let opportunity_url = opportunities(|id, revision| Ok(record(id, revision))).await;
    let app = Setup::default()
        .with_bus()
        .start::<Reviews>(Options { opportunity_url })
        .await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    (app, far)
}

pub fn tara() -> Caller {
    aws("mem-tara", Role::Reviewer)
}

pub fn umar() -> Caller {
    aws("mem-umar", Role::Reviewer)
}

pub fn by(app: &App, caller: &Caller) -> Calls {
    ReviewServiceClient::new(app.by(caller))
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

/// Publishes a submission as the first event of its opportunity, and waits for the case.
pub async fn submit(app: &App, far: &FarEnd, account: &str, id: &str) -> pb::ReviewCase {
    far.tell("opportunity", account, id, 1, &submitted(account, id, 1, 1))
        .await;
    case_of(app, id, 1).await
}

/// The case of an opportunity, once it has reached a round.
pub async fn case_of(app: &App, id: &str, round: i32) -> pb::ReviewCase {
    eventually(async || {
        let filter = pb::ReviewCaseFilter {
            opportunity_ids: vec![id.to_owned()],
            ..Default::default()
        };
        let request = pb::ListReviewCasesRequest {
            filter: Some(filter),
            ..Default::default()
        };
        let list = by(app, &tara())
            .list_review_cases(request)
            .await
            .expect("a list")
            .into_inner()
            .review_cases;
        let found = list.into_iter().find(|case| case.round == round);
        found.ok_or_else(|| format!("round {round} of {id} was not opened"))
    })
    .await
}

pub async fn get(app: &App, id: &str) -> pb::ReviewCase {
    let request = pb::GetReviewCaseRequest {
        review_case_id: id.to_owned(),
    };
    let answer = by(app, &tara()).get_review_case(request).await.expect("the case");
    answer.into_inner().review_case.expect("the case")
}

pub fn claim(id: &str) -> pb::ClaimReviewCaseRequest {
    pb::ClaimReviewCaseRequest {
        review_case_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn begin(id: &str) -> pb::StartReviewRequest {
    pb::StartReviewRequest {
        review_case_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn decide(id: &str, decision: pb::ReviewDecision) -> pb::DecideReviewRequest {
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
