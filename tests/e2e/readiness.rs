//! Health checks of the process while its dependencies fail.

use cosell_proto::cosell::opportunity::v1::ListOpportunitiesRequest;
use cosell_testkit::harness::{eventually, refused};
use cosell_tests::{TestServers, Workload};
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

async fn wait_for_status(channel: &Channel, service: &str, expected: ServingStatus) {
    eventually(async || match status(channel, service).await {
        status if status == expected => Ok(()),
        other => Err(format!("{service:?} is {other:?}, not {expected:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_depends_on_the_database_and_not_on_the_bus() {
    let mut servers = TestServers::start();
    let running = servers.run().await;
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
        wait_for_status(&health, name, ServingStatus::Serving).await;
        // Load balancers check health on the address for calls.
        wait_for_status(&running.channel(), name, ServingStatus::Serving).await;
    }

    servers.postgres.crash();
    for name in names {
        wait_for_status(&health, name, ServingStatus::NotServing).await;
    }
    assert_eq!(
        status(&health, "liveness").await,
        ServingStatus::Serving,
        "liveness must not depend on the database"
    );
    let list = ListOpportunitiesRequest::default();
    let answer = running
        .member("alder-ace-user")
        .opportunities()
        .list_opportunities(list)
        .await;
    refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    servers.postgres.resume().expect("PostgreSQL again");
    for name in names {
        wait_for_status(&health, name, ServingStatus::Serving).await;
    }

    servers.nats.crash();
    let workload = Workload::start(&running.info, 1);
    eventually(async || {
        match servers
            .count("SELECT count(*) FROM opportunity.outbox_pending")
            .await
        {
            0 => Err("no event is pending"),
            _ => Ok(()),
        }
    })
    .await;
    assert_eq!(
        status(&health, "").await,
        ServingStatus::Serving,
        "readiness must not depend on the bus"
    );
    servers.nats.resume().expect("NATS again");
    workload.finish().await;
    servers.wait_until_idle().await;
    running.stop().await;
    assert_ne!(
        status(&health, "").await,
        ServingStatus::Serving,
        "the services have stopped"
    );
}
