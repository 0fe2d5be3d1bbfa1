//! Covers marketing staff, which sees the records that it owns, or all of its account if the directory states that
//! (ACC-013): offers (REF-040) and leads (REF-055).

use cosell_proto::cosell::partner::v1 as partner_pb;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_referral::Referrals;
use cosell_testkit::harness::{PeerStub, Setup, eventually, partner, refused};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, Clients, accept_request, clients, clients_of_member_that_sees_all, create_accepted_lead,
    create_lead_referral, create_referral, list_leads, set_state_request, start, start_with,
};

async fn list_own_leads(clients: &Clients) -> Vec<pb::Lead> {
    let response = clients.leads().list_leads(pb::ListLeadsRequest::default()).await;
    response.expect("a list").into_inner().leads
}

#[tokio::test]
async fn acc_013_ref_040_marketing_staff_that_sees_all_answers_offers() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER]).await;
    let marketing = clients_of_member_that_sees_all(&app, "mem-marketing");
    let listed = marketing
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    assert_eq!(listed.expect("a list").into_inner().referral_offers.len(), 1);
    let accepted = marketing
        .referrals()
        .accept_referral_offer(accept_request(&referral.offers[0].referral_offer_id))
        .await;
    let accepted = accepted.expect("an acceptance").into_inner().referral_offer;
    assert_eq!(accepted.expect("the offer").answered_by, "mem-marketing");
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn acc_013_ref_055_marketing_staff_sees_no_lead_of_another_owner() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let caller = partner("mem-marketing", ALDER, Role::MarketingStaff);
    assert_eq!(list_leads(&app, &caller).await, []);
    let request = pb::GetLeadRequest {
        lead_id: lead.lead_id.clone(),
    };
    let hidden = clients(&app, &caller).leads().get_lead(request).await;
    refused(hidden, Code::NotFound, "LEAD_NOT_FOUND");
    let all = clients_of_member_that_sees_all(&app, "mem-marketing-all");
    assert_eq!(list_own_leads(&all).await, [lead]);
    app.finish::<Referrals>().await;
}

/// The operator withdraws the option: the lead that the member accepted meanwhile stays visible to it, no other one.
#[tokio::test]
async fn acc_013_ref_055_marketing_staff_keeps_own_leads_when_option_ends() {
    let app = start_with(Setup::default().with_bus()).await;
    create_accepted_lead(&app, ALDER).await;
    let marketing = clients_of_member_that_sees_all(&app, "mem-marketing");
    let referral = create_lead_referral(&app, &[ALDER]).await;
    let accepted = marketing
        .referrals()
        .accept_referral_offer(accept_request(&referral.offers[0].referral_offer_id))
        .await;
    let accepted = accepted.expect("an acceptance").into_inner().referral_offer;
    let own_id = accepted.expect("the offer").lead_id;
    assert_eq!(list_own_leads(&marketing).await.len(), 2);

    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    for (revision, sees_all_opportunities) in [(1, true), (2, false)] {
        let event = partner_pb::MemberRolesChanged {
            detail: Some(partner_pb::MemberEventDetail {
                member_id: "mem-marketing".to_owned(),
                account_id: ALDER.to_owned(),
                revision,
                status: partner_pb::MemberStatus::Active.into(),
                roles: vec![partner_pb::Role::MarketingStaff.into()],
                sees_all_opportunities,
                ..Default::default()
            }),
        };
        peer.publish_event("partner", ALDER, "mem-marketing", revision, &event)
            .await;
    }
    let own = eventually(async || match list_own_leads(&marketing).await.as_slice() {
        [lead] => Ok(lead.clone()),
        other => Err(format!("{} leads", other.len())),
    })
    .await;
    assert_eq!(own.lead_id, own_id);
    marketing
        .leads()
        .set_lead_state(set_state_request(&own, pb::LeadState::Qualified))
        .await
        .expect("a state");
    let offers = marketing
        .referrals()
        .list_referral_offers(pb::ListReferralOffersRequest::default())
        .await;
    refused(offers, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    app.finish::<Referrals>().await;
}
