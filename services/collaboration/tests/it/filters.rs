//! Filters of lists with values that no record can have.

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::channels::{ace_user, prepare};
use crate::support::{ALDER, BIRCH, Scenario, alliance_lead};

/// 19 digits are the pattern of an id, but these exceed 63 bits.
const MALFORMED: &str = "O9999999999999999999";

#[tokio::test]
async fn col_050_chn_005_malformed_id_in_filter_is_refused_instead_of_ignored() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let list = pb::ListEngagementsRequest {
        opportunity_ids: vec![MALFORMED.to_owned()],
        ..Default::default()
    };
    let answer = scenario.client(&ace_user()).list_engagements(list).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["opportunity_ids[0]"]);

    let list = pb::ListChannelsRequest {
        opportunity_id: MALFORMED.to_owned(),
        ..Default::default()
    };
    let answer = scenario.channel_client(&ace_user()).list_channels(list).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["opportunity_id"]);

    let list = pb::ListResourceSnapshotsRequest {
        engagement_id: scenario.create_engagement(&[BIRCH]).await,
        opportunity_id: MALFORMED.to_owned(),
        ..Default::default()
    };
    let answer = scenario
        .snapshot_client(&alliance_lead(ALDER))
        .list_resource_snapshots(list)
        .await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["opportunity_id"]);
    scenario.app.finish::<Collaboration>().await;
}
