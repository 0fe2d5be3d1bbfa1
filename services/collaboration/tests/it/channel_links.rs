//! Covers the links with which a member leaves a channel or opts out without signing in, over HTTP (CHN-031).

use chrono::TimeDelta;
use cosell_collaboration::{Collaboration, Options};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::{HttpResponse, folder, send_http, service};
use http::Method;

use crate::channels::{
    account_owner, ace_user, approve_request, get_channel, member_state, prepare, request_channel,
    wait_for_channel,
};
use crate::notification_reads::{channel_invitation_request, internal_client};
use crate::support::{ALDER, Scenario, request_id};

async fn send(method: Method, url: &str, body: &str) -> HttpResponse {
    send_http(method, url, "application/x-www-form-urlencoded", body).await
}

async fn get(url: &str) -> HttpResponse {
    send(Method::GET, url, "").await
}

async fn post(url: &str) -> HttpResponse {
    send(Method::POST, url, "").await
}

fn configure_links(options: &mut Options) {
    let files = folder("links");
    let key = files.join("key");
    std::fs::write(&key, [7; 32]).expect("a key");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = options.provider.listen_on(listener).expect("an address");
    options.channel_link_base = format!("http://{address}/");
    options.channel_link_key_file = Some(key);
}

/// An active channel of which mem-user is an invited member, and the links of that member.
struct InvitedMember {
    scenario: Scenario,
    channel: String,
    leave_url: String,
    opt_out_url: String,
}

impl InvitedMember {
    async fn start() -> Self {
        let scenario = Scenario::with_options(configure_links).await;
        prepare(&scenario).await;
        let channel = request_channel(&scenario, &["mem-user"]).await.channel_id;
        let with_link = pb::ApproveChannelRequest {
            link: "https://chat.example/nordwind".to_owned(),
            ..approve_request(&channel)
        };
        let mut owner = scenario.channel_client(&account_owner());
        owner.approve_channel(with_link).await.expect("an approval");
        wait_for_channel(&scenario, &channel, |channel| {
            member_state(channel, "mem-user") == pb::ChannelMemberState::Invited
        })
        .await;
        let invitation = internal_client(&scenario, &service("notification"))
            .get_channel_invitation(channel_invitation_request(&channel, "mem-user"))
            .await
            .expect("an invitation")
            .into_inner();
        Self {
            scenario,
            channel,
            leave_url: invitation.leave_url,
            opt_out_url: invitation.opt_out_url,
        }
    }

    async fn state(&self) -> pb::ChannelMemberState {
        let channel = get_channel(&self.scenario, &account_owner(), &self.channel).await;
        member_state(&channel.expect("the channel"), "mem-user")
    }

    async fn has_opted_out(&self) -> bool {
        let response = self
            .scenario
            .channel_client(&ace_user())
            .get_channel_preferences(pb::GetChannelPreferencesRequest {})
            .await;
        let preferences = response.expect("preferences").into_inner().channel_preferences;
        preferences.expect("preferences").opted_out
    }

    /// The invitation that notification reads: the channel's link and those of the member.
    async fn read_links(&self) -> [String; 3] {
        let response = internal_client(&self.scenario, &service("notification"))
            .get_channel_invitation(channel_invitation_request(&self.channel, "mem-user"))
            .await
            .expect("an invitation")
            .into_inner();
        let link = response.channel.expect("the channel").link;
        [link, response.leave_url, response.opt_out_url]
    }

    /// The actors of Alder's events with this name.
    async fn actors(&self, event: &str) -> Vec<String> {
        let mut admin = self.scenario.app.database.admin::<Collaboration>().await;
        sqlx::query_scalar(
            "SELECT headers->>'actor' FROM event_journal WHERE account_id = $1 AND subject LIKE '%.' || $2",
        )
        .bind(ALDER)
        .bind(event.to_owned())
        .fetch_all(&mut admin)
        .await
        .expect("actors")
    }
}

fn assert_safe_page(response: &HttpResponse) {
    let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    let policy = header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let html = response.body.to_lowercase();
    for part in [
        "<!doctype html>",
        "<html lang=\"en\">",
        "<title>",
        "<h1>",
        "<main>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for part in [
        "<script", "<img", "<link", "http://", "https://", " on", "nordwind", "mem-user", ALDER,
    ] {
        let is_event_handler = part == " on" && !html.contains(" onclick") && !html.contains(" onload");
        assert!(!html.contains(part) || is_event_handler, "{part}");
    }
}

#[tokio::test]
async fn chn_031_leave_link_asks_first_and_leaves_once_confirmed() {
    let invited = InvitedMember::start().await;
    let mut client = invited.scenario.channel_client(&ace_user());
    let join = pb::JoinChannelRequest {
        channel_id: invited.channel.clone(),
        ..Default::default()
    };
    client.join_channel(join).await.expect("a joined member");
    // Scanners of e-mails follow links: reading them any number of times changes nothing.
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let response = send(method.clone(), &invited.leave_url, "").await;
        assert_eq!(response.status, 200, "{method}");
        if method == Method::GET {
            assert_safe_page(&response);
            assert_eq!(response.body.matches("<button").count(), 1);
            assert!(
                response.body.contains("<form method=\"post\">"),
                "{}",
                response.body
            );
        }
    }
    assert_eq!(invited.state().await, pb::ChannelMemberState::Joined);
    assert!(invited.read_links().await.iter().all(|link| !link.is_empty()));
    let first = post(&invited.leave_url).await;
    assert_safe_page(&first);
    assert_eq!(first.status, 200);
    assert_eq!(invited.state().await, pb::ChannelMemberState::Left);
    assert_eq!(
        invited.read_links().await,
        ["", "", ""],
        "a late e-mail must not readmit"
    );
    let second = post(&invited.leave_url).await;
    assert_eq!((second.status, second.body), (200, first.body));
    assert_eq!(invited.actors("channel_member_left").await, ["mem-user"]);
    assert!(!invited.has_opted_out().await);
    invited.scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_031_opt_out_link_ends_pending_invitations_of_all_channels() {
    let invited = InvitedMember::start().await;
    let response = get(&invited.opt_out_url).await;
    assert_safe_page(&response);
    assert_eq!(response.status, 200);
    assert!(!invited.has_opted_out().await);
    assert_eq!(invited.state().await, pb::ChannelMemberState::Invited);
    // The form of one-click unsubscription in e-mail programs (RFC 8058).
    let first = send(Method::POST, &invited.opt_out_url, "List-Unsubscribe=One-Click").await;
    assert_safe_page(&first);
    assert_eq!(first.status, 200);
    assert!(invited.has_opted_out().await);
    assert_eq!(invited.state().await, pb::ChannelMemberState::OptedOut);
    let second = post(&invited.opt_out_url).await;
    assert_eq!((second.status, second.body), (200, first.body));
    assert_eq!(invited.actors("channel_member_opted_out").await, ["mem-user"]);
    // A member that has opted out is not in the channel; the link to leave says the same as after leaving.
    assert_eq!(post(&invited.leave_url).await.status, 200);
    assert_eq!(invited.actors("channel_member_left").await.len(), 0);
    invited.scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_031_forged_swapped_or_malformed_token_changes_nothing() {
    let invited = InvitedMember::start().await;
    let (prefix, token) = invited.leave_url.rsplit_once('/').expect("a token");
    let swapped = invited.leave_url.replace("/leave/", "/opt-out/");
    let changed = |at: usize| {
        let mut token = token.as_bytes().to_vec();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        format!("{prefix}/{}", String::from_utf8(token).expect("a token"))
    };
    let forged = [
        swapped,
        changed(0),
        changed(token.len() / 2),
        changed(token.len() - 2),
        format!("{prefix}/{}", &token[..token.len() - 4]),
        format!("{prefix}/{token}AAAA"),
        format!("{prefix}/{}", "A".repeat(200)),
        format!("{prefix}/{}", "A".repeat(10_000)),
        format!("{prefix}/%FF%3Cscript%3E"),
        format!("{prefix}/token"),
    ];
    let mut pages = Vec::new();
    for url in &forged {
        for response in [get(url).await, post(url).await] {
            assert_safe_page(&response);
            assert_eq!(response.status, 404, "{url}");
            pages.push(response.body);
        }
    }
    // A signed token of a record that does not exist gives the same page as a forged one.
    let mut admin = invited.scenario.app.database.admin::<Collaboration>().await;
    for statement in ["DELETE FROM channel_member", "DELETE FROM channel"] {
        sqlx::query(statement)
            .execute(&mut admin)
            .await
            .expect("deleted rows");
    }
    for url in [&invited.leave_url, &invited.opt_out_url] {
        let response = post(url).await;
        assert_eq!(response.status, 404);
        pages.push(response.body);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!(!invited.has_opted_out().await);
    assert_eq!(invited.actors("channel_member_left").await.len(), 0);
    invited.scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_031_link_expires_after_thirty_days() {
    let invited = InvitedMember::start().await;
    let clock = &invited.scenario.app.clock;
    clock.advance(TimeDelta::days(30) - TimeDelta::minutes(5));
    assert_eq!(get(&invited.leave_url).await.status, 200);
    clock.advance(TimeDelta::minutes(5));
    for url in [&invited.leave_url, &invited.opt_out_url] {
        for response in [get(url).await, post(url).await] {
            assert_safe_page(&response);
            assert_eq!(response.status, 410);
            assert!(response.body.contains("has expired"), "{}", response.body);
        }
    }
    assert!(!invited.has_opted_out().await);
    invited.scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_031_archived_channel_cannot_be_left_and_opt_out_still_works() {
    let invited = InvitedMember::start().await;
    let archive = pb::ArchiveChannelRequest {
        channel_id: invited.channel.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut owner = invited.scenario.channel_client(&account_owner());
    owner.archive_channel(archive).await.expect("an archived channel");
    for _ in 0..2 {
        let response = post(&invited.leave_url).await;
        assert_safe_page(&response);
        assert_eq!(response.status, 410);
        assert!(response.body.contains("channel is closed"), "{}", response.body);
    }
    assert_eq!(invited.state().await, pb::ChannelMemberState::Invited);
    assert_eq!(post(&invited.opt_out_url).await.status, 200);
    assert!(invited.has_opted_out().await);
    invited.scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_031_other_methods_and_large_bodies_are_refused() {
    let invited = InvitedMember::start().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let response = send(method.clone(), &invited.leave_url, "").await;
        assert_safe_page(&response);
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.headers["allow"], "GET,HEAD,POST");
    }
    let large = send(Method::POST, &invited.leave_url, &"x".repeat(5000)).await;
    assert_safe_page(&large);
    assert_eq!(large.status, 413);
    assert_eq!(invited.state().await, pb::ChannelMemberState::Invited);
    // The listener serves no callbacks without Slack.
    let (base, _) = invited.leave_url.split_once("/channel-links").expect("a base");
    assert_eq!(post(&format!("{base}/slack/events")).await.status, 404);
    assert_eq!(get(base).await.status, 404);
    invited.scenario.app.finish::<Collaboration>().await;
}
