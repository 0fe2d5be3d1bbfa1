//! What the process says of itself to whoever sends it calls.

use cosell_proto::cosell::opportunity::v1::ListOpportunitiesRequest;
use cosell_testkit::harness::{eventually, refused};
use cosell_tests::{Workload, World};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

async fn status(channel: &Channel, service: &str) -> ServingStatus {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.map_or(ServingStatus::Unknown, |answer| answer.into_inner().status())
}

async fn becomes(channel: &Channel, service: &str, wanted: ServingStatus) {
    eventually(async || match status(channel, service).await {
        status if status == wanted => Ok(()),
        other => Err(format!("{service:?} is {other:?}, not {wanted:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_it_gets_no_calls_and_without_its_bus_it_does() {
    let mut world = World::start();
    let running = world.run().await;
    let health = Endpoint::from_shared(running.info.health.clone())
        .expect("an address")
        .connect_lazy();
    let names = [
        "",
        "readiness",
        "cosell.opportunity.v1.OpportunityService",
        "cosell.review.v1.ReviewService",
    ];
    for name in names {
        becomes(&health, name, ServingStatus::Serving).await;
        // Also where calls go: load balancers ask there.
        becomes(&running.channel(), name, ServingStatus::Serving).await;
    }

    world.postgres.crash();
    for name in names {
        becomes(&health, name, ServingStatus::NotServing).await;
    }
    assert_eq!(
        status(&health, "liveness").await,
        ServingStatus::Serving,
        "a restart would not bring the database back"
    );
    let list = ListOpportunitiesRequest::default();
    let answer = running
        .person("alder-ace-user")
        .opportunities()
        .list_opportunities(list)
        .await;
    refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    world.postgres.resume().expect("PostgreSQL again");
    for name in names {
        becomes(&health, name, ServingStatus::Serving).await;
    }

    world.nats.crash();
    let travelling = Workload::start(&running.info, 1);
    eventually(async || {
        match world
            .count("SELECT count(*) FROM opportunity.outbox_pending")
            .await
        {
            0 => Err("nothing waits for the bus"),
            _ => Ok(()),
        }
    })
    .await;
    assert_eq!(
        status(&health, "").await,
        ServingStatus::Serving,
        "calls are answered without the bus"
    );
    world.nats.resume().expect("NATS again");
    travelling.arrive().await;
    world.settled().await;
    running.stop().await;
    assert_ne!(status(&health, "").await, ServingStatus::Serving, "it has ended");
}
