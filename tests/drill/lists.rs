//! The calls of the drills: lists of opportunities.

use cosell::demo::calls::create_opportunity;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_tests::load::Target;
use cosell_tests::{ServiceProcess, valid_opportunity};

/// The RPC that the drills call.
pub const RPC: &str = "cosell.opportunity.v1.OpportunityService/ListOpportunities";
/// Opportunities of each account that is listed: more than a page.
const OPPORTUNITIES: usize = 40;

/// Lists the opportunities of a member.
pub fn list_of(services: &ServiceProcess, member: &str) -> anyhow::Result<Target> {
    Target::new(services, member, RPC, |_| pb::ListOpportunitiesRequest::default())
}

/// Creates opportunities, each of the members its own.
pub async fn create_opportunities(services: &ServiceProcess, members: &[&str]) -> anyhow::Result<()> {
    for member in members {
        let client = services.member(member);
        for _ in 0..OPPORTUNITIES {
            create_opportunity(&client, valid_opportunity()).await?;
        }
    }
    Ok(())
}
