//! Covers the filters, order and pagination of the lists of engagements, invitations and channels (COL-011, COL-020,
//! CHN-005).

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::{ParticipantType, SortOrder};
use cosell_testkit::harness::Setup;
use cosell_types::Caller;

use crate::channels::{ace_user, prepare, request_channel};
use crate::support::{
    ALDER, BIRCH, CEDAR, OPPORTUNITY_ID, Scenario, alliance_lead, approved_opportunity, reject_request,
    sales, share_request,
};

const OPPORTUNITY_IDS: [&str; 3] = [OPPORTUNITY_ID, "O4712", "O4713"];

/// Shares three opportunities of Alder with Birch, and returns the ids of engagements and invitations, oldest first.
async fn share_three_opportunities(scenario: &Scenario) -> (Vec<String>, Vec<String>) {
    let (mut engagements, mut invitations) = (Vec::new(), Vec::new());
    for id in OPPORTUNITY_IDS {
        scenario.app.clock.advance(TimeDelta::seconds(1));
        if id != OPPORTUNITY_ID {
            let mut record = approved_opportunity();
            record.opportunity_id = id.to_owned();
            scenario.records.lock().expect("records").push(record);
        }
        let mut request = share_request(&[BIRCH]);
        request.opportunity_id = id.to_owned();
        let response = scenario
            .client(&alliance_lead(ALDER))
            .share_opportunity(request)
            .await;
        let response = response.expect("a shared opportunity").into_inner();
        engagements.push(response.engagement.expect("an engagement").engagement_id);
        invitations.push(
            response.engagement_invitations[0]
                .engagement_invitation_id
                .clone(),
        );
    }
    (engagements, invitations)
}

/// The ids of the engagements of all pages of the given size.
async fn list_all_pages(
    scenario: &Scenario,
    caller: &Caller,
    query: &pb::ListEngagementsRequest,
    size: i32,
) -> Vec<String> {
    let mut request = pb::ListEngagementsRequest {
        page_size: size,
        ..query.clone()
    };
    let mut ids = Vec::new();
    for _ in 0..10 {
        let response = scenario.client(caller).list_engagements(request.clone()).await;
        let response = response.expect("a page").into_inner();
        ids.extend(
            response
                .engagements
                .into_iter()
                .map(|engagement| engagement.engagement_id),
        );
        if response.next_page_token.is_empty() {
            return ids;
        }
        request.page_token = response.next_page_token;
    }
    panic!("more pages than engagements")
}

#[tokio::test]
async fn col_020_engagements_are_filtered_and_sorted_in_both_orders() {
    let scenario = Scenario::with_partners(Setup::default(), &[BIRCH, CEDAR]).await;
    let (ids, _) = share_three_opportunities(&scenario).await;
    let newest: Vec<_> = ids.iter().rev().cloned().collect();
    let all = pb::ListEngagementsRequest::default();
    let oldest_first = pb::ListEngagementsRequest {
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    let only = |number: usize| vec![ids[number].clone()];
    let alder = [
        (all.clone(), newest.clone()),
        (oldest_first, ids.clone()),
        (
            pb::ListEngagementsRequest {
                engagement_ids: vec![ids[0].clone(), ids[2].clone()],
                ..Default::default()
            },
            vec![ids[2].clone(), ids[0].clone()],
        ),
        (
            pb::ListEngagementsRequest {
                opportunity_ids: vec![OPPORTUNITY_IDS[1].to_owned()],
                ..Default::default()
            },
            only(1),
        ),
        (
            pb::ListEngagementsRequest {
                // The longest possible id, of no record.
                opportunity_ids: vec!["O9223372036854775807".to_owned()],
                ..Default::default()
            },
            Vec::new(),
        ),
        (
            pb::ListEngagementsRequest {
                created_by_account_ids: vec![ALDER.to_owned()],
                ..Default::default()
            },
            newest.clone(),
        ),
        (
            pb::ListEngagementsRequest {
                created_by_account_ids: vec![BIRCH.to_owned()],
                ..Default::default()
            },
            Vec::new(),
        ),
        (
            pb::ListEngagementsRequest {
                exclude_created_by_account_ids: vec![ALDER.to_owned()],
                ..Default::default()
            },
            Vec::new(),
        ),
    ];
    for (query, expected) in alder {
        for caller in [alliance_lead(ALDER), sales()] {
            for size in [1, 2, 20] {
                let ids = list_all_pages(&scenario, &caller, &query, size).await;
                assert_eq!(ids, expected, "{caller:?} in pages of {size}: {query:?}");
            }
        }
    }
    // Birch is only invited, and Cedar is not involved.
    for account in [BIRCH, CEDAR] {
        assert_eq!(
            list_all_pages(&scenario, &alliance_lead(account), &all, 20).await,
            Vec::<String>::new()
        );
    }
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_011_invitations_are_filtered_by_participant_state_and_engagement() {
    let scenario = Scenario::with_partners(Setup::default(), &[BIRCH, CEDAR]).await;
    let (engagements, ids) = share_three_opportunities(&scenario).await;
    let declined = scenario
        .client(&alliance_lead(BIRCH))
        .reject_engagement_invitation(reject_request(&ids[0]))
        .await;
    declined.expect("a declined request");
    let all = vec![ids[2].clone(), ids[1].clone(), ids[0].clone()];
    let by_participant = |side: ParticipantType| pb::ListEngagementInvitationsRequest {
        participant_type: side.into(),
        ..Default::default()
    };
    let by_states = |states: &[pb::EngagementInvitationState]| pb::ListEngagementInvitationsRequest {
        states: states.iter().map(|state| (*state).into()).collect(),
        ..Default::default()
    };
    let by_engagement = pb::ListEngagementInvitationsRequest {
        engagement_ids: vec![engagements[1].clone()],
        ..Default::default()
    };
    for (caller, query, expected) in [
        (
            ALDER,
            pb::ListEngagementInvitationsRequest::default(),
            all.clone(),
        ),
        (
            BIRCH,
            pb::ListEngagementInvitationsRequest::default(),
            all.clone(),
        ),
        (CEDAR, pb::ListEngagementInvitationsRequest::default(), Vec::new()),
        (ALDER, by_participant(ParticipantType::Sender), all.clone()),
        (ALDER, by_participant(ParticipantType::Receiver), Vec::new()),
        (BIRCH, by_participant(ParticipantType::Receiver), all.clone()),
        (BIRCH, by_participant(ParticipantType::Sender), Vec::new()),
        (
            BIRCH,
            by_states(&[pb::EngagementInvitationState::Rejected]),
            all[2..].to_vec(),
        ),
        (
            ALDER,
            by_states(&[pb::EngagementInvitationState::Pending]),
            all[..2].to_vec(),
        ),
        (
            BIRCH,
            by_states(&[
                pb::EngagementInvitationState::Pending,
                pb::EngagementInvitationState::Rejected,
            ]),
            all.clone(),
        ),
        (BIRCH, by_engagement, all[1..2].to_vec()),
    ] {
        let mut request = pb::ListEngagementInvitationsRequest {
            page_size: 1,
            ..query.clone()
        };
        let mut found_ids = Vec::new();
        for _ in 0..=all.len() {
            let response = scenario
                .client(&alliance_lead(caller))
                .list_engagement_invitations(request.clone())
                .await;
            let response = response.expect("a page").into_inner();
            found_ids.extend(
                response
                    .engagement_invitations
                    .into_iter()
                    .map(|invitation| invitation.engagement_invitation_id),
            );
            request.page_token = response.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found_ids, expected, "{caller}: {query:?}");
    }
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_005_channels_are_filtered_by_state_and_opportunity() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let by_state = |state: pb::ChannelState| pb::ListChannelsRequest {
        states: vec![state.into()],
        ..Default::default()
    };
    let by_opportunity = |opportunity: &str| pb::ListChannelsRequest {
        opportunity_id: opportunity.to_owned(),
        ..Default::default()
    };
    for (query, is_found) in [
        (pb::ListChannelsRequest::default(), true),
        (by_state(pb::ChannelState::Requested), true),
        (by_state(pb::ChannelState::Active), false),
        (by_opportunity(OPPORTUNITY_ID), true),
        (by_opportunity("O4712"), false),
        (by_opportunity("O9223372036854775807"), false),
    ] {
        let expected: &[String] = if is_found { std::slice::from_ref(&id) } else { &[] };
        for caller in [ace_user(), alliance_lead(ALDER), sales()] {
            let response = scenario
                .channel_client(&caller)
                .list_channels(query.clone())
                .await;
            let channels = response.expect("a list").into_inner().channels;
            let found: Vec<_> = channels.into_iter().map(|channel| channel.channel_id).collect();
            assert_eq!(found, expected, "{caller:?}: {query:?}");
        }
    }
    scenario.app.finish::<Collaboration>().await;
}
