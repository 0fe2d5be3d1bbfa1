//! Filters of lists, exports and transfers with values that no record can have.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_testkit::harness::refused;
use tonic::{Code, Response};

use crate::bulk::bulk_client;
use crate::support::{client_for, manager, start, user};

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

/// What AWS offers is no opportunity yet: every call with the preset says where the offers are listed.
#[tokio::test]
async fn opp_063_preset_of_pending_offers_is_refused_and_names_where_they_are_listed() {
    let app = start().await;
    let client = client_for(&app, &manager());
    let preset: i32 = pb::OpportunityPreset::PendingAcceptance.into();
    let list = pb::ListOpportunitiesRequest {
        preset,
        ..Default::default()
    };
    let count = pb::CountOpportunitiesRequest {
        presets: vec![preset],
    };
    let export = pb::ExportOpportunitiesRequest {
        format: pb::FileFormat::Csv.into(),
        preset,
        ..Default::default()
    };
    let transfer = pb::TransferOpportunitiesRequest {
        records: Some(Records::List(pb::OpportunityList {
            preset,
            expected_count: Some(1),
            ..Default::default()
        })),
        owner_member_id: "mem-user".to_owned(),
        ..Default::default()
    };
    let bulk = bulk_client(&app, &manager());
    for (answer, path) in [
        (
            client
                .opportunities()
                .list_opportunities(list)
                .await
                .map(drop_answer),
            "preset",
        ),
        (
            client
                .opportunities()
                .count_opportunities(count)
                .await
                .map(drop_answer),
            "presets[0]",
        ),
        (
            bulk.clone().export_opportunities(export).await.map(drop_answer),
            "preset",
        ),
        (
            bulk.clone()
                .transfer_opportunities(transfer)
                .await
                .map(drop_answer),
            "list.preset",
        ),
    ] {
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), [path]);
        let (_, _, text) = &refusal.fields[0];
        assert!(text.contains("ReferralService.ListReferralOffers"), "{text}");
    }
    app.finish::<Opportunities>().await;
}

fn drop_answer<T>(_: Response<T>) -> Response<()> {
    Response::new(())
}
