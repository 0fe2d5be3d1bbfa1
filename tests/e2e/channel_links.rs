//! The links in the first message of a channel without Slack, from the e-mail to the channel (CHN-031, NOT-007).

use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::{PeerStub, eventually};
use cosell_tests::TestServers;
use cosell_tests::scenario::{OWNER, Scenario};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The response to an HTTP request: its status and its page.
async fn send(method: &str, url: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").expect("a URL of the link's listener");
    let (host, path) = address.split_once('/').expect("a path");
    let mut connection = TcpStream::connect(host).await.expect("a connection");
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.expect("a request");
    let mut response = String::new();
    connection
        .read_to_string(&mut response)
        .await
        .expect("a response");
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), response)
}

async fn state_of_owner(scenario: &Scenario<'_>, channel: &str) -> pb::ChannelMemberState {
    let request = pb::GetChannelRequest {
        channel_id: channel.to_owned(),
        ..Default::default()
    };
    let answer = scenario
        .member("aws-account-owner")
        .channels()
        .get_channel(request)
        .await;
    let channel = answer
        .expect("a channel")
        .into_inner()
        .channel
        .expect("a channel");
    let members = channel.members.into_iter();
    let mut members = members.filter(|member| member.member_id == OWNER);
    members.next().expect("the owner of the opportunity").state()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chn_031_not_007_member_leaves_channel_by_the_link_in_its_first_message() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let scenario = Scenario::new(&servers, running.channel(), &running.info);
    scenario.provision_partners().await;
    let channel = scenario.create_records().await.channel;
    let approval = pb::ApproveChannelRequest {
        channel_id: channel.clone(),
        link: "https://chat.example/nordwind".to_owned(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let mut account_owner = scenario.member("aws-account-owner").channels();
    account_owner
        .approve_channel(approval)
        .await
        .expect("an approval");
    let text = eventually(async || {
        let mails = servers.smtp.mails().into_iter();
        let mut invitations = mails.filter(|mail| mail.subject().starts_with("Invitation to a channel"));
        let invitation = invitations.next().ok_or("no invitation was sent")?;
        Ok::<_, &str>(invitation.text())
    })
    .await;
    assert!(
        text.contains("Open the channel: https://chat.example/nordwind"),
        "{text}"
    );
    let link = |start: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.next().unwrap_or_else(|| panic!("no line {start}: {text}"))
    };
    let leave = link("Leave the channel: ");
    assert_ne!(leave, link("Opt out of all channels: "));

    // Programs that scan e-mails follow links; only the button acts.
    let (status, page) = send("GET", leave).await;
    assert!(status == 200 && page.contains("<button"), "{page}");
    assert_eq!(
        state_of_owner(&scenario, &channel).await,
        pb::ChannelMemberState::Invited
    );
    for _ in 0..2 {
        let (status, page) = send("POST", leave).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(
            state_of_owner(&scenario, &channel).await,
            pb::ChannelMemberState::Left
        );
    }
    running.stop().await;
}
