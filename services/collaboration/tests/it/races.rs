//! Many at once: one outcome.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::{Setup, eventually, partner};
use cosell_types::Role;
use futures::future::join_all;
use tonic::Code;

use crate::support::{ALDER, BIRCH, CEDAR, DOGWOOD, Scene, accept, lead, reject, share, why};

#[tokio::test(flavor = "multi_thread")]
async fn col_020_of_a_hundred_acceptances_one_wins() {
    let scene = Scene::with(Setup::default().with_room(256), &[BIRCH]).await;
    let shared = scene.share(&[BIRCH]).await;
    let id = &shared.engagement_invitations[0].engagement_invitation_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), BIRCH, Role::AceManager))
        .collect();
    let calls = (0..100).map(|number| {
        let mut calls = scene.by(&members[number % members.len()]);
        let request = accept(id);
        async move { calls.accept_engagement_invitation(request).await }
    });
    let (mut won, mut codes) = (Vec::new(), Vec::new());
    for answer in join_all(calls).await {
        match answer {
            Ok(answer) => won.push(
                answer
                    .into_inner()
                    .engagement_invitation
                    .expect("it")
                    .opportunity_id,
            ),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(scene.told(BIRCH, "engagement_invitation_accepted").await, 1);
    assert_eq!(scene.list(&lead(BIRCH)).await[0].opportunity_id, won[0]);
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn col_004_of_many_who_share_at_once_one_begins_and_each_company_is_asked_once() {
    let scene = Scene::with(Setup::default().with_room(256), &[BIRCH, CEDAR]).await;
    let calls = (0..20).map(|number| {
        let mut calls = scene.by(&lead(ALDER));
        let request = share(&[[BIRCH, CEDAR][number % 2]]);
        async move { calls.share_opportunity(request).await }
    });
    let (mut made, mut codes) = (Vec::new(), Vec::new());
    for answer in join_all(calls).await {
        match answer {
            Ok(answer) => made.push(answer.into_inner().engagement.expect("it").engagement_id),
            Err(status) => codes.push(status.code()),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::AlreadyExists | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(scene.list(&lead(ALDER)).await.len(), 1);
    assert!(scene.invitations(&lead(ALDER)).await.len() <= 2);
    scene.app.finish::<Collaboration>().await;
}

/// The connection ends while Birch accepts: whatever comes first, Birch is in, or the invitation is gone.
#[tokio::test(flavor = "multi_thread")]
async fn col_014_an_end_of_the_connection_and_an_answer_at_once_have_one_outcome() {
    for round in 0..4 {
        let scene = Scene::with(Setup::default(), &[BIRCH, DOGWOOD]).await;
        let shared = scene.share(&[BIRCH]).await;
        let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
        let engagement = shared.engagement.expect("it").engagement_id;
        let mut calls = scene.by(&lead(BIRCH));
        let request = accept(&id);
        if round % 2 == 0 {
            scene.connect(ALDER, BIRCH, 2, false).await;
        }
        let accepting = tokio::spawn(async move { calls.accept_engagement_invitation(request).await });
        if round % 2 == 1 {
            scene.connect(ALDER, BIRCH, 2, false).await;
        }
        let accepted = accepting.await.expect("an answer").is_ok();
        let state = eventually(async || {
            let found = scene.invitations(&lead(BIRCH)).await;
            match found[0].state() {
                pb::EngagementInvitationState::Pending => Err("pending".to_owned()),
                state => Ok(state),
            }
        })
        .await;
        let expected = match accepted {
            true => pb::EngagementInvitationState::Accepted,
            false => pb::EngagementInvitationState::Canceled,
        };
        assert_eq!(state, expected);
        assert_eq!(scene.get(&lead(BIRCH), &engagement).await.is_ok(), accepted);
        let refusal = eventually(async || {
            let refusal = scene.by(&lead(ALDER)).share_opportunity(share(&[BIRCH])).await;
            match refusal {
                Err(status) if status.code() == Code::FailedPrecondition => Ok(status),
                other => Err(format!("{other:?}")),
            }
        });
        refusal.await;
        scene.app.finish::<Collaboration>().await;
    }
}

/// The connection ends while Alder shares: whatever comes first, no invitation is left that cannot be accepted.
#[tokio::test(flavor = "multi_thread")]
async fn col_002_014_an_end_of_the_connection_and_a_share_at_once_leave_nobody_waiting() {
    for round in 0..6 {
        let scene = Scene::with(Setup::default(), &[BIRCH, DOGWOOD]).await;
        let mut alder = scene.by(&lead(ALDER));
        let sharing = async {
            // In both orders, and at once.
            for _ in 0..round {
                scene.list(&lead(ALDER)).await;
            }
            alder.share_opportunity(share(&[BIRCH])).await
        };
        let (answer, ()) = tokio::join!(sharing, scene.connect(ALDER, BIRCH, 2, false));
        if let Err(status) = &answer {
            assert_eq!(why(status).reason, "NOT_CONNECTED");
        }
        // Once the end is known, nothing is pending, and nothing becomes so.
        eventually(async || {
            let again = scene.by(&lead(ALDER)).share_opportunity(share(&[BIRCH])).await;
            match again {
                Err(status) if why(&status).reason == "NOT_CONNECTED" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        let found = scene.invitations(&lead(BIRCH)).await;
        let states: Vec<_> = found.iter().map(pb::EngagementInvitation::state).collect();
        let expected = match answer {
            Ok(_) => vec![pb::EngagementInvitationState::Canceled],
            Err(_) => Vec::new(),
        };
        assert_eq!(states, expected, "round {round}");
        let mut admin = scene.app.database.admin::<Collaboration>().await;
        let engaged: i64 = sqlx::query_scalar("SELECT count(*) FROM engagement")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        assert_eq!(
            engaged,
            i64::from(answer.is_ok()),
            "no engagement without an invitation"
        );
        scene.app.finish::<Collaboration>().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn col_010_acceptance_refusal_and_the_end_of_time_at_once_have_one_outcome() {
    let scene = Scene::with(Setup::default(), &[BIRCH]).await;
    for round in 0..12 {
        let shared = scene.share(&[BIRCH]).await;
        let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
        scene
            .app
            .clock
            .advance(TimeDelta::days(15) - TimeDelta::seconds(1));
        let (mut one, mut other) = (scene.by(&lead(BIRCH)), scene.by(&lead(BIRCH)));
        let requests = (accept(&id), reject(&id));
        let accepting = tokio::spawn(async move { one.accept_engagement_invitation(requests.0).await });
        let rejecting = tokio::spawn(async move { other.reject_engagement_invitation(requests.1).await });
        for _ in 0..round / 3 {
            scene.list(&lead(ALDER)).await;
        }
        scene.app.clock.advance(TimeDelta::seconds(1));
        let accepted = accepting.await.expect("an answer").is_ok();
        let rejected = rejecting.await.expect("an answer").is_ok();
        assert!(!(accepted && rejected), "both in round {round}");
        let engagement = shared.engagement.expect("it").engagement_id;
        let expected = if accepted {
            pb::EngagementMemberState::Active
        } else {
            pb::EngagementMemberState::NotJoined
        };
        eventually(async || {
            let states = scene.members(&lead(ALDER), &engagement).await;
            match states.last() {
                Some((_, state)) if *state == expected => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        if accepted {
            let leave = pb::LeaveEngagementRequest {
                engagement_id: engagement,
                ..Default::default()
            };
            scene
                .by(&lead(BIRCH))
                .leave_engagement(leave)
                .await
                .expect("left");
        }
    }
    let ended = scene.told(BIRCH, "engagement_invitation_accepted").await
        + scene.told(BIRCH, "engagement_invitation_rejected").await
        + scene.told(BIRCH, "engagement_invitation_expired").await;
    assert_eq!(ended, 12, "each invitation has ended once");
    scene.app.finish::<Collaboration>().await;
}
