//! Jobs: who sees them, how they end, and what becomes of them when the service does.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest, operation,
};
use cosell_testkit::harness::{App, FarEnd, Setup, eventually, partner, refused};
use cosell_types::Role;
use tonic::Code;

use crate::bulk::{
    HEADER, bulk, downloaded, ended, exported, file, import, imported, metadata, operations, row, send,
};
use crate::support::{ALDER, BIRCH, by, count, create, get, manager, options, record, start, stranger, user};

fn rows(of: std::ops::RangeInclusive<usize>) -> Vec<String> {
    of.map(|number| row(number, "20457")).collect()
}

async fn begun(app: &App, content: &str) -> String {
    let answer = send(app, &user(), import(pb::ImportMode::Create), content).await;
    answer.expect("a job").into_inner().name
}

#[tokio::test]
async fn opp_082_a_job_is_seen_by_who_began_it_and_by_who_sees_everything() {
    let app = start().await;
    let (name, _) = imported(&app, pb::ImportMode::Create, &file(&rows(1..=1))).await;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let get = GetOperationRequest { name: name.clone() };
    for (caller, sees) in [
        (user(), true),
        (manager(), true),
        (colleague, false),
        (stranger(), false),
    ] {
        let answer = operations(&app, &caller).get_operation(get.clone()).await;
        assert_eq!(answer.is_ok(), sees);
        let list = operations(&app, &caller)
            .list_operations(ListOperationsRequest::default())
            .await;
        assert_eq!(
            list.expect("a list").into_inner().operations.len(),
            usize::from(sees)
        );
        if !sees {
            let refusal = refused(answer, Code::NotFound, "OPERATION_NOT_FOUND");
            assert_eq!(refusal.metadata["operation"], name);
            let request = pb::DownloadImportResultRequest {
                name: name.clone(),
                failed_only: false,
            };
            let file = bulk(&app, &caller).download_import_result(request).await;
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
    let waited = operations(&app, &user())
        .wait_operation(wait)
        .await
        .expect("the job")
        .into_inner();
    let known = metadata(&waited);
    assert_eq!(
        (known.kind(), known.state()),
        (pb::BulkKind::Import, pb::BulkState::Completed)
    );
    assert_eq!(
        (known.created_by.as_str(), known.file_name.as_str()),
        ("mem-user", "deals.csv")
    );
    let delete = DeleteOperationRequest { name: name.clone() };
    operations(&app, &user())
        .delete_operation(delete)
        .await
        .expect("no job any more");
    refused(
        operations(&app, &user()).get_operation(get).await,
        Code::NotFound,
        "OPERATION_NOT_FOUND",
    );
    assert_eq!(count(&app, "SELECT count(*) FROM bulk_row").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_085_a_job_that_is_canceled_leaves_what_was_done_and_can_be_begun_again() {
    let app = start().await;
    let content = file(&rows(1..=1400));
    let name = begun(&app, &content).await;
    let delete = DeleteOperationRequest { name: name.clone() };
    refused(
        operations(&app, &user()).delete_operation(delete).await,
        Code::FailedPrecondition,
        "OPERATION_RUNNING",
    );
    let cancel = CancelOperationRequest { name: name.clone() };
    for _ in 0..2 {
        operations(&app, &user())
            .cancel_operation(cancel.clone())
            .await
            .expect("an end");
    }
    let get = GetOperationRequest { name: name.clone() };
    let canceled = operations(&app, &user())
        .get_operation(get)
        .await
        .expect("the job")
        .into_inner();
    assert!(canceled.done);
    let Some(operation::Result::Error(error)) = &canceled.result else {
        panic!("no error")
    };
    assert_eq!(error.code, Code::Cancelled as i32);
    let processed = metadata(&canceled).processed;
    assert!(processed < 1400, "it was over before");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, processed);
    let download = downloaded(&app, &name, false).await;
    assert!(
        download
            .lines()
            .last()
            .expect("a line")
            .ends_with(",NOT_PROCESSED,")
    );
    let (_, result) = imported(&app, pb::ImportMode::Create, &content).await;
    assert_eq!(
        (result.created, result.unchanged),
        (1400 - processed, processed),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_083_what_a_service_had_in_hand_when_it_ended_is_done_by_the_next_one() {
    let app = start().await;
    let replica = Setup::beside(&app)
        .start_on::<Opportunities>(app.database.shared(), options("http://127.0.0.1:9"))
        .await;
    // Two replicas share the work, and then the one goes in the middle of it.
    let name = begun(&app, &file(&rows(1..=1200))).await;
    eventually(async || {
        let done = count(&app, "SELECT coalesce(max(processed), 0)::bigint FROM bulk_job").await;
        if done > 100 {
            Ok(())
        } else {
            Err(format!("{done} rows"))
        }
    })
    .await;
    replica.finish::<Opportunities>().await;
    let result = ended(&app, &user(), &name).await;
    assert_eq!((result.total, result.created, result.failed), (1200, 1200, 0));
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1200);
    assert_eq!(
        count(&app, "SELECT count(*) FROM opportunity_revision").await,
        1200
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_083_accounts_take_turns() {
    let app = start().await;
    let long = begun(&app, &file(&rows(1..=1400))).await;
    let short = send(
        &app,
        &stranger(),
        import(pb::ImportMode::Create),
        &file(&rows(1..=60)),
    )
    .await;
    let short = short.expect("a job").into_inner().name;
    assert_eq!(ended(&app, &stranger(), &short).await.created, 60);
    let get = GetOperationRequest { name: long.clone() };
    let running = operations(&app, &user())
        .get_operation(get)
        .await
        .expect("the job")
        .into_inner();
    assert!(!running.done, "the long job went first: {:?}", metadata(&running));
    assert_eq!(ended(&app, &user(), &long).await.created, 1400);
    app.finish::<Opportunities>().await;
}

fn transfer(ids: Vec<String>) -> pb::TransferOpportunitiesRequest {
    pb::TransferOpportunitiesRequest {
        records: Some(Records::Ids(pb::OpportunityIds { opportunity_ids: ids })),
        owner_member_id: "mem-other".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn opp_087_records_are_given_away_each_on_its_own_and_a_whole_list_only_with_its_number() {
    let app = start().await;
    let other = partner("mem-other", ALDER, Role::AceUser);
    create(&app, &other, record("Cedar")).await;
    let mut ids = Vec::new();
    for company in ["Alder", "Birch", "Elm"] {
        ids.push(create(&app, &user(), record(company)).await.opportunity_id);
    }
    crate::support::submit(&app, &user(), &ids[1]).await;
    let foreign = create(
        &app,
        &partner("mem-elsewhere", BIRCH, Role::AceUser),
        record("Oak"),
    )
    .await;
    let named = vec![ids[0].clone(), foreign.opportunity_id];
    let answer = bulk(&app, &user()).transfer_opportunities(transfer(named)).await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let named = vec![ids[0].clone(), ids[1].clone()];
    let answer = bulk(&app, &user())
        .transfer_opportunities(transfer(named))
        .await
        .expect("a job");
    let result = ended(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.assigned, result.failed), (1, 1));
    assert_eq!(result.failures[0].code, "ILLEGAL_TRANSITION");
    assert_eq!(get(&app, &other, &ids[0]).await.owner_member_id, "mem-other");

    let list = |expected_count| pb::TransferOpportunitiesRequest {
        records: Some(Records::List(pb::OpportunityList {
            filter: Some(pb::OpportunityFilter {
                stages: vec![pb::Stage::Prospect.into()],
                ..Default::default()
            }),
            expected_count,
            ..Default::default()
        })),
        ..transfer(Vec::new())
    };
    for (incomplete, field) in [
        (list(None), "list.expected_count"),
        (transfer(Vec::new()), "ids.opportunity_ids"),
    ] {
        let answer = bulk(&app, &manager()).transfer_opportunities(incomplete).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [field]);
    }
    let refusal = refused(
        bulk(&app, &manager()).transfer_opportunities(list(Some(0))).await,
        Code::FailedPrecondition,
        "COUNT_MISMATCH",
    );
    assert_eq!(refusal.metadata["count"], "4");
    let confirmed = list(Some(4));
    let answer = bulk(&app, &manager())
        .transfer_opportunities(confirmed)
        .await
        .expect("a job");
    let result = ended(&app, &manager(), &answer.into_inner().name).await;
    assert_eq!(
        (result.total, result.assigned, result.unchanged, result.failed),
        (4, 1, 2, 1)
    );
    for wrong in [
        transfer(Vec::new()),
        pb::TransferOpportunitiesRequest {
            owner_member_id: "mem-elsewhere".to_owned(),
            ..transfer(ids.clone())
        },
    ] {
        let answer = bulk(&app, &manager()).transfer_opportunities(wrong).await;
        refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    }
    let mine = by(&app, &other)
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(mine.expect("a list").into_inner().opportunities.len(), 3);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_087_a_rehearsed_transfer_is_news_for_who_began_it_alone() {
    let app = Setup::default()
        .with_bus()
        .start::<Opportunities>(options("http://127.0.0.1:9"))
        .await;
    let other = partner("mem-other", ALDER, Role::AceUser);
    create(&app, &other, record("Cedar")).await;
    let made = create(&app, &user(), record("Alder")).await;
    for validate_only in [true, false] {
        let request = pb::TransferOpportunitiesRequest {
            validate_only,
            ..transfer(vec![made.opportunity_id.clone()])
        };
        let answer = bulk(&app, &user()).transfer_opportunities(request).await;
        let result = ended(&app, &user(), &answer.expect("a job").into_inner().name).await;
        assert_eq!(
            (result.valid, result.assigned),
            (i64::from(validate_only), i64::from(!validate_only))
        );
    }
    let all = FarEnd::new(&app.bus_args.nats_url)
        .await
        .first("opportunity", 5)
        .await;
    let told: Vec<_> = all
        .iter()
        .filter(|event| event.subject.ends_with(".bulk_job_finished"))
        .map(|event| {
            let told: pb::BulkJobFinished = event.message();
            (told.owner_member_id, told.previous_owner_member_ids)
        })
        .collect();
    let (assignee, before) = ("mem-other".to_owned(), vec!["mem-user".to_owned()]);
    assert_eq!(told, [(String::new(), Vec::new()), (assignee, before)]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_columns_stand_in_any_order() {
    let app = start().await;
    let (header, given) = (format!("Currency,{HEADER}"), format!("EUR,{}", row(1, "20457")));
    let (_, result) = imported(&app, pb::ImportMode::Create, &format!("{header}\n{given}\n")).await;
    assert_eq!(result.created, 1, "{result:?}");
    let lines = exported(&app, &user(), pb::FileFormat::JsonLines).await;
    let record: serde_json::Value = serde_json::from_str(lines.trim()).expect("JSON");
    let amount = &record["project"]["expectedCustomerSpend"][0]["amount"];
    assert_eq!(
        (&amount["currencyCode"], &amount["units"]),
        (&"EUR".into(), &"1850".into())
    );
    app.finish::<Opportunities>().await;
}
