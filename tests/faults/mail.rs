//! The mail server is not there, or has no time.

use cosell_testkit::free_port;
use cosell_testkit::harness::eventually;
use cosell_testkit::smtp::Sink;
use cosell_tests::{Workload, World, ledger};

const TRAVELLERS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_004_mail_waits_for_a_server_that_is_down() {
    let world = World::start();
    let mut args = world.args();
    args.smtp_port = free_port().expect("a port where nothing listens");
    let running = world.run_with(&args).await;
    let ids = Workload::start(&running.info, TRAVELLERS).arrive().await;
    eventually(async || {
        let tried = "SELECT count(*) FROM notification.mail WHERE state = 'QUEUED' AND attempts > 1";
        match world.count(tried).await {
            0 => Err("no e-mail was tried twice"),
            _ => Ok(()),
        }
    })
    .await;
    let sink = Sink::start(&format!("127.0.0.1:{}", args.smtp_port), None).expect("a mail server");
    ledger::check(&world, &running.info, &ids).await;
    each_arrived_once(&world, &sink).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_004_mail_waits_while_the_server_says_later() {
    let world = World::start();
    world.smtp.refuse_with(451);
    let running = world.run().await;
    let ids = Workload::start(&running.info, TRAVELLERS).arrive().await;
    eventually(async || match world.smtp.refused() {
        refused if refused > TRAVELLERS => Ok(()),
        refused => Err(format!("only {refused} e-mails were refused")),
    })
    .await;
    assert_eq!(world.smtp.mails().len(), 0, "nothing was taken");
    world.smtp.refuse_with(0);
    ledger::check(&world, &running.info, &ids).await;
    each_arrived_once(&world, &world.smtp).await;
    running.stop().await;
}

/// Nothing crashed, so that nothing had to be sent again.
async fn each_arrived_once(world: &World, sink: &Sink) {
    let sent = world
        .count("SELECT count(*) FROM notification.mail WHERE state = 'SENT'")
        .await;
    assert!(sent > 0, "no e-mail was sent");
    assert_eq!(i64::try_from(sink.mails().len()).expect("a number"), sent);
}
