//! Imports of files that span several batches, and of files that are uploaded slowly (OPP-080, OPP-081).

use std::time::Duration;

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use futures::StreamExt as _;

use crate::bulk::{bulk_client, csv_file, csv_row, import_options, run_import, upload, wait_for_result};
use crate::support::{start, user};

#[tokio::test]
async fn opp_081_dry_run_detects_duplicate_keys_across_batches() {
    let app = start().await;
    let mut rows: Vec<_> = (1..=120).map(|number| csv_row(number, "20457")).collect();
    rows.push(csv_row(121, "20457").replace("CRM-121", "CRM-2"));
    let options = pb::ImportOptions {
        validate_only: true,
        ..import_options(pb::ImportMode::Create)
    };
    let answer = upload(&app, &user(), options, &csv_file(&rows))
        .await
        .expect("a job");
    let result = wait_for_result(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.valid, result.failed), (120, 1), "{result:?}");
    assert_eq!(
        (result.failures[0].row, result.failures[0].code.as_str()),
        (121, "DUPLICATE_KEY_VALUE")
    );
    // The dry run does not affect the import that follows.
    let (_, result) = run_import(&app, pb::ImportMode::Create, &csv_file(&rows)).await;
    assert_eq!((result.created, result.failed), (120, 1), "{result:?}");
    app.finish::<Opportunities>().await;
}

/// The upload pauses for longer than the deadline of five seconds that other calls have.
#[tokio::test]
async fn opp_080_slow_upload_outlives_the_default_call_deadline() {
    let app = start().await;
    let content = csv_file(&[csv_row(1, "20457"), csv_row(2, "20457")]).into_bytes();
    let (first, second) = content.split_at(content.len() / 2);
    let parts = [
        Part::Options(import_options(pb::ImportMode::Create)),
        Part::Content(first.to_vec()),
        Part::Content(second.to_vec()),
    ];
    let parts = parts.into_iter().enumerate();
    let slow_parts = futures::stream::iter(parts).then(|(index, part)| async move {
        if index == 2 {
            let never = std::future::pending::<()>();
            tokio::time::timeout(Duration::from_millis(5500), never)
                .await
                .expect_err("a pause");
        }
        pb::ImportOpportunitiesRequest { part: Some(part) }
    });
    let answer = bulk_client(&app, &user()).import_opportunities(slow_parts).await;
    let result = wait_for_result(&app, &user(), &answer.expect("a job").into_inner().name).await;
    assert_eq!((result.created, result.failed), (2, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}
