//! Bulk jobs that fail as a whole: what the operation says about the reason.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::google::longrunning::{GetOperationRequest, operation};
use cosell_testkit::harness::{App, eventually, partner};
use cosell_types::Role;
use sqlx::Executor as _;
use tonic::Code;

use crate::bulk::{bulk_client, operations_client, wait_for_result};
use crate::support::{ALDER, create, record, start, user};

/// A job like one that has completed, which the worker finds running.
const RERUN: &str =
    "INSERT INTO bulk_job SELECT account_id, 'bulkjob-0000000000000', kind, 'RUNNING', member_id,
      request_id, plan, total, 0, 0, create_time, NULL, NULL FROM bulk_job;
    INSERT INTO bulk_row SELECT account_id, 'bulkjob-0000000000000', number, content FROM bulk_row";

/// The error of a transfer that runs after a member has been deactivated.
async fn error_after_deactivation(app: &App, member: &str) -> (Code, String) {
    let assignee = partner("mem-other", ALDER, Role::AceUser);
    create(app, &assignee, record("Cedar")).await;
    let id = create(app, &user(), record("Alder")).await.opportunity_id;
    let request = pb::TransferOpportunitiesRequest {
        records: Some(Records::Ids(pb::OpportunityIds {
            opportunity_ids: vec![id],
        })),
        owner_member_id: "mem-other".to_owned(),
        ..Default::default()
    };
    let transfer = bulk_client(app, &user()).transfer_opportunities(request).await;
    let name = transfer.expect("a job").into_inner().name;
    wait_for_result(app, &user(), &name).await;

    let mut admin = app.database.admin::<Opportunities>().await;
    sqlx::query("UPDATE directory_member SET is_active = false WHERE member_id = $1")
        .bind(member)
        .execute(&mut admin)
        .await
        .expect("a deactivated member");
    admin.execute(RERUN).await.expect("a running job");
    let reader = partner("mem-reader", ALDER, Role::AceManager);
    eventually(async || {
        let get = GetOperationRequest {
            name: "operations/bulkjob-0000000000000".to_owned(),
        };
        let job = operations_client(app, &reader)
            .get_operation(get)
            .await
            .expect("the job")
            .into_inner();
        match job.result {
            Some(operation::Result::Error(error)) => Ok((Code::from(error.code), error.message)),
            result => Err(format!("{result:?}")),
        }
    })
    .await
}

#[tokio::test]
async fn opp_087_transfer_to_ineligible_assignee_fails_and_names_the_assignee() {
    let app = start().await;
    let (code, message) = error_after_deactivation(&app, "mem-other").await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(message.contains("assignee"), "{message}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_083_transfer_of_deactivated_creator_fails_and_names_the_creator() {
    let app = start().await;
    let (code, message) = error_after_deactivation(&app, "mem-user").await;
    assert_eq!(code, Code::PermissionDenied);
    assert!(message.contains("member who started the job"), "{message}");
    app.finish::<Opportunities>().await;
}
