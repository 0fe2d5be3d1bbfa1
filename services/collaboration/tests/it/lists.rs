//! Lists: what narrows them, which order they have, and how they go on from page to page.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::{ParticipantType, SortOrder};
use cosell_testkit::harness::Setup;
use cosell_types::Caller;

use crate::channels::{ask, prepare, user};
use crate::support::{ALDER, BIRCH, CEDAR, DEAL, Scene, deal, lead, reject, sales, share};

const DEALS: [&str; 3] = [DEAL, "O4712", "O4713"];

/// Alder shares three deals with Birch, one after the other; the engagements, the oldest first, and the invitations.
async fn shared(scene: &Scene) -> (Vec<String>, Vec<String>) {
    let (mut engagements, mut invitations) = (Vec::new(), Vec::new());
    for id in DEALS {
        scene.app.clock.advance(TimeDelta::seconds(1));
        if id != DEAL {
            let mut record = deal();
            record.opportunity_id = id.to_owned();
            scene.records.lock().expect("records").push(record);
        }
        let mut request = share(&[BIRCH]);
        request.opportunity_id = id.to_owned();
        let answer = scene.by(&lead(ALDER)).share_opportunity(request).await;
        let answer = answer.expect("shared").into_inner();
        engagements.push(answer.engagement.expect("it").engagement_id);
        invitations.push(answer.engagement_invitations[0].engagement_invitation_id.clone());
    }
    (engagements, invitations)
}

/// The ids of all pages, each of which has so many but for the last.
async fn listed(
    scene: &Scene,
    caller: &Caller,
    asked: &pb::ListEngagementsRequest,
    size: i32,
) -> Vec<String> {
    let mut request = pb::ListEngagementsRequest {
        page_size: size,
        ..asked.clone()
    };
    let mut found = Vec::new();
    for _ in 0..10 {
        let answer = scene.by(caller).list_engagements(request.clone()).await;
        let answer = answer.expect("a page").into_inner();
        found.extend(answer.engagements.into_iter().map(|one| one.engagement_id));
        if answer.next_page_token.is_empty() {
            return found;
        }
        request.page_token = answer.next_page_token;
    }
    panic!("more pages than engagements")
}

#[tokio::test]
async fn col_020_engagements_are_narrowed_and_come_in_both_orders() {
    let scene = Scene::with(Setup::default(), &[BIRCH, CEDAR]).await;
    let (ids, _) = shared(&scene).await;
    let newest: Vec<_> = ids.iter().rev().cloned().collect();
    let all = pb::ListEngagementsRequest::default();
    let oldest_first = pb::ListEngagementsRequest {
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    let one = |number: usize| vec![ids[number].clone()];
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
                opportunity_ids: vec![DEALS[1].to_owned()],
                ..Default::default()
            },
            one(1),
        ),
        (
            pb::ListEngagementsRequest {
                // As long as an id can be, and of no record.
                opportunity_ids: vec!["O9999999999999999999".to_owned()],
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
    for (asked, expected) in alder {
        for caller in [lead(ALDER), sales()] {
            for size in [1, 2, 20] {
                let found = listed(&scene, &caller, &asked, size).await;
                assert_eq!(found, expected, "{caller:?} in pages of {size}: {asked:?}");
            }
        }
    }
    // Birch is asked only, and Cedar not even that.
    for account in [BIRCH, CEDAR] {
        assert_eq!(
            listed(&scene, &lead(account), &all, 20).await,
            Vec::<String>::new()
        );
    }
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_011_invitations_are_narrowed_by_side_state_and_engagement() {
    let scene = Scene::with(Setup::default(), &[BIRCH, CEDAR]).await;
    let (engagements, ids) = shared(&scene).await;
    let declined = scene
        .by(&lead(BIRCH))
        .reject_engagement_invitation(reject(&ids[0]))
        .await;
    declined.expect("declined");
    let all = vec![ids[2].clone(), ids[1].clone(), ids[0].clone()];
    let of_side = |side: ParticipantType| pb::ListEngagementInvitationsRequest {
        participant_type: side.into(),
        ..Default::default()
    };
    let in_states = |states: &[pb::EngagementInvitationState]| pb::ListEngagementInvitationsRequest {
        states: states.iter().map(|state| (*state).into()).collect(),
        ..Default::default()
    };
    let of_engagement = pb::ListEngagementInvitationsRequest {
        engagement_ids: vec![engagements[1].clone()],
        ..Default::default()
    };
    for (caller, asked, expected) in [
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
        (ALDER, of_side(ParticipantType::Sender), all.clone()),
        (ALDER, of_side(ParticipantType::Receiver), Vec::new()),
        (BIRCH, of_side(ParticipantType::Receiver), all.clone()),
        (BIRCH, of_side(ParticipantType::Sender), Vec::new()),
        (
            BIRCH,
            in_states(&[pb::EngagementInvitationState::Rejected]),
            all[2..].to_vec(),
        ),
        (
            ALDER,
            in_states(&[pb::EngagementInvitationState::Pending]),
            all[..2].to_vec(),
        ),
        (
            BIRCH,
            in_states(&[
                pb::EngagementInvitationState::Pending,
                pb::EngagementInvitationState::Rejected,
            ]),
            all.clone(),
        ),
        (BIRCH, of_engagement, all[1..2].to_vec()),
    ] {
        let mut request = pb::ListEngagementInvitationsRequest {
            page_size: 1,
            ..asked.clone()
        };
        let mut found = Vec::new();
        for _ in 0..=all.len() {
            let answer = scene
                .by(&lead(caller))
                .list_engagement_invitations(request.clone())
                .await;
            let answer = answer.expect("a page").into_inner();
            found.extend(
                answer
                    .engagement_invitations
                    .into_iter()
                    .map(|one| one.engagement_invitation_id),
            );
            request.page_token = answer.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, expected, "{caller}: {asked:?}");
    }
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn chn_005_channels_are_narrowed_by_state_and_opportunity() {
    let scene = Scene::start().await;
    prepare(&scene).await;
    let id = ask(&scene, &["mem-user"]).await.channel_id;
    let in_state = |state: pb::ChannelState| pb::ListChannelsRequest {
        states: vec![state.into()],
        ..Default::default()
    };
    let of = |opportunity: &str| pb::ListChannelsRequest {
        opportunity_id: opportunity.to_owned(),
        ..Default::default()
    };
    for (asked, is_found) in [
        (pb::ListChannelsRequest::default(), true),
        (in_state(pb::ChannelState::Requested), true),
        (in_state(pb::ChannelState::Active), false),
        (of(DEAL), true),
        (of("O4712"), false),
        (of("O9999999999999999999"), false),
    ] {
        let expected: &[String] = if is_found { std::slice::from_ref(&id) } else { &[] };
        for caller in [user(), lead(ALDER), sales()] {
            let answer = scene.channels(&caller).list_channels(asked.clone()).await;
            let channels = answer.expect("a list").into_inner().channels;
            let found: Vec<_> = channels.into_iter().map(|one| one.channel_id).collect();
            assert_eq!(found, expected, "{caller:?}: {asked:?}");
        }
    }
    scene.app.finish::<Collaboration>().await;
}
