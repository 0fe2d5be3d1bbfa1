//! Covers peers that do not find or do not show a record, and peers that do not answer: the name is left out, or the
//! event is retried (NOT-005, PLT-009). What AWS or another partner may not see reaches none of their notifications
//! (OPP-017, ACC-011).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cosell_notification::Notifications;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::review::v1::ReviewRoundOpened;
use cosell_proto::cosell::r#type::v1::{ParticipantType, PayloadType};
use cosell_testkit::harness::ReferralRecord;
use tonic::Code;

use crate::email::Email;
use crate::support::{
    ALDER, AWS, BIRCH, CUSTOMER, Fixture, PROJECT, Scenario, address, count, other_account_lead, record,
    start, start_as, start_with, tara,
};

const OFFER: &str = "engi-0000000000004";
const CHANNEL: &str = "chan-0000000000004";

fn offered() -> referral::ReferralOfferCreated {
    referral::ReferralOfferCreated {
        referral_offer_id: OFFER.to_owned(),
        payload_type: PayloadType::LeadInvitation.into(),
        ..Default::default()
    }
}

fn channel(id: &str) -> Option<collaboration::ChannelEventDetail> {
    Some(collaboration::ChannelEventDetail {
        channel_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        opportunity_id: "O42".to_owned(),
        requested_by: "mem-user".to_owned(),
        ..Default::default()
    })
}

#[tokio::test]
async fn not_005_name_that_a_peer_does_not_find_is_left_out() {
    let scenario = start_with(|_, _| Err(Code::NotFound)).await;
    let peer = &scenario.peer;
    let assigned = opportunity::OpportunityAssigned {
        opportunity_id: "O43".to_owned(),
        previous_owner_member_id: "mem-gone".to_owned(),
        owner_member_id: "mem-user".to_owned(),
        ..Default::default()
    };
    peer.publish_event("opportunity", ALDER, "O43", 1, &assigned)
        .await;
    peer.publish_event("referral", ALDER, OFFER, 1, &offered()).await;
    let connection = "pacinv-unknown000000";
    let invited = directory::ConnectionInvitationCreated {
        detail: Some(directory::ConnectionInvitationEventDetail {
            connection_invitation_id: connection.to_owned(),
            account_id: ALDER.to_owned(),
            participant_type: ParticipantType::Receiver.into(),
            ..Default::default()
        }),
    };
    peer.publish_event("partner", ALDER, connection, 1, &invited)
        .await;
    let engagement = "engi-unknown000000";
    let shared = collaboration::EngagementInvitationCreated {
        detail: Some(collaboration::EngagementInvitationEventDetail {
            engagement_invitation_id: engagement.to_owned(),
            account_id: ALDER.to_owned(),
            participant_type: ParticipantType::Receiver.into(),
            ..Default::default()
        }),
    };
    peer.publish_event("collaboration", ALDER, engagement, 1, &shared)
        .await;
    let unknown_channel = "chan-unknown000000";
    let joined = collaboration::ChannelMemberInvited {
        detail: channel(unknown_channel),
        member_account_id: ALDER.to_owned(),
        member_id: "mem-second".to_owned(),
    };
    peer.publish_event("collaboration", ALDER, unknown_channel, 1, &joined)
        .await;
    for (to, subject, path, last_line) in [
        (
            "mem-user",
            "Opportunity assigned to Grace Hopper",
            "/opportunities/O43",
            "Opportunity O43",
        ),
        (
            "mem-lead",
            "AWS offers you a lead",
            "/referral-offers/engi-0000000000004",
            "Referral offer engi-0000000000004",
        ),
        (
            "mem-lead",
            "A partner invites you to connect",
            "/connection-invitations/pacinv-unknown000000",
            "Connection invitation pacinv-unknown000000",
        ),
        (
            "mem-lead",
            "A partner shares an opportunity with you",
            "/engagement-invitations/engi-unknown000000",
            "Engagement invitation engi-unknown000000",
        ),
        (
            "mem-second",
            "Invitation to a channel",
            "/channels/chan-unknown000000",
            "Channel chan-unknown000000, opportunity O42",
        ),
    ] {
        let email = scenario.email(&address(to), subject).await;
        assert_eq!(email.subject, subject);
        email.require(&[], path, last_line);
        email.forbid(&["Customer:", "Project:", "Previous owner"]);
    }
    scenario.recipients(5).await;
    scenario.app.finish::<Notifications>().await;
}

/// Not available, and of the previous release during an upgrade: without the RPC, or without the permission for it.
#[tokio::test]
async fn plt_009_event_is_retried_until_its_peer_answers() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let scenario = start_as(Fixture {
        referral: Box::new(move |_, _| match counter.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Code::Unavailable),
            1 => Err(Code::Unimplemented),
            // As often as an event is tried whose handler fails permanently.
            2..=6 => Err(Code::PermissionDenied),
            _ => Ok(ReferralRecord::Offer(Box::new(referral::ReferralOffer {
                payload: Some(referral::referral_offer::Payload::Lead(referral::OfferedLead {
                    customer_company_name: CUSTOMER.to_owned(),
                    ..Default::default()
                })),
                ..Default::default()
            }))),
        }),
        ..Fixture::default()
    })
    .await;
    let peer = &scenario.peer;
    peer.publish_event("referral", ALDER, OFFER, 1, &offered()).await;
    let subject = format!("AWS offers you a lead: {CUSTOMER}");
    scenario.email(&address("mem-lead"), &subject).await;
    assert_eq!(scenario.recipients(1).await, [address("mem-lead")]);
    assert!(calls.load(Ordering::Relaxed) >= 8);
    let dead_letters = count(&scenario.app, "SELECT count(*) FROM dead_letter").await;
    assert_eq!(dead_letters, 0);
    scenario.app.finish::<Notifications>().await;
}

/// Publishes a channel request, an invitation to it for an AWS member and one for a partner member, and the opening of
/// a review round. Returns the notifications of AWS, and that of the partner.
async fn notify_both_sides(scenario: &Scenario) -> (Vec<Email>, Email) {
    let (peer, context) = (&scenario.peer, "collaboration");
    let requested = collaboration::ChannelRequested {
        detail: channel(CHANNEL),
    };
    peer.publish_event(context, ALDER, CHANNEL, 1, &requested).await;
    for (revision, account, member) in [(2, AWS, "mem-vera"), (3, ALDER, "mem-second")] {
        let invited = collaboration::ChannelMemberInvited {
            detail: channel(CHANNEL),
            member_account_id: account.to_owned(),
            member_id: member.to_owned(),
        };
        peer.publish_event(context, ALDER, CHANNEL, revision, &invited)
            .await;
    }
    let opened = ReviewRoundOpened {
        review_case_id: "rc-0000000000004".to_owned(),
        opportunity_id: "O42".to_owned(),
        account_id: ALDER.to_owned(),
        ..Default::default()
    };
    peer.publish_event("review", ALDER, &opened.review_case_id, 1, &opened)
        .await;
    let invitation = "Invitation to a channel";
    let of_aws = vec![
        scenario.email(&address("mem-owner"), "Channel requested").await,
        scenario.email(&address("mem-vera"), invitation).await,
        Email::from(scenario.wait_for_notification(&tara(), "O42").await),
    ];
    (of_aws, scenario.email(&address("mem-second"), invitation).await)
}

/// The current opportunity as its own account sees it, and revision 7, which hides the customer.
fn classified(id: &str, revision: i64) -> Result<opportunity::Opportunity, Code> {
    let own = opportunity::Opportunity {
        national_security: Some(true),
        ..record(id, 7)
    };
    match revision {
        0 => Ok(own),
        7 => Ok(opportunity::Opportunity {
            customer: None,
            ..own
        }),
        _ => Err(Code::NotFound),
    }
}

#[tokio::test]
async fn opp_017_classified_customer_is_in_no_notification() {
    let scenario = start_with(classified).await;
    let (of_aws, of_partner) = notify_both_sides(&scenario).await;
    for email in of_aws.into_iter().chain([of_partner]) {
        assert!(email.subject.ends_with(": Data platform"), "{email:?}");
        email.forbid(&[CUSTOMER]);
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn acc_011_limited_opportunity_has_no_name_in_channel_mails_of_aws() {
    let scenario = start_with(|id, revision| {
        Ok(opportunity::Opportunity {
            visibility: opportunity::Visibility::Limited.into(),
            ..record(id, revision)
        })
    })
    .await;
    let (of_aws, of_partner) = notify_both_sides(&scenario).await;
    // Reviewers see it nevertheless.
    for email in &of_aws[..2] {
        email.forbid(&[CUSTOMER, "Data platform"]);
    }
    assert!(of_aws[2].subject.ends_with(PROJECT), "{of_aws:?}");
    assert!(of_partner.subject.ends_with(PROJECT), "{of_partner:?}");
    scenario.app.finish::<Notifications>().await;
}

/// The event is processed only after the offer has expired, whose content the referral service no longer shows.
#[tokio::test]
async fn ref_012_content_of_expired_offer_reaches_no_mail() {
    let scenario = start_as(Fixture {
        referral: Box::new(|account, _| match account {
            ALDER => Ok(ReferralRecord::Offer(Box::new(referral::ReferralOffer {
                state: referral::ReferralOfferState::Expired.into(),
                ..Default::default()
            }))),
            _ => Err(Code::NotFound),
        }),
        ..Fixture::default()
    })
    .await;
    let peer = &scenario.peer;
    peer.publish_event("referral", ALDER, OFFER, 1, &offered()).await;
    let email = scenario
        .email(&address("mem-lead"), "AWS offers you a lead")
        .await;
    email.require(
        &["AWS offers your account a lead."],
        "/referral-offers/engi-0000000000004",
        "Referral offer engi-0000000000004",
    );
    email.forbid(&["Customer:", "Project:", "Message", "Contacts"]);
    assert_eq!(scenario.recipients(1).await, [address("mem-lead")]);
    scenario.app.finish::<Notifications>().await;
}

/// An event of one partner never notifies members of another one, whatever account it names.
#[tokio::test]
async fn acc_020_channel_event_naming_another_account_notifies_none_of_its_members() {
    let scenario = start().await;
    let invited = collaboration::ChannelMemberInvited {
        detail: channel(CHANNEL),
        member_account_id: BIRCH.to_owned(),
        member_id: "mem-birch".to_owned(),
    };
    let peer = &scenario.peer;
    peer.publish_event("collaboration", ALDER, CHANNEL, 1, &invited)
        .await;
    scenario.wait_until_processed("collaboration", 1).await;
    assert_eq!(scenario.recipients(0).await, Vec::<String>::new());
    assert_eq!(scenario.inbox(&other_account_lead()).await, []);
    scenario.app.finish::<Notifications>().await;
}
