//! The calls that are measured.

use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_tests::load::Target;
use cosell_tests::{ServiceProcess, valid_opportunity};

use crate::records::OWNER;

/// Records of a page.
const PAGE: i32 = 20;
const SERVICE: &str = "cosell.opportunity.v1.OpportunityService";

/// `GetOpportunity` of each of the first `records` records in turn.
pub fn get(services: &ServiceProcess, records: i64) -> anyhow::Result<Target> {
    let message = move |number: usize| pb::GetOpportunityRequest {
        // Spread over all records.
        opportunity_id: format!("O{}", number.wrapping_mul(7_919) % records as usize + 1),
        ..Default::default()
    };
    Target::new(services, OWNER, &format!("{SERVICE}/GetOpportunity"), message)
}

/// `ListOpportunities`, the first page.
pub fn list(services: &ServiceProcess) -> anyhow::Result<Target> {
    let message = |_| pb::ListOpportunitiesRequest {
        page_size: PAGE,
        ..Default::default()
    };
    Target::new(services, OWNER, &format!("{SERVICE}/ListOpportunities"), message)
}

/// `CreateOpportunity`.
pub fn create(services: &ServiceProcess) -> anyhow::Result<Target> {
    let message = |_| pb::CreateOpportunityRequest {
        opportunity: Some(valid_opportunity()),
        ..Default::default()
    };
    Target::new(services, OWNER, &format!("{SERVICE}/CreateOpportunity"), message)
}

/// `UpdateOpportunity` of each of these records in turn.
pub fn update(services: &ServiceProcess, ids: Vec<String>) -> anyhow::Result<Target> {
    let message = move |number: usize| pb::UpdateOpportunityRequest {
        opportunity_id: ids[number % ids.len()].clone(),
        opportunity: Some(pb::Opportunity {
            life_cycle: Some(pb::LifeCycle {
                next_steps: format!("Step {number}"),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    Target::new(services, OWNER, &format!("{SERVICE}/UpdateOpportunity"), message)
}
