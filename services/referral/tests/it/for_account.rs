//! Covers the facts that the notification service reads on behalf of an account (REF-057): an offer as its receiver
//! reads it, a referral as AWS reads it, and a lead.

use chrono::TimeDelta;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_referral::Referrals;
use cosell_testkit::harness::{App, refused, service};
use cosell_types::Caller;
use tonic::{Code, Response, Status};

use crate::support::{
    ALDER, BIRCH, Clients, accept_request, alliance_lead, clients, create_accepted_lead, create_referral,
    get_referral, referral_request, reject_request, sales, start, wait_for_offer, wait_for_state,
};

const AWS: &str = "999999999999";

fn notification(app: &App) -> Clients {
    clients(app, &service("notification"))
}

async fn get_offer(
    clients: &Clients,
    account: &str,
    id: &str,
) -> Result<Response<pb::GetReferralOfferForAccountResponse>, Status> {
    let request = pb::GetReferralOfferForAccountRequest {
        account_id: account.to_owned(),
        referral_offer_id: id.to_owned(),
    };
    clients.internal().get_referral_offer_for_account(request).await
}

async fn get_referral_for(
    clients: &Clients,
    account: &str,
    id: &str,
) -> Result<Response<pb::GetReferralForAccountResponse>, Status> {
    let request = pb::GetReferralForAccountRequest {
        account_id: account.to_owned(),
        referral_id: id.to_owned(),
    };
    clients.internal().get_referral_for_account(request).await
}

async fn get_lead_for(
    clients: &Clients,
    account: &str,
    id: &str,
) -> Result<Response<pb::GetLeadForAccountResponse>, Status> {
    let request = pb::GetLeadForAccountRequest {
        account_id: account.to_owned(),
        lead_id: id.to_owned(),
    };
    clients.internal().get_lead_for_account(request).await
}

async fn offer_for(app: &App, account: &str, id: &str) -> pb::ReferralOffer {
    let response = get_offer(&notification(app), account, id).await;
    let offer = response.expect("the offer").into_inner().referral_offer;
    offer.expect("the offer")
}

/// The offer without what a partner can no longer read.
fn without_content(offer: pb::ReferralOffer) -> pb::ReferralOffer {
    pb::ReferralOffer {
        message: String::new(),
        receiver_responsibilities: Vec::new(),
        sender_contacts: Vec::new(),
        payload: None,
        ..offer
    }
}

#[tokio::test]
async fn ref_057_offer_is_read_as_its_receiver_reads_it() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    let pending = wait_for_offer(&app, ALDER).await;
    let id = &pending.referral_offer_id;
    assert!(pending.payload.is_some());
    assert_eq!(offer_for(&app, ALDER, id).await, pending);
    let rejected = clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(id))
        .await;
    let rejected = rejected.expect("a rejection").into_inner().referral_offer;
    let rejected = rejected.expect("the offer");
    assert_eq!(rejected, without_content(rejected.clone()));
    assert_eq!(offer_for(&app, ALDER, id).await, rejected);

    create_referral(&app, &[BIRCH]).await;
    let offer = wait_for_offer(&app, BIRCH).await;
    let accepted = clients(&app, &alliance_lead(BIRCH))
        .referrals()
        .accept_referral_offer(accept_request(&offer.referral_offer_id))
        .await;
    let accepted = accepted.expect("an acceptance").into_inner().referral_offer;
    let read = offer_for(&app, BIRCH, &offer.referral_offer_id).await;
    assert_eq!(Some(read), accepted);
    app.finish::<Referrals>().await;
}

/// Notification sends e-mails, which leave the platform: the partner itself reads the customer in the offer.
#[tokio::test]
async fn opp_017_ref_057_offer_is_read_without_the_name_of_a_classified_customer() {
    let app = start().await;
    let mut request = referral_request(&[ALDER]);
    let referral = request.referral.as_mut().expect("a referral");
    let Some(Payload::Opportunity(opportunity)) = &mut referral.payload else {
        panic!("the referral of an opportunity")
    };
    opportunity.national_security = Some(true);
    let created = clients(&app, &sales()).referrals().create_referral(request).await;
    created.expect("a referral");
    let offer = wait_for_offer(&app, ALDER).await;
    let name = |offer: &pb::ReferralOffer| match &offer.payload {
        Some(pb::referral_offer::Payload::Opportunity(shown)) => shown.customer_company_name.clone(),
        other => panic!("{other:?}"),
    };
    assert_ne!(name(&offer), "");
    let read = offer_for(&app, ALDER, &offer.referral_offer_id).await;
    assert_eq!(name(&read), "");
    app.finish::<Referrals>().await;
}

/// The content of an offer is hidden from its deadline on: while its expiry is not stored yet, and afterwards.
#[tokio::test]
async fn ref_057_offer_past_its_deadline_is_read_without_content() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER]).await;
    let pending = wait_for_offer(&app, ALDER).await;
    let id = &pending.referral_offer_id;
    // Keeps the worker from the offer, as if its queue were long.
    let mut admin = app.database.admin::<Referrals>().await;
    sqlx::query("UPDATE offer SET due_time = NULL")
        .execute(&mut admin)
        .await
        .expect("an offer without due time");
    // To one second before the end of the next Monday.
    app.clock
        .advance(TimeDelta::hours(8 * 24 - 9) - TimeDelta::seconds(1));
    assert_eq!(offer_for(&app, ALDER, id).await, pending);
    app.clock.advance(TimeDelta::seconds(1));
    let late = without_content(pb::ReferralOffer {
        state: pb::ReferralOfferState::Expired.into(),
        ..pending.clone()
    });
    assert_eq!(offer_for(&app, ALDER, id).await, late);

    sqlx::query("UPDATE offer SET due_time = expire_time")
        .execute(&mut admin)
        .await
        .expect("a due offer");
    wait_for_state(&app, &referral.referral_id, pb::ReferralState::Exhausted, 1).await;
    let expired = offer_for(&app, ALDER, id).await;
    assert_eq!((expired.state(), expired.payload), (late.state(), None));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_057_referral_is_read_with_offers_as_aws_reads_it() {
    let app = start().await;
    let referral = create_referral(&app, &[ALDER, BIRCH]).await;
    let offer = wait_for_offer(&app, ALDER).await.referral_offer_id;
    clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&offer))
        .await
        .expect("a rejection");
    wait_for_offer(&app, BIRCH).await;
    let expected = get_referral(&app, &referral.referral_id).await;
    assert_eq!(expected.offers.len(), 2);
    let read = get_referral_for(&notification(&app), AWS, &referral.referral_id).await;
    assert_eq!(read.expect("the referral").into_inner().referral, Some(expected));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_057_lead_is_read_with_details_for_its_account() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let read = get_lead_for(&notification(&app), ALDER, &lead.lead_id).await;
    assert_eq!(read.expect("the lead").into_inner().lead, Some(lead));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_057_records_of_another_account_are_not_found() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let referral = create_referral(&app, &[ALDER]).await;
    let (referral_id, offer_id) = (&referral.referral_id, &referral.offers[0].referral_offer_id);
    let notification = notification(&app);
    // The account of a receiver of the referral is another account, too.
    for account in [BIRCH, AWS, "888888888888"] {
        let offer = get_offer(&notification, account, offer_id).await;
        refused(offer, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
        let lead = get_lead_for(&notification, account, &lead.lead_id).await;
        refused(lead, Code::NotFound, "LEAD_NOT_FOUND");
    }
    for account in [ALDER, BIRCH, "888888888888"] {
        let referral = get_referral_for(&notification, account, referral_id).await;
        refused(referral, Code::NotFound, "REFERRAL_NOT_FOUND");
    }
    let absent = get_offer(&notification, ALDER, "engi-0000000000000").await;
    refused(absent, Code::NotFound, "REFERRAL_OFFER_NOT_FOUND");
    let absent = get_referral_for(&notification, AWS, "ref-0000000000000").await;
    refused(absent, Code::NotFound, "REFERRAL_NOT_FOUND");
    let absent = get_lead_for(&notification, ALDER, "lead-0000000000000").await;
    refused(absent, Code::NotFound, "LEAD_NOT_FOUND");
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_057_acc_010_facts_are_read_by_notification_service_only() {
    let app = start().await;
    let lead = create_accepted_lead(&app, ALDER).await;
    let referral = create_referral(&app, &[ALDER]).await;
    let refuse = async |caller: Caller| {
        let clients = clients(&app, &caller);
        let (code, reason) = (Code::PermissionDenied, "ROLE_NOT_PERMITTED");
        let offer = get_offer(&clients, ALDER, &referral.offers[0].referral_offer_id).await;
        refused(offer, code, reason);
        refused(
            get_referral_for(&clients, AWS, &referral.referral_id).await,
            code,
            reason,
        );
        refused(get_lead_for(&clients, ALDER, &lead.lead_id).await, code, reason);
    };
    for name in ["opportunity", "collaboration", "review", "partner"] {
        refuse(service(name)).await;
    }
    refuse(alliance_lead(ALDER)).await;
    refuse(sales()).await;
    // The access of the two services is not shared.
    let request = pb::GetAcceptedOpportunityRequest {
        referral_offer_id: referral.offers[0].referral_offer_id.clone(),
    };
    let accepted = notification(&app)
        .internal()
        .get_accepted_opportunity(request)
        .await;
    refused(accepted, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let request = pb::GetConvertedLeadRequest {
        lead_id: lead.lead_id,
    };
    let converted = notification(&app).internal().get_converted_lead(request).await;
    refused(converted, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    app.finish::<Referrals>().await;
}
