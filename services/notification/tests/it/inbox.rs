//! The inbox: everybody's own, and nobody else's.

use chrono::TimeDelta;
use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_testkit::harness::{refused, service};
use tonic::Code;

use crate::support::{marketing, request_id, start, stranger, tara, user};

#[tokio::test]
async fn not_010_the_newest_come_first_page_by_page() {
    let stage = start().await;
    for number in 1..=5 {
        stage.approve(&format!("O{number}")).await;
        stage.app.clock.advance(TimeDelta::seconds(1));
    }
    let mut request = pb::ListNotificationsRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = stage
            .by(&user())
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
        assert!(seen.len() < 5, "the last page has no next");
    }
    assert_eq!(seen, ["O5", "O4", "O3", "O2", "O1"]);

    let first = pb::ListNotificationsRequest {
        page_size: 2,
        ..Default::default()
    };
    let token = stage
        .by(&user())
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
    let of_another = stage.by(&marketing()).list_notifications(next.clone()).await;
    refused(of_another, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    let other_query = pb::ListNotificationsRequest {
        unread_only: true,
        ..next
    };
    refused(
        stage.by(&user()).list_notifications(other_query).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_010_all_that_are_named_are_marked_read_or_none() {
    let stage = start().await;
    stage.approve("O1").await;
    stage.approve("O2").await;
    let inbox = stage.inbox(&user()).await;
    let ids: Vec<_> = inbox.iter().map(|entry| entry.notification_id.clone()).collect();
    let foreign = stage.told(&marketing(), "O1").await.notification_id;
    let mark = |ids: Vec<String>| pb::MarkNotificationsReadRequest {
        notification_ids: ids,
        request_id: String::new(),
        ..Default::default()
    };

    for unknown in [foreign.as_str(), "ntf-0000000000000"] {
        let request = mark(vec![ids[0].clone(), unknown.to_owned()]);
        let refusal = refused(
            stage.by(&user()).mark_notifications_read(request).await,
            Code::NotFound,
            "NOTIFICATION_NOT_FOUND",
        );
        assert_eq!(refusal.domain, "notification.cosell");
        assert!(!refusal.message.contains(unknown), "{refusal:?}");
    }
    assert_eq!(unread(&stage, &user()).await, 2);

    let request = mark(vec![ids[0].clone(), ids[0].clone()]);
    let answer = stage
        .by(&user())
        .mark_notifications_read(request)
        .await
        .expect("marked")
        .into_inner();
    assert_eq!(answer.unread_count, 1);
    let read_time = stage.inbox(&user()).await[0].read_time;
    assert!(read_time.is_some());
    stage.app.clock.advance(TimeDelta::hours(1));
    let answer = stage
        .by(&user())
        .mark_notifications_read(mark(ids.clone()))
        .await
        .expect("marked")
        .into_inner();
    assert_eq!(answer.unread_count, 0);
    let inbox = stage.inbox(&user()).await;
    assert_eq!(inbox[0].read_time, read_time, "what was read keeps its time");
    assert_ne!(inbox[1].read_time, read_time);

    let unread_only = pb::ListNotificationsRequest {
        unread_only: true,
        ..Default::default()
    };
    let left = stage
        .by(&user())
        .list_notifications(unread_only)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(left.notifications, []);
    assert_eq!(
        unread(&stage, &marketing()).await,
        2,
        "another's inbox is as it was"
    );
    stage.app.finish::<Notifications>().await;
}

async fn unread(stage: &crate::support::Stage, caller: &cosell_types::Caller) -> i64 {
    let answer = stage
        .by(caller)
        .get_unread_count(pb::GetUnreadCountRequest {})
        .await
        .expect("a count");
    answer.into_inner().unread_count
}

#[tokio::test]
async fn plt_002_a_repeated_request_changes_nothing_and_a_reused_id_is_refused() {
    let stage = start().await;
    let wish = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2],
        request_id: request_id(),
        ..Default::default()
    };
    stage
        .by(&user())
        .update_notification_preferences(wish.clone())
        .await
        .expect("preferences");
    let other = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2, 3],
        ..Default::default()
    };
    stage
        .by(&user())
        .update_notification_preferences(other.clone())
        .await
        .expect("preferences");
    let again = stage
        .by(&user())
        .update_notification_preferences(wish.clone())
        .await
        .expect("preferences")
        .into_inner();
    let now = again
        .notification_preferences
        .expect("preferences")
        .email_opt_outs;
    assert_eq!(now, [2, 3], "the first request is not applied over the second");
    let reused = pb::UpdateNotificationPreferencesRequest {
        request_id: wish.request_id,
        ..other
    };
    refused(
        stage.by(&user()).update_notification_preferences(reused).await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_003_004_preferences_change_under_the_current_etag_and_not_when_only_asked() {
    let stage = start().await;
    let wish = |etag: &str, validate_only| pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![2],
        etag: etag.to_owned(),
        validate_only,
        ..Default::default()
    };
    let update = async |request| stage.by(&user()).update_notification_preferences(request).await;
    let asked = update(wish("\"0\"", true)).await.expect("an answer").into_inner();
    let changed = update(wish("\"0\"", false))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        asked, changed,
        "asking is answered as doing is, and left the etag as it was"
    );
    refused(update(wish("\"0\"", false)).await, Code::Aborted, "ETAG_MISMATCH");
    update(wish("\"1\"", false)).await.expect("the current one");
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn plt_007_bad_input_is_refused_with_every_violation() {
    let stage = start().await;
    let wish = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![0, 2, 2, 77],
        request_id: "x".to_owned(),
        ..Default::default()
    };
    let refusal = refused(
        stage.by(&user()).update_notification_preferences(wish).await,
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
    let empty = stage
        .by(&user())
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
        stage.by(&user()).mark_notifications_read(request).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["notification_ids[1]"]);
    let page = pb::ListNotificationsRequest {
        page_size: -1,
        ..Default::default()
    };
    let refusal = refused(
        stage.by(&user()).list_notifications(page).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["page_size"]);
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn acc_010_every_person_has_an_inbox_and_no_service_has() {
    let stage = start().await;
    stage.approve("O7").await;
    for caller in [stranger(), tara()] {
        assert_eq!(stage.inbox(&caller).await, []);
        assert_eq!(unread(&stage, &caller).await, 0);
    }
    let opportunity = service("opportunity");
    let list = stage
        .by(&opportunity)
        .list_notifications(pb::ListNotificationsRequest::default())
        .await;
    refused(list, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    stage.app.finish::<Notifications>().await;
}
