//! From a lead that AWS offers to a draft of the partner, through all services.

use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{FarEnd, eventually};
use cosell_tests::World;
use cosell_tests::scene::{HOLDER, SUBMITTED, Scene};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_054_opp_091_a_lead_becomes_a_draft_of_who_converts_it() {
    let world = World::start();
    let running = world.run().await;
    let scene = Scene::new(&world, running.channel(), &running.info);
    scene.neighbours().await;
    let lead_id = scene.led().await;
    let holder = scene.person(HOLDER);
    let request = referral::ConvertLeadRequest {
        lead_id: lead_id.clone(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let converted = holder.leads().convert_lead(request).await;
    let lead = converted.expect("a draft").into_inner().lead.expect("the lead");
    let made = eventually(async || {
        let request = opportunity::GetOpportunityRequest {
            opportunity_id: lead.opportunity_id.clone(),
            as_of: None,
        };
        let answer = holder.opportunities().get_opportunity(request).await;
        answer.map(|answer| answer.into_inner().opportunity.expect("the record"))
    });
    let made = made.await;
    let life_cycle = made.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            made.origin(),
            made.owner_member_id.as_str()
        ),
        (
            ReviewStatus::PendingSubmission,
            opportunity::Origin::AwsReferral,
            HOLDER
        )
    );
    assert_eq!(made.lead_id, lead_id);
    let account = made.customer.and_then(|customer| customer.account);
    assert_eq!(
        account.expect("an account").company_name,
        format!("{SUBMITTED} customer")
    );
    // A draft is the partner's, whoever brought the customer.
    let request = opportunity::GetOpportunityRequest {
        opportunity_id: lead.opportunity_id,
        as_of: None,
    };
    let mut aws = scene.person("aws-sales-representative").opportunities();
    let answer = aws.get_opportunity(request).await;
    assert_eq!(answer.expect_err("a draft").code(), Code::NotFound);
    world.settled().await;
    running.stop().await;
}
