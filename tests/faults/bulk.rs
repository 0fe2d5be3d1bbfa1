//! Imports a file while the process is killed, and imports the corrected result file.

use cosell::bulk::{BulkClient, create_file};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::{GetOperationRequest, Operation};
use cosell_testkit::harness::eventually;
use cosell_tests::{ServiceProcess, TestServers, import_files};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const MEMBER: &str = "alder-ace-user";
const ROWS: i64 = 1500;

fn bulk_client(child: &ServiceProcess) -> BulkClient {
    let token = std::fs::read_to_string(child.info.tokens.join(MEMBER)).expect("a token");
    BulkClient::new(child.channel(), token.trim()).expect("a client")
}

fn options() -> pb::ImportOptions {
    pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        file_name: "opportunities.csv".to_owned(),
        ..Default::default()
    }
}

async fn job(child: &ServiceProcess, name: &str) -> (Operation, i64) {
    let request = GetOperationRequest {
        name: name.to_owned(),
    };
    let job = child.member(MEMBER).operations().get_operation(request).await;
    let job = job.expect("the job").into_inner();
    let metadata: pb::BulkMetadata = job
        .metadata
        .as_ref()
        .expect("metadata")
        .to_msg()
        .expect("metadata");
    (job, metadata.processed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opp_083_084_import_creates_each_row_once_despite_killed_processes() {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    let mut child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    let file = servers.folder().join("opportunities.csv");
    std::fs::write(&file, import_files::csv(1500, false)).expect("a file");
    let name = bulk_client(&child)
        .import(&file, options())
        .await
        .expect("a job")
        .name;
    for share in [1, 2] {
        eventually(async || {
            let (_, done) = job(&child, &name).await;
            if done >= ROWS * share / 4 {
                Ok(())
            } else {
                Err(format!("{done} rows"))
            }
        })
        .await;
        child.kill();
        child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    }
    let (running, _) = job(&child, &name).await;
    let result = bulk_client(&child).wait_for_job(running).await.expect("a result");
    assert_eq!(
        (result.total, result.created, result.failed),
        (ROWS, ROWS * 9 / 10, ROWS / 10)
    );

    let corrected = servers.folder().join("corrected.csv");
    let file = create_file(&corrected).expect("a file");
    bulk_client(&child)
        .download_result(&name, file)
        .await
        .expect("the result");
    let text = std::fs::read_to_string(&corrected).expect("the result");
    assert_eq!(
        text.matches(",FAILED,Postal code: Is required in DE.").count(),
        150
    );
    std::fs::write(&corrected, text.replace("Germany,,", "Germany,20457,")).expect("a file");
    let second = bulk_client(&child)
        .import(&corrected, options())
        .await
        .expect("a job");
    let result = bulk_client(&child).wait_for_job(second).await.expect("a result");
    assert_eq!(
        (result.created, result.unchanged, result.failed),
        (ROWS / 10, ROWS * 9 / 10, 0)
    );

    let opportunities = servers
        .count("SELECT count(*) FROM opportunity.opportunity")
        .await;
    assert_eq!(opportunities, ROWS, "each row has created one opportunity");
    let events = servers
        .count("SELECT count(*) FROM opportunity.event_journal WHERE type LIKE '%OpportunityCreated'")
        .await;
    assert_eq!(events, ROWS, "each opportunity has one event");
    child.stop();
}
