//! The database itself keeps partners apart, and deals from those who have not accepted them.

use cosell_referral::Referrals;

use crate::support::{ALDER, BIRCH, accept, accepted_lead, by, convert, lead, offered, refer, reject, start};

const AWS: &str = "999999999999";

#[tokio::test]
async fn acc_020_each_sees_its_own_and_no_partner_a_deal() {
    let app = start().await;
    refer(&app, &[ALDER]).await;
    refer(&app, &[BIRCH]).await;
    let taken = offered(&app, BIRCH).await.referral_offer_id;
    by(&app, &lead(BIRCH))
        .referrals()
        .accept_referral_offer(accept(&taken))
        .await
        .expect("an acceptance");
    for (table, alder, birch, aws, services, system) in [
        ("referral", 0, 0, 2, 0, 0),
        ("offer", 1, 1, 2, 1, 1),
        // Not even what was accepted: the partner reads the opportunity that comes of it.
        ("offer_deal", 0, 0, 0, 2, 1),
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
            (Some(("", "system")), 0),
        ] {
            let seen = app.database.visible("referral_app", scope, table).await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn ref_031_nothing_of_a_deal_is_left_with_who_did_not_want_it() {
    let app = start().await;
    refer(&app, &[ALDER]).await;
    let offer = offered(&app, ALDER).await.referral_offer_id;
    by(&app, &lead(ALDER))
        .referrals()
        .reject_referral_offer(reject(&offer))
        .await
        .expect("a rejection");
    let mut admin = app.database.admin::<Referrals>().await;
    let left = cosell_testkit::harness::eventually(async || {
        let left: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM offer WHERE shown IS NOT NULL), (SELECT count(*) FROM offer_deal)",
        )
        .fetch_one(&mut admin)
        .await
        .expect("counts");
        if left == (0, 0) {
            Ok(left)
        } else {
            Err(format!("{left:?}"))
        }
    });
    assert_eq!(left.await, (0, 0));
    app.finish::<Referrals>().await;
}

#[tokio::test]
async fn acc_020_ref_055_each_partner_sees_its_own_leads_and_services_those_of_which_an_opportunity_is_made()
{
    let app = start().await;
    accepted_lead(&app, ALDER).await;
    let made = accepted_lead(&app, BIRCH).await;
    let calls = by(&app, &lead(BIRCH));
    calls
        .leads()
        .convert_lead(convert(&made))
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
