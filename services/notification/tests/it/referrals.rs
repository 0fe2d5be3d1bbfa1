//! Deals and leads of AWS are told to those whom they concern, once.

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::PayloadType;
use cosell_testkit::harness::eventually;
use prost_types::Timestamp;

use crate::support::{ALDER, AWS, address, count, lead, marketing, start, stranger, tara, user, vera};

const OFFER: &str = "engi-0000000000004";
const REFERRAL: &str = "ref-0000000000004";

fn expire_time() -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_773_100_800,
        nanos: 0,
    })
}

#[tokio::test]
async fn not_001_of_an_offer_the_partner_is_told_and_of_its_end_who_offers_the_deal() {
    let stage = start().await;
    let offered = referral::ReferralOfferCreated {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        expire_time: expire_time(),
        payload_type: PayloadType::OpportunityInvitation.into(),
    };
    let due = referral::ReferralOfferExpiresSoon {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 2,
        expire_time: expire_time(),
        payload_type: PayloadType::OpportunityInvitation.into(),
    };
    let accepted = referral::ReferralAccepted {
        referral_id: REFERRAL.to_owned(),
        account_id: AWS.to_owned(),
        revision: 2,
        created_by: "mem-vera".to_owned(),
        referral_offer_id: OFFER.to_owned(),
        opportunity_id: "O900719925474090104".to_owned(),
    };
    // Each comes twice.
    for _ in 0..2 {
        stage.far.tell("referral", ALDER, OFFER, 1, &offered).await;
        stage.far.tell("referral", ALDER, OFFER, 2, &due).await;
        stage
            .far
            .tell(
                "referral",
                AWS,
                REFERRAL,
                1,
                &referral::ReferralCreated::default(),
            )
            .await;
        stage.far.tell("referral", AWS, REFERRAL, 2, &accepted).await;
    }
    let expired = referral::ReferralOfferExpired::default();
    stage.far.tell("referral", ALDER, OFFER, 3, &expired).await;
    // The lead of the company, twice, and who offers, once; not ACE users and marketing, who do not answer for the company,
    // and nobody of others.
    let sent = stage.recipients(3).await;
    assert_eq!(
        sent,
        [address("mem-lead"), address("mem-lead"), address("mem-vera")]
    );
    eventually(async || {
        let read = "SELECT count(*) FROM inbox WHERE consumer = 'notification-referral'";
        match count(&stage.app, read).await {
            5 => Ok(()),
            read => Err(format!("{read} of 5 events were read")),
        }
    })
    .await;
    for (caller, expected) in [
        (
            lead(),
            vec![Kind::ReferralOfferCreated, Kind::ReferralOfferExpiresSoon],
        ),
        (vera(), vec![Kind::ReferralAnswered]),
        (user(), vec![]),
        (marketing(), vec![]),
        (stranger(), vec![]),
        (tara(), vec![]),
    ] {
        let mut kinds: Vec<_> = stage
            .inbox(&caller)
            .await
            .iter()
            .map(|entry| entry.kind())
            .collect();
        kinds.sort_by_key(|kind| kind.as_str_name());
        assert_eq!(kinds, expected, "{caller:?}");
    }
    let told = stage.inbox(&lead()).await;
    assert!(
        told.iter()
            .all(|entry| entry.body.contains("2026-03-10 00:00 UTC")),
        "{told:?}"
    );
    let told = stage.inbox(&vera()).await;
    assert!(told[0].body.contains("O900719925474090104"), "{told:?}");
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_001_of_a_lead_that_is_offered_the_same_are_told_and_of_one_that_is_given_away_both_members() {
    let stage = start().await;
    let offered = referral::ReferralOfferCreated {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        expire_time: expire_time(),
        payload_type: PayloadType::LeadInvitation.into(),
    };
    let lead_id = "lead-0000000000004";
    let assigned = referral::LeadAssigned {
        lead_id: lead_id.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 2,
        previous_owner_member_id: "mem-lead".to_owned(),
        owner_member_id: "mem-user".to_owned(),
    };
    // Each comes twice.
    for _ in 0..2 {
        stage.far.tell("referral", ALDER, OFFER, 1, &offered).await;
        let accepted = referral::LeadAccepted::default();
        stage.far.tell("referral", ALDER, lead_id, 1, &accepted).await;
        stage.far.tell("referral", ALDER, lead_id, 2, &assigned).await;
    }
    let sent = stage.recipients(3).await;
    assert_eq!(
        sent,
        [address("mem-lead"), address("mem-lead"), address("mem-user")]
    );
    for (caller, expected) in [
        (lead(), vec![Kind::LeadAssigned, Kind::ReferralOfferCreated]),
        (user(), vec![Kind::LeadAssigned]),
        (marketing(), vec![]),
        (stranger(), vec![]),
        (vera(), vec![]),
    ] {
        let inbox = stage.inbox(&caller).await;
        let mut kinds: Vec<_> = inbox.iter().map(|entry| entry.kind()).collect();
        kinds.sort_by_key(|kind| kind.as_str_name());
        assert_eq!(kinds, expected, "{caller:?}");
        for entry in inbox {
            let told = match entry.kind() {
                Kind::ReferralOfferCreated => "offers your company a lead",
                _ => "lead-0000000000004 was given to mem-user",
            };
            assert!(entry.body.contains(told), "{entry:?}");
        }
    }
    stage.app.finish::<Notifications>().await;
}
