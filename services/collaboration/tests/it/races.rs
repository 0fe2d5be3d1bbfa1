//! Covers concurrent acceptances, rejections, shares, expiries and disconnects: each invitation has exactly one
//! outcome.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_testkit::harness::{Setup, eventually, partner};
use cosell_types::Role;
use futures::future::join_all;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, DOGWOOD, Scenario, accept_request, alliance_lead, parse_refusal, reject_request,
    share_request,
};

#[tokio::test(flavor = "multi_thread")]
async fn col_020_concurrent_acceptances_have_one_winner() {
    let scenario = Scenario::with_partners(Setup::default().with_max_calls(1024), &[BIRCH]).await;
    let shared = scenario.share(&[BIRCH]).await;
    let id = &shared.engagement_invitations[0].engagement_invitation_id;
    let members: Vec<_> = (0..10)
        .map(|number| partner(&format!("mem-{number}"), BIRCH, Role::AceManager))
        .collect();
    let attempts = (0..100).map(|number| {
        let mut client = scenario.client(&members[number % members.len()]);
        let request = accept_request(id);
        async move { client.accept_engagement_invitation(request).await }
    });
    let (mut opportunity_ids, mut codes) = (Vec::new(), Vec::new());
    for response in join_all(attempts).await {
        match response {
            Ok(response) => opportunity_ids.push(
                response
                    .into_inner()
                    .engagement_invitation
                    .expect("an engagement invitation")
                    .opportunity_id,
            ),
            Err(status) => codes.push(status.code()),
        }
    }
    assert_eq!(opportunity_ids.len(), 1, "{opportunity_ids:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::FailedPrecondition | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(
        scenario
            .event_count(BIRCH, "engagement_invitation_accepted")
            .await,
        1
    );
    assert_eq!(
        scenario.list_engagements(&alliance_lead(BIRCH)).await[0].opportunity_id,
        opportunity_ids[0]
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn col_004_concurrent_shares_create_one_engagement() {
    let scenario = Scenario::with_partners(Setup::default().with_max_calls(1024), &[BIRCH, CEDAR]).await;
    let attempts = (0..20).map(|number| {
        let mut client = scenario.client(&alliance_lead(ALDER));
        let request = share_request(&[[BIRCH, CEDAR][number % 2]]);
        async move { client.share_opportunity(request).await }
    });
    let (mut engagement_ids, mut codes) = (Vec::new(), Vec::new());
    for response in join_all(attempts).await {
        match response {
            Ok(response) => engagement_ids.push(
                response
                    .into_inner()
                    .engagement
                    .expect("an engagement")
                    .engagement_id,
            ),
            Err(status) => codes.push(status.code()),
        }
    }
    engagement_ids.dedup();
    assert_eq!(engagement_ids.len(), 1, "{engagement_ids:?}");
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, Code::AlreadyExists | Code::Aborted)),
        "{codes:?}"
    );
    assert_eq!(scenario.list_engagements(&alliance_lead(ALDER)).await.len(), 1);
    assert!(scenario.list_invitations(&alliance_lead(ALDER)).await.len() <= 2);
    scenario.app.finish::<Collaboration>().await;
}

/// The connection ends while Birch accepts: Birch becomes a member, or the invitation is canceled.
#[tokio::test(flavor = "multi_thread")]
async fn col_014_concurrent_disconnect_and_acceptance_have_one_outcome() {
    for iteration in 0..4 {
        let scenario = Scenario::with_partners(Setup::default(), &[BIRCH, DOGWOOD]).await;
        let shared = scenario.share(&[BIRCH]).await;
        let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
        let engagement = shared.engagement.expect("an engagement").engagement_id;
        let mut client = scenario.client(&alliance_lead(BIRCH));
        let request = accept_request(&id);
        if iteration % 2 == 0 {
            scenario.publish_connection(ALDER, BIRCH, 2, false).await;
        }
        let accepting = tokio::spawn(async move { client.accept_engagement_invitation(request).await });
        if iteration % 2 == 1 {
            scenario.publish_connection(ALDER, BIRCH, 2, false).await;
        }
        let accepted = accepting.await.expect("a response").is_ok();
        let state = eventually(async || {
            let invitations = scenario.list_invitations(&alliance_lead(BIRCH)).await;
            match invitations[0].state() {
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
        assert_eq!(
            scenario
                .get_engagement(&alliance_lead(BIRCH), &engagement)
                .await
                .is_ok(),
            accepted
        );
        let refusal = eventually(async || {
            let refusal = scenario
                .client(&alliance_lead(ALDER))
                .share_opportunity(share_request(&[BIRCH]))
                .await;
            match refusal {
                Err(status) if status.code() == Code::FailedPrecondition => Ok(status),
                other => Err(format!("{other:?}")),
            }
        });
        refusal.await;
        scenario.app.finish::<Collaboration>().await;
    }
}

/// The connection ends while Alder shares: no pending invitation remains that could not be accepted.
#[tokio::test(flavor = "multi_thread")]
async fn col_002_014_concurrent_disconnect_and_share_leave_nothing_pending() {
    for iteration in 0..6 {
        let scenario = Scenario::with_partners(Setup::default(), &[BIRCH, DOGWOOD]).await;
        let mut alder = scenario.client(&alliance_lead(ALDER));
        let sharing = async {
            // Shifts the share from before the disconnect to after it.
            for _ in 0..iteration {
                scenario.list_engagements(&alliance_lead(ALDER)).await;
            }
            alder.share_opportunity(share_request(&[BIRCH])).await
        };
        let (response, ()) = tokio::join!(sharing, scenario.publish_connection(ALDER, BIRCH, 2, false));
        if let Err(status) = &response {
            assert_eq!(parse_refusal(status).reason, "NOT_CONNECTED");
        }
        // Once the disconnect is applied, no invitation is pending.
        eventually(async || {
            let again = scenario
                .client(&alliance_lead(ALDER))
                .share_opportunity(share_request(&[BIRCH]))
                .await;
            match again {
                Err(status) if parse_refusal(&status).reason == "NOT_CONNECTED" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        let invitations = scenario.list_invitations(&alliance_lead(BIRCH)).await;
        let states: Vec<_> = invitations.iter().map(pb::EngagementInvitation::state).collect();
        let expected = match response {
            Ok(_) => vec![pb::EngagementInvitationState::Canceled],
            Err(_) => Vec::new(),
        };
        assert_eq!(states, expected, "iteration {iteration}");
        let mut admin = scenario.app.database.admin::<Collaboration>().await;
        let engagements: i64 = sqlx::query_scalar("SELECT count(*) FROM engagement")
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        assert_eq!(
            engagements,
            i64::from(response.is_ok()),
            "an engagement must not exist without an invitation"
        );
        scenario.app.finish::<Collaboration>().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn col_010_concurrent_acceptance_rejection_and_expiry_have_one_outcome() {
    let scenario = Scenario::with_partners(Setup::default(), &[BIRCH]).await;
    for iteration in 0..12 {
        let shared = scenario.share(&[BIRCH]).await;
        let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
        scenario
            .app
            .clock
            .advance(TimeDelta::days(15) - TimeDelta::seconds(1));
        let (mut acceptor, mut rejector) = (
            scenario.client(&alliance_lead(BIRCH)),
            scenario.client(&alliance_lead(BIRCH)),
        );
        let requests = (accept_request(&id), reject_request(&id));
        let accepting = tokio::spawn(async move { acceptor.accept_engagement_invitation(requests.0).await });
        let rejecting = tokio::spawn(async move { rejector.reject_engagement_invitation(requests.1).await });
        for _ in 0..iteration / 3 {
            scenario.list_engagements(&alliance_lead(ALDER)).await;
        }
        scenario.app.clock.advance(TimeDelta::seconds(1));
        let accepted = accepting.await.expect("a response").is_ok();
        let rejected = rejecting.await.expect("a response").is_ok();
        assert!(!(accepted && rejected), "both succeeded in iteration {iteration}");
        let engagement = shared.engagement.expect("an engagement").engagement_id;
        let expected = if accepted {
            pb::EngagementMemberState::Active
        } else {
            pb::EngagementMemberState::NotJoined
        };
        eventually(async || {
            let states = scenario.member_states(&alliance_lead(ALDER), &engagement).await;
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
            scenario
                .client(&alliance_lead(BIRCH))
                .leave_engagement(leave)
                .await
                .expect("a departure");
        }
    }
    let closed = scenario
        .event_count(BIRCH, "engagement_invitation_accepted")
        .await
        + scenario
            .event_count(BIRCH, "engagement_invitation_rejected")
            .await
        + scenario.event_count(BIRCH, "engagement_invitation_expired").await;
    assert_eq!(closed, 12, "each invitation must reach one final state");
    scenario.app.finish::<Collaboration>().await;
}
