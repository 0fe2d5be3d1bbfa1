//! Bulk jobs: visibility, cancellation, recovery after a replica stops, fairness between accounts, and transfers
//! (OPP-080, OPP-082, OPP-083, OPP-085, OPP-087).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest, operation,
};
use cosell_testkit::harness::{App, PeerStub, Setup, eventually, partner, refused};
use cosell_types::Role;
use tonic::Code;

use crate::bulk::{
    HEADER, bulk_client, bulk_metadata, csv_file, csv_row, download_result, export, import_options,
    operations_client, run_import, upload, wait_for_result,
};
use crate::support::{
    ALDER, BIRCH, client_for, count, create, get, manager, options, record, start, unrelated_member, user,
};

fn csv_rows(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|number| csv_row(number, "20457")).collect()
}

async fn start_import(app: &App, content: &str) -> String {
    let answer = upload(app, &user(), import_options(pb::ImportMode::Create), content).await;
    answer.expect("a job").into_inner().name
}

#[tokio::test]
async fn opp_082_job_is_visible_to_creator_and_account_wide_roles_only() {
    let app = start().await;
    let (name, _) = run_import(&app, pb::ImportMode::Create, &csv_file(&csv_rows(1..=1))).await;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let get = GetOperationRequest { name: name.clone() };
    for (caller, is_visible) in [
        (user(), true),
        (manager(), true),
        (colleague, false),
        (unrelated_member(), false),
    ] {
        let answer = operations_client(&app, &caller).get_operation(get.clone()).await;
        assert_eq!(answer.is_ok(), is_visible);
        let selection = ListOperationsRequest {
            name: "operations/1".to_owned(),
            filter: "done".to_owned(),
            ..Default::default()
        };
        let selected = operations_client(&app, &caller).list_operations(selection).await;
        let refusal = refused(selected, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["name", "filter"]);
        let list = operations_client(&app, &caller)
            .list_operations(ListOperationsRequest::default())
            .await;
        assert_eq!(
            list.expect("a list").into_inner().operations.len(),
            usize::from(is_visible)
        );
        if !is_visible {
            let refusal = refused(answer, Code::NotFound, "OPERATION_NOT_FOUND");
            assert_eq!(refusal.metadata["operation"], name);
            let request = pb::DownloadImportResultRequest {
                name: name.clone(),
                failed_only: false,
            };
            let file = bulk_client(&app, &caller).download_import_result(request).await;
            refused(
                file.map(|_| tonic::Response::new(())),
                Code::NotFound,
                "OPERATION_NOT_FOUND",
            );
        }
    }
    let wait = WaitOperationRequest {
        name: name.clone(),
        timeout: None,
    };
    let waited = operations_client(&app, &user())
        .wait_operation(wait)
        .await
        .expect("the job")
        .into_inner();
    let job = bulk_metadata(&waited);
    assert_eq!(
        (job.kind(), job.state()),
        (pb::BulkKind::Import, pb::BulkState::Completed)
    );
    assert_eq!(
        (job.created_by.as_str(), job.file_name.as_str()),
        ("mem-user", "opportunities.csv")
    );
    let delete = DeleteOperationRequest { name: name.clone() };
    operations_client(&app, &user())
        .delete_operation(delete)
        .await
        .expect("a deleted job");
    refused(
        operations_client(&app, &user()).get_operation(get).await,
        Code::NotFound,
        "OPERATION_NOT_FOUND",
    );
    assert_eq!(count(&app, "SELECT count(*) FROM bulk_row").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_085_canceled_job_retains_processed_rows_and_can_be_rerun() {
    let app = start().await;
    let content = csv_file(&csv_rows(1..=1400));
    let name = start_import(&app, &content).await;
    let delete = DeleteOperationRequest { name: name.clone() };
    refused(
        operations_client(&app, &user()).delete_operation(delete).await,
        Code::FailedPrecondition,
        "OPERATION_RUNNING",
    );
    let cancel = CancelOperationRequest { name: name.clone() };
    for _ in 0..2 {
        operations_client(&app, &user())
            .cancel_operation(cancel.clone())
            .await
            .expect("a cancellation");
    }
    let get = GetOperationRequest { name: name.clone() };
    let canceled = operations_client(&app, &user())
        .get_operation(get)
        .await
        .expect("the job")
        .into_inner();
    assert!(canceled.done);
    let Some(operation::Result::Error(error)) = &canceled.result else {
        panic!("a canceled job has no error")
    };
    assert_eq!(error.code, Code::Cancelled as i32);
    let processed = bulk_metadata(&canceled).processed;
    assert!(processed < 1400, "the job completed before the cancellation");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, processed);
    let download = download_result(&app, &name, false).await;
    assert!(
        download
            .lines()
            .last()
            .expect("a line")
            .ends_with(",NOT_PROCESSED,")
    );
    let (_, result) = run_import(&app, pb::ImportMode::Create, &content).await;
    assert_eq!(
        (result.created, result.unchanged),
        (1400 - processed, processed),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_083_job_is_completed_after_one_replica_stops() {
    let app = start().await;
    let replica = Setup::replica_of(&app)
        .start_on::<Opportunities>(app.database.shared(), options("http://127.0.0.1:9"))
        .await;
    // Two replicas process the job, and one of them stops halfway.
    let name = start_import(&app, &csv_file(&csv_rows(1..=1200))).await;
    eventually(async || {
        let processed = count(&app, "SELECT coalesce(max(processed), 0)::bigint FROM bulk_job").await;
        if processed > 100 {
            Ok(())
        } else {
            Err(format!("{processed} rows"))
        }
    })
    .await;
    replica.finish::<Opportunities>().await;
    let result = wait_for_result(&app, &user(), &name).await;
    assert_eq!((result.total, result.created, result.failed), (1200, 1200, 0));
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1200);
    assert_eq!(
        count(&app, "SELECT count(*) FROM opportunity_revision").await,
        1200
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_083_short_job_of_another_account_is_not_blocked_by_long_job() {
    let app = start().await;
    let long_job = start_import(&app, &csv_file(&csv_rows(1..=1400))).await;
    let short_job = upload(
        &app,
        &unrelated_member(),
        import_options(pb::ImportMode::Create),
        &csv_file(&csv_rows(1..=60)),
    )
    .await;
    let short_job = short_job.expect("a job").into_inner().name;
    assert_eq!(
        wait_for_result(&app, &unrelated_member(), &short_job)
            .await
            .created,
        60
    );
    let get = GetOperationRequest {
        name: long_job.clone(),
    };
    let running = operations_client(&app, &user())
        .get_operation(get)
        .await
        .expect("the job")
        .into_inner();
    assert!(
        !running.done,
        "the long job completed first: {:?}",
        bulk_metadata(&running)
    );
    assert_eq!(wait_for_result(&app, &user(), &long_job).await.created, 1400);
    app.finish::<Opportunities>().await;
}

fn transfer_request(ids: Vec<String>) -> pb::TransferOpportunitiesRequest {
    pb::TransferOpportunitiesRequest {
        records: Some(Records::Ids(pb::OpportunityIds { opportunity_ids: ids })),
        owner_member_id: "mem-other".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn opp_087_transfer_is_per_record_and_list_requires_expected_count() {
    let app = start().await;
    let other = partner("mem-other", ALDER, Role::AceUser);
    create(&app, &other, record("Cedar")).await;
    let mut ids = Vec::new();
    for company in ["Alder", "Birch", "Elm"] {
        ids.push(create(&app, &user(), record(company)).await.opportunity_id);
    }
    crate::support::submit(&app, &user(), &ids[1]).await;
    let other_account_record = create(
        &app,
        &partner("mem-elsewhere", BIRCH, Role::AceUser),
        record("Oak"),
    )
    .await;
    let ids_to_transfer = vec![ids[0].clone(), other_account_record.opportunity_id];
    let answer = bulk_client(&app, &user())
        .transfer_opportunities(transfer_request(ids_to_transfer))
        .await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let ids_to_transfer = vec![ids[0].clone(), ids[1].clone()];
    let answer = bulk_client(&app, &user())
        .transfer_opportunities(transfer_request(ids_to_transfer))
        .await
        .expect("a job");
    let result = wait_for_result(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.assigned, result.failed), (1, 1));
    assert_eq!(result.failures[0].code, "ILLEGAL_TRANSITION");
    assert_eq!(get(&app, &other, &ids[0]).await.owner_member_id, "mem-other");

    let list_transfer = |expected_count| pb::TransferOpportunitiesRequest {
        records: Some(Records::List(pb::OpportunityList {
            filter: Some(pb::OpportunityFilter {
                stages: vec![pb::Stage::Prospect.into()],
                ..Default::default()
            }),
            expected_count,
            ..Default::default()
        })),
        ..transfer_request(Vec::new())
    };
    for (incomplete, field) in [
        (list_transfer(None), "list.expected_count"),
        (transfer_request(Vec::new()), "ids.opportunity_ids"),
    ] {
        let answer = bulk_client(&app, &manager())
            .transfer_opportunities(incomplete)
            .await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field]);
    }
    let refusal = refused(
        bulk_client(&app, &manager())
            .transfer_opportunities(list_transfer(Some(0)))
            .await,
        Code::FailedPrecondition,
        "COUNT_MISMATCH",
    );
    assert_eq!(refusal.metadata["count"], "4");
    let confirmed = list_transfer(Some(4));
    let answer = bulk_client(&app, &manager())
        .transfer_opportunities(confirmed)
        .await
        .expect("a job");
    let result = wait_for_result(&app, &manager(), &answer.into_inner().name).await;
    assert_eq!(
        (result.total, result.assigned, result.unchanged, result.failed),
        (4, 1, 2, 1)
    );
    for invalid in [
        transfer_request(Vec::new()),
        pb::TransferOpportunitiesRequest {
            owner_member_id: "mem-elsewhere".to_owned(),
            ..transfer_request(ids.clone())
        },
    ] {
        let answer = bulk_client(&app, &manager())
            .transfer_opportunities(invalid)
            .await;
        refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    }
    let owned = client_for(&app, &other)
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(owned.expect("a list").into_inner().opportunities.len(), 3);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_087_dry_run_transfer_notifies_only_its_creator() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let other = partner("mem-other", ALDER, Role::AceUser);
    create(&app, &other, record("Cedar")).await;
    let created = create(&app, &user(), record("Alder")).await;
    for validate_only in [true, false] {
        let request = pb::TransferOpportunitiesRequest {
            validate_only,
            ..transfer_request(vec![created.opportunity_id.clone()])
        };
        let answer = bulk_client(&app, &user()).transfer_opportunities(request).await;
        let result = wait_for_result(&app, &user(), &answer.expect("a job").into_inner().name).await;
        assert_eq!(
            (result.valid, result.assigned),
            (i64::from(validate_only), i64::from(!validate_only))
        );
    }
    let all = PeerStub::new(&app.bus_args.nats_url)
        .await
        .first_events("opportunity", 5)
        .await;
    let notifications: Vec<_> = all
        .iter()
        .filter(|event| event.subject.ends_with(".bulk_job_finished"))
        .map(|event| {
            let finished: pb::BulkJobFinished = event.message();
            (finished.owner_member_id, finished.previous_owner_member_ids)
        })
        .collect();
    let (new_owner, previous_owners) = ("mem-other".to_owned(), vec!["mem-user".to_owned()]);
    assert_eq!(
        notifications,
        [(String::new(), Vec::new()), (new_owner, previous_owners)]
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_columns_are_accepted_in_any_order() {
    let app = start().await;
    let (header, values) = (
        format!("Currency,{HEADER}"),
        format!("EUR,{}", csv_row(1, "20457")),
    );
    let (_, result) = run_import(&app, pb::ImportMode::Create, &format!("{header}\n{values}\n")).await;
    assert_eq!(result.created, 1, "{result:?}");
    let lines = export(&app, &user(), pb::FileFormat::JsonLines).await;
    let record: serde_json::Value = serde_json::from_str(lines.trim()).expect("JSON");
    let amount = &record["project"]["expectedCustomerSpend"][0]["amount"];
    assert_eq!(
        (&amount["currencyCode"], &amount["units"]),
        (&"EUR".into(), &"1850".into())
    );
    app.finish::<Opportunities>().await;
}
