//! Filters of `ListReviewCases` with values that no record can have.

use cosell_proto::cosell::review::v1 as pb;
use cosell_review::Reviews;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::support::{client, start, tara};

#[tokio::test]
async fn rev_020_malformed_id_in_filter_is_refused_instead_of_ignored() {
    let (app, _) = start().await;
    let filter = pb::ReviewCaseFilter {
        // 19 digits are the pattern of an id, but these exceed 63 bits.
        opportunity_ids: vec!["O1".to_owned(), "O9999999999999999999".to_owned()],
        ..Default::default()
    };
    let request = pb::ListReviewCasesRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let answer = client(&app, &tara()).list_review_cases(request).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.opportunity_ids[1]"]);
    app.finish::<Reviews>().await;
}
