//! Covers marketing staff, which sees the engagements and channels that it owns or belongs to, or all of its account if
//! the directory states that (ACC-013).

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::{partner, refused, seeing_all};
use cosell_types::Role;
use tonic::Code;

use crate::channels::{get_channel, prepare, request_channel};
use crate::support::{ALDER, BIRCH, Scenario, accept_request};

#[tokio::test]
async fn acc_013_marketing_staff_sees_no_engagement_of_colleagues() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    let marketing = partner("mem-marketing", ALDER, Role::MarketingStaff);
    assert_eq!(scenario.list_engagements(&marketing).await, []);
    let hidden = scenario.get_engagement(&marketing, &id).await;
    assert_eq!(hidden.expect_err("a refusal").code(), Code::NotFound);
    let snapshots = pb::ListResourceSnapshotsRequest {
        engagement_id: id.clone(),
        ..Default::default()
    };
    let snapshots = scenario
        .snapshot_client(&marketing)
        .list_resource_snapshots(snapshots)
        .await;
    refused(snapshots, Code::NotFound, "ENGAGEMENT_NOT_FOUND");
    let seeing = seeing_all(partner("mem-marketing-all", ALDER, Role::MarketingStaff));
    assert_eq!(scenario.list_engagements(&seeing).await.len(), 1);
    scenario
        .get_engagement(&seeing, &id)
        .await
        .expect("the engagement");
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn acc_013_col_013_marketing_staff_answers_no_invitation() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH]).await;
    let invitation = accept_request(&shared.engagement_invitations[0].engagement_invitation_id);
    let marketing = partner("mem-marketing", BIRCH, Role::MarketingStaff);
    let list = scenario
        .client(&marketing)
        .list_engagement_invitations(pb::ListEngagementInvitationsRequest::default())
        .await;
    refused(list, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let answer = scenario
        .client(&marketing)
        .accept_engagement_invitation(invitation.clone())
        .await;
    refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    let seeing = seeing_all(partner("mem-marketing-all", BIRCH, Role::MarketingStaff));
    let accepted = scenario
        .client(&seeing)
        .accept_engagement_invitation(invitation)
        .await;
    accepted.expect("an acceptance");
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn acc_013_chn_005_marketing_staff_sees_no_channel_of_colleagues() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let marketing = partner("mem-marketing", ALDER, Role::MarketingStaff);
    let hidden = get_channel(&scenario, &marketing, &id).await;
    assert_eq!(hidden.expect_err("a refusal").code(), Code::NotFound);
    let seeing = seeing_all(partner("mem-marketing-all", ALDER, Role::MarketingStaff));
    get_channel(&scenario, &seeing, &id).await.expect("the channel");
    scenario.app.finish::<Collaboration>().await;
}
