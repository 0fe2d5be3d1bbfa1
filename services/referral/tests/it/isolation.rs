//! Covers row-level security (ACC-020): partners see their own offers and leads only, and no partner sees the full
//! details of an offered opportunity. Also covers the deletion of offer details after a rejection.

use cosell_referral::Referrals;

use crate::support::{
    ALDER, BIRCH, accept_request, alliance_lead, clients, convert_request, create_accepted_lead,
    create_referral, reject_request, start, wait_for_offer,
};

const AWS: &str = "999999999999";

#[tokio::test]
async fn acc_020_partner_sees_own_offers_and_no_offer_details() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    create_referral(&app, &[BIRCH]).await;
    let offer_id = wait_for_offer(&app, BIRCH).await.referral_offer_id;
    clients(&app, &alliance_lead(BIRCH))
        .referrals()
        .accept_referral_offer(accept_request(&offer_id))
        .await
        .expect("an acceptance");
    for (table, alder, birch, aws, services, system, aws_system) in [
        ("referral", 0, 0, 2, 0, 0, 2),
        ("offer", 1, 1, 2, 1, 1, 2),
        // Details of accepted offers are hidden too: the partner reads the opportunity that the acceptance creates.
        ("offer_deal", 0, 0, 0, 2, 1, 0),
    ] {
        for (scope, expected) in [
            (Some((ALDER, "partner")), alder),
            (Some((BIRCH, "partner")), birch),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some((AWS, "aws")), aws),
            (Some(("888888888888", "aws")), 0),
            (Some(("", "service")), services),
            (Some((ALDER, "system")), system),
            (Some((AWS, "system")), aws_system),
            (Some(("888888888888", "system")), 0),
            (Some(("", "system")), 0),
        ] {
            let seen = app.database.visible("referral_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_031_rejected_offer_details_are_deleted() {
    let app = start().await;
    create_referral(&app, &[ALDER]).await;
    let offer = wait_for_offer(&app, ALDER).await.referral_offer_id;
    clients(&app, &alliance_lead(ALDER))
        .referrals()
        .reject_referral_offer(reject_request(&offer))
        .await
        .expect("a rejection");
    let mut admin = app.database.admin::<Referrals>().await;
    let remaining = cosell_testkit::harness::eventually(async || {
        let rows: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM offer WHERE shown IS NOT NULL), (SELECT count(*) FROM offer_deal)",
        )
        .fetch_one(&mut admin)
        .await
        .expect("counts");
        if rows == (0, 0) {
            Ok(rows)
        } else {
            Err(format!("{rows:?}"))
        }
    });
    assert_eq!(remaining.await, (0, 0));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn acc_020_ref_055_partner_sees_own_leads_and_services_converted_leads() {
    let app = start().await;
    create_accepted_lead(&app, ALDER).await;
    let lead = create_accepted_lead(&app, BIRCH).await;
    let clients = clients(&app, &alliance_lead(BIRCH));
    clients
        .leads()
        .convert_lead(convert_request(&lead))
        .await
        .expect("an opportunity");
    for (table, alder, birch, aws, services, system) in
        [("lead", 1, 1, 0, 1, 1), ("offer_deal", 0, 0, 0, 0, 0)]
    {
        for (scope, expected) in [
            (Some((ALDER, "partner")), alder),
            (Some((BIRCH, "partner")), birch),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some((AWS, "aws")), aws),
            (Some((ALDER, "aws")), 0),
            (Some(("", "service")), services),
            (Some((ALDER, "system")), system),
            (Some(("", "system")), 0),
        ] {
            let seen = app.database.visible("referral_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Referrals>().await;
}
