//! Traces, metrics and logs of the process: one trace spans a call and all its effects, logs carry its ids, and no
//! signal holds texts that users entered.

use std::collections::BTreeSet;

use cosell::demo::{self, MemberClient};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::eventually;
use cosell_tests::repository::contexts;
use cosell_tests::{Collector, ServiceProcess, TestServers};
use sqlx::Row as _;
use tonic::Request;
use tonic::transport::Endpoint;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
/// Part of every text that users enter in this test.
const CANARY: &str = "Zzcanary";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const REQUEST: &str = "request-of-the-telemetry-test";

/// An opportunity of which every free text holds the canary.
fn canary_opportunity() -> opportunity::Opportunity {
    let mut content = cosell_tests::valid_opportunity();
    let canary = || format!("{CANARY} entered this text, which is long enough");
    let contact = |title: &str| opportunity::Contact {
        first_name: CANARY.to_owned(),
        last_name: CANARY.to_owned(),
        business_title: title.to_owned(),
        email: format!("{}@canary.example", CANARY.to_lowercase()),
        phone: String::new(),
    };
    content.opportunity_team = vec![contact("PartnerAccountManager")];
    let customer = content.customer.get_or_insert_default();
    customer.contacts = vec![contact(CANARY)];
    let account = customer.account.get_or_insert_default();
    account.company_name = canary();
    account.website_url = format!("www.{CANARY}.example");
    account.address.get_or_insert_default().city = canary();
    let project = content.project.get_or_insert_default();
    project.title = canary();
    project.customer_business_problem = canary();
    project.additional_comments = canary();
    content.life_cycle.get_or_insert_default().next_steps = canary();
    content
}

/// Makes an invalid call, submits an opportunity with a trace and request id of the client, and decides its review.
async fn submit_and_review(partner: &MemberClient, reviewer: &MemberClient) {
    let mut invalid = canary_opportunity();
    invalid
        .customer
        .get_or_insert_default()
        .account
        .get_or_insert_default()
        .website_url = CANARY.to_owned();
    invalid.opportunity_team[0].email = CANARY.to_owned();
    invalid.opportunity_team[0].business_title = CANARY.to_owned();
    let create = |content| opportunity::CreateOpportunityRequest {
        opportunity: Some(content),
        ..Default::default()
    };
    let refused = partner
        .opportunities()
        .create_opportunity(create(invalid))
        .await
        .expect_err("a refusal");
    assert!(demo::field_violations(&refused).len() >= 3, "{refused:?}");
    let text = format!("{refused:?} {:?}", demo::field_violations(&refused));
    assert!(
        !text.contains(CANARY),
        "the error repeats text of the request: {text}"
    );

    let created = partner
        .opportunities()
        .create_opportunity(create(canary_opportunity()))
        .await
        .expect("an opportunity");
    let id = created
        .into_inner()
        .opportunity
        .expect("an opportunity")
        .opportunity_id;
    let mut submit = Request::new(opportunity::SubmitOpportunityRequest {
        opportunity_id: id.clone(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        ..Default::default()
    });
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    submit
        .metadata_mut()
        .insert("traceparent", traceparent.parse().expect("a header"));
    submit
        .metadata_mut()
        .insert("x-request-id", REQUEST.parse().expect("a header"));
    let submitted = partner
        .lifecycle()
        .submit_opportunity(submit)
        .await
        .expect("a submission");
    assert_eq!(
        submitted
            .metadata()
            .get("x-request-id")
            .and_then(|id| id.to_str().ok()),
        Some(REQUEST)
    );

    let list = review::ListReviewCasesRequest::default();
    let case = eventually(async || {
        let cases = reviewer
            .reviews()
            .list_review_cases(list.clone())
            .await
            .expect("a queue")
            .into_inner();
        cases.review_cases.into_iter().next().ok_or("the queue is empty")
    })
    .await
    .review_case_id;
    let claim = review::ClaimReviewCaseRequest {
        review_case_id: case.clone(),
        ..Default::default()
    };
    reviewer
        .reviews()
        .claim_review_case(claim)
        .await
        .expect("a claim");
    let decide = review::DecideReviewRequest {
        review_case_id: case,
        decision: review::ReviewDecision::ActionRequired.into(),
        reason: ReviewReason::Other.into(),
        review_comments: format!("{CANARY} remarks"),
        ..Default::default()
    };
    reviewer
        .reviews()
        .decide_review(decide)
        .await
        .expect("a decision");
    eventually(async || {
        let get = opportunity::GetOpportunityRequest {
            opportunity_id: id.clone(),
            as_of: None,
        };
        let seen = partner
            .opportunities()
            .get_opportunity(get)
            .await
            .expect("an opportunity")
            .into_inner();
        match seen
            .opportunity
            .unwrap_or_default()
            .life_cycle
            .unwrap_or_default()
            .review_status()
        {
            ReviewStatus::ActionRequired => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_spans_call_and_effects_and_no_signal_holds_user_text() {
    let servers = TestServers::start();
    let (collector, endpoint) = Collector::start().await;
    let environment = [
        ("COSELL_OTLP_ENDPOINT", endpoint.as_str()),
        ("COSELL_LOG", "debug"),
    ];
    let child = ServiceProcess::start(PROGRAM, &servers, ServiceProcess::address(), &environment).await;
    let channel = Endpoint::from_shared(child.info.address.clone())
        .expect("an address")
        .connect_lazy();
    let client = |id: &str| MemberClient::new(&channel, &child.info.tokens, id).expect("a seeded member");
    submit_and_review(&client("alder-ace-user"), &client("aws-reviewer")).await;
    servers.wait_until_idle().await;
    let log = child.stop();

    // Traces: the call and its effects in other services.
    let trace: BTreeSet<_> = collector
        .spans()
        .into_iter()
        .filter(|span| {
            span.trace_id
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                == TRACE
        })
        .map(|span| span.name)
        .collect();
    for name in [
        "cosell.opportunity.v1.OpportunityLifecycleService/SubmitOpportunity",
        "cosell.opportunity.v1.OpportunitySubmitted",
        // The review service reads the opportunity.
        "cosell.opportunity.v1.OpportunityService/GetOpportunity",
    ] {
        assert!(
            trace.contains(name),
            "{name} is not in the trace of the call: {trace:?}"
        );
    }

    // Metrics.
    let metrics = collector.metric_names();
    for name in [
        "rpc.server.call.duration",
        "messaging.process.duration",
        "consumer.apply.delay",
        "outbox.pending",
        "cosell.transitions",
        "mail.attempts",
    ] {
        assert!(metrics.contains(name), "{name} is not among {metrics:?}");
    }

    // Logs: one JSON object a line; lines of the call carry its trace id and request id.
    let mut has_call = false;
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let spans = line["spans"].to_string();
        has_call |= spans.contains(TRACE) && spans.contains(REQUEST);
    }
    assert!(has_call, "no log line carries the ids of the call");

    // Texts of users are in opportunities, notifications and e-mails only.
    for (place, text) in [("the log", &log), ("telemetry", &collector.text())] {
        let found = text
            .lines()
            .find(|line| line.to_lowercase().contains(&CANARY.to_lowercase()));
        assert!(found.is_none(), "{place} holds text of a user: {found:?}");
    }
    let (mut admin, mut seen) = (servers.admin().await, 0);
    for service in contexts() {
        let sql = format!("SELECT type, headers::text AS headers, payload FROM {service}.event_journal");
        let events = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut admin)
            .await
            .expect("events");
        seen += events.len();
        for event in events {
            let (name, payload): (String, Vec<u8>) = (event.get("type"), event.get("payload"));
            let text = event.get::<String, _>("headers") + &String::from_utf8_lossy(&payload);
            let is_clean = !text.to_lowercase().contains(&CANARY.to_lowercase());
            assert!(is_clean, "{name} holds text of a user: {text}");
        }
    }
    assert!(seen >= 5, "only {seen} events were published");
}
