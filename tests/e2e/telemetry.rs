//! What the process tells of itself: one trace from the call to the last effect, logs that lead to it, and nowhere what
//! people wrote.

use std::collections::BTreeSet;

use cosell::demo::{self, Person};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};
use cosell_testkit::harness::eventually;
use cosell_tests::repository::contexts;
use cosell_tests::{Child, Collector, World};
use sqlx::Row as _;
use tonic::Request;
use tonic::transport::Endpoint;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
/// In everything that people write in this test.
const CANARY: &str = "Zzcanary";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const REQUEST: &str = "request-of-the-telemetry-test";

/// A record in which everything that people write is a canary.
fn record() -> opportunity::Opportunity {
    let mut record = cosell_tests::record();
    let canary = || format!("{CANARY} wrote this, which is long enough");
    let person = |title: &str| opportunity::Contact {
        first_name: CANARY.to_owned(),
        last_name: CANARY.to_owned(),
        business_title: title.to_owned(),
        email: format!("{}@canary.example", CANARY.to_lowercase()),
        phone: String::new(),
    };
    record.opportunity_team = vec![person("PartnerAccountManager")];
    let customer = record.customer.get_or_insert_default();
    customer.contacts = vec![person(CANARY)];
    let account = customer.account.get_or_insert_default();
    account.company_name = canary();
    account.website_url = format!("www.{CANARY}.example");
    account.address.get_or_insert_default().city = canary();
    let project = record.project.get_or_insert_default();
    project.title = canary();
    project.customer_business_problem = canary();
    project.additional_comments = canary();
    record.life_cycle.get_or_insert_default().next_steps = canary();
    record
}

/// The journey once: one call with a trace and a request id of the client, one that is refused, one that is decided.
async fn travel(partner: &Person, reviewer: &Person) {
    let mut wrong = record();
    wrong
        .customer
        .get_or_insert_default()
        .account
        .get_or_insert_default()
        .website_url = CANARY.to_owned();
    wrong.opportunity_team[0].email = CANARY.to_owned();
    wrong.opportunity_team[0].business_title = CANARY.to_owned();
    let create = |record| opportunity::CreateOpportunityRequest {
        opportunity: Some(record),
        ..Default::default()
    };
    let refused = partner
        .opportunities()
        .create_opportunity(create(wrong))
        .await
        .expect_err("a refusal");
    assert!(demo::violations(&refused).len() >= 3, "{refused:?}");
    let text = format!("{refused:?} {:?}", demo::violations(&refused));
    assert!(
        !text.contains(CANARY),
        "a refusal repeats what was written: {text}"
    );

    let made = partner
        .opportunities()
        .create_opportunity(create(record()))
        .await
        .expect("a record");
    let id = made.into_inner().opportunity.expect("a record").opportunity_id;
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
            .expect("a record")
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
async fn one_trace_leads_from_the_call_to_its_effects_and_nothing_repeats_what_people_wrote() {
    let world = World::start();
    let (collector, endpoint) = Collector::start().await;
    let environment = [
        ("COSELL_OTLP_ENDPOINT", endpoint.as_str()),
        ("COSELL_LOG", "debug"),
    ];
    let child = Child::start(PROGRAM, &world, Child::address(), &environment).await;
    let channel = Endpoint::from_shared(child.info.address.clone())
        .expect("an address")
        .connect_lazy();
    let person = |id: &str| Person::new(&channel, &child.info.tokens, id).expect("a seeded member");
    travel(&person("alder-ace-user"), &person("aws-reviewer")).await;
    world.settled().await;
    let log = child.stop();

    // Traces: the call and what came of it in the other services.
    let of_the_call: BTreeSet<_> = collector
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
        // The review service asks for the record.
        "cosell.opportunity.v1.OpportunityService/GetOpportunity",
    ] {
        assert!(
            of_the_call.contains(name),
            "{name} is not in the trace of the call: {of_the_call:?}"
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

    // Logs: one JSON object a line, and the call is found by its trace and by its request id.
    let mut leads = false;
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let spans = line["spans"].to_string();
        leads |= spans.contains(TRACE) && spans.contains(REQUEST);
    }
    assert!(leads, "no line of the log leads to the call");

    // What people wrote is nowhere but in the records, the inboxes and the mail.
    for (place, text) in [("the log", &log), ("telemetry", &collector.text())] {
        let found = text
            .lines()
            .find(|line| line.to_lowercase().contains(&CANARY.to_lowercase()));
        assert!(found.is_none(), "{place} repeats what people wrote: {found:?}");
    }
    let (mut admin, mut seen) = (world.admin().await, 0);
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
            assert!(is_clean, "{name} repeats what people wrote: {text}");
        }
    }
    assert!(seen >= 5, "only {seen} events were published");
}
