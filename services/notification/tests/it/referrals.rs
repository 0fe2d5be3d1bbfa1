//! Covers notifications about referral offers and leads: recipients of each kind, once per event despite duplicate
//! delivery (NOT-001).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::PayloadType;
use prost_types::Timestamp;

use crate::support::{
    ALDER, AWS, ace_user, address, alliance_lead, marketing_staff, other_account_lead, start, tara, vera,
};

const OFFER: &str = "engi-0000000000004";
const REFERRAL: &str = "ref-0000000000004";

fn expire_time() -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_773_100_800,
        nanos: 0,
    })
}

#[tokio::test]
async fn not_001_offer_notifies_alliance_lead_and_acceptance_its_creator() {
    let scenario = start().await;
    let offered = referral::ReferralOfferCreated {
        referral_offer_id: OFFER.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        expire_time: expire_time(),
        payload_type: PayloadType::OpportunityInvitation.into(),
    };
    let expires_soon = referral::ReferralOfferExpiresSoon {
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
    // Every event is delivered twice.
    for _ in 0..2 {
        scenario
            .peer
            .publish_event("referral", ALDER, OFFER, 1, &offered)
            .await;
        scenario
            .peer
            .publish_event("referral", ALDER, OFFER, 2, &expires_soon)
            .await;
        scenario
            .peer
            .publish_event(
                "referral",
                AWS,
                REFERRAL,
                1,
                &referral::ReferralCreated::default(),
            )
            .await;
        scenario
            .peer
            .publish_event("referral", AWS, REFERRAL, 2, &accepted)
            .await;
    }
    let expired = referral::ReferralOfferExpired::default();
    scenario
        .peer
        .publish_event("referral", ALDER, OFFER, 3, &expired)
        .await;
    // Two e-mails to the alliance lead and one to the creator of the referral; none to ACE users, marketing staff, or
    // other accounts.
    let sent = scenario.recipients(3).await;
    assert_eq!(
        sent,
        [address("mem-lead"), address("mem-lead"), address("mem-vera")]
    );
    scenario.wait_until_processed("referral", 5).await;
    for (caller, expected) in [
        (
            alliance_lead(),
            vec![Kind::ReferralOfferCreated, Kind::ReferralOfferExpiresSoon],
        ),
        (vera(), vec![Kind::ReferralAnswered]),
        (ace_user(), vec![]),
        (marketing_staff(), vec![]),
        (other_account_lead(), vec![]),
        (tara(), vec![]),
    ] {
        let mut kinds: Vec<_> = scenario
            .inbox(&caller)
            .await
            .iter()
            .map(|entry| entry.kind())
            .collect();
        kinds.sort_by_key(|kind| kind.as_str_name());
        assert_eq!(kinds, expected, "{caller:?}");
    }
    let inbox = scenario.inbox(&alliance_lead()).await;
    assert!(
        inbox
            .iter()
            .all(|entry| entry.body.contains("2026-03-10 00:00 UTC")),
        "{inbox:?}"
    );
    let inbox = scenario.inbox(&vera()).await;
    assert!(inbox[0].body.contains("O900719925474090104"), "{inbox:?}");
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_001_lead_offer_notifies_alliance_lead_and_assignment_both_owners() {
    let scenario = start().await;
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
    // Every event is delivered twice.
    for _ in 0..2 {
        scenario
            .peer
            .publish_event("referral", ALDER, OFFER, 1, &offered)
            .await;
        let accepted = referral::LeadAccepted::default();
        scenario
            .peer
            .publish_event("referral", ALDER, lead_id, 1, &accepted)
            .await;
        scenario
            .peer
            .publish_event("referral", ALDER, lead_id, 2, &assigned)
            .await;
    }
    let sent = scenario.recipients(3).await;
    assert_eq!(
        sent,
        [address("mem-lead"), address("mem-lead"), address("mem-user")]
    );
    for (caller, expected) in [
        (
            alliance_lead(),
            vec![Kind::LeadAssigned, Kind::ReferralOfferCreated],
        ),
        (ace_user(), vec![Kind::LeadAssigned]),
        (marketing_staff(), vec![]),
        (other_account_lead(), vec![]),
        (vera(), vec![]),
    ] {
        let inbox = scenario.inbox(&caller).await;
        let mut kinds: Vec<_> = inbox.iter().map(|entry| entry.kind()).collect();
        kinds.sort_by_key(|kind| kind.as_str_name());
        assert_eq!(kinds, expected, "{caller:?}");
        for entry in inbox {
            let expected_text = match entry.kind() {
                Kind::ReferralOfferCreated => "offers your account a lead",
                _ => "New owner:      Grace Hopper\nPrevious owner: Ada Lovelace\n",
            };
            assert!(entry.body.contains(expected_text), "{entry:?}");
        }
    }
    scenario.app.finish::<Notifications>().await;
}
