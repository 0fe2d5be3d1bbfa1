//! Files that are long, and files that come slowly.

use std::time::Duration;

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use futures::StreamExt as _;

use crate::bulk::{bulk, ended, file, import, imported, row, send};
use crate::support::{start, user};

#[tokio::test]
async fn opp_081_a_rehearsal_sees_keys_that_rows_far_apart_have_in_common() {
    let app = start().await;
    let mut rows: Vec<_> = (1..=120).map(|number| row(number, "20457")).collect();
    rows.push(row(121, "20457").replace("CRM-121", "CRM-2"));
    let options = pb::ImportOptions {
        validate_only: true,
        ..import(pb::ImportMode::Create)
    };
    let answer = send(&app, &user(), options, &file(&rows)).await.expect("a job");
    let result = ended(&app, &user(), &answer.into_inner().name).await;
    assert_eq!((result.valid, result.failed), (120, 1), "{result:?}");
    assert_eq!(
        (result.failures[0].row, result.failures[0].code.as_str()),
        (121, "DUPLICATE_KEY_VALUE")
    );
    // What was rehearsed takes nothing from what is then done.
    let (_, result) = imported(&app, pb::ImportMode::Create, &file(&rows)).await;
    assert_eq!((result.created, result.failed), (120, 1), "{result:?}");
    app.finish::<Opportunities>().await;
}

/// The pause is what is tested: other calls are given up after five seconds.
#[tokio::test]
async fn opp_080_a_file_may_come_slowly() {
    let app = start().await;
    let content = file(&[row(1, "20457"), row(2, "20457")]).into_bytes();
    let (first, second) = content.split_at(content.len() / 2);
    let pieces = [
        Part::Options(import(pb::ImportMode::Create)),
        Part::Content(first.to_vec()),
        Part::Content(second.to_vec()),
    ];
    let pieces = pieces.into_iter().enumerate();
    let slow = futures::stream::iter(pieces).then(|(index, part)| async move {
        if index == 2 {
            let nothing = std::future::pending::<()>();
            tokio::time::timeout(Duration::from_millis(5500), nothing)
                .await
                .expect_err("a pause");
        }
        pb::ImportOpportunitiesRequest { part: Some(part) }
    });
    let answer = bulk(&app, &user()).import_opportunities(slow).await;
    let result = ended(&app, &user(), &answer.expect("a job").into_inner().name).await;
    assert_eq!((result.created, result.failed), (2, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}
