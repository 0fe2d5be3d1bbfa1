//! Calls that the demo, benchmarks and tests make repeatedly.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::{Clock, random};
use prost_types::FieldMask;
use tokio::time::Instant;

use super::member_client::MemberClient;

/// The limit for waiting for an effect.
pub const WAIT_LIMIT: Duration = Duration::from_secs(120);

/// The pause between two polls.
pub const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Creates an opportunity. An error names its title.
pub async fn create_opportunity(
    client: &MemberClient,
    content: opportunity::Opportunity,
) -> anyhow::Result<opportunity::Opportunity> {
    let title = content.project.clone().unwrap_or_default().title;
    let created = try_create_opportunity(client, content)
        .await
        .with_context(|| format!("{title:?} was refused"))?;
    Ok(created)
}

/// Creates an opportunity and returns the status if it is refused.
pub async fn try_create_opportunity(
    client: &MemberClient,
    content: opportunity::Opportunity,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(content),
        request_id: request_id(),
        validate_only: false,
    };
    let response = client
        .opportunities()
        .create_opportunity(request)
        .await?
        .into_inner();
    response
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("a response without opportunity"))
}

/// Updates an opportunity with all set fields of `content`, or with the field at `path` only.
pub async fn update_opportunity(
    client: &MemberClient,
    id: &str,
    content: opportunity::Opportunity,
    path: Option<&str>,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(content),
        update_mask: path.map(|path| FieldMask {
            paths: vec![path.to_owned()],
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let response = client
        .opportunities()
        .update_opportunity(request)
        .await?
        .into_inner();
    response
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("a response without opportunity"))
}

/// Submits an opportunity to AWS.
pub async fn submit_opportunity(
    client: &MemberClient,
    id: &str,
    involvement: opportunity::InvolvementType,
) -> anyhow::Result<opportunity::Opportunity> {
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: involvement.into(),
        request_id: request_id(),
        ..Default::default()
    };
    let response = client.lifecycle().submit_opportunity(request).await?.into_inner();
    response.opportunity.context("an opportunity")
}

/// Claims a review case.
pub async fn claim_case(reviewer: &MemberClient, case: &str) -> anyhow::Result<()> {
    let request = review::ClaimReviewCaseRequest {
        review_case_id: case.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    reviewer.reviews().claim_review_case(request).await?;
    Ok(())
}

/// Reads an opportunity.
pub async fn get_opportunity(client: &MemberClient, id: &str) -> anyhow::Result<opportunity::Opportunity> {
    let request = opportunity::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: None,
    };
    let response = client
        .opportunities()
        .get_opportunity(request)
        .await?
        .into_inner();
    response.opportunity.context("an opportunity")
}

/// Lists all opportunities that are visible to the member.
pub async fn list_opportunities(client: &MemberClient) -> anyhow::Result<Vec<opportunity::Opportunity>> {
    let mut found = Vec::new();
    let mut request = opportunity::ListOpportunitiesRequest {
        page_size: 10,
        ..Default::default()
    };
    loop {
        let page = client
            .opportunities()
            .list_opportunities(request.clone())
            .await?
            .into_inner();
        found.extend(page.opportunities);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// Lists all review cases that wait for a reviewer.
pub async fn list_queue(reviewer: &MemberClient) -> anyhow::Result<Vec<review::ReviewCase>> {
    let filter = review::ReviewCaseFilter {
        states: vec![review::ReviewCaseState::Submitted.into()],
        ..Default::default()
    };
    let mut request = review::ListReviewCasesRequest {
        page_size: 10,
        filter: Some(filter),
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = reviewer
            .reviews()
            .list_review_cases(request.clone())
            .await?
            .into_inner();
        found.extend(page.review_cases);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// Waits until an opportunity has a review status and returns it.
pub async fn wait_for_status(
    client: &MemberClient,
    id: &str,
    expected: ReviewStatus,
) -> anyhow::Result<opportunity::Opportunity> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let seen = get_opportunity(client, id).await?;
        let status = seen.life_cycle.clone().unwrap_or_default().review_status();
        if status == expected {
            return Ok(seen);
        }
        ensure!(Instant::now() < deadline, "{id} is {status:?}, not {expected:?}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Waits until the review case of an opportunity is in the queue for a submission round and returns it.
pub async fn wait_for_round(
    reviewer: &MemberClient,
    id: &str,
    round: i32,
) -> anyhow::Result<review::ReviewCase> {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        let case = list_queue(reviewer)
            .await?
            .into_iter()
            .find(|case| case.opportunity_id == id && case.round == round);
        if let Some(case) = case {
            return Ok(case);
        }
        ensure!(
            Instant::now() < deadline,
            "round {round} of {id} is not in the queue"
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// An opportunity in one line: customer, project, country, industry and stage.
pub fn summary_line(content: &opportunity::Opportunity) -> String {
    let account = content
        .customer
        .clone()
        .unwrap_or_default()
        .account
        .unwrap_or_default();
    let country = account.address.clone().unwrap_or_default().country_code;
    let project = content.project.clone().unwrap_or_default();
    let stage = content.life_cycle.clone().unwrap_or_default().stage();
    let stage = stage.as_str_name().trim_start_matches("STAGE_");
    format!(
        "{} — {} ({country}, {}, {stage})",
        account.company_name, project.title, account.industry
    )
}

/// A new request id.
pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}
