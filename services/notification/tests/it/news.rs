//! What happens is told to those whom it concerns, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::NotificationKind as Kind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1::ReviewRoundOpened;
use cosell_proto::cosell::r#type::v1::ReviewReason;
use cosell_testkit::harness::{FarEnd, aws, eventually, partner};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, address, approved, count, lead, marketing, record, start, start_with, stranger, tara, user,
};

#[tokio::test]
async fn not_001_every_kind_reaches_the_inboxes_and_the_mailboxes_of_those_it_concerns() {
    let stage = start_with(|id, revision| {
        let mut record = record(id, revision);
        if let ("O2" | "O4", Some(life_cycle)) = (id, Some(record.life_cycle.get_or_insert_default())) {
            life_cycle.review_status_reason = ReviewReason::ClarifyRevenue.into();
            life_cycle.review_comments = "Explain the amount.".to_owned();
        }
        Ok(record)
    })
    .await;
    let base = || ("opportunity", ALDER);
    let (context, account) = base();
    let far = &stage.far;
    let submitted = opportunity::OpportunitySubmitted {
        opportunity_id: "O1".to_owned(),
        ..Default::default()
    };
    far.tell(context, account, "O1", 1, &submitted).await;
    let returned = opportunity::OpportunityActionRequired {
        opportunity_id: "O2".to_owned(),
        ..Default::default()
    };
    far.tell(context, account, "O2", 1, &returned).await;
    far.tell(context, account, "O3", 1, &approved("O3")).await;
    let rejected = opportunity::OpportunityRejected {
        opportunity_id: "O4".to_owned(),
        ..Default::default()
    };
    far.tell(context, account, "O4", 1, &rejected).await;
    for (case, id, reviewer) in [("rc-a", "O5", ""), ("rc-b", "O6", "mem-tara")] {
        let opened = ReviewRoundOpened {
            review_case_id: case.to_owned(),
            opportunity_id: id.to_owned(),
            account_id: ALDER.to_owned(),
            revision: 1,
            round: 2,
            assignee_member_id: reviewer.to_owned(),
        };
        far.tell("review", account, case, 1, &opened).await;
    }

    // Two owners-or-creators for each status change, the lead and the user for the correction.
    let people = [
        (
            user(),
            vec![
                ("O1", Kind::OpportunitySubmitted),
                ("O2", Kind::ActionRequired),
                ("O3", Kind::OpportunityApproved),
                ("O4", Kind::OpportunityRejected),
            ],
        ),
        (
            marketing(),
            vec![
                ("O1", Kind::OpportunitySubmitted),
                ("O3", Kind::OpportunityApproved),
                ("O4", Kind::OpportunityRejected),
            ],
        ),
        (lead(), vec![("O2", Kind::ActionRequired)]),
        (partner("mem-second", ALDER, Role::AceUser), vec![]),
        (stranger(), vec![]),
        (
            tara(),
            vec![("O5", Kind::ReviewRequested), ("O6", Kind::ReviewRequested)],
        ),
        (
            aws("mem-umar", Role::Reviewer),
            vec![("O5", Kind::ReviewRequested)],
        ),
    ];
    for (caller, expected) in people {
        eventually(async || {
            let inbox = stage.inbox(&caller).await;
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
    let to = stage.recipients(6).await;
    let expected = [
        "mem-lead",
        "mem-marketing",
        "mem-marketing",
        "mem-user",
        "mem-user",
        "mem-user",
    ];
    assert_eq!(to, expected.map(address));

    let returned = stage.told(&user(), "O2").await;
    assert_eq!(returned.subject, "O2 needs your action");
    for part in [
        "Customer of O2",
        "Data platform",
        "Clarify Revenue",
        "Explain the amount.",
    ] {
        assert!(
            returned.body.contains(part),
            "{part} is missing in {}",
            returned.body
        );
    }
    let waiting = stage.told(&tara(), "O5").await;
    assert!(
        waiting.body.contains("rc-a") && waiting.body.contains(ALDER),
        "{}",
        waiting.body
    );
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_002_sales_contacts_of_the_partner_get_mail_and_no_one_gets_two() {
    let stage = start_with(|id, revision| {
        let person = |email: &str, title: &str| opportunity::Contact {
            email: email.to_owned(),
            business_title: title.to_owned(),
            ..Default::default()
        };
        Ok(opportunity::Opportunity {
            opportunity_team: vec![
                person("sales@alder.example", "PartnerAccountManager"),
                person(&address("mem-user"), "PartnerAccountManager"),
                person("owner@alder.example", "OpportunityOwner"),
            ],
            ..record(id, revision)
        })
    })
    .await;
    stage.approve("O7").await;
    let to = stage.recipients(3).await;
    assert_eq!(
        to,
        [
            address("mem-marketing"),
            address("mem-user"),
            "sales@alder.example".to_owned()
        ]
    );

    // Whoever refuses it as a member does not get it as a contact either (NOT-003).
    let wish = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![Kind::OpportunityApproved.into()],
        ..Default::default()
    };
    stage
        .by(&user())
        .update_notification_preferences(wish)
        .await
        .expect("preferences");
    stage.approve("O8").await;
    let to = stage.recipients(5).await;
    assert_eq!(
        to.iter().filter(|address| address.contains("mem-user")).count(),
        1,
        "{to:?}"
    );
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_003_who_opted_out_has_it_in_the_inbox_only_and_from_then_on() {
    let stage = start().await;
    stage.approve("O7").await;
    assert_eq!(
        stage.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    let none = stage
        .by(&user())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(none.into_inner().notification_preferences, Some(nothing()));

    let email_opt_outs = vec![Kind::OpportunityApproved.into()];
    let wish = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: email_opt_outs.clone(),
        request_id: String::new(),
        ..Default::default()
    };
    let now = stage
        .by(&user())
        .update_notification_preferences(wish)
        .await
        .expect("preferences");
    let expected = Some(pb::NotificationPreferences {
        email_opt_outs,
        etag: "\"1\"".to_owned(),
    });
    assert_eq!(now.into_inner().notification_preferences, expected);
    let kept = stage
        .by(&user())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(kept.into_inner().notification_preferences, expected);
    let of_another = stage
        .by(&marketing())
        .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
        .await
        .expect("preferences");
    assert_eq!(of_another.into_inner().notification_preferences, Some(nothing()));

    stage.approve("O8").await;
    assert_eq!(
        stage.recipients(3).await,
        [
            address("mem-marketing"),
            address("mem-marketing"),
            address("mem-user")
        ]
    );
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_an_event_that_comes_again_is_told_once() {
    let stage = start().await;
    let id = FarEnd::id();
    stage
        .far
        .publish(&id, "opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    // Published by a relay that had forgotten: a new message to the bus, the same event.
    stage
        .far
        .publish(&id, "opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    // The consumer works in order, so the next one shows that the second was seen.
    let updated = opportunity::OpportunityRejected {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    stage.far.tell("opportunity", ALDER, "O7", 2, &updated).await;
    stage.recipients(4).await;
    assert_eq!(stage.inbox(&user()).await.len(), 2);
    assert_eq!(stage.inbox(&marketing()).await.len(), 2);
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_009_what_cannot_be_asked_now_is_told_once_it_can() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let stage = start_with(
        move |id, revision| match counter.fetch_add(1, Ordering::Relaxed) {
            0..=7 => Err(Code::Unavailable),
            _ => Ok(record(id, revision)),
        },
    )
    .await;
    stage.approve("O7").await;
    assert!(
        asked.load(Ordering::Relaxed) > 8,
        "it must have been asked until it answered"
    );
    let letters = count(&stage.app, "SELECT count(*) FROM dead_letter").await;
    assert_eq!(
        letters, 0,
        "an answer that comes later is no reason for a dead letter"
    );
    stage.app.finish::<Notifications>().await;
}

/// A record that nobody finds blocks its own news, not those of others; and can be told later.
#[tokio::test]
async fn plt_009_a_dead_letter_holds_up_its_record_only_and_is_told_after_a_redrive() {
    let repaired = Arc::new(AtomicUsize::new(0));
    let seen = repaired.clone();
    let mut stage = start_with(move |id, revision| match (id, seen.load(Ordering::Relaxed)) {
        ("O7", 0) => Err(Code::NotFound),
        _ => Ok(record(id, revision)),
    })
    .await;
    stage
        .far
        .tell("opportunity", ALDER, "O7", 1, &approved("O7"))
        .await;
    let rejected = opportunity::OpportunityRejected {
        opportunity_id: "O7".to_owned(),
        ..Default::default()
    };
    stage.far.tell("opportunity", ALDER, "O7", 2, &rejected).await;
    stage.approve("O8").await;
    eventually(async || {
        match count(
            &stage.app,
            "SELECT count(*) FROM dead_letter WHERE resolved_at IS NULL",
        )
        .await
        {
            2 => Ok(()),
            letters => Err(format!("{letters} dead letters")),
        }
    })
    .await;
    assert_eq!(stage.inbox(&user()).await.len(), 1);

    repaired.store(1, Ordering::Relaxed);
    assert_eq!(
        stage
            .app
            .redrive::<Notifications>("notification-opportunity")
            .await,
        2
    );
    let inbox = stage.inbox(&user()).await;
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
    stage.app.leaves_events();
    stage.app.finish::<Notifications>().await;
}

/// What somebody wants who never said anything.
fn nothing() -> pb::NotificationPreferences {
    pb::NotificationPreferences {
        email_opt_outs: Vec::new(),
        etag: "\"0\"".to_owned(),
    }
}
