//! What becomes of invitations.

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::RejectionReason;
use cosell_testkit::harness::{aws, eventually, partner};
use cosell_types::Role;
use tonic::Code;

use crate::support::{ALDER, BIRCH, CEDAR, Scene, accept, cancel, lead, reject, request_id, sales, why};

async fn invitation(scene: &Scene, account: &str) -> pb::EngagementInvitation {
    let found = scene.invitations(&lead(account)).await;
    found.first().cloned().expect("an invitation")
}

#[tokio::test]
async fn col_020_acceptance_makes_a_member_and_names_the_opportunity_that_comes() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
    let rehearsal = pb::AcceptEngagementInvitationRequest {
        validate_only: true,
        ..accept(&id)
    };
    let answer = scene
        .by(&lead(BIRCH))
        .accept_engagement_invitation(rehearsal)
        .await;
    let rehearsed = answer
        .expect("can be")
        .into_inner()
        .engagement_invitation
        .expect("it");
    assert_eq!(
        (rehearsed.state(), rehearsed.opportunity_id.as_str()),
        (pb::EngagementInvitationState::Accepted, "")
    );
    let request = pb::AcceptEngagementInvitationRequest {
        request_id: request_id(),
        ..accept(&id)
    };
    let first = scene
        .by(&lead(BIRCH))
        .accept_engagement_invitation(request.clone())
        .await;
    let first = first
        .expect("accepted")
        .into_inner()
        .engagement_invitation
        .expect("it");
    let again = scene.by(&lead(BIRCH)).accept_engagement_invitation(request).await;
    assert_eq!(
        again.expect("accepted before").into_inner().engagement_invitation,
        Some(first.clone())
    );
    assert!(first.opportunity_id.starts_with('O'), "{first:?}");
    assert_eq!(first.answered_by, "mem-lead-222222222222");
    assert!(first.payload.is_some(), "what it accepted stays readable");

    let seen = scene
        .get(&lead(BIRCH), &engagement)
        .await
        .expect("it is part of it");
    assert_eq!(
        (seen.opportunity_id, seen.member_count),
        (first.opportunity_id.clone(), 3)
    );
    let states = scene.members(&lead(BIRCH), &engagement).await;
    assert_eq!(
        states,
        [
            (ALDER.to_owned(), pb::EngagementMemberState::Active),
            (BIRCH.to_owned(), pb::EngagementMemberState::Active),
            (CEDAR.to_owned(), pb::EngagementMemberState::Invited),
        ]
    );
    // The sender learns that, and neither who nor which record.
    let sent = scene.invitations(&lead(ALDER)).await;
    let sent = sent
        .iter()
        .find(|sent| sent.engagement_invitation_id == id)
        .expect("it");
    assert_eq!(
        (sent.answered_by.as_str(), sent.opportunity_id.as_str()),
        ("", "")
    );
    assert_eq!(sent.receiver_alias, "our friend 222222222222");
    for account in [ALDER, BIRCH] {
        assert_eq!(scene.told(account, "engagement_invitation_accepted").await, 1);
        assert!(scene.told(account, "engagement_member_added").await >= 1);
    }
    assert_eq!(scene.told(CEDAR, "engagement_member_added").await, 0);
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_012_nothing_is_left_of_what_was_not_accepted() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    let ids: Vec<_> = shared
        .engagement_invitations
        .iter()
        .map(|one| one.engagement_invitation_id.clone())
        .collect();
    let other = pb::RejectEngagementInvitationRequest {
        reason: RejectionReason::Other.into(),
        ..reject(&ids[0])
    };
    let refusal = scene
        .by(&lead(BIRCH))
        .reject_engagement_invitation(other.clone())
        .await;
    assert_eq!(why(&refusal.expect_err("why?")).fields[0].0, "text");
    let said = pb::RejectEngagementInvitationRequest {
        text: "We know them too well.".to_owned(),
        ..other
    };
    scene
        .by(&lead(BIRCH))
        .reject_engagement_invitation(said)
        .await
        .expect("rejected");
    scene
        .by(&lead(ALDER))
        .cancel_engagement_invitation(cancel(&ids[1]))
        .await
        .expect("canceled");
    let rejected = invitation(&scene, BIRCH).await;
    assert_eq!(
        (rejected.state(), rejected.payload.is_none()),
        (pb::EngagementInvitationState::Rejected, true)
    );
    let canceled = invitation(&scene, CEDAR).await;
    assert_eq!(
        (canceled.state(), canceled.payload.is_none()),
        (pb::EngagementInvitationState::Canceled, true)
    );
    assert_eq!(canceled.answered_by, "", "who of Alder did it is Alder's");
    for sent in scene.invitations(&lead(ALDER)).await {
        assert!(sent.payload.is_none() && sent.message.is_empty(), "{sent:?}");
        if sent.state() == pb::EngagementInvitationState::Rejected {
            assert_eq!(sent.rejection_reason(), RejectionReason::Other);
            assert_eq!(sent.rejection_text, "We know them too well.");
        }
    }
    let mut admin = scene.app.database.admin::<Collaboration>().await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM invitation WHERE shown IS NOT NULL")
        .fetch_one(&mut admin)
        .await
        .expect("a count");
    assert_eq!(left, 0);
    // What has ended stays so.
    for (caller, id) in [(BIRCH, &ids[0]), (CEDAR, &ids[1])] {
        let refusal = scene
            .by(&lead(caller))
            .accept_engagement_invitation(accept(id))
            .await;
        assert_eq!(why(&refusal.expect_err("over")).reason, "ILLEGAL_TRANSITION");
        let refusal = scene
            .by(&lead(ALDER))
            .cancel_engagement_invitation(cancel(id))
            .await;
        assert_eq!(why(&refusal.expect_err("over")).reason, "ILLEGAL_TRANSITION");
    }
    // And both can be asked again.
    assert_eq!(scene.share(&[BIRCH, CEDAR]).await.engagement_invitations.len(), 2);
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_010_fifteen_days_and_not_a_moment_more() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    let (one, other) = (
        &shared.engagement_invitations[0],
        &shared.engagement_invitations[1],
    );
    let span = one.expire_time.expect("a time").seconds - one.create_time.expect("a time").seconds;
    assert_eq!(span, 15 * 24 * 3600);
    scene
        .app
        .clock
        .advance(TimeDelta::days(15) - TimeDelta::seconds(1));
    scene.accept(one).await;
    scene.app.clock.advance(TimeDelta::seconds(1));
    let late = scene
        .by(&lead(CEDAR))
        .accept_engagement_invitation(accept(&other.engagement_invitation_id))
        .await;
    let refusal = why(&late.expect_err("too late"));
    assert_eq!(refusal.metadata["state"], "EXPIRED");
    let seen = invitation(&scene, CEDAR).await;
    assert_eq!(
        (seen.state(), seen.payload.is_none()),
        (pb::EngagementInvitationState::Expired, true)
    );
    eventually(
        async || match scene.told(CEDAR, "engagement_invitation_expired").await {
            1 => Ok(()),
            other => Err(format!("{other} events")),
        },
    )
    .await;
    let engagement = shared.engagement.expect("it").engagement_id;
    let states = scene.members(&lead(ALDER), &engagement).await;
    assert_eq!(
        states[2],
        (CEDAR.to_owned(), pb::EngagementMemberState::NotJoined)
    );
    let asked = pb::ListEngagementInvitationsRequest {
        states: vec![pb::EngagementInvitationState::Expired.into()],
        ..Default::default()
    };
    let listed = scene.by(&lead(ALDER)).list_engagement_invitations(asked).await;
    assert_eq!(
        listed.expect("a list").into_inner().engagement_invitations.len(),
        1
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_014_a_connection_that_ends_takes_back_what_waits_and_leaves_what_runs() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    scene.accept(&shared.engagement_invitations[0]).await;
    for other in [BIRCH, CEDAR] {
        scene.connect(ALDER, other, 2, false).await;
    }
    eventually(async || match invitation(&scene, CEDAR).await.state() {
        pb::EngagementInvitationState::Canceled => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let engagement = shared.engagement.expect("it").engagement_id;
    assert!(
        scene.get(&lead(BIRCH), &engagement).await.is_ok(),
        "what runs goes on"
    );
    let states = scene.members(&lead(ALDER), &engagement).await;
    assert_eq!(states[1].1, pb::EngagementMemberState::Active);
    assert_eq!(states[2].1, pb::EngagementMemberState::NotJoined);
    let refusal = scene
        .by(&lead(ALDER))
        .share_opportunity(crate::support::share(&[CEDAR]))
        .await;
    assert_eq!(why(&refusal.expect_err("no connection")).reason, "NOT_CONNECTED");
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_013_who_answers_and_who_takes_back() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH]).await;
    let id = &shared.engagement_invitations[0].engagement_invitation_id;
    for (role, reason) in [
        (Role::AceUser, "ROLE_NOT_PERMITTED"),
        (Role::TechnicalStaff, "ROLE_NOT_PERMITTED"),
        (Role::CloudAdmin, "ROLE_NOT_PERMITTED"),
    ] {
        let caller = partner("mem-birch", BIRCH, role);
        let refusal = scene.by(&caller).accept_engagement_invitation(accept(id)).await;
        assert_eq!(why(&refusal.expect_err("not its")).reason, reason);
    }
    for caller in [lead(CEDAR), lead(ALDER)] {
        let refusal = scene.by(&caller).accept_engagement_invitation(accept(id)).await;
        assert_eq!(
            why(&refusal.expect_err("not asked")).reason,
            "ENGAGEMENT_INVITATION_NOT_FOUND"
        );
        let refusal = scene.by(&caller).reject_engagement_invitation(reject(id)).await;
        assert_eq!(
            why(&refusal.expect_err("not asked")).reason,
            "ENGAGEMENT_INVITATION_NOT_FOUND"
        );
    }
    let refusal = scene
        .by(&lead(BIRCH))
        .cancel_engagement_invitation(cancel(id))
        .await;
    assert_eq!(
        why(&refusal.expect_err("did not send it")).reason,
        "ENGAGEMENT_INVITATION_NOT_FOUND"
    );
    for caller in [sales(), aws("mem-reviewer", Role::Reviewer)] {
        let refusal = scene.by(&caller).accept_engagement_invitation(accept(id)).await;
        assert_eq!(why(&refusal.expect_err("AWS")).reason, "ROLE_NOT_PERMITTED");
    }
    let stale = pb::AcceptEngagementInvitationRequest {
        etag: "\"7\"".to_owned(),
        ..accept(id)
    };
    let refusal = scene.by(&lead(BIRCH)).accept_engagement_invitation(stale).await;
    assert_eq!(why(&refusal.expect_err("stale")).reason, "ETAG_MISMATCH");
    let unknown = scene
        .by(&lead(BIRCH))
        .accept_engagement_invitation(accept("engi-a000000000000"))
        .await;
    assert_eq!(why(&unknown.expect_err("unknown")).code, Code::NotFound);
    scene.app.finish::<Collaboration>().await;
}
