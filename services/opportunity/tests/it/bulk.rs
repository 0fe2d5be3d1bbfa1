//! Files taken in and given out over a real connection.

use cosell_opportunity::{Opportunities, Options};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::bulk_service_client::BulkServiceClient;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use cosell_proto::google::longrunning::operations_client::OperationsClient;
use cosell_proto::google::longrunning::{GetOperationRequest, Operation, operation};
use cosell_testkit::harness::{App, Client, Setup, eventually, refused};
use cosell_types::Caller;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::reviewer::{approved, start_with_review};
use crate::support::{by, count, get, manager, options, record, request_id, start, stranger, user};

pub type Bulk = BulkServiceClient<InterceptedService<Channel, Client>>;

pub fn bulk(app: &App, caller: &Caller) -> Bulk {
    BulkServiceClient::new(app.by(caller))
}

pub fn operations(app: &App, caller: &Caller) -> OperationsClient<InterceptedService<Channel, Client>> {
    OperationsClient::new(app.by(caller))
}

pub const HEADER: &str = "Customer company name,Industry vertical,Country,Postal code,Customer website,\
    Partner primary need from AWS,Partner project title,Customer business problem,Solution offered,\
    Other solution offered,Use case,Estimated AWS MRR,Target close date,Opportunity type,Delivery model,\
    Is opportunity from marketing activity?,Sales activities,Partner CRM unique identifier";

/// A row that is right, unless its postal code is not.
pub fn row(number: usize, postal_code: &str) -> String {
    format!(
        "Company {number},retail,Germany,{postal_code},www.company-{number}.example,Co-Sell - Deal Support,\
         Project {number},Orders are typed in twice.,Other,Landing zone,Database,1850.50,09/30/2026,\
         Net New Business,Professional Services,No,SOW Signed,CRM-{number}"
    )
}

pub fn file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

pub fn import(mode: pb::ImportMode) -> pb::ImportOptions {
    pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        mode: mode.into(),
        file_name: "deals.csv".to_owned(),
        ..Default::default()
    }
}

/// Sends a file in pieces that end anywhere.
pub async fn send(
    app: &App,
    caller: &Caller,
    options: pb::ImportOptions,
    content: &str,
) -> Result<Response<Operation>, Status> {
    let mut parts = vec![Part::Options(options)];
    let pieces = content.as_bytes().chunks(997);
    parts.extend(pieces.map(|piece| Part::Content(piece.to_vec())));
    let parts = parts
        .into_iter()
        .map(|part| pb::ImportOpportunitiesRequest { part: Some(part) });
    let parts: Vec<_> = parts.collect();
    bulk(app, caller)
        .import_opportunities(tokio_stream::iter(parts))
        .await
}

pub fn metadata(operation: &Operation) -> pb::BulkMetadata {
    let metadata = operation.metadata.as_ref().expect("metadata");
    metadata.to_msg().expect("metadata of a job")
}

/// What became of a job, once it has ended.
pub async fn ended(app: &App, caller: &Caller, name: &str) -> pb::BulkResult {
    let operation = eventually(async || {
        let request = GetOperationRequest {
            name: name.to_owned(),
        };
        let answer = operations(app, caller)
            .get_operation(request)
            .await
            .expect("the job")
            .into_inner();
        if answer.done {
            Ok(answer)
        } else {
            Err(format!("{:?}", metadata(&answer)))
        }
    })
    .await;
    match operation.result {
        Some(operation::Result::Response(result)) => result.to_msg().expect("a result"),
        other => panic!("{:?}", other.is_some()),
    }
}

pub async fn imported(app: &App, mode: pb::ImportMode, content: &str) -> (String, pb::BulkResult) {
    let answer = send(app, &user(), import(mode), content)
        .await
        .expect("a job")
        .into_inner();
    let result = ended(app, &user(), &answer.name).await;
    (answer.name, result)
}

pub async fn downloaded(app: &App, name: &str, failed_only: bool) -> String {
    let request = pb::DownloadImportResultRequest {
        name: name.to_owned(),
        failed_only,
    };
    let mut pieces = bulk(app, &user())
        .download_import_result(request)
        .await
        .expect("a file")
        .into_inner();
    let mut content = Vec::new();
    while let Some(piece) = pieces.message().await.expect("a piece") {
        content.extend(piece.content);
    }
    String::from_utf8(content).expect("UTF-8")
}

pub async fn exported(app: &App, caller: &Caller, format: pb::FileFormat) -> String {
    let request = pb::ExportOpportunitiesRequest {
        format: format.into(),
        ..Default::default()
    };
    let mut pieces = bulk(app, caller)
        .export_opportunities(request)
        .await
        .expect("a file")
        .into_inner();
    let mut content = Vec::new();
    while let Some(piece) = pieces.message().await.expect("a piece") {
        content.extend(piece.content);
    }
    String::from_utf8(content).expect("UTF-8")
}

#[tokio::test]
async fn opp_081_084_a_corrected_file_makes_what_was_missing_and_nothing_twice() {
    let app = start().await;
    let rows: Vec<_> = (1..=120)
        .map(|number| row(number, if number % 10 == 0 { "" } else { "20457" }))
        .collect();
    let (name, result) = imported(&app, pb::ImportMode::Create, &file(&rows)).await;
    assert_eq!(
        (result.total, result.created, result.failed),
        (120, 108, 12),
        "{result:?}"
    );
    let first = &result.failures[0];
    assert_eq!((first.row, first.code.as_str()), (10, "REQUIRED_FIELD_MISSING"));
    assert_eq!(first.description, "Postal code: is required in DE");

    let download = downloaded(&app, &name, false).await;
    let lines: Vec<_> = download.lines().collect();
    assert_eq!(lines.len(), 121);
    assert!(lines[0].ends_with(",Result,Details"), "{}", lines[0]);
    assert!(lines[1].contains(",CREATED,O"), "{}", lines[1]);
    assert!(
        lines[10].ends_with(",FAILED,Postal code: is required in DE"),
        "{}",
        lines[10]
    );
    assert_eq!(downloaded(&app, &name, true).await.lines().count(), 13);

    // The downloaded file, corrected, without taking anything out of it.
    let corrected = download.replace("Germany,,", "Germany,20457,");
    let (_, result) = imported(&app, pb::ImportMode::Create, &corrected).await;
    assert_eq!(
        (result.total, result.created, result.unchanged, result.failed),
        (120, 12, 108, 0)
    );
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 120);
    let (_, result) = imported(&app, pb::ImportMode::Create, &corrected).await;
    assert_eq!((result.created, result.unchanged), (0, 120));
    let draft = exported(&app, &user(), pb::FileFormat::JsonLines).await;
    let first: serde_json::Value = serde_json::from_str(draft.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        first["project"]["expectedCustomerSpend"][0]["amount"]["units"],
        "1850"
    );
    assert_eq!(first["ownerMemberId"], "mem-user");
    assert_eq!(
        first["lifeCycle"]["reviewStatus"],
        "REVIEW_STATUS_PENDING_SUBMISSION"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_081_rows_are_submitted_at_once_or_refused_as_a_whole() {
    let app = start().await;
    let rows = [
        row(1, "20457"),
        // The form of the postal code is asked for at submission.
        row(2, "2045"),
        row(3, "20457").replace("Co-Sell - Deal Support", "Do Not Need Support from AWS Sales Rep"),
        row(4, "20457").replace("Database", "Databases and more"),
        row(5, "20457").replace("Co-Sell - Deal Support", ""),
    ];
    let (name, result) = imported(&app, pb::ImportMode::CreateAndSubmit, &file(&rows)).await;
    assert_eq!((result.submitted, result.failed), (2, 3));
    assert_eq!(result.failures[2].code, "REQUIRED_FIELD_MISSING");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 2);
    let download = downloaded(&app, &name, false).await;
    let cells: Vec<_> = download.lines().nth(3).expect("a row").split(',').collect();
    let informed = get(&app, &user(), cells[cells.len() - 1]).await;
    assert_eq!(
        informed.involvement_type(),
        pb::InvolvementType::ForVisibilityOnly
    );
    assert_eq!(informed.revision, 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_a_rehearsal_says_what_would_be_and_leaves_nothing() {
    let app = start().await;
    let options = pb::ImportOptions {
        validate_only: true,
        request_id: request_id(),
        ..import(pb::ImportMode::CreateAndSubmit)
    };
    let content = file(&[
        row(1, "20457"),
        row(2, ""),
        row(1, "20457").replace("Company 1", "Company 2"),
    ]);
    let mut names = Vec::new();
    for _ in 0..2 {
        let answer = send(&app, &user(), options.clone(), &content)
            .await
            .expect("a job");
        names.push(answer.into_inner().name);
    }
    assert_eq!(names[0], names[1], "a repetition begins no second job");
    let result = ended(&app, &user(), &names[0]).await;
    // Two rows have the same key of the partner's own.
    assert_eq!((result.valid, result.failed), (1, 2));
    assert_eq!(result.failures[1].code, "DUPLICATE_KEY_VALUE");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_what_is_no_file_of_opportunities_is_refused_before_anything_is_done() {
    let app = Setup::default()
        .start::<Opportunities>(Options {
            import: cosell_opportunity::ImportLimits {
                import_rows: 3,
                import_bytes: 3000,
            },
            ..options("http://127.0.0.1:9")
        })
        .await;
    let right = [row(1, "20457")];
    let many: Vec<_> = (0..4).map(|number| row(number, "20457")).collect();
    for (content, options, field, says) in [
        (
            String::new(),
            import(pb::ImportMode::Create),
            "content",
            "lacks the column",
        ),
        (
            file(&[]),
            import(pb::ImportMode::Create),
            "content",
            "has no rows",
        ),
        (
            file(&right).replace("Country,", ""),
            import(pb::ImportMode::Create),
            "content",
            "`Country`",
        ),
        (
            file(&right).replace("Country,", "Country,country,"),
            import(pb::ImportMode::Create),
            "content",
            "twice",
        ),
        (
            file(&right),
            import(pb::ImportMode::Update),
            "content",
            "`Opportunity id`",
        ),
        (
            file(&many),
            import(pb::ImportMode::Create),
            "content",
            "more than 3 rows",
        ),
        (
            file(&[row(1, &"9".repeat(3000))]),
            import(pb::ImportMode::Create),
            "content",
            "more than 3000 bytes",
        ),
        (
            file(&right),
            pb::ImportOptions::default(),
            "options.format",
            "is required",
        ),
    ] {
        let refusal = refused(
            send(&app, &user(), options, &content).await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        assert_eq!(refusal.fields[0].0, field, "{refusal:?}");
        assert!(refusal.fields[0].2.contains(says), "{says}: {refusal:?}");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM bulk_job").await, 0);
    let template = bulk(&app, &user())
        .get_import_template(pb::GetImportTemplateRequest {})
        .await;
    let template = template.expect("a template").into_inner();
    assert_eq!(template.version, "2");
    assert!(
        template
            .content
            .starts_with(b"Customer company name,Industry vertical,")
    );
    assert!(template.required_columns.contains(&"Country".to_owned()));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_lines_of_json_are_taken_in_as_they_are_given_out() {
    let app = start().await;
    let (_, result) = imported(
        &app,
        pb::ImportMode::Create,
        &file(&[row(1, "20457"), row(2, "20457")]),
    )
    .await;
    assert_eq!(result.created, 2);
    let lines = exported(&app, &user(), pb::FileFormat::JsonLines).await;
    let content = format!(
        "{}{{\"nothing\": 1}}\nno JSON\n",
        lines.replace("CRM-", "JSON-").replace("Project", "Plan")
    );
    let options = pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import(pb::ImportMode::Create)
    };
    let name = send(&app, &user(), options, &content)
        .await
        .expect("a job")
        .into_inner()
        .name;
    let result = ended(&app, &user(), &name).await;
    assert_eq!((result.created, result.failed), (2, 2), "{result:?}");
    let download = downloaded(&app, &name, false).await;
    let last: serde_json::Value =
        serde_json::from_str(download.lines().nth(2).expect("a line")).expect("JSON");
    assert_eq!(
        (&last["nothing"], &last["_result"]),
        (&1.into(), &"FAILED".into())
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_a_file_that_was_given_out_changes_what_was_changed_in_it() {
    let (app, far) = start_with_review().await;
    let mut given = record("Alder");
    given.partner_opportunity_identifier = "=CRM-1".to_owned();
    let id = approved(&app, &far, given).await;
    let draft = crate::support::create(&app, &user(), record("Birch"))
        .await
        .opportunity_id;
    let table = exported(&app, &user(), pb::FileFormat::Csv).await;
    assert!(
        table.contains(",'=CRM-1,"),
        "a spreadsheet must not run it: {table}"
    );
    let (_, result) = imported(&app, pb::ImportMode::Update, &table).await;
    // Nothing was changed in it, and a draft is not for files.
    assert_eq!(
        (result.unchanged, result.failed, result.updated),
        (1, 1, 0),
        "{result:?}"
    );
    assert_eq!(
        (
            result.failures[0].opportunity_id.as_str(),
            result.failures[0].code.as_str()
        ),
        (draft.as_str(), "ILLEGAL_TRANSITION")
    );

    let changed: Vec<_> = table
        .lines()
        .filter(|line| !line.starts_with(&draft))
        .map(|line| {
            line.replace("Prospect", "Qualified")
                .replace("Project of Alder", "Another title")
        })
        .collect();
    let (_, result) = imported(&app, pb::ImportMode::Update, &changed.join("\n")).await;
    assert_eq!(result.failures[0].code, "ACTION_NOT_PERMITTED");
    assert!(
        result.failures[0]
            .description
            .starts_with("Partner project title: cannot be changed"),
        "{result:?}"
    );
    let stage: Vec<_> = changed
        .iter()
        .map(|line| line.replace("Another title", "Project of Alder"))
        .collect();
    let (_, result) = imported(&app, pb::ImportMode::Update, &stage.join("\n")).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let seen = get(&app, &user(), &id).await;
    assert_eq!(
        seen.life_cycle.expect("a life cycle").stage(),
        pb::Stage::Qualified
    );
    assert_eq!(seen.partner_opportunity_identifier, "=CRM-1");

    // A file that was made before somebody else changed the record takes nothing back.
    let stale: Vec<_> = stage
        .iter()
        .map(|line| line.replace("Qualified", "Technical Validation"))
        .collect();
    let (name, result) = imported(&app, pb::ImportMode::Update, &stale.join("\n")).await;
    assert_eq!(result.failures[0].code, "ETAG_MISMATCH", "{result:?}");
    let again = downloaded(&app, &name, false)
        .await
        .replace("Technical Validation", "Qualified");
    let (_, result) = imported(&app, pb::ImportMode::Update, &again).await;
    assert_eq!(
        (result.unchanged, result.failed),
        (1, 0),
        "what is the same is no change: {result:?}"
    );
    let blank: Vec<_> = stage
        .iter()
        .map(|line| line.replace(",Qualified,", ",,"))
        .collect();
    let (_, result) = imported(&app, pb::ImportMode::Update, &blank.join("\n")).await;
    assert_eq!(
        (result.unchanged, result.failed),
        (1, 0),
        "a blank stage says nothing: {result:?}"
    );
    let short: Vec<_> = stage
        .iter()
        .map(|line| line.rsplit_once(',').expect("cells").0.to_owned())
        .collect();
    let short = format!("{}\n{}", stage[0], short[1]);
    let (name, result) = imported(&app, pb::ImportMode::Update, &short).await;
    assert!(result.failures[0].description.contains("cells"), "{result:?}");
    assert!(downloaded(&app, &name, false).await.contains(",FAILED,"));

    // Nobody changes what it does not see, and learns nothing of it.
    let answer = send(
        &app,
        &stranger(),
        import(pb::ImportMode::Update),
        &stage.join("\n"),
    )
    .await;
    let name = answer.expect("a job").into_inner().name;
    let result = ended(&app, &stranger(), &name).await;
    assert_eq!(result.failures[0].code, "OPPORTUNITY_NOT_FOUND");
    assert_eq!(exported(&app, &stranger(), pb::FileFormat::JsonLines).await, "");
    let list = by(&app, &manager())
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(list.expect("a list").into_inner().opportunities.len(), 2);
    app.finish::<Opportunities>().await;
}
