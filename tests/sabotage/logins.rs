//! PostgreSQL restarts under load while the process has almost no CPU time, so that all connections must be reopened.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cosell::ALDER;
use cosell::demo::MemberClient;
use cosell_proto::cosell::{
    collaboration::v1 as collaboration, notification::v1 as notification, opportunity::v1 as opportunity,
    partner::v1 as partner, referral::v1 as referral, review::v1 as review,
};
use cosell_testkit::harness::eventually_within;
use cosell_tests::repository::contexts;
use cosell_tests::{RECOVERY, ServiceProcess, TestServers, Throttle};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use tokio::task::JoinSet;
use tonic::{Request, Status};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
/// Concurrent calls to each service: more than its pool for calls has connections.
const CALLERS: usize = 12;
/// The connections of the pools of all services.
const CONNECTIONS: usize = 6 * (8 + 4 + 3);
/// SCRAM iterations, ten times PostgreSQL's default: a login costs as much as on a machine with a tenth of the speed,
/// or in an unoptimised build.
const ITERATIONS: std::num::NonZeroU32 = std::num::NonZeroU32::new(40_960).expect("not zero");

/// A password as PostgreSQL stores it (SCRAM-SHA-256, RFC 5803).
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

/// Makes PostgreSQL log each login, so that they can be counted.
async fn log_logins(servers: &TestServers) {
    for sql in ["ALTER SYSTEM SET log_connections = on", "SELECT pg_reload_conf()"] {
        servers.admin().await.execute(sql).await.expect("a setting");
    }
}

async fn make_logins_expensive(servers: &TestServers) {
    let mut admin = servers.admin().await;
    for context in contexts() {
        for role in ["app", "consumer", "worker"].map(|kind| format!("{context}_{kind}")) {
            let password = std::fs::read_to_string(servers.state().join("secrets").join(&role));
            let verifier = verifier(password.expect("a password").trim());
            let sql = format!("ALTER ROLE {role} PASSWORD '{verifier}'");
            admin.execute(AssertSqlSafe(sql)).await.expect("a new password");
        }
    }
}

/// Calls one service continuously with [`CALLERS`] concurrent callers and counts the responses.
fn spawn_callers(callers: &mut JoinSet<()>, responses: &Responses, service: usize, client: &MemberClient) {
    for _ in 0..CALLERS {
        let (responses, client) = (responses.clone(), client.clone());
        callers.spawn(async move {
            loop {
                if read_once(service, &client).await.is_ok() {
                    responses[service].fetch_add(1, Ordering::Relaxed);
                }
                tokio::task::yield_now().await;
            }
        });
    }
}

type Responses = Arc<[AtomicUsize; 6]>;

async fn read_once(service: usize, client: &MemberClient) -> Result<(), Status> {
    match service {
        0 => {
            let request = Request::new(partner::GetAccountRequest::default());
            client.accounts().get_account(request).await.map(drop)
        }
        1 => {
            let request = Request::new(opportunity::ListOpportunitiesRequest::default());
            client.opportunities().list_opportunities(request).await.map(drop)
        }
        2 => {
            let request = Request::new(review::ListReviewCasesRequest::default());
            client.reviews().list_review_cases(request).await.map(drop)
        }
        3 => {
            let request = Request::new(referral::ListReferralOffersRequest::default());
            client.referrals().list_referral_offers(request).await.map(drop)
        }
        4 => {
            let request = Request::new(collaboration::ListEngagementsRequest::default());
            client.collaboration().list_engagements(request).await.map(drop)
        }
        _ => {
            let request = Request::new(notification::ListNotificationsRequest::default());
            client.notifications().list_notifications(request).await.map(drop)
        }
    }
}

async fn hide_profile(lead: &MemberClient) {
    let request = partner::SetProfileVisibilityRequest {
        visibility: partner::ProfileVisibility::Private.into(),
        ..Default::default()
    };
    eventually_within(RECOVERY, async || {
        lead.accounts().set_profile_visibility(request.clone()).await
    })
    .await;
}

/// Fails unless every service with a replica of the directory has the account's current revision.
async fn check_replicas(admin: &mut PgConnection) -> Result<(), String> {
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

/// The number of logins since the last start of PostgreSQL.
fn logins(servers: &TestServers) -> usize {
    let log = std::fs::read_to_string(servers.folder().join("postgres/postgres.log"));
    log.expect("a log").matches("connection received").count()
}

/// Waits until every service has answered calls made from now on and returns the number of logins that took. Returns an
/// error once there are so many logins that they would have filled all pools several times.
async fn wait_for_responses(servers: &TestServers, responses: &Responses) -> Result<usize, String> {
    let count = || responses.each_ref().map(|count| count.load(Ordering::Relaxed));
    let before = count();
    eventually_within(RECOVERY, async || {
        // Each caller may have had a response in flight.
        let silent = count()
            .iter()
            .zip(before)
            .filter(|(now, before)| **now <= *before + CALLERS)
            .count();
        let logins = logins(servers);
        let state = format!("{silent} of 6 services have not responded after {logins} logins");
        match silent {
            0 => Ok(Ok(logins)),
            _ if logins > 4 * CONNECTIONS => Ok(Err(state)),
            _ => Err(state),
        }
    })
    .await
}

/// Restarts PostgreSQL while all services are called and have a tenth of a processor, and returns the number of logins
/// after which all of them respond again.
async fn restart_under_load(faults: &[(&str, &str)]) -> Result<usize, String> {
    let mut servers = TestServers::start();
    let child = ServiceProcess::start(PROGRAM, &servers, ServiceProcess::address(), faults).await;
    log_logins(&servers).await;
    let responses = Responses::default();
    let mut callers = JoinSet::new();
    let (partner, reviewer) = (child.member("alder-ace-manager"), child.member("aws-reviewer"));
    for service in 0..responses.len() {
        let client = if service == 2 { &reviewer } else { &partner };
        spawn_callers(&mut callers, &responses, service, client);
    }
    // With the injected fault, even this can fail on a busy machine.
    wait_for_responses(&servers, &responses)
        .await
        .map_err(|error| format!("before the restart: {error}"))?;
    make_logins_expensive(&servers).await;
    let throttle = Throttle::start(child.id());
    servers.postgres.crash();
    servers.postgres.resume().expect("PostgreSQL again");
    let outcome = wait_for_responses(&servers, &responses).await;
    if outcome.is_ok() {
        // Checks the connections of relays and consumers: an event is published and applied by all other services.
        hide_profile(&child.member("alder-alliance-lead")).await;
        let mut admin = servers.admin().await;
        eventually_within(RECOVERY, async || check_replicas(&mut admin).await).await;
    }
    drop((callers, throttle));
    child.kill();
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_011_starved_process_recovers_from_database_restart() {
    let logins = restart_under_load(&[]).await.expect("responses of all services");
    assert!(
        logins <= 2 * CONNECTIONS,
        "{logins} logins for {CONNECTIONS} connections"
    );
}

/// With the injected fault, callers own their logins: any number run at once, and each is abandoned with its caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_011_fault_of_abandoned_logins_is_detected() {
    let outcome = restart_under_load(&[("FAILPOINTS", "abandoned-logins=return")]).await;
    assert!(
        outcome.as_ref().is_err() || outcome.as_ref().is_ok_and(|logins| *logins > 2 * CONNECTIONS),
        "the fault is not detected: {outcome:?}"
    );
}
