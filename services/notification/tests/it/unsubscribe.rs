//! Covers the links with which a member opts out of the e-mails of one kind without signing in, from the headers of an
//! e-mail and over HTTP (NOT-008).

use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{eventually, send_http};
use cosell_types::{ClosedList as _, Role};
use http::Method;
use pb::NotificationKind as Kind;

use crate::support::{ALDER, ace_user, address, approved, count, marketing_staff, start};
use crate::unsubscribe_support::{
    FORM, ONE_CLICK, assert_safe_page, get, header, link, post, start_with_links,
};

#[tokio::test]
async fn not_008_one_click_unsubscribe_headers_are_in_emails_to_members_only() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    assert_eq!(scenario.recipients(3).await.len(), 3);
    let (user, marketing) = (
        scenario.approval_link("mem-user").await,
        scenario.approval_link("mem-marketing").await,
    );
    assert_ne!(user, marketing);
    assert!(
        user.starts_with("http://127.0.0.1:") && user.contains("/unsubscribe/"),
        "{user}"
    );

    // Of this kind members get the e-mail only as sales contacts.
    let submitted = opportunity::OpportunitySubmitted {
        opportunity_id: "O9".to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        round: 1,
        ..Default::default()
    };
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O9", 1, &submitted)
        .await;
    scenario.recipients(5).await;
    assert_ne!(link(&scenario.mail(&address("mem-user"), "ubmitted").await), user);

    // An invited person is not a member yet.
    let invited = directory::MemberInvited {
        detail: Some(directory::MemberEventDetail {
            member_id: "mem-new".to_owned(),
            account_id: ALDER.to_owned(),
            revision: 1,
            side: directory::Side::Partner.into(),
            status: directory::MemberStatus::Invited.into(),
            roles: vec![Role::AceUser.number()],
            sees_all_opportunities: false,
        }),
    };
    scenario.app.directory.set_response(directory::GetMemberResponse {
        member: Some(directory::Member {
            member_id: "mem-new".to_owned(),
            account_id: ALDER.to_owned(),
            revision: 1,
            status: directory::MemberStatus::Invited.into(),
            person: Some(directory::Person {
                email: "new@alder.example".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        account: Some(directory::Account {
            account_id: ALDER.to_owned(),
            ..Default::default()
        }),
    });
    scenario
        .peer
        .publish_event("partner", ALDER, "mem-new", 1, &invited)
        .await;
    scenario.recipients(6).await;
    let mails = scenario.smtp.mails();
    let others: Vec<_> = mails
        .iter()
        .filter(|mail| !mail.to[0].starts_with("mem-"))
        .collect();
    assert_eq!(
        others.len(),
        3,
        "two to the sales contact, one to the invited person"
    );
    for mail in others {
        assert_eq!(header(mail, "Auto-Submitted").as_deref(), Some("auto-generated"));
        for name in ["List-Unsubscribe", "List-Unsubscribe-Post"] {
            assert_eq!(header(mail, name), None, "{:?}", mail.to);
        }
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_emails_have_no_unsubscribe_headers_without_the_options() {
    let scenario = start().await;
    scenario.approve("O7").await;
    scenario.recipients(2).await;
    for mail in scenario.smtp.mails() {
        assert_eq!(header(&mail, "List-Unsubscribe"), None);
        assert_eq!(header(&mail, "List-Unsubscribe-Post"), None);
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_one_click_unsubscribe_stops_one_kind_for_one_member() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    scenario.recipients(3).await;
    let user = scenario.approval_link("mem-user").await;
    let first = post(&user).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_safe_page(&first);
    let opted_out = (vec![Kind::OpportunityApproved], "\"1\"".to_owned());
    assert_eq!(scenario.preferences(&ace_user()).await, opted_out);
    assert_eq!(
        scenario.preferences(&marketing_staff()).await,
        (vec![], "\"0\"".to_owned())
    );
    let second = post(&user).await;
    assert_eq!((second.status, second.body), (200, first.body));
    assert_eq!(
        scenario.preferences(&ace_user()).await,
        opted_out,
        "no second update"
    );

    // The inbox still receives the kind, and the mailbox the others.
    scenario.approve("O8").await;
    scenario.recipients(5).await;
    scenario
        .publish_member(2, directory::MemberStatus::Active, Role::AceManager)
        .await;
    scenario.recipients(6).await;
    let mails = scenario.smtp.mails().into_iter();
    let to_user = mails.filter(|mail| mail.to == [address("mem-user")]);
    let subjects: Vec<_> = to_user.map(|mail| mail.subject()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(
        subjects[0].starts_with("Approved by AWS") && subjects[1].contains("roles"),
        "{subjects:?}"
    );

    // The other form of the body that RFC 8058 permits, and the opt-out of another kind.
    let roles = link(&scenario.mail(&address("mem-user"), "roles").await);
    let multipart =
        "--b-1\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b-1--\r\n";
    let response = send_http(
        Method::POST,
        &roles,
        "multipart/form-data; boundary=b-1",
        multipart,
    )
    .await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(
        scenario.preferences(&ace_user()).await,
        (
            vec![Kind::OpportunityApproved, Kind::RolesChanged],
            "\"2\"".to_owned()
        )
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_unsubscribe_page_asks_first_and_get_changes_nothing() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    let user = scenario.approval_link("mem-user").await;
    // Scanners of e-mails follow links: reading them any number of times changes nothing.
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let response = send_http(method.clone(), &user, FORM, "").await;
        assert_eq!(response.status, 200, "{method}");
        if method == Method::GET {
            assert_safe_page(&response);
            let button = "<form method=\"post\"><button type=\"submit\" name=\"List-Unsubscribe\" value=\"One-Click\">";
            assert_eq!(response.body.matches("<button").count(), 1);
            assert!(response.body.contains(button), "{}", response.body);
        }
    }
    // A request without the form is none of the button or of a mail program.
    for (content_type, body) in [(FORM, ""), (FORM, "a=b"), ("text/plain", ONE_CLICK)] {
        let response = send_http(Method::POST, &user, content_type, body).await;
        assert_safe_page(&response);
        assert_eq!(response.status, 400, "{content_type} {body}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let response = send_http(method.clone(), &user, FORM, ONE_CLICK).await;
        assert_safe_page(&response);
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.headers["allow"], "GET,HEAD,POST");
    }
    let large = format!("{ONE_CLICK}&a={}", "x".repeat(1024));
    let response = send_http(Method::POST, &user, FORM, &large).await;
    assert_safe_page(&response);
    assert_eq!(response.status, 413);
    assert_eq!(
        scenario.preferences(&ace_user()).await,
        (vec![], "\"0\"".to_owned())
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_forged_unsubscribe_token_is_an_unknown_path_and_reads_no_table() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    let user = scenario.approval_link("mem-user").await;
    let marketing = scenario.approval_link("mem-marketing").await;
    let (prefix, token) = user.rsplit_once('/').expect("a token");
    let (_, other) = marketing.rsplit_once('/').expect("a token");
    let (base, _) = prefix.rsplit_once('/').expect("a base");
    let changed = |at: usize| {
        let mut token = token.as_bytes().to_vec();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        format!("{prefix}/{}", String::from_utf8(token).expect("a token"))
    };
    let forged = [
        changed(0),
        changed(token.len() / 2),
        changed(token.len() - 2),
        // The signature of one member with the text of another: the first 16 bytes end within the 22nd character.
        format!("{prefix}/{}{}", &token[..24], &other[24..]),
        format!("{prefix}/{}", &token[..token.len() - 4]),
        format!("{prefix}/{token}AAAA"),
        format!("{prefix}/{}", "A".repeat(10_000)),
        format!("{prefix}/%FF%3Cscript%3E"),
        format!("{prefix}/"),
        format!("{user}/"),
        format!("{base}/unsubscribe"),
        format!("{base}/"),
    ];
    // A statement that reads one of these tables waits for this transaction.
    let mut admin = scenario.app.database.admin::<Notifications>().await;
    for statement in [
        "BEGIN",
        "LOCK TABLE directory_member, directory_account, preference",
    ] {
        sqlx::query(statement).execute(&mut admin).await.expect("a lock");
    }
    let mut pages = vec![get(&format!("{base}/unknown")).await];
    for url in &forged {
        pages.push(get(url).await);
        pages.push(post(url).await);
    }
    let valid = user.clone();
    let waiting = tokio::spawn(async move { post(&valid).await });
    scenario.wait_for_blocked_statement().await;
    sqlx::query("ROLLBACK")
        .execute(&mut admin)
        .await
        .expect("no lock");
    waiting.await.expect("a response");
    let unknown = pages[0].body.clone();
    for page in &pages {
        assert_safe_page(page);
        assert_eq!((page.status, &page.body), (404, &unknown));
    }
    assert_eq!(
        scenario.preferences(&marketing_staff()).await,
        (vec![], "\"0\"".to_owned())
    );
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_unsubscribe_of_inactive_or_unknown_member_is_an_unknown_path() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    let user = scenario.approval_link("mem-user").await;
    let marketing = scenario.approval_link("mem-marketing").await;
    scenario
        .publish_member(2, directory::MemberStatus::Deactivated, Role::AceUser)
        .await;
    eventually(async || {
        let sql = "SELECT count(*) FROM directory_member WHERE member_id = 'mem-user' AND NOT is_active";
        match count(&scenario.app, sql).await {
            1 => Ok(()),
            _ => Err("the member is still active".to_owned()),
        }
    })
    .await;
    let mut admin = scenario.app.database.admin::<Notifications>().await;
    sqlx::query("DELETE FROM directory_member WHERE member_id = 'mem-marketing'")
        .execute(&mut admin)
        .await
        .expect("a deleted member");
    let (base, _) = user.split_once("/unsubscribe").expect("a base");
    let unknown = get(&format!("{base}/unknown")).await.body;
    for url in [&user, &marketing] {
        for response in [get(url).await, post(url).await] {
            assert_eq!((response.status, &response.body), (404, &unknown));
        }
    }
    assert_eq!(count(&scenario.app, "SELECT count(*) FROM preference").await, 0);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_008_unsubscribe_during_an_update_of_preferences_keeps_both_changes() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    let user = scenario.approval_link("mem-user").await;
    let update = pb::UpdateNotificationPreferencesRequest {
        email_opt_outs: vec![Kind::BulkJobFinished.into()],
        ..Default::default()
    };
    let mut client = scenario.client(&ace_user());
    client
        .update_notification_preferences(update)
        .await
        .expect("preferences");
    let mut admin = scenario.app.database.admin::<Notifications>().await;
    let concurrent = "UPDATE preference SET email_opt_outs = '{ROLES_CHANGED}', revision = 2";
    for statement in ["BEGIN", concurrent] {
        sqlx::query(statement)
            .execute(&mut admin)
            .await
            .expect("an update");
    }
    let valid = user.clone();
    let waiting = tokio::spawn(async move { post(&valid).await });
    scenario.wait_for_blocked_statement().await;
    sqlx::query("COMMIT")
        .execute(&mut admin)
        .await
        .expect("an update");
    assert_eq!(waiting.await.expect("a response").status, 200);
    assert_eq!(
        scenario.preferences(&ace_user()).await,
        (
            vec![Kind::RolesChanged, Kind::OpportunityApproved],
            "\"3\"".to_owned()
        )
    );
    scenario.app.finish::<Notifications>().await;
}

/// The opt-out is that of the calls: it also stops the e-mail that the member gets as a sales contact (NOT-003).
#[tokio::test]
async fn not_008_unsubscribed_member_gets_no_email_as_a_sales_contact() {
    let scenario = start_with_links().await;
    scenario.approve("O7").await;
    assert_eq!(post(&scenario.approval_link("mem-user").await).await.status, 200);
    scenario
        .peer
        .publish_event("opportunity", ALDER, "O8", 1, &approved("O8"))
        .await;
    assert_eq!(
        scenario.recipients(5).await,
        [
            address("mem-marketing"),
            address("mem-marketing"),
            address("mem-user"),
            "sales@alder.example".to_owned(),
            "sales@alder.example".to_owned()
        ]
    );
    scenario.app.finish::<Notifications>().await;
}
