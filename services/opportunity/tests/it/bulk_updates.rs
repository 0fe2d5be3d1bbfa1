//! Records that files change.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::App;

use crate::bulk::{HEADER, ended, exported, file, import, imported, row, send};
use crate::reviewer::{approved, start_with_review};
use crate::support::{count, get, record, start, user};

async fn rehearsed(app: &App, options: pb::ImportOptions, content: &str) -> pb::BulkResult {
    let options = pb::ImportOptions {
        validate_only: true,
        ..options
    };
    let answer = send(app, &user(), options, content).await.expect("a job");
    ended(app, &user(), &answer.into_inner().name).await
}

#[tokio::test]
async fn opp_081_086_rows_count_one_after_the_other_in_a_rehearsal_too() {
    let (app, far) = start_with_review().await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        let mut given = record("Alder");
        given.partner_opportunity_identifier = format!("K{number}");
        ids.push(approved(&app, &far, given).await);
    }
    let before = get(&app, &user(), &ids[0]).await.revision;
    let content = format!(
        "Opportunity id,Partner CRM unique identifier,Next step\n{},K4,\n{},K1,\n{},K4,Call\n{},K1,\n",
        ids[0], ids[1], ids[0], ids[2]
    );
    // The second row takes the key that the first gives away, the third changes what the first has changed, and the last
    // one wants a key that is taken by then.
    let result = rehearsed(&app, import(pb::ImportMode::Update), &content).await;
    assert_eq!((result.valid, result.failed), (3, 1), "{result:?}");
    assert_eq!(get(&app, &user(), &ids[0]).await.revision, before);
    let (_, result) = imported(&app, pb::ImportMode::Update, &content).await;
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
    let holes = "SELECT count(*) FROM (SELECT revision - lag(revision, 1, 0::bigint) OVER
        (PARTITION BY opportunity_id ORDER BY revision) AS step FROM opportunity_revision) AS steps WHERE step <> 1";
    assert_eq!(count(&app, holes).await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_081_a_rehearsal_takes_the_same_row_once() {
    let app = start().await;
    let mut rows: Vec<_> = (1..=60).map(|number| row(number, "20457")).collect();
    rows.push(row(60, "20457"));
    rows.push(row(1, "20457"));
    let result = rehearsed(&app, import(pb::ImportMode::Create), &file(&rows)).await;
    assert_eq!(
        (result.valid, result.unchanged, result.failed),
        (60, 2, 0),
        "{result:?}"
    );
    let (_, result) = imported(&app, pb::ImportMode::Create, &file(&rows)).await;
    assert_eq!(
        (result.created, result.unchanged, result.failed),
        (60, 2, 0),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_what_a_line_says_to_be_empty_is_cleared_and_what_it_leaves_out_stays() {
    let (app, far) = start_with_review().await;
    let mut given = record("Alder");
    given.life_cycle.as_mut().expect("a life cycle").next_steps = "Call".to_owned();
    given.partner_opportunity_identifier = "K1".to_owned();
    let id = approved(&app, &far, given).await;
    let options = || pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import(pb::ImportMode::Update)
    };
    let content = format!("{{\"opportunityId\": \"{id}\", \"lifeCycle\": {{\"nextSteps\": \"\"}}}}\n");
    let answer = send(&app, &user(), options(), &content).await.expect("a job");
    let result = ended(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let seen = get(&app, &user(), &id).await;
    assert_eq!(seen.partner_opportunity_identifier, "K1");
    assert_eq!(seen.life_cycle.expect("a life cycle").next_steps, "");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_a_cell_that_files_do_not_change_is_refused_and_not_passed_over() {
    let (app, far) = start_with_review().await;
    approved(&app, &far, record("Alder")).await;
    let table = exported(&app, &user(), pb::FileFormat::Csv).await;
    let header = table.lines().next().expect("a line");
    let at = header.split(',').position(|name| name == "AWS products");
    let changed: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells: Vec<_> = line.split(',').collect();
            cells[at.expect("a column")] = "AmazonEC2";
            cells.join(",")
        })
        .collect();
    let (_, result) = imported(&app, pb::ImportMode::Update, &format!("{header}\n{}", changed[0])).await;
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
async fn opp_017_081_a_file_says_of_deals_with_a_government_whether_they_are_classified() {
    let app = start().await;
    let given = row(1, "20457").replace("retail", "government");
    let (_, result) = imported(&app, pb::ImportMode::Create, &file(std::slice::from_ref(&given))).await;
    assert_eq!(
        result.failures[0].description,
        "Does opportunity belong to NatSec?: is required in Government: Yes or No"
    );
    let content = format!("{HEADER},Does opportunity belong to NatSec?\n{given},No\n");
    let (_, result) = imported(&app, pb::ImportMode::Create, &content).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}
