//! Covers the inbox and the preferences of a member: lists, marking as read, idempotency, etags, dry runs, validation,
//! and callers (NOT-010, PLT-002 to PLT-007, ACC-010).

use chrono::TimeDelta;
use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_testkit::harness::{refused, service};
use tonic::Code;

use crate::support::{ace_user, marketing_staff, other_account_lead, request_id, start, tara};

#[tokio::test]
async fn not_010_inbox_is_listed_newest_first_in_pages() {
    let scenario = start().await;
    for number in 1..=5 {
        scenario.approve(&format!("O{number}")).await;
        scenario.app.clock.advance(TimeDelta::seconds(1));
    }
    let mut request = pb::ListNotificationsRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = scenario
            .client(&ace_user())
            .list_notifications(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert!(page.notifications.len() <= 2);
        seen.extend(page.notifications.into_iter().map(|entry| entry.opportunity_id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        assert!(seen.len() < 5, "the last page must have no page token");
    }
    assert_eq!(seen, ["O5", "O4", "O3", "O2", "O1"]);

    let first = pb::ListNotificationsRequest {
        page_size: 2,
        ..Default::default()
    };
    let token = scenario
        .client(&ace_user())
        .list_notifications(first)
        .await
        .expect("a page")
        .into_inner()
        .next_page_token;
    let next = pb::ListNotificationsRequest {
        page_token: token,
        page_size: 2,
        unread_only: false,
    };
    let other_caller = scenario
        .client(&marketing_staff())
        .list_notifications(next.clone())
        .await;
    refused(other_caller, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    let other_query = pb::ListNotificationsRequest {
        unread_only: true,
        ..next
    };
    refused(
        scenario.client(&ace_user()).list_notifications(other_query).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_010_notifications_are_marked_read_atomically() {
    let scenario = start().await;
    scenario.approve("O1").await;
    scenario.approve("O2").await;
    let inbox = scenario.inbox(&ace_user()).await;
    let ids: Vec<_> = inbox.iter().map(|entry| entry.notification_id.clone()).collect();
    let foreign_id = scenario
        .wait_for_notification(&marketing_staff(), "O1")
        .await
        .notification_id;
    let mark_request = |ids: Vec<String>| pb::MarkNotificationsReadRequest {
        notification_ids: ids,
        request_id: String::new(),
        ..Default::default()
    };

    for invisible in [foreign_id.as_str(), "ntf-0000000000000"] {
        let request = mark_request(vec![ids[0].clone(), invisible.to_owned()]);
        let refusal = refused(
            scenario
                .client(&ace_user())
                .mark_notifications_read(request)
                .await,
            Code::NotFound,
            "NOTIFICATION_NOT_FOUND",
        );
        assert_eq!(refusal.domain, "notification.cosell");
        assert!(!refusal.message.contains(invisible), "{refusal:?}");
    }
    assert_eq!(unread_count(&scenario, &ace_user()).await, 2);

    let request = mark_request(vec![ids[0].clone(), ids[0].clone()]);
    let response = scenario
        .client(&ace_user())
        .mark_notifications_read(request)
        .await
        .expect("marked")
        .into_inner();
    assert_eq!(response.unread_count, 1);
    let read_time = scenario.inbox(&ace_user()).await[0].read_time;
    assert!(read_time.is_some());
    scenario.app.clock.advance(TimeDelta::hours(1));
    let response = scenario
        .client(&ace_user())
        .mark_notifications_read(mark_request(ids.clone()))
        .await
        .expect("marked")
        .into_inner();
    assert_eq!(response.unread_count, 0);
    let inbox = scenario.inbox(&ace_user()).await;
    assert_eq!(
        inbox[0].read_time, read_time,
        "a second call must not change the read time"
    );
    assert_ne!(inbox[1].read_time, read_time);

    let unread_only = pb::ListNotificationsRequest {
        unread_only: true,
        ..Default::default()
    };
    let remaining = scenario
        .client(&ace_user())
        .list_notifications(unread_only)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(remaining.notifications, []);
    assert_eq!(
        unread_count(&scenario, &marketing_staff()).await,
        2,
        "the inbox of another member must not change"
    );
    scenario.app.finish::<Notifications>().await;
}

async fn unread_count(scenario: &crate::support::Scenario, caller: &cosell_types::Caller) -> i64 {
    let response = scenario
        .client(caller)
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("a count");
    response.into_inner().unread_count
}

#[tokio::test]
async fn plt_002_repeated_request_changes_nothing_and_reused_id_is_refused() {
    let scenario = start().await;
    let update_request = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2],
        request_id: request_id(),
        ..Default::default()
    };
    scenario
        .client(&ace_user())
        .update_notification_preferences(update_request.clone())
        .await
        .expect("preferences");
    let other = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2, 3],
        ..Default::default()
    };
    scenario
        .client(&ace_user())
        .update_notification_preferences(other.clone())
        .await
        .expect("preferences");
    let again = scenario
        .client(&ace_user())
        .update_notification_preferences(update_request.clone())
        .await
        .expect("preferences")
        .into_inner();
    let opt_outs = again
        .notification_preferences
        .expect("preferences")
        .email_opt_outs;
    assert_eq!(
        opt_outs,
        [2, 3],
        "a repeated request must not overwrite a later change"
    );
    let reused = pb::UpdateNotificationPreferencesRequest {
        request_id: update_request.request_id,
        ..other
    };
    refused(
        scenario
            .client(&ace_user())
            .update_notification_preferences(reused)
            .await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_003_004_preferences_require_current_etag_and_support_dry_run() {
    let scenario = start().await;
    let update_request = |etag: &str, validate_only| pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2],
        etag: etag.to_owned(),
        validate_only,
        ..Default::default()
    };
    let update = async |request| {
        scenario
            .client(&ace_user())
            .update_notification_preferences(request)
            .await
    };
    let dry_run = update(update_request("\"0\"", true))
        .await
        .expect("a response")
        .into_inner();
    let changed = update(update_request("\"0\"", false))
        .await
        .expect("a response")
        .into_inner();
    assert_eq!(
        dry_run, changed,
        "a dry run must return the same response and keep the etag"
    );
    refused(
        update(update_request("\"0\"", false)).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    update(update_request("\"1\"", false))
        .await
        .expect("the current one");
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_007_invalid_request_is_refused_with_every_violation() {
    let scenario = start().await;
    let update_request = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![0, 2, 2, 77],
        request_id: "x".to_owned(),
        ..Default::default()
    };
    let refusal = refused(
        scenario
            .client(&ace_user())
            .update_notification_preferences(update_request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(
        refusal.paths(),
        [
            "email_opt_outs",
            "email_opt_outs[0]",
            "email_opt_outs[3]",
            "request_id"
        ]
    );
    let empty = scenario
        .client(&ace_user())
        .mark_notifications_read(pb::MarkNotificationsReadRequest::default())
        .await;
    assert_eq!(
        refused(empty, Code::InvalidArgument, "INVALID_FIELDS").paths(),
        ["notification_ids"]
    );
    let request = pb::MarkNotificationsReadRequest {
        notification_ids: vec!["ntf-0000000000000".to_owned(), "7".to_owned()],
        request_id: String::new(),
        ..Default::default()
    };
    let refusal = refused(
        scenario
            .client(&ace_user())
            .mark_notifications_read(request)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["notification_ids[1]"]);
    let page = pb::ListNotificationsRequest {
        page_size: -1,
        ..Default::default()
    };
    let refusal = refused(
        scenario.client(&ace_user()).list_notifications(page).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["page_size"]);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn acc_010_inbox_is_available_to_every_member_and_no_service() {
    let scenario = start().await;
    scenario.approve("O7").await;
    for caller in [other_account_lead(), tara()] {
        assert_eq!(scenario.inbox(&caller).await, []);
        assert_eq!(unread_count(&scenario, &caller).await, 0);
    }
    let opportunity = service("opportunity");
    let list = scenario
        .client(&opportunity)
        .list_notifications(pb::ListNotificationsRequest::default())
        .await;
    refused(list, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    scenario.app.finish::<Notifications>().await;
}
