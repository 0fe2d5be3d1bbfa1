//! Helpers of all integration tests: a running service, its clients, callers, requests and records.

use std::sync::atomic::{AtomicI64, Ordering};

use cosell_opportunity::{Opportunities, Options};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::aws_summary_service_client::AwsSummaryServiceClient;
use cosell_proto::cosell::opportunity::v1::catalog_service_client::CatalogServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_history_service_client::OpportunityHistoryServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_client::OpportunityLifecycleServiceClient;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_proto::google::r#type::{Date, Money};
use cosell_testkit::harness::{App, Client, Setup, partner, service};
use cosell_types::{Caller, Clock, Role, random};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

/// gRPC clients of one caller, one for each gRPC service.
pub struct Clients(InterceptedService<Channel, Client>);

impl Clients {
    pub fn aws_summaries(&self) -> AwsSummaryServiceClient<InterceptedService<Channel, Client>> {
        AwsSummaryServiceClient::new(self.0.clone())
    }

    pub fn catalog(&self) -> CatalogServiceClient<InterceptedService<Channel, Client>> {
        CatalogServiceClient::new(self.0.clone())
    }

    pub fn history(&self) -> OpportunityHistoryServiceClient<InterceptedService<Channel, Client>> {
        OpportunityHistoryServiceClient::new(self.0.clone())
    }

    pub fn internal(&self) -> OpportunityInternalServiceClient<InterceptedService<Channel, Client>> {
        OpportunityInternalServiceClient::new(self.0.clone())
    }

    pub fn lifecycle(&self) -> OpportunityLifecycleServiceClient<InterceptedService<Channel, Client>> {
        OpportunityLifecycleServiceClient::new(self.0.clone())
    }

    pub fn opportunities(&self) -> OpportunityServiceClient<InterceptedService<Channel, Client>> {
        OpportunityServiceClient::new(self.0.clone())
    }
}

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";

/// Starts the service without a bus; its clock is at 2 March 2026.
pub async fn start() -> App {
    Setup::default()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await
}

pub fn options(review_url: &str) -> Options {
    Options {
        review_url: review_url.to_owned(),
        catalog: "Sandbox".to_owned(),
        ..Options::default()
    }
}

pub fn manager() -> Caller {
    partner("mem-manager", ALDER, Role::AceManager)
}

pub fn user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

/// The alliance lead of Birch, an account that is not related to Alder.
pub fn unrelated_member() -> Caller {
    partner("mem-unrelated", BIRCH, Role::AllianceLead)
}

pub fn client_for(app: &App, caller: &Caller) -> Clients {
    Clients(app.channel_for(caller))
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// A record that can be submitted for co-sell. Each has a different expected spend.
pub fn record(company: &str) -> pb::Opportunity {
    static NUMBER: AtomicI64 = AtomicI64::new(0);
    let units = 100 + NUMBER.fetch_add(1, Ordering::Relaxed);
    pb::Opportunity {
        primary_needs_from_aws: vec![pb::PrimaryNeedFromAws::DealSupport.into()],
        customer: Some(pb::Customer {
            account: Some(pb::Account {
                company_name: company.to_owned(),
                industry: "Retail".to_owned(),
                website_url: "www.alder.example".to_owned(),
                address: Some(pb::Address {
                    country_code: "DE".to_owned(),
                    postal_code: "20457".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        project: Some(pb::Project {
            title: format!("Project of {company}"),
            customer_business_problem: "Orders are typed in twice.".to_owned(),
            customer_use_case: "Database".to_owned(),
            delivery_models: vec![pb::DeliveryModel::ProfessionalServices.into()],
            sales_activities: vec![pb::SalesActivity::SowSigned.into()],
            other_solution_description: "Landing zone".to_owned(),
            expected_customer_spend: vec![pb::ExpectedCustomerSpend {
                amount: Some(Money {
                    currency_code: "USD".to_owned(),
                    units,
                    nanos: 500_000_000,
                }),
                frequency: pb::PaymentFrequency::Monthly.into(),
                target_company: "AWS".to_owned(),
                estimation_url: String::new(),
            }],
            ..Default::default()
        }),
        life_cycle: Some(pb::LifeCycle {
            target_close_date: date(2026, 9, 30),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn create_request(record: pb::Opportunity) -> pb::CreateOpportunityRequest {
    pb::CreateOpportunityRequest {
        opportunity: Some(record),
        request_id: String::new(),
        validate_only: false,
    }
}

pub async fn create(app: &App, caller: &Caller, record: pb::Opportunity) -> pb::Opportunity {
    let answer = client_for(app, caller)
        .opportunities()
        .create_opportunity(create_request(record))
        .await;
    answer
        .expect("a new record")
        .into_inner()
        .opportunity
        .expect("the record")
}

pub fn get_request(id: &str) -> pb::GetOpportunityRequest {
    pb::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: None,
    }
}

pub async fn get(app: &App, caller: &Caller, id: &str) -> pb::Opportunity {
    let answer = client_for(app, caller)
        .opportunities()
        .get_opportunity(get_request(id))
        .await;
    answer
        .expect("the record")
        .into_inner()
        .opportunity
        .expect("the record")
}

pub fn submit_request(id: &str) -> pb::SubmitOpportunityRequest {
    pb::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: pb::InvolvementType::CoSell.into(),
        ..Default::default()
    }
}

pub async fn submit(app: &App, caller: &Caller, id: &str) -> pb::Opportunity {
    let answer = client_for(app, caller)
        .lifecycle()
        .submit_opportunity(submit_request(id))
        .await;
    answer
        .expect("a submission")
        .into_inner()
        .opportunity
        .expect("the record")
}

pub fn withdraw_request(id: &str) -> pb::WithdrawSubmissionRequest {
    pb::WithdrawSubmissionRequest {
        opportunity_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn discard_request(id: &str) -> pb::DiscardDraftRequest {
    pb::DiscardDraftRequest {
        opportunity_id: id.to_owned(),
        ..Default::default()
    }
}

/// An update of the next steps, which every draft accepts.
pub fn next_steps_request(id: &str, text: &str) -> pb::UpdateOpportunityRequest {
    pb::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(pb::Opportunity {
            life_cycle: Some(pb::LifeCycle {
                next_steps: text.to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Reads all pages of a list and returns the ids of its records.
pub async fn list_all_ids(
    app: &App,
    caller: &Caller,
    mut request: pb::ListOpportunitiesRequest,
) -> Result<Vec<String>, tonic::Status> {
    let mut ids = Vec::new();
    loop {
        let page = client_for(app, caller)
            .opportunities()
            .list_opportunities(request.clone())
            .await?
            .into_inner();
        assert!(page.opportunities.len() <= usize::try_from(request.page_size.max(20)).expect("a size"));
        ids.extend(page.opportunities.into_iter().map(|record| record.opportunity_id));
        if page.next_page_token.is_empty() {
            return Ok(ids);
        }
        request.page_token = page.next_page_token;
    }
}

/// Applies fourteen solutions of Alder, of which the last two are not active, and three products of AWS.
pub async fn apply_catalog(app: &App) {
    let solution = |number: i32, status: pb::SolutionStatus| pb::Solution {
        solution_id: format!("S-{number}"),
        name: format!("Solution {}", 100 - number),
        status: status.into(),
        category: "Managed Service".to_owned(),
        ..Default::default()
    };
    let mut solutions: Vec<_> = (1..=12)
        .map(|number| solution(number, pb::SolutionStatus::Active))
        .collect();
    solutions.push(solution(13, pb::SolutionStatus::Inactive));
    solutions.push(solution(14, pb::SolutionStatus::Draft));
    let client = client_for(app, &service("provisioner"));
    let request = pb::ApplySolutionsRequest {
        account_id: ALDER.to_owned(),
        solutions,
        ..Default::default()
    };
    client
        .catalog()
        .apply_solutions(request)
        .await
        .expect("solutions");
    let products = ["AmazonEC2", "AmazonRDS", "AmazonS3"].map(|code| pb::Product {
        product_id: code.to_owned(),
        name: code.replace("Amazon", "Amazon "),
        family: if code == "AmazonS3" { "Storage" } else { "Compute" }.to_owned(),
        description: String::new(),
    });
    let request = pb::ApplyProductsRequest {
        products: products.to_vec(),
        ..Default::default()
    };
    client.catalog().apply_products(request).await.expect("products");
}

/// Runs a counting query as the database administrator.
pub async fn count(app: &App, sql: &'static str) -> i64 {
    let mut admin = app.database.admin::<Opportunities>().await;
    sqlx::query_scalar(sql)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}
