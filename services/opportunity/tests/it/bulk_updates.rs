//! Updates of records by imported files (OPP-017, OPP-081, OPP-086).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::App;

use crate::bulk::{
    HEADER, csv_file, csv_row, download_result, export, import_options, run_import, upload, wait_for_result,
};
use crate::reviewer::{create_approved, start_with_review};
use crate::support::{count, date, get, record, start, user};

async fn dry_run(app: &App, options: pb::ImportOptions, content: &str) -> pb::BulkResult {
    let options = pb::ImportOptions {
        validate_only: true,
        ..options
    };
    let answer = upload(app, &user(), options, content).await.expect("a job");
    wait_for_result(app, &user(), &answer.into_inner().name).await
}

#[tokio::test]
async fn opp_081_086_dry_run_evaluates_rows_sequentially_like_the_import() {
    let (app, peer) = start_with_review().await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        let mut input = record("Alder");
        input.partner_opportunity_identifier = format!("K{number}");
        ids.push(create_approved(&app, &peer, input).await);
    }
    let before = get(&app, &user(), &ids[0]).await.revision;
    let content = format!(
        "Opportunity id,Partner CRM unique identifier,Next step\n{},K4,\n{},K1,\n{},K4,Call\n{},K1,\n",
        ids[0], ids[1], ids[0], ids[2]
    );
    // Row 2 takes the key that row 1 releases, row 3 updates the same record as row 1, and row 4 asks for a key that is
    // taken by then.
    let result = dry_run(&app, import_options(pb::ImportMode::Update), &content).await;
    assert_eq!((result.valid, result.failed), (3, 1), "{result:?}");
    assert_eq!(get(&app, &user(), &ids[0]).await.revision, before);
    let (_, result) = run_import(&app, pb::ImportMode::Update, &content).await;
    assert_eq!((result.updated, result.failed), (3, 1), "{result:?}");
    assert_eq!(
        (result.failures[0].row, result.failures[0].code.as_str()),
        (4, "DUPLICATE_KEY_VALUE")
    );
    let mut keys = Vec::new();
    for id in &ids {
        keys.push(get(&app, &user(), id).await.partner_opportunity_identifier);
    }
    assert_eq!(keys, ["K4", "K1", "K3"]);
    let first = get(&app, &user(), &ids[0]).await;
    assert_eq!(
        (
            first.revision,
            first.life_cycle.expect("a life cycle").next_steps.as_str()
        ),
        (before + 2, "Call")
    );
    let gaps = "SELECT count(*) FROM (SELECT revision - lag(revision, 1, 0::bigint) OVER
        (PARTITION BY opportunity_id ORDER BY revision) AS step FROM opportunity_revision) AS steps WHERE step <> 1";
    assert_eq!(count(&app, gaps).await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_081_dry_run_counts_duplicate_rows_as_unchanged() {
    let app = start().await;
    let mut rows: Vec<_> = (1..=60).map(|number| csv_row(number, "20457")).collect();
    rows.push(csv_row(60, "20457"));
    rows.push(csv_row(1, "20457"));
    let result = dry_run(&app, import_options(pb::ImportMode::Create), &csv_file(&rows)).await;
    assert_eq!(
        (result.valid, result.unchanged, result.failed),
        (60, 2, 0),
        "{result:?}"
    );
    let (_, result) = run_import(&app, pb::ImportMode::Create, &csv_file(&rows)).await;
    assert_eq!(
        (result.created, result.unchanged, result.failed),
        (60, 2, 0),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_json_line_clears_empty_fields_and_keeps_omitted_ones() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Alder");
    input.life_cycle.as_mut().expect("a life cycle").next_steps = "Call".to_owned();
    input.partner_opportunity_identifier = "K1".to_owned();
    let id = create_approved(&app, &peer, input).await;
    let options = || pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import_options(pb::ImportMode::Update)
    };
    let content = format!("{{\"opportunityId\": \"{id}\", \"lifeCycle\": {{\"nextSteps\": \"\"}}}}\n");
    let answer = upload(&app, &user(), options(), &content).await.expect("a job");
    let result = wait_for_result(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let fetched = get(&app, &user(), &id).await;
    assert_eq!(fetched.partner_opportunity_identifier, "K1");
    assert_eq!(fetched.life_cycle.expect("a life cycle").next_steps, "");
    app.finish::<Opportunities>().await;
}

/// An exported row states every field; only its edited cells are changes.
#[tokio::test]
async fn opp_043_086_exported_row_of_lost_opportunity_needs_no_other_close_date() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Alder")).await;
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    let (header, row) = table.split_once('\n').expect("a header");
    let column = |name| {
        header
            .trim()
            .split(',')
            .position(|column| column == name)
            .expect("a column")
    };
    let mut cells: Vec<_> = row.trim().split(',').collect();
    cells[column("Stage")] = "Closed Lost";
    cells[column("Closed lost reason")] = "Price";
    let lost = format!("{header}\n{}", cells.join(","));
    let (_, result) = run_import(&app, pb::ImportMode::Update, &lost).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let life_cycle = get(&app, &user(), &id).await.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.stage(), pb::Stage::ClosedLost);
    assert_eq!(life_cycle.target_close_date, date(2026, 3, 2));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_changed_read_only_cell_is_refused() {
    let (app, peer) = start_with_review().await;
    create_approved(&app, &peer, record("Alder")).await;
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    let header = table.lines().next().expect("a line");
    let column = header.split(',').position(|name| name == "AWS products");
    let changed: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells: Vec<_> = line.split(',').collect();
            cells[column.expect("a column")] = "AmazonEC2";
            cells.join(",")
        })
        .collect();
    let (_, result) = run_import(&app, pb::ImportMode::Update, &format!("{header}\n{}", changed[0])).await;
    assert_eq!(result.failed, 1, "{result:?}");
    assert_eq!(
        (
            result.failures[0].code.as_str(),
            &result.failures[0].description[..13]
        ),
        ("ACTION_NOT_PERMITTED", "AWS products:"),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_017_081_government_row_requires_national_security_column() {
    let app = start().await;
    let input = csv_row(1, "20457").replace("retail", "government");
    let (_, result) = run_import(
        &app,
        pb::ImportMode::Create,
        &csv_file(std::slice::from_ref(&input)),
    )
    .await;
    assert_eq!(
        result.failures[0].description,
        "Does opportunity belong to NatSec?: Is required in Government. Must be Yes or No."
    );
    let content = format!("{HEADER},Does opportunity belong to NatSec?\n{input},No\n");
    let (_, result) = run_import(&app, pb::ImportMode::Create, &content).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

/// Spreadsheets leave out blank cells at the end of a row; surplus cells are a mistake.
#[tokio::test]
async fn opp_080_086_cell_that_is_left_out_clears_nothing_and_surplus_one_is_refused() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Alder");
    input.life_cycle.as_mut().expect("a life cycle").next_steps = "Call".to_owned();
    let id = create_approved(&app, &peer, input).await;
    let header = "Opportunity id,Partner project title,Next step";
    let row = format!("{header}\n{id},Project of Alder");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &row).await;
    assert_eq!((result.unchanged, result.failed), (1, 0), "{result:?}");
    let (name, result) = run_import(&app, pb::ImportMode::Update, &format!("{row},Call,surplus")).await;
    assert!(result.failures[0].description.contains("cells"), "{result:?}");
    assert!(download_result(&app, &name, false).await.contains(",FAILED,"));
    app.finish::<Opportunities>().await;
}
