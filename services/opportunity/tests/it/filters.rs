//! Filters of lists, exports and transfers with values that no record can have.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::bulk::bulk_client;
use crate::support::{client_for, start, user};

#[tokio::test]
async fn opp_060_malformed_id_in_filter_is_refused_instead_of_ignored() {
    let app = start().await;
    let filter = Some(pb::OpportunityFilter {
        // 19 digits are the pattern of an id, but these exceed 63 bits.
        opportunity_ids: vec!["O1".to_owned(), "O9999999999999999999".to_owned()],
        ..Default::default()
    });
    let list = pb::ListOpportunitiesRequest {
        filter: filter.clone(),
        ..Default::default()
    };
    let answer = client_for(&app, &user())
        .opportunities()
        .list_opportunities(list)
        .await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.opportunity_ids[1]"]);
    let export = pb::ExportOpportunitiesRequest {
        format: pb::FileFormat::Csv.into(),
        filter,
        ..Default::default()
    };
    let answer = bulk_client(&app, &user())
        .export_opportunities(export)
        .await
        .map(|_| tonic::Response::new(()));
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["filter.opportunity_ids[1]"]);
    app.finish::<Opportunities>().await;
}
