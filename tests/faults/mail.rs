//! The mail server is down or defers e-mails.

use cosell_testkit::free_port;
use cosell_testkit::harness::eventually;
use cosell_testkit::smtp::Sink;
use cosell_tests::{TestServers, Workload, baseline};

const OPPORTUNITIES: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_004_mail_is_retried_while_server_is_down() {
    let servers = TestServers::start();
    let mut args = servers.args();
    args.smtp_port = free_port().expect("a free port");
    let running = servers.run_with(&args).await;
    let ids = Workload::start(&running.info, OPPORTUNITIES).finish().await;
    eventually(async || {
        let retried = "SELECT count(*) FROM notification.mail WHERE state = 'QUEUED' AND attempts > 1";
        match servers.count(retried).await {
            0 => Err("no e-mail was retried"),
            _ => Ok(()),
        }
    })
    .await;
    let sink = Sink::start(&format!("127.0.0.1:{}", args.smtp_port), None).expect("a mail server");
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    assert_received_once(&servers, &sink).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_004_mail_is_retried_while_server_defers() {
    let servers = TestServers::start();
    servers.smtp.refuse_with(451);
    let running = servers.run().await;
    let ids = Workload::start(&running.info, OPPORTUNITIES).finish().await;
    eventually(async || match servers.smtp.refused() {
        refused if refused > OPPORTUNITIES => Ok(()),
        refused => Err(format!("only {refused} e-mails were deferred")),
    })
    .await;
    assert_eq!(servers.smtp.mails().len(), 0, "the server has accepted no e-mail");
    servers.smtp.refuse_with(0);
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    assert_received_once(&servers, &servers.smtp).await;
    running.stop().await;
}

/// Without a crash, no e-mail is sent twice.
async fn assert_received_once(servers: &TestServers, sink: &Sink) {
    let sent = servers
        .count("SELECT count(*) FROM notification.mail WHERE state = 'SENT'")
        .await;
    assert!(sent > 0, "no e-mail was sent");
    assert_eq!(i64::try_from(sink.mails().len()).expect("a number"), sent);
}
