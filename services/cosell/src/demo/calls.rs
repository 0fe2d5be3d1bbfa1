//! The calls that the journey makes more than once.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::{Clock, random};
use prost_types::FieldMask;
use tokio::time::Instant;

use super::people::Person;

/// How long anything may take to come about.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at something that is to come about.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Registers a record; fails with its title when it is refused.
pub async fn create(
    person: &Person,
    given: opportunity::Opportunity,
) -> anyhow::Result<opportunity::Opportunity> {
    let title = given.project.clone().unwrap_or_default().title;
    let made = create_raw(person, given)
        .await
        .with_context(|| format!("{title:?} was refused"))?;
    Ok(made)
}

/// Registers a record, or says why not.
pub async fn create_raw(
    person: &Person,
    given: opportunity::Opportunity,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(given),
        request_id: request_id(),
        validate_only: false,
    };
    let answer = person
        .opportunities()
        .create_opportunity(request)
        .await?
        .into_inner();
    answer
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("an answer without opportunity"))
}

/// Changes what is given, or only what lies at a path.
pub async fn update(
    person: &Person,
    id: &str,
    given: opportunity::Opportunity,
    path: Option<&str>,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(given),
        update_mask: path.map(|path| FieldMask {
            paths: vec![path.to_owned()],
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = person
        .opportunities()
        .update_opportunity(request)
        .await?
        .into_inner();
    answer
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("an answer without opportunity"))
}

/// Hands a record to AWS.
pub async fn submit(
    person: &Person,
    id: &str,
    involvement: opportunity::InvolvementType,
) -> anyhow::Result<opportunity::Opportunity> {
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: involvement.into(),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = person.lifecycle().submit_opportunity(request).await?.into_inner();
    answer.opportunity.context("an opportunity")
}

/// Takes a case.
pub async fn claim(reviewer: &Person, case: &str) -> anyhow::Result<()> {
    let request = review::ClaimReviewCaseRequest {
        review_case_id: case.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    reviewer.reviews().claim_review_case(request).await?;
    Ok(())
}

/// A record.
pub async fn get(person: &Person, id: &str) -> anyhow::Result<opportunity::Opportunity> {
    let request = opportunity::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: None,
    };
    let answer = person
        .opportunities()
        .get_opportunity(request)
        .await?
        .into_inner();
    answer.opportunity.context("an opportunity")
}

/// Everything that the person can list, page by page.
pub async fn all(person: &Person) -> anyhow::Result<Vec<opportunity::Opportunity>> {
    let mut found = Vec::new();
    let mut request = opportunity::ListOpportunitiesRequest {
        page_size: 10,
        ..Default::default()
    };
    loop {
        let page = person
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

/// The whole queue, page by page.
pub async fn queue(reviewer: &Person) -> anyhow::Result<Vec<review::ReviewCase>> {
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

/// A record, once it stands where it is wanted.
pub async fn until_status(
    person: &Person,
    id: &str,
    wanted: ReviewStatus,
) -> anyhow::Result<opportunity::Opportunity> {
    let until = Instant::now() + PATIENCE;
    loop {
        let seen = get(person, id).await?;
        let status = seen.life_cycle.clone().unwrap_or_default().review_status();
        if status == wanted {
            return Ok(seen);
        }
        ensure!(Instant::now() < until, "{id} is {status:?}, not {wanted:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The case of an opportunity, once it is in the queue for a round.
pub async fn until_round(reviewer: &Person, id: &str, round: i32) -> anyhow::Result<review::ReviewCase> {
    let until = Instant::now() + PATIENCE;
    loop {
        let case = queue(reviewer)
            .await?
            .into_iter()
            .find(|case| case.opportunity_id == id && case.round == round);
        if let Some(case) = case {
            return Ok(case);
        }
        ensure!(
            Instant::now() < until,
            "round {round} of {id} is not in the queue"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// A record in one line.
pub fn headline(record: &opportunity::Opportunity) -> String {
    let account = record
        .customer
        .clone()
        .unwrap_or_default()
        .account
        .unwrap_or_default();
    let country = account.address.clone().unwrap_or_default().country_code;
    let project = record.project.clone().unwrap_or_default();
    let stage = record.life_cycle.clone().unwrap_or_default().stage();
    let stage = stage.as_str_name().trim_start_matches("STAGE_");
    format!(
        "{} — {} ({country}, {}, {stage})",
        account.company_name, project.title, account.industry
    )
}

/// An id for one request.
pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}
