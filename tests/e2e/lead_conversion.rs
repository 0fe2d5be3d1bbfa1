//! A lead that AWS refers becomes a draft opportunity of the partner, through all services.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{PeerStub, eventually};
use cosell_tests::TestServers;
use cosell_tests::scenario::{OWNER, SUBMITTED_CANARY, Scenario};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_054_opp_091_converted_lead_creates_draft_of_the_converting_member() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    scenario.provision_partners().await;
    let lead_id = scenario.create_assigned_lead().await;
    let owner = scenario.member(OWNER);
    let request = referral::ConvertLeadRequest {
        lead_id: lead_id.clone(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let converted = owner.leads().convert_lead(request).await;
    let lead = converted.expect("a draft").into_inner().lead.expect("the lead");
    let created = eventually(async || {
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: lead.opportunity_id.clone(),
            as_of: None,
        };
        let answer = owner.opportunities().get_opportunity(request).await;
        answer.map(|answer| answer.into_inner().opportunity.expect("an opportunity"))
    });
    let created = created.await;
    let life_cycle = created.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            created.origin(),
            created.owner_member_id.as_str()
        ),
        (
            ReviewStatus::PendingSubmission,
            opportunity::Origin::AwsReferral,
            OWNER
        )
    );
    assert_eq!(created.lead_id, lead_id);
    let account = created.customer.and_then(|customer| customer.account);
    assert_eq!(
        account.expect("an account").company_name,
        format!("{SUBMITTED_CANARY} customer")
    );
    // A draft is visible to the partner only, also when AWS referred the lead.
    let request = opportunity::GetOpportunityRequest {
        opportunity_id: lead.opportunity_id,
        as_of: None,
    };
    let mut aws = scenario.member("aws-sales-representative").opportunities();
    let answer = aws.get_opportunity(request).await;
    assert_eq!(answer.expect_err("a draft").code(), Code::NotFound);
    servers.wait_until_idle().await;
    running.stop().await;
}
