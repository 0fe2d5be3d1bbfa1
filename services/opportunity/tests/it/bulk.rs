//! Importing and exporting files: creation, submission, dry runs, invalid files, JSON lines and updates (OPP-080,
//! OPP-081, OPP-084, OPP-086).

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

use crate::reviewer::{create_approved, start_with_review};
use crate::support::{
    client_for, count, get, manager, options, record, request_id, start, unrelated_member, user,
};

pub type BulkClient = BulkServiceClient<InterceptedService<Channel, Client>>;

pub fn bulk_client(app: &App, caller: &Caller) -> BulkClient {
    BulkServiceClient::new(app.channel_for(caller))
}

pub fn operations_client(
    app: &App,
    caller: &Caller,
) -> OperationsClient<InterceptedService<Channel, Client>> {
    OperationsClient::new(app.channel_for(caller))
}

pub const HEADER: &str = "Customer company name,Industry vertical,Country,Postal code,Customer website,\
    Partner primary need from AWS,Partner project title,Customer business problem,Solution offered,\
    Other solution offered,Use case,Estimated AWS MRR,Target close date,Opportunity type,Delivery model,\
    Is opportunity from marketing activity?,Sales activities,Partner CRM unique identifier";

/// A row that is valid if its postal code is.
pub fn csv_row(number: usize, postal_code: &str) -> String {
    format!(
        "Company {number},retail,Germany,{postal_code},www.company-{number}.example,Co-Sell - Deal Support,\
         Project {number},Orders are typed in twice.,Other,Landing zone,Database,1850.50,09/30/2026,\
         Net New Business,Professional Services,No,SOW Signed,CRM-{number}"
    )
}

pub fn csv_file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

pub fn import_options(mode: pb::ImportMode) -> pb::ImportOptions {
    pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        mode: mode.into(),
        file_name: "opportunities.csv".to_owned(),
        ..Default::default()
    }
}

/// Uploads a file in chunks that do not align with lines.
pub async fn upload(
    app: &App,
    caller: &Caller,
    options: pb::ImportOptions,
    content: impl AsRef<[u8]>,
) -> Result<Response<Operation>, Status> {
    let mut parts = vec![Part::Options(options)];
    let chunks = content.as_ref().chunks(997);
    parts.extend(chunks.map(|chunk| Part::Content(chunk.to_vec())));
    let parts = parts
        .into_iter()
        .map(|part| pb::ImportOpportunitiesRequest { part: Some(part) });
    let parts: Vec<_> = parts.collect();
    bulk_client(app, caller)
        .import_opportunities(tokio_stream::iter(parts))
        .await
}

pub fn bulk_metadata(operation: &Operation) -> pb::BulkMetadata {
    let metadata = operation.metadata.as_ref().expect("metadata");
    metadata.to_msg().expect("metadata of a job")
}

/// Waits until the job has completed and returns its result.
pub async fn wait_for_result(app: &App, caller: &Caller, name: &str) -> pb::BulkResult {
    let operation = eventually(async || {
        let request = GetOperationRequest {
            name: name.to_owned(),
        };
        let answer = operations_client(app, caller)
            .get_operation(request)
            .await
            .expect("the job")
            .into_inner();
        if answer.done {
            Ok(answer)
        } else {
            Err(format!("{:?}", bulk_metadata(&answer)))
        }
    })
    .await;
    match operation.result {
        Some(operation::Result::Response(result)) => result.to_msg().expect("a result"),
        other => panic!("{:?}", other.is_some()),
    }
}

pub async fn run_import(app: &App, mode: pb::ImportMode, content: &str) -> (String, pb::BulkResult) {
    let answer = upload(app, &user(), import_options(mode), content)
        .await
        .expect("a job")
        .into_inner();
    let result = wait_for_result(app, &user(), &answer.name).await;
    (answer.name, result)
}

pub async fn download_result(app: &App, name: &str, failed_only: bool) -> String {
    let request = pb::DownloadImportResultRequest {
        name: name.to_owned(),
        failed_only,
    };
    let mut chunks = bulk_client(app, &user())
        .download_import_result(request)
        .await
        .expect("a file")
        .into_inner();
    let mut content = Vec::new();
    while let Some(chunk) = chunks.message().await.expect("a chunk") {
        content.extend(chunk.content);
    }
    without_byte_order_mark(content)
}

/// The text of a file. Tables begin with a byte order mark, by which spreadsheets recognize UTF-8.
fn without_byte_order_mark(content: Vec<u8>) -> String {
    let text = String::from_utf8(content).expect("UTF-8");
    let is_table = !text.is_empty() && !text.starts_with('{');
    assert_eq!(text.starts_with('\u{feff}'), is_table, "{text}");
    text.trim_start_matches('\u{feff}').to_owned()
}

pub async fn export(app: &App, caller: &Caller, format: pb::FileFormat) -> String {
    let request = pb::ExportOpportunitiesRequest {
        format: format.into(),
        ..Default::default()
    };
    let mut chunks = bulk_client(app, caller)
        .export_opportunities(request)
        .await
        .expect("a file")
        .into_inner();
    let mut content = Vec::new();
    while let Some(chunk) = chunks.message().await.expect("a chunk") {
        content.extend(chunk.content);
    }
    without_byte_order_mark(content)
}

#[tokio::test]
async fn opp_081_084_corrected_file_creates_only_rows_that_failed_before() {
    let app = start().await;
    let rows: Vec<_> = (1..=120)
        .map(|number| csv_row(number, if number % 10 == 0 { "" } else { "20457" }))
        .collect();
    let (name, result) = run_import(&app, pb::ImportMode::Create, &csv_file(&rows)).await;
    assert_eq!(
        (result.total, result.created, result.failed),
        (120, 108, 12),
        "{result:?}"
    );
    let first = &result.failures[0];
    assert_eq!((first.row, first.code.as_str()), (10, "REQUIRED_FIELD_MISSING"));
    assert_eq!(first.description, "Postal code: Is required in DE.");

    let download = download_result(&app, &name, false).await;
    let lines: Vec<_> = download.lines().collect();
    assert_eq!(lines.len(), 121);
    assert!(lines[0].ends_with(",Result,Details"), "{}", lines[0]);
    assert!(lines[1].contains(",CREATED,O"), "{}", lines[1]);
    assert!(
        lines[10].ends_with(",FAILED,Postal code: Is required in DE."),
        "{}",
        lines[10]
    );
    assert_eq!(download_result(&app, &name, true).await.lines().count(), 13);

    // The downloaded file, corrected, with its result columns left in place.
    let corrected = download.replace("Germany,,", "Germany,20457,");
    let (_, result) = run_import(&app, pb::ImportMode::Create, &corrected).await;
    assert_eq!(
        (result.total, result.created, result.unchanged, result.failed),
        (120, 12, 108, 0)
    );
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 120);
    let (_, result) = run_import(&app, pb::ImportMode::Create, &corrected).await;
    assert_eq!((result.created, result.unchanged), (0, 120));
    let draft = export(&app, &user(), pb::FileFormat::JsonLines).await;
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
async fn opp_081_row_is_created_and_submitted_or_refused_as_a_whole() {
    let app = start().await;
    let rows = [
        csv_row(1, "20457"),
        // The format of the postal code is checked at submission.
        csv_row(2, "2045"),
        csv_row(3, "20457").replace("Co-Sell - Deal Support", "Do Not Need Support from AWS Sales Rep"),
        csv_row(4, "20457").replace("Database", "Databases and more"),
        csv_row(5, "20457").replace("Co-Sell - Deal Support", ""),
    ];
    let (name, result) = run_import(&app, pb::ImportMode::CreateAndSubmit, &csv_file(&rows)).await;
    assert_eq!((result.submitted, result.failed), (2, 3));
    assert_eq!(result.failures[2].code, "REQUIRED_FIELD_MISSING");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 2);
    let download = download_result(&app, &name, false).await;
    let cells: Vec<_> = download.lines().nth(3).expect("a row").split(',').collect();
    let submitted = get(&app, &user(), cells[cells.len() - 1]).await;
    assert_eq!(
        submitted.involvement_type(),
        pb::InvolvementType::ForVisibilityOnly
    );
    assert_eq!(submitted.revision, 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_dry_run_reports_outcomes_and_stores_no_records() {
    let app = start().await;
    let options = pb::ImportOptions {
        validate_only: true,
        request_id: request_id(),
        ..import_options(pb::ImportMode::CreateAndSubmit)
    };
    let content = csv_file(&[
        csv_row(1, "20457"),
        csv_row(2, ""),
        csv_row(1, "20457").replace("Company 1", "Company 2"),
    ]);
    let mut names = Vec::new();
    for _ in 0..2 {
        let answer = upload(&app, &user(), options.clone(), &content)
            .await
            .expect("a job");
        names.push(answer.into_inner().name);
    }
    assert_eq!(names[0], names[1], "a retry starts no second job");
    let result = wait_for_result(&app, &user(), &names[0]).await;
    // Two rows have the same partner identifier.
    assert_eq!((result.valid, result.failed), (1, 2));
    assert_eq!(result.failures[1].code, "DUPLICATE_KEY_VALUE");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_invalid_file_is_refused_without_creating_a_job() {
    let app = Setup::default()
        .start::<Opportunities>(Options {
            import: cosell_opportunity::ImportLimits {
                import_rows: 3,
                import_bytes: 3000,
            },
            ..options("http://127.0.0.1:9")
        })
        .await;
    let valid_rows = [csv_row(1, "20457")];
    let many: Vec<_> = (0..4).map(|number| csv_row(number, "20457")).collect();
    for (content, options, field, expected_text) in [
        (
            String::new(),
            import_options(pb::ImportMode::Create),
            "content",
            "Must have the column",
        ),
        (
            csv_file(&[]),
            import_options(pb::ImportMode::Create),
            "content",
            "at least one row",
        ),
        (
            csv_file(&valid_rows).replace("Country,", ""),
            import_options(pb::ImportMode::Create),
            "content",
            "`Country`",
        ),
        (
            csv_file(&valid_rows).replace("Country,", "Country,country,"),
            import_options(pb::ImportMode::Create),
            "content",
            "twice",
        ),
        (
            csv_file(&valid_rows),
            import_options(pb::ImportMode::Update),
            "content",
            "`Opportunity id`",
        ),
        (
            csv_file(&many),
            import_options(pb::ImportMode::Create),
            "content",
            "at most 3 rows",
        ),
        (
            csv_file(&[csv_row(1, &"9".repeat(3000))]),
            import_options(pb::ImportMode::Create),
            "content",
            "at most 3000 bytes",
        ),
        (
            csv_file(&valid_rows),
            pb::ImportOptions::default(),
            "options.format",
            "Is required.",
        ),
    ] {
        let refusal = refused(
            upload(&app, &user(), options, &content).await,
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        assert_eq!(refusal.fields[0].0, field, "{refusal:?}");
        assert!(
            refusal.fields[0].2.contains(expected_text),
            "{expected_text}: {refusal:?}"
        );
    }
    assert_eq!(count(&app, "SELECT count(*) FROM bulk_job").await, 0);
    let template = bulk_client(&app, &user())
        .get_import_template(pb::GetImportTemplateRequest {})
        .await;
    let template = template.expect("a template").into_inner();
    assert_eq!(template.version, "2");
    assert!(
        template
            .content
            .starts_with("\u{feff}Customer company name,Industry vertical,".as_bytes())
    );
    assert!(template.required_columns.contains(&"Country".to_owned()));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_exported_json_lines_can_be_imported() {
    let app = start().await;
    let (_, result) = run_import(
        &app,
        pb::ImportMode::Create,
        &csv_file(&[csv_row(1, "20457"), csv_row(2, "20457")]),
    )
    .await;
    assert_eq!(result.created, 2);
    let lines = export(&app, &user(), pb::FileFormat::JsonLines).await;
    let content = format!(
        "{}{{\"unknown\": 1}}\nno JSON\n",
        lines.replace("CRM-", "JSON-").replace("Project", "Plan")
    );
    let options = pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import_options(pb::ImportMode::Create)
    };
    let name = upload(&app, &user(), options, &content)
        .await
        .expect("a job")
        .into_inner()
        .name;
    let result = wait_for_result(&app, &user(), &name).await;
    assert_eq!((result.created, result.failed), (2, 2), "{result:?}");
    let download = download_result(&app, &name, false).await;
    let last: serde_json::Value =
        serde_json::from_str(download.lines().nth(2).expect("a line")).expect("JSON");
    assert_eq!(
        (&last["unknown"], &last["_result"]),
        (&1.into(), &"FAILED".into())
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_exported_file_imported_as_update_applies_only_its_changes() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Alder");
    input.partner_opportunity_identifier = "=CRM-1".to_owned();
    let id = create_approved(&app, &peer, input).await;
    let draft = crate::support::create(&app, &user(), record("Birch"))
        .await
        .opportunity_id;
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    assert!(
        table.contains(",'=CRM-1,"),
        "a spreadsheet must not evaluate the cell: {table}"
    );
    let (_, result) = run_import(&app, pb::ImportMode::Update, &table).await;
    // The file has no changes, and files cannot update drafts.
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
    let (_, result) = run_import(&app, pb::ImportMode::Update, &changed.join("\n")).await;
    assert_eq!(result.failures[0].code, "ACTION_NOT_PERMITTED");
    assert!(
        result.failures[0]
            .description
            .starts_with("Partner project title: Cannot be changed"),
        "{result:?}"
    );
    let stage: Vec<_> = changed
        .iter()
        .map(|line| line.replace("Another title", "Project of Alder"))
        .collect();
    let (_, result) = run_import(&app, pb::ImportMode::Update, &stage.join("\n")).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let fetched = get(&app, &user(), &id).await;
    assert_eq!(
        fetched.life_cycle.expect("a life cycle").stage(),
        pb::Stage::Qualified
    );
    assert_eq!(fetched.partner_opportunity_identifier, "=CRM-1");

    // A file exported before a later change of the record must not revert that change.
    let stale: Vec<_> = stage
        .iter()
        .map(|line| line.replace("Qualified", "Technical Validation"))
        .collect();
    let (name, result) = run_import(&app, pb::ImportMode::Update, &stale.join("\n")).await;
    assert_eq!(result.failures[0].code, "ETAG_MISMATCH", "{result:?}");
    let retried = download_result(&app, &name, false)
        .await
        .replace("Technical Validation", "Qualified");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &retried).await;
    assert_eq!(
        (result.unchanged, result.failed),
        (1, 0),
        "equal values are no change: {result:?}"
    );
    let blank: Vec<_> = stage
        .iter()
        .map(|line| line.replace(",Qualified,", ",,"))
        .collect();
    let (_, result) = run_import(&app, pb::ImportMode::Update, &blank.join("\n")).await;
    assert_eq!(
        (result.unchanged, result.failed),
        (1, 0),
        "a blank stage is ignored: {result:?}"
    );
    // A record that is not visible to the caller is reported as missing.
    let answer = upload(
        &app,
        &unrelated_member(),
        import_options(pb::ImportMode::Update),
        &stage.join("\n"),
    )
    .await;
    let name = answer.expect("a job").into_inner().name;
    let result = wait_for_result(&app, &unrelated_member(), &name).await;
    assert_eq!(result.failures[0].code, "OPPORTUNITY_NOT_FOUND");
    assert_eq!(
        export(&app, &unrelated_member(), pb::FileFormat::JsonLines).await,
        ""
    );
    let list = client_for(&app, &manager())
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(list.expect("a list").into_inner().opportunities.len(), 2);
    app.finish::<Opportunities>().await;
}
