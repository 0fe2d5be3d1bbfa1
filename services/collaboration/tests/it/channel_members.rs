//! Members of channels: opt-out, and the visibility of their rows.

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::refused;
use tonic::Code;

use crate::channels::{
    account_owner, ace_user, approve_request, get_channel, member_state, prepare, request_channel,
    wait_for_channel,
};
use crate::support::{ALDER, BIRCH, Scenario, alliance_lead, request_id, sales};

const AWS: &str = "999999999999";

#[tokio::test]
async fn chn_012_opted_out_member_is_not_invited() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let opt_out_request = |opted_out: bool| pb::UpdateChannelPreferencesRequest {
        opted_out: Some(opted_out),
        request_id: request_id(),
        ..Default::default()
    };
    scenario
        .channel_client(&sales())
        .update_channel_preferences(opt_out_request(true))
        .await
        .expect("updated preferences");
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    // Opting out ends a pending selection immediately.
    scenario
        .channel_client(&ace_user())
        .update_channel_preferences(opt_out_request(true))
        .await
        .expect("updated preferences");
    assert_eq!(
        member_state(
            &get_channel(&scenario, &account_owner(), &id)
                .await
                .expect("a response"),
            "mem-user"
        ),
        pb::ChannelMemberState::OptedOut
    );
    let with_link = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        ..approve_request(&id)
    };
    scenario
        .channel_client(&account_owner())
        .approve_channel(with_link)
        .await
        .expect("an approved channel");
    wait_for_channel(&scenario, &id, |channel| {
        member_state(channel, "mem-sales") == pb::ChannelMemberState::OptedOut
    })
    .await;
    scenario
        .channel_client(&ace_user())
        .update_channel_preferences(opt_out_request(false))
        .await
        .expect("updated preferences");
    let preferences = scenario
        .channel_client(&ace_user())
        .get_channel_preferences(pb::GetChannelPreferencesRequest {})
        .await;
    let preferences = preferences
        .expect("a response")
        .into_inner()
        .channel_preferences
        .expect("channel preferences");
    assert_eq!(
        (preferences.opted_out, preferences.etag.as_str()),
        (false, "\"2\"")
    );
    // Using an etag twice is a version conflict, even if the same caller made the earlier change (PLT-003).
    let stale = pb::UpdateChannelPreferencesRequest {
        etag: "\"1\"".to_owned(),
        ..opt_out_request(true)
    };
    let response = scenario
        .channel_client(&ace_user())
        .update_channel_preferences(stale)
        .await;
    refused(response, Code::Aborted, "ETAG_MISMATCH");
    let current = pb::UpdateChannelPreferencesRequest {
        etag: preferences.etag,
        ..opt_out_request(true)
    };
    let response = scenario
        .channel_client(&ace_user())
        .update_channel_preferences(current)
        .await;
    let preferences = response
        .expect("updated preferences")
        .into_inner()
        .channel_preferences
        .expect("channel preferences");
    assert_eq!(
        (preferences.opted_out, preferences.etag.as_str()),
        (true, "\"3\"")
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn acc_020_channel_rows_are_visible_to_own_account_and_aws() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    request_channel(&scenario, &["mem-user"]).await;
    let opt_out = pb::UpdateChannelPreferencesRequest {
        opted_out: Some(true),
        ..Default::default()
    };
    scenario
        .channel_client(&alliance_lead(ALDER))
        .update_channel_preferences(opt_out)
        .await
        .expect("updated preferences");
    for (table, alder, birch, aws, services, system) in [
        ("channel", 1, 0, 1, 0, 1),
        ("channel_member", 1, 0, 1, 0, 1),
        ("channel_preference", 1, 0, 0, 0, 1),
    ] {
        for (scope, expected) in [
            (Some((ALDER, "partner")), alder),
            (Some((BIRCH, "partner")), birch),
            (Some(("", "partner")), 0),
            (None, 0),
            (Some((AWS, "aws")), aws),
            (Some(("", "service")), services),
            (Some((ALDER, "system")), system),
            (Some(("", "system")), 0),
        ] {
            let seen = scenario
                .app
                .database
                .visible("collaboration_app", scope, table)
                .await;
            assert_eq!(seen, expected, "{table} for {scope:?}");
        }
    }
    scenario.app.finish::<Collaboration>().await;
}
