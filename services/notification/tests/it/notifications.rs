//! Covers notifications about opportunities and reviews: recipients, sales contacts, opt-outs, duplicate events,
//! unavailable peers, and dead letters (NOT-001 to NOT-003, PLT-009).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1::ReviewRoundOpened;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_testkit::harness::{PeerStub, aws, eventually, partner};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, PROJECT, ace_user, address, alliance_lead, approved, count, marketing_staff, other_account_lead,
    record, start, start_with, tara,
};

#[tokio::test]
async fn not_001_every_kind_reaches_inbox_and_mailbox_of_its_recipients() {
    let scenario = start_with(|id, revision| {
        let mut record = record(id, revision);
        if let ("O2" | "O4", Some(life_cycle)) = (id, Some(record.life_cycle.get_or_insert_default())) {
            life_cycle.review_status_reason = ReviewReason::ClarifyRevenue.into();
            life_cycle.review_comments = "Explain the amount.".to_owned();
        }
        Ok(record)
    })
    .await;
    let (context, account) = ("opportunity", ALDER);
    let peer = &scenario.peer;
    let submitted = opportunity::OpportunitySubmitted {
        opportunity_id: "O1".to_owned(),
        ..Default::default()
    };
    peer.publish_event(context, account, "O1", 1, &submitted).await;
    let returned = opportunity::OpportunityActionRequired {
        opportunity_id: "O2".to_owned(),
        ..Default::default()
    };
    peer.publish_event(context, account, "O2", 1, &returned).await;
    peer.publish_event(context, account, "O3", 1, &approved("O3"))
        .await;
    let rejected = opportunity::OpportunityRejected {
        opportunity_id: "O4".to_owned(),
        ..Default::default()
    };
    peer.publish_event(context, account, "O4", 1, &rejected).await;
    for (case, id, reviewer) in [("rc-a", "O5", ""), ("rc-b", "O6", "mem-tara")] {
        let opened = ReviewRoundOpened {
            review_case_id: case.to_owned(),
            opportunity_id: id.to_owned(),
            account_id: ALDER.to_owned(),
            revision: 1,
            round: 2,
            assignee_member_id: reviewer.to_owned(),
        };
        peer.publish_event("review", account, case, 1, &opened).await;
    }

    // Status changes notify owner and creator; a correction request also notifies the alliance lead.
    let expectations = [
        (
            ace_user(),
            vec![
                ("O1", Kind::OpportunitySubmitted),
                ("O2", Kind::ActionRequired),
                ("O3", Kind::OpportunityApproved),
                ("O4", Kind::OpportunityRejected),
            ],
        ),
        (
            marketing_staff(),
            vec![
                ("O1", Kind::OpportunitySubmitted),
                ("O2", Kind::ActionRequired),
                ("O3", Kind::OpportunityApproved),
                ("O4", Kind::OpportunityRejected),
            ],
        ),
        (alliance_lead(), vec![("O2", Kind::ActionRequired)]),
        (partner("mem-second", ALDER, Role::AceUser), vec![]),
        (other_account_lead(), vec![]),
        (
            tara(),
            vec![("O5", Kind::ReviewRequested), ("O6", Kind::ReviewRequested)],
        ),
        (
            aws("mem-umar", Role::Reviewer),
            vec![("O5", Kind::ReviewRequested)],
        ),
    ];
    for (caller, expected) in expectations {
        eventually(async || {
            let inbox = scenario.inbox(&caller).await;
            let mut seen: Vec<_> = inbox
                .iter()
                .map(|entry| (entry.opportunity_id.as_str(), entry.kind()))
                .collect();
            seen.sort();
            if seen == expected {
                Ok(())
            } else {
                Err(format!("{caller:?} sees {seen:?}, not {expected:?}"))
            }
        })
        .await;
    }
    let to = scenario.recipients(7).await;
    let expected = [
        "mem-lead",
        "mem-marketing",
        "mem-marketing",
        "mem-marketing",
        "mem-user",
        "mem-user",
        "mem-user",
    ];
    assert_eq!(to, expected.map(address));

    let returned = scenario.wait_for_notification(&ace_user(), "O2").await;
    assert_eq!(returned.subject, format!("Action required: {PROJECT}"));
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_002_sales_contacts_receive_email_without_duplicates() {
    let scenario = start_with(|id, revision| {
        let contact = |email: &str, title: &str| opportunity::Contact {
            email: email.to_owned(),
            business_title: title.to_owned(),
            ..Default::default()
        };
        Ok(opportunity::Opportunity {
            opportunity_team: vec![
                contact("sales@alder.example", "PartnerAccountManager"),
                contact(&address("mem-user"), "PartnerAccountManager"),
                contact("owner@alder.example", "OpportunityOwner"),
            ],
            ..record(id, revision)
        })
    })
    .await;
    scenario.approve("O7").await;
    let to = scenario.recipients(3).await;
    assert_eq!(
        to,
        [
            address("mem-marketing"),
            address("mem-user"),
            "sales@alder.example".to_owned()
        ]
    );

    // A member that opted out does not receive the e-mail as a sales contact either (NOT-003).
    let opt_out = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![Kind::OpportunityApproved.into()],
        ..Default::default()
    };
    scenario
        .client(&ace_user())
        .update_notification_preferences(opt_out)
        .await
        .expect("preferences");
    scenario.approve("O8").await;
    let to = scenario.recipients(5).await;
    assert_eq!(
        to.iter().filter(|address| address.contains("mem-user")).count(),
        1,
        "{to:?}"
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_003_opt_out_stops_emails_and_keeps_inbox_entries() {
    let scenario = start().await;
    scenario.approve("O7").await;
    assert_eq!(
        scenario.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    let before = scenario
        .client(&ace_user())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(
        before.into_inner().notification_preferences,
        Some(default_preferences())
    );

    let email_opt_outs = vec![Kind::OpportunityApproved.into()];
    let opt_out = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: email_opt_outs.clone(),
        request_id: String::new(),
        ..Default::default()
    };
    let updated = scenario
        .client(&ace_user())
        .update_notification_preferences(opt_out)
        .await
        .expect("preferences");
    let expected = Some(pb::NotificationPreferences {
        email_opt_outs,
        etag: "\"1\"".to_owned(),
    });
    assert_eq!(updated.into_inner().notification_preferences, expected);
    let stored = scenario
        .client(&ace_user())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(stored.into_inner().notification_preferences, expected);
    let other_member = scenario
        .client(&marketing_staff())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(
        other_member.into_inner().notification_preferences,
        Some(default_preferences())
    );

    scenario.approve("O8").await;
    assert_eq!(
        scenario.recipients(3).await,
        [
            address("mem-marketing"),
            address("mem-marketing"),
            address("mem-user")
        ]
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_duplicate_event_is_notified_once() {
    let scenario = start().await;
    let id = PeerStub::id();
    scenario
        .peer
        .publish(&id, "opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    // The same event in a new message, as a relay publishes it after a crash.
    scenario
        .peer
        .publish(&id, "opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    // The consumer processes events in order, so the notification of the next event shows that the duplicate was
    // processed.
    let updated = opportunity::OpportunityRejected {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O7", 2, &updated)
        .await;
    scenario.recipients(4).await;
    assert_eq!(scenario.inbox(&ace_user()).await.len(), 2);
    assert_eq!(scenario.inbox(&marketing_staff()).await.len(), 2);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_notification_is_sent_once_unavailable_peer_responds() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let scenario = start_with(
        move |id, revision| match counter.fetch_add(1, Ordering::Relaxed) {
            0..=7 => Err(Code::Unavailable),
            _ => Ok(record(id, revision)),
        },
    )
    .await;
    scenario.approve("O7").await;
    assert!(
        calls.load(Ordering::Relaxed) > 8,
        "the peer must be called until it responds"
    );
    let dead_letters = count(&scenario.app, "SELECT count(*) FROM dead_letter").await;
    assert_eq!(
        dead_letters, 0,
        "a transient failure must not cause a dead letter"
    );
    scenario.app.finish::<Notifications>().await;
}

/// A record that the peer fails to read blocks notifications about itself only, until a redrive.
#[tokio::test]
async fn plt_009_dead_letter_blocks_its_record_only_and_is_redriven() {
    let repaired = Arc::new(AtomicUsize::new(0));
    let is_repaired = repaired.clone();
    let mut scenario = start_with(
        move |id, revision| match (id, is_repaired.load(Ordering::Relaxed)) {
            ("O7", 0) => Err(Code::Internal),
            _ => Ok(record(id, revision)),
        },
    )
    .await;
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    let rejected = opportunity::OpportunityRejected {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O7", 2, &rejected)
        .await;
    scenario.approve("O8").await;
    eventually(async || {
        match count(
            &scenario.app,
            "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL",
        )
        .await
        {
            2 => Ok(()),
            count => Err(format!("{count} dead letters")),
        }
    })
    .await;
    assert_eq!(scenario.inbox(&ace_user()).await.len(), 1);

    repaired.store(1, Ordering::Relaxed);
    assert_eq!(
        scenario
            .app
            .redrive::<Notifications>("notification-opportunity")
            .await,
        2
    );
    let inbox = scenario.inbox(&ace_user()).await;
    let kinds: Vec<_> = inbox
        .iter()
        .filter(|entry| entry.opportunity_id == "O7")
        .map(pb::Notification::kind)
        .collect();
    assert_eq!(kinds.len(), 2, "{inbox:?}");
    assert!(
        kinds.contains(&Kind::OpportunityApproved) && kinds.contains(&Kind::OpportunityRejected),
        "{kinds:?}"
    );
    scenario.app.allow_unpublished_events();
    scenario.app.finish::<Notifications>().await;
}

/// The preferences of a member who has never set any.
fn default_preferences() -> pb::NotificationPreferences {
    pb::NotificationPreferences {
        email_opt_outs: Vec::new(),
        etag: "\"0\"".to_owned(),
    }
}
