//! A file of opportunities is taken in while the process is killed, and again when it was corrected.

use cosell::bulk::Member;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::{GetOperationRequest, Operation};
use cosell_testkit::harness::eventually;
use cosell_tests::{Child, World, deals};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const WHO: &str = "alder-ace-user";
const ROWS: i64 = 1500;

fn member(child: &Child) -> Member {
    let token = std::fs::read_to_string(child.info.tokens.join(WHO)).expect("a token");
    Member::new(child.channel(), token.trim()).expect("a member")
}

fn options() -> pb::ImportOptions {
    pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        file_name: "deals.csv".to_owned(),
        ..Default::default()
    }
}

async fn job(child: &Child, name: &str) -> (Operation, i64) {
    let request = GetOperationRequest {
        name: name.to_owned(),
    };
    let job = child.person(WHO).operations().get_operation(request).await;
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
async fn opp_083_084_a_file_is_taken_in_once_however_often_the_process_is_killed() {
    let world = World::start();
    let address = Child::address();
    let mut child = Child::start(PROGRAM, &world, address, &[]).await;
    let file = world.folder().join("deals.csv");
    std::fs::write(&file, deals::table(1500, false)).expect("a file");
    let name = member(&child).import(&file, options()).await.expect("a job").name;
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
        child = Child::start(PROGRAM, &world, address, &[]).await;
    }
    let (running, _) = job(&child, &name).await;
    let result = member(&child).follow(running).await.expect("an end");
    assert_eq!(
        (result.total, result.created, result.failed),
        (ROWS, ROWS * 9 / 10, ROWS / 10)
    );

    let corrected = world.folder().join("corrected.csv");
    member(&child)
        .result(&name, &corrected)
        .await
        .expect("the result");
    let text = std::fs::read_to_string(&corrected).expect("the result");
    assert_eq!(
        text.matches(",FAILED,Postal code: is required in DE").count(),
        150
    );
    std::fs::write(&corrected, text.replace("Germany,,", "Germany,20457,")).expect("a file");
    let again = member(&child).import(&corrected, options()).await.expect("a job");
    let result = member(&child).follow(again).await.expect("an end");
    assert_eq!(
        (result.created, result.unchanged, result.failed),
        (ROWS / 10, ROWS * 9 / 10, 0)
    );

    let records = world.count("SELECT count(*) FROM opportunity.opportunity").await;
    assert_eq!(records, ROWS, "each row is one record");
    let told = world
        .count("SELECT count(*) FROM opportunity.event_journal WHERE type LIKE '%OpportunityCreated'")
        .await;
    assert_eq!(told, ROWS, "each record was told of once");
    child.stop();
}
