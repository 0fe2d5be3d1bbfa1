//! PostgreSQL restarts under load while the process has next to no processor: every connection has to be made anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cosell::ALDER;
use cosell::demo::Person;
use cosell_proto::cosell::{
    collaboration::v1 as collaboration, notification::v1 as notification, opportunity::v1 as opportunity,
    partner::v1 as partner, referral::v1 as referral, review::v1 as review,
};
use cosell_testkit::harness::eventually_within;
use cosell_tests::repository::contexts;
use cosell_tests::{Child, RECOVERY, Throttle, World};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use tokio::task::JoinSet;
use tonic::{Request, Status};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
/// Calls at a time to each service: more than its pool for calls has connections.
const CALLERS: usize = 12;
/// What the pools of all services hold together.
const CONNECTIONS: usize = 6 * (8 + 4 + 3);
/// Ten times PostgreSQL's: logins cost what they would on a machine with a tenth of the speed, or in an unoptimised
/// build.
const ITERATIONS: std::num::NonZeroU32 = std::num::NonZeroU32::new(40_960).expect("not zero");

/// The form in which PostgreSQL keeps a password (SCRAM-SHA-256, RFC 5803).
fn verifier(password: &str) -> String {
    let salt = [7_u8; 16];
    let mut salted = [0_u8; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        &salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored),
        BASE64_STANDARD.encode(server)
    )
}

/// Has PostgreSQL log each login, so that they can be counted.
async fn log_logins(world: &World) {
    for sql in ["ALTER SYSTEM SET log_connections = on", "SELECT pg_reload_conf()"] {
        world.admin().await.execute(sql).await.expect("a setting");
    }
}

async fn make_logins_expensive(world: &World) {
    let mut admin = world.admin().await;
    for context in contexts() {
        for role in [format!("{context}_app"), format!("{context}_worker")] {
            let password = std::fs::read_to_string(world.state().join("secrets").join(&role));
            let verifier = verifier(password.expect("a password").trim());
            let sql = format!("ALTER ROLE {role} PASSWORD '{verifier}'");
            admin.execute(AssertSqlSafe(sql)).await.expect("another password");
        }
    }
}

/// Calls one service with [`CALLERS`] at a time, again and again, and counts the answers.
fn spawn_callers(callers: &mut JoinSet<()>, answers: &Answers, service: usize, person: &Person) {
    for _ in 0..CALLERS {
        let (answers, person) = (answers.clone(), person.clone());
        callers.spawn(async move {
            loop {
                if read_once(service, &person).await.is_ok() {
                    answers[service].fetch_add(1, Ordering::Relaxed);
                }
                tokio::task::yield_now().await;
            }
        });
    }
}

type Answers = Arc<[AtomicUsize; 6]>;

async fn read_once(service: usize, person: &Person) -> Result<(), Status> {
    match service {
        0 => {
            let request = Request::new(partner::GetAccountRequest::default());
            person.accounts().get_account(request).await.map(drop)
        }
        1 => {
            let request = Request::new(opportunity::ListOpportunitiesRequest::default());
            person.opportunities().list_opportunities(request).await.map(drop)
        }
        2 => {
            let request = Request::new(review::ListReviewCasesRequest::default());
            person.reviews().list_review_cases(request).await.map(drop)
        }
        3 => {
            let request = Request::new(referral::ListReferralOffersRequest::default());
            person.referrals().list_referral_offers(request).await.map(drop)
        }
        4 => {
            let request = Request::new(collaboration::ListEngagementsRequest::default());
            person.collaboration().list_engagements(request).await.map(drop)
        }
        _ => {
            let request = Request::new(notification::ListNotificationsRequest::default());
            person.notifications().list_notifications(request).await.map(drop)
        }
    }
}

async fn hide_profile(lead: &Person) {
    let request = partner::SetProfileVisibilityRequest {
        visibility: partner::ProfileVisibility::Private.into(),
        ..Default::default()
    };
    eventually_within(RECOVERY, async || {
        lead.accounts().set_profile_visibility(request.clone()).await
    })
    .await;
}

/// Whether every service that keeps a replica of the directory has the account as the directory has it.
async fn replicas_follow(admin: &mut PgConnection) -> Result<(), String> {
    let revision = "SELECT revision FROM partner.account WHERE account_id = $1";
    let current: i64 = sqlx::query_scalar(revision)
        .bind(ALDER)
        .fetch_one(&mut *admin)
        .await
        .map_err(|error| error.to_string())?;
    for context in contexts().into_iter().filter(|context| context != "partner") {
        let revision = format!("SELECT revision FROM {context}.directory_account WHERE account_id = $1");
        let known: Option<i64> = sqlx::query_scalar(AssertSqlSafe(revision))
            .bind(ALDER)
            .fetch_optional(&mut *admin)
            .await
            .map_err(|error| error.to_string())?;
        if known != Some(current) {
            return Err(format!(
                "{context} has revision {known:?} of the account, not {current}"
            ));
        }
    }
    Ok(())
}

/// How many logins were begun since PostgreSQL was last started.
fn logins(world: &World) -> usize {
    let log = std::fs::read_to_string(world.folder().join("postgres/postgres.log"));
    log.expect("a log").matches("connection received").count()
}

/// Returns when every service has answered calls that were made since then, with how many logins that took. An error once
/// the logins would have filled all pools several times: what they lead to is lost.
async fn all_answer(world: &World, answers: &Answers) -> Result<usize, String> {
    let count = || answers.each_ref().map(|count| count.load(Ordering::Relaxed));
    let before = count();
    eventually_within(RECOVERY, async || {
        // Each caller may still have had an answer on its way.
        let silent = count()
            .iter()
            .zip(before)
            .filter(|(now, before)| **now <= *before + CALLERS)
            .count();
        let logins = logins(world);
        let state = format!("{silent} of 6 services are silent after {logins} logins");
        match silent {
            0 => Ok(Ok(logins)),
            _ if logins > 4 * CONNECTIONS => Ok(Err(state)),
            _ => Err(state),
        }
    })
    .await
}

/// Restarts PostgreSQL while all services are called and have a tenth of a processor, and returns with how many logins they
/// answer again.
async fn restart_under_load(faults: &[(&str, &str)]) -> Result<usize, String> {
    let mut world = World::start();
    let child = Child::start(PROGRAM, &world, Child::address(), faults).await;
    log_logins(&world).await;
    let answers = Answers::default();
    let mut callers = JoinSet::new();
    let (partner, reviewer) = (child.person("alder-ace-manager"), child.person("aws-reviewer"));
    for service in 0..answers.len() {
        let person = if service == 2 { &reviewer } else { &partner };
        spawn_callers(&mut callers, &answers, service, person);
    }
    // With the fault not even that need succeed, when the machine is busy.
    all_answer(&world, &answers)
        .await
        .map_err(|error| format!("before the restart: {error}"))?;
    make_logins_expensive(&world).await;
    let throttle = Throttle::start(child.id());
    world.postgres.crash();
    world.postgres.resume().expect("PostgreSQL again");
    let outcome = all_answer(&world, &answers).await;
    if outcome.is_ok() {
        // Not only calls have connections: an event is published, and each of the other services applies it.
        hide_profile(&child.person("alder-alliance-lead")).await;
        let mut admin = world.admin().await;
        eventually_within(RECOVERY, async || replicas_follow(&mut admin).await).await;
    }
    drop((callers, throttle));
    child.kill();
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_011_starved_process_recovers_from_database_restart() {
    let logins = restart_under_load(&[]).await.expect("all services answer again");
    assert!(
        logins <= 2 * CONNECTIONS,
        "{logins} logins for {CONNECTIONS} connections"
    );
}

/// The same with logins as a pool makes them whose callers own them: any number at once, each abandoned with its caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_011_abandoned_logins_are_noticed() {
    let outcome = restart_under_load(&[("FAILPOINTS", "abandoned-logins=return")]).await;
    assert!(
        outcome.as_ref().is_err() || outcome.as_ref().is_ok_and(|logins| *logins > 2 * CONNECTIONS),
        "the fault is not noticed: {outcome:?}"
    );
}
