//! Covers the texts of notifications by family of events: customer, title, person, deadline, reason and link instead of
//! ids (NOT-005). Members, connection invitations, channels and closures have theirs in the files of their events.

use cosell_notification::Notifications;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::review::v1::ReviewRoundOpened;
use cosell_proto::cosell::r#type::v1::{ParticipantType, PayloadType, RejectionReason, ReviewReason};
use cosell_testkit::harness::{REJECTED_INVITATION, ReferralRecord};
use prost_types::Timestamp;
use tonic::Code;

use crate::email::{Email, LINK_BASE};
use crate::support::{
    ALDER, AWS, BIRCH, Fixture, PROJECT, PROJECT_LINES, Scenario, address, alliance_lead, approved,
    other_account_lead, record, start, start_as, start_with, tara,
};

const OFFER: &str = "engi-0000000000004";
const NEXT_OFFER: &str = "engi-0000000000005";
const REFERRAL: &str = "ref-0000000000004";
const LEAD: &str = "lead-0000000000004";
const INVITATION: &str = "engi-a000000000004";

/// 2026-03-10 00:00 UTC.
fn deadline() -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_773_100_800,
        nanos: 0,
    })
}

fn aws_contact() -> opportunity::Contact {
    opportunity::Contact {
        first_name: "Vera".to_owned(),
        last_name: "Stone".to_owned(),
        business_title: "AWSSalesRep".to_owned(),
        email: "vera@aws.example".to_owned(),
        ..Default::default()
    }
}

/// The records of the referral service: each for its own account only.
fn referral_record(account: &str, id: &str) -> Result<ReferralRecord, Code> {
    match (account, id) {
        (ALDER, OFFER) => Ok(ReferralRecord::Offer(Box::new(referral::ReferralOffer {
            message: "Please call them.".to_owned(),
            sender_contacts: vec![aws_contact()],
            payload: Some(referral::referral_offer::Payload::Opportunity(
                referral::OfferedOpportunity {
                    customer_company_name: "Nordwind GmbH".to_owned(),
                    title: "Data platform".to_owned(),
                    ..Default::default()
                },
            )),
            ..Default::default()
        }))),
        (AWS, REFERRAL) => {
            let status = |id: &str, account: &str| referral::ReferralOfferStatus {
                referral_offer_id: id.to_owned(),
                account_id: account.to_owned(),
                expire_time: deadline(),
                ..Default::default()
            };
            let rejected = referral::ReferralOfferStatus {
                rejection_reason: RejectionReason::UnableToSupport.into(),
                rejection_text: "no capacity".to_owned(),
                ..status(OFFER, ALDER)
            };
            Ok(ReferralRecord::Referral(Box::new(referral::Referral {
                payload: Some(referral::referral::Payload::Opportunity(record("", 0))),
                offers: vec![rejected, status(NEXT_OFFER, BIRCH)],
                ..Default::default()
            })))
        }
        (ALDER, LEAD) => Ok(ReferralRecord::Lead(Box::new(referral::Lead {
            details: Some(referral::LeadDetails {
                customer_company_name: "Nordwind GmbH".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }))),
        _ => Err(Code::NotFound),
    }
}

async fn start_with_referrals() -> Scenario {
    start_as(Fixture {
        referral: Box::new(referral_record),
        ..Fixture::default()
    })
    .await
}

async fn publish_offer(scenario: &Scenario, account: &str, id: &str) {
    let offered = referral::ReferralOfferCreated {
        referral_offer_id: id.to_owned(),
        account_id: account.to_owned(),
        revision: 1,
        expire_time: deadline(),
        payload_type: PayloadType::OpportunityInvitation.into(),
    };
    let peer = &scenario.peer;
    peer.publish_event("referral", account, id, 1, &offered).await;
}

#[tokio::test]
async fn not_005_action_required_mail_lists_reason_comments_and_open_fields() {
    let scenario = start_with(|id, revision| {
        Ok(opportunity::Opportunity {
            life_cycle: Some(opportunity::LifeCycle {
                review_status_reason: ReviewReason::ClarifySolution.into(),
                review_comments: "Explain which product is sold.".to_owned(),
                correctable_fields: [
                    "project.customer_business_problem",
                    "project.title",
                    "related_entity_identifiers.solutions",
                ]
                .map(str::to_owned)
                .to_vec(),
                ..Default::default()
            }),
            ..record(id, revision)
        })
    })
    .await;
    let returned = opportunity::OpportunityActionRequired::default();
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O42", 1, &returned)
        .await;
    let subject = format!("Action required: {PROJECT}");
    let email = scenario.email(&address("mem-user"), &subject).await;
    let parts = [
        &format!("{PROJECT_LINES}Reason:   Clarify Solution\n"),
        "Review comments:\n> Explain which product is sold.\n",
        "You can change these fields now:\n- Customer business problem\n- Project title\n- Solutions\n",
    ];
    email.require(&parts, "/opportunities/O42", "Opportunity O42");
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_opportunity_mails_name_customer_title_and_owners() {
    let scenario = start_with(|id, revision| {
        Ok(opportunity::Opportunity {
            life_cycle: Some(opportunity::LifeCycle {
                reopening: Some(opportunity::Reopening {
                    reason: "The contract was signed after all.".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..record(id, revision)
        })
    })
    .await;
    let (peer, context) = (&scenario.peer, "opportunity");
    peer.publish_event(context, ALDER, "O41", 1, &approved("O41"))
        .await;
    let reopened = opportunity::OpportunityReopened::default();
    peer.publish_event(context, ALDER, "O42", 1, &reopened).await;
    let assigned = opportunity::OpportunityAssigned {
        opportunity_id: "O43".to_owned(),
        previous_owner_member_id: "mem-user".to_owned(),
        owner_member_id: "mem-second".to_owned(),
        ..Default::default()
    };
    peer.publish_event(context, ALDER, "O43", 1, &assigned).await;
    for (to, subject, id, part) in [
        ("mem-user", "Approved by AWS: ", "O41", ""),
        (
            "mem-user",
            "Reopened by AWS: ",
            "O42",
            "Reason:\n> The contract was signed after all.\n",
        ),
        (
            "mem-second",
            "Opportunity assigned to Mary Jackson: ",
            "O43",
            "New owner:      Mary Jackson\nPrevious owner: Grace Hopper\n",
        ),
    ] {
        let email = scenario.email(&address(to), &format!("{subject}{PROJECT}")).await;
        let (path, last_line) = (format!("/opportunities/{id}"), format!("Opportunity {id}"));
        email.require(&[PROJECT_LINES, part], &path, &last_line);
    }
    scenario.app.finish::<Notifications>().await;
}

/// Reviewers receive no e-mail, so the text is that of the inbox.
#[tokio::test]
async fn not_005_review_request_names_partner_customer_title_and_round() {
    let scenario = start().await;
    let opened = ReviewRoundOpened {
        review_case_id: "rc-0000000000004".to_owned(),
        opportunity_id: "O42".to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        round: 2,
        ..Default::default()
    };
    let peer = &scenario.peer;
    peer.publish_event("review", ALDER, &opened.review_case_id, 1, &opened)
        .await;
    let entry = scenario.wait_for_notification(&tara(), "O42").await;
    assert_eq!(entry.subject, format!("Review requested: {PROJECT}"));
    let parts = ["Alder submitted an opportunity", PROJECT_LINES, "Round:    2\n"];
    Email::from(entry).require(
        &parts,
        "/review-cases/rc-0000000000004",
        "Review case rc-0000000000004, opportunity O42",
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_offer_mails_name_customer_contacts_and_deadline() {
    let scenario = start_with_referrals().await;
    publish_offer(&scenario, ALDER, OFFER).await;
    let expires_soon = referral::ReferralOfferExpiresSoon {
        referral_offer_id: OFFER.to_owned(),
        expire_time: deadline(),
        payload_type: PayloadType::OpportunityInvitation.into(),
        ..Default::default()
    };
    let peer = &scenario.peer;
    peer.publish_event("referral", ALDER, OFFER, 2, &expires_soon)
        .await;
    for (subject, part) in [
        (
            "AWS offers you an opportunity: ",
            "Message from AWS:\n> Please call them.\n",
        ),
        (
            "Offer of an opportunity expires soon: ",
            "Accept or reject the offer before the deadline.",
        ),
    ] {
        let email = scenario
            .email(&address("mem-lead"), &format!("{subject}{PROJECT}"))
            .await;
        let parts = [
            &format!("{PROJECT_LINES}Deadline: 2026-03-10 00:00 UTC\n"),
            "Contacts at AWS:\n- Vera Stone, AWSSalesRep, vera@aws.example\n",
            part,
        ];
        let last_line = format!("Referral offer {OFFER}");
        email.require(&parts, &format!("/referral-offers/{OFFER}"), &last_line);
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_referral_answer_names_partners_reason_and_next_deadline() {
    let scenario = start_with_referrals().await;
    let rejected = referral::ReferralRouted {
        referral_id: REFERRAL.to_owned(),
        created_by: "mem-vera".to_owned(),
        referral_offer_id: OFFER.to_owned(),
        offer_state: referral::ReferralOfferState::Rejected.into(),
        ..Default::default()
    };
    let accepted = referral::ReferralAccepted {
        referral_id: REFERRAL.to_owned(),
        created_by: "mem-vera".to_owned(),
        referral_offer_id: NEXT_OFFER.to_owned(),
        opportunity_id: "O42".to_owned(),
        ..Default::default()
    };
    let exhausted = referral::ReferralExhausted {
        referral_id: REFERRAL.to_owned(),
        created_by: "mem-vera".to_owned(),
        referral_offer_id: NEXT_OFFER.to_owned(),
        offer_state: referral::ReferralOfferState::Expired.into(),
        ..Default::default()
    };
    let peer = &scenario.peer;
    peer.publish_event("referral", AWS, REFERRAL, 1, &rejected).await;
    peer.publish_event("referral", AWS, REFERRAL, 2, &accepted).await;
    peer.publish_event("referral", AWS, REFERRAL, 3, &exhausted).await;
    let path = format!("/referrals/{REFERRAL}");
    let subject = format!("Alder rejected the offer, and Birch received one: {PROJECT}");
    let email = scenario.email(&address("mem-vera"), &subject).await;
    let parts = [
        PROJECT_LINES,
        "Reason:   Unable to support\nDeadline: 2026-03-10 00:00 UTC, for the next partner\n",
        "Explanation:\n> no capacity\n",
    ];
    email.require(&parts, &path, &format!("Referral {REFERRAL}"));
    let subject = format!("Birch accepted the offer: {PROJECT}");
    let email = scenario.email(&address("mem-vera"), &subject).await;
    let last_line = format!("Referral {REFERRAL}, opportunity O42");
    email.require(&[PROJECT_LINES], &path, &last_line);
    email.forbid(&["Reason", "Deadline"]);
    let subject = format!("The offer to Birch expired, and no partner is left on the list: {PROJECT}");
    let email = scenario.email(&address("mem-vera"), &subject).await;
    email.require(&[PROJECT_LINES], &path, &format!("Referral {REFERRAL}"));
    email.forbid(&["Reason", "Deadline"]);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_lead_mail_names_customer_and_owners() {
    let scenario = start_with_referrals().await;
    let assigned = referral::LeadAssigned {
        lead_id: LEAD.to_owned(),
        previous_owner_member_id: "mem-lead".to_owned(),
        owner_member_id: "mem-user".to_owned(),
        ..Default::default()
    };
    let peer = &scenario.peer;
    peer.publish_event("referral", ALDER, LEAD, 1, &assigned).await;
    let subject = "Lead assigned to Grace Hopper: Nordwind GmbH";
    let email = scenario.email(&address("mem-user"), subject).await;
    let parts = [
        "Customer: Nordwind GmbH\n",
        "New owner:      Grace Hopper\nPrevious owner: Ada Lovelace\n",
    ];
    email.require(&parts, &format!("/leads/{LEAD}"), &format!("Lead {LEAD}"));
    scenario.app.finish::<Notifications>().await;
}

fn engagement(id: &str, account: &str) -> Option<collaboration::EngagementInvitationEventDetail> {
    let is_sender = account == ALDER;
    let if_sender = |text: &str| if is_sender { text.to_owned() } else { String::new() };
    let participant = if is_sender {
        ParticipantType::Sender
    } else {
        ParticipantType::Receiver
    };
    Some(collaboration::EngagementInvitationEventDetail {
        engagement_invitation_id: id.to_owned(),
        participant_type: participant.into(),
        sender_account_id: ALDER.to_owned(),
        receiver_account_id: BIRCH.to_owned(),
        expire_time: deadline(),
        opportunity_id: if_sender("O42"),
        sent_by: if_sender("mem-user"),
        ..Default::default()
    })
}

#[tokio::test]
async fn not_005_engagement_mails_show_the_receiver_what_is_shared_and_no_more() {
    let scenario = start().await;
    let (peer, context) = (&scenario.peer, "collaboration");
    let created = collaboration::EngagementInvitationCreated {
        detail: engagement(INVITATION, BIRCH),
    };
    peer.publish_event(context, BIRCH, INVITATION, 1, &created).await;
    let rejected = collaboration::EngagementInvitationRejected {
        detail: engagement(REJECTED_INVITATION, ALDER),
        ..Default::default()
    };
    peer.publish_event(context, ALDER, REJECTED_INVITATION, 1, &rejected)
        .await;
    let subject = "Alder shares an opportunity with you: Shared project (Shared Customer)";
    let email = scenario.email(&address("mem-birch"), subject).await;
    let parts = [
        "Customer: Shared Customer\nProject:  Shared project\nDeadline: 2026-03-10 00:00 UTC\n",
        "Message:\n> Let us win this together\n",
        "Contacts at the partner:\n- Ada Lovelace, AllianceLead, ada@alder.example\n",
    ];
    let path = format!("/engagement-invitations/{INVITATION}");
    email.require(&parts, &path, &format!("Engagement invitation {INVITATION}"));
    email.forbid(&["Nordwind", "Data platform", "O42", "Hopper"]);

    let subject = format!("Birch rejected your invitation: {PROJECT}");
    let email = scenario.email(&address("mem-user"), &subject).await;
    let parts = [
        PROJECT_LINES,
        "Reason:   Next steps unclear\n\nExplanation:\n> Please call us first\n",
    ];
    let path = format!("/engagement-invitations/{REJECTED_INVITATION}");
    let last_line = format!("Engagement invitation {REJECTED_INVITATION}, opportunity O42");
    email.require(&parts, &path, &last_line);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_bulk_job_mail_names_starter_owner_and_counts() {
    let scenario = start().await;
    let finished = opportunity::BulkJobFinished {
        bulk_job_id: "bulkjob-0000000000004".to_owned(),
        kind: opportunity::BulkKind::Transfer.into(),
        state: opportunity::BulkState::Failed.into(),
        created_by: "mem-lead".to_owned(),
        owner_member_id: "mem-second".to_owned(),
        previous_owner_member_ids: vec!["mem-user".to_owned()],
        total: 3,
        processed: 2,
        failed: 1,
        ..Default::default()
    };
    let peer = &scenario.peer;
    peer.publish_event("opportunity", ALDER, "bulkjob-0000000000004", 1, &finished)
        .await;
    let owners = ["mem-lead", "mem-second", "mem-user"].map(address);
    assert_eq!(scenario.recipients(3).await, owners);
    let subject = "Transfer was stopped: 2 of 3 rows processed, 1 failed";
    let email = scenario.email(&owners[1], subject).await;
    let parts = [
        "The transfer started by Ada Lovelace was stopped.\n",
        "Reason: A member involved no longer has the required role.\n",
        "New owner: Mary Jackson\n",
    ];
    email.require(
        &parts,
        "/operations/bulkjob-0000000000004",
        "Operation bulkjob-0000000000004",
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_005_without_link_base_notifications_have_no_link() {
    let scenario = start_as(Fixture {
        referral: Box::new(referral_record),
        link_base: "",
        ..Fixture::default()
    })
    .await;
    scenario.approve("O42").await;
    publish_offer(&scenario, ALDER, OFFER).await;
    for (to, last_line) in [
        ("mem-user", "\n\nOpportunity O42\n"),
        ("mem-lead", "\n\nReferral offer engi-0000000000004\n"),
    ] {
        let email = scenario.email(&address(to), PROJECT).await;
        assert!(email.body.ends_with(last_line), "{email:?}");
        email.forbid(&["http", "Open it", LINK_BASE]);
    }
    scenario.app.finish::<Notifications>().await;
}

/// The offer is that of Alder. The event names Birch, which therefore reads nothing of it.
#[tokio::test]
async fn ref_012_offer_mail_discloses_nothing_of_the_offer_of_another_account() {
    let scenario = start_with_referrals().await;
    publish_offer(&scenario, BIRCH, OFFER).await;
    let email = scenario
        .email(&address("mem-birch"), "AWS offers you an opportunity")
        .await;
    email.require(
        &["Deadline: 2026-03-10 00:00 UTC\n"],
        &format!("/referral-offers/{OFFER}"),
        &format!("Referral offer {OFFER}"),
    );
    email.forbid(&["Nordwind", "Data platform", "Please call them", "Vera"]);
    assert_eq!(scenario.inbox(&alliance_lead()).await, []);
    let other = scenario
        .wait_for_kind(&other_account_lead(), Kind::ReferralOfferCreated)
        .await;
    assert_eq!(other.subject, "AWS offers you an opportunity");
    scenario.app.finish::<Notifications>().await;
}
