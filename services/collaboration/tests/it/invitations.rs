//! Covers engagement invitations through the API: acceptance, rejection, cancellation, expiry, ended connections, and
//! permitted callers (COL-010 to COL-014, COL-020).

use chrono::TimeDelta;
use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::r#type::v1::RejectionReason;
use cosell_testkit::harness::{aws, eventually, partner};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, Scenario, accept_request, alliance_lead, cancel_request, parse_refusal,
    reject_request, request_id, sales,
};

async fn get_first_invitation(scenario: &Scenario, account: &str) -> pb::EngagementInvitation {
    let invitations = scenario.list_invitations(&alliance_lead(account)).await;
    invitations.first().cloned().expect("an invitation")
}

#[tokio::test]
async fn col_020_acceptance_creates_member_and_returns_opportunity_id() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let id = shared.engagement_invitations[0].engagement_invitation_id.clone();
    let dry_run = pb::AcceptEngagementInvitationRequest {
        validate_only: true,
        ..accept_request(&id)
    };
    let response = scenario
        .client(&alliance_lead(BIRCH))
        .accept_engagement_invitation(dry_run)
        .await;
    let preview = response
        .expect("a dry run")
        .into_inner()
        .engagement_invitation
        .expect("an engagement invitation");
    assert_eq!(
        (preview.state(), preview.opportunity_id.as_str()),
        (pb::EngagementInvitationState::Accepted, "")
    );
    let request = pb::AcceptEngagementInvitationRequest {
        request_id: request_id(),
        ..accept_request(&id)
    };
    let first = scenario
        .client(&alliance_lead(BIRCH))
        .accept_engagement_invitation(request.clone())
        .await;
    let first = first
        .expect("an accepted invitation")
        .into_inner()
        .engagement_invitation
        .expect("an engagement invitation");
    let again = scenario
        .client(&alliance_lead(BIRCH))
        .accept_engagement_invitation(request)
        .await;
    assert_eq!(
        again
            .expect("a repeated request")
            .into_inner()
            .engagement_invitation,
        Some(first.clone())
    );
    assert!(first.opportunity_id.starts_with('O'), "{first:?}");
    assert_eq!(first.answered_by, "mem-lead-222222222222");
    assert!(
        first.payload.is_some(),
        "an accepted invitation must keep its payload"
    );

    let seen = scenario
        .get_engagement(&alliance_lead(BIRCH), &engagement)
        .await
        .expect("an engagement of the member");
    assert_eq!(
        (seen.opportunity_id, seen.member_count),
        (first.opportunity_id.clone(), 3)
    );
    let states = scenario.member_states(&alliance_lead(BIRCH), &engagement).await;
    assert_eq!(
        states,
        [
            (ALDER.to_owned(), pb::EngagementMemberState::Active),
            (BIRCH.to_owned(), pb::EngagementMemberState::Active),
            (CEDAR.to_owned(), pb::EngagementMemberState::Invited),
        ]
    );
    // The sender sees the acceptance, but neither the acting member nor the opportunity.
    let sent = scenario.list_invitations(&alliance_lead(ALDER)).await;
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
        assert_eq!(
            scenario
                .event_count(account, "engagement_invitation_accepted")
                .await,
            1
        );
        assert!(scenario.event_count(account, "engagement_member_added").await >= 1);
    }
    assert_eq!(scenario.event_count(CEDAR, "engagement_member_added").await, 0);
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_012_rejected_or_canceled_invitation_details_are_deleted() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    let ids: Vec<_> = shared
        .engagement_invitations
        .iter()
        .map(|invitation| invitation.engagement_invitation_id.clone())
        .collect();
    let without_text = pb::RejectEngagementInvitationRequest {
        reason: RejectionReason::Other.into(),
        ..reject_request(&ids[0])
    };
    let refusal = scenario
        .client(&alliance_lead(BIRCH))
        .reject_engagement_invitation(without_text.clone())
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a refusal without a text")).fields[0].0,
        "text"
    );
    let with_text = pb::RejectEngagementInvitationRequest {
        text: "We know them too well.".to_owned(),
        ..without_text
    };
    scenario
        .client(&alliance_lead(BIRCH))
        .reject_engagement_invitation(with_text)
        .await
        .expect("a rejected invitation");
    scenario
        .client(&alliance_lead(ALDER))
        .cancel_engagement_invitation(cancel_request(&ids[1]))
        .await
        .expect("a canceled invitation");
    let rejected = get_first_invitation(&scenario, BIRCH).await;
    assert_eq!(
        (rejected.state(), rejected.payload.is_none()),
        (pb::EngagementInvitationState::Rejected, true)
    );
    let canceled = get_first_invitation(&scenario, CEDAR).await;
    assert_eq!(
        (canceled.state(), canceled.payload.is_none()),
        (pb::EngagementInvitationState::Canceled, true)
    );
    assert_eq!(
        canceled.answered_by, "",
        "the receiver must not see the canceling member"
    );
    for sent in scenario.list_invitations(&alliance_lead(ALDER)).await {
        assert!(sent.payload.is_none() && sent.message.is_empty(), "{sent:?}");
        if sent.state() == pb::EngagementInvitationState::Rejected {
            assert_eq!(sent.rejection_reason(), RejectionReason::Other);
            assert_eq!(sent.rejection_text, "We know them too well.");
        }
    }
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    let remaining: i64 = sqlx::query_scalar("SELECT count(*) FROM invitation WHERE shown IS NOT NULL")
        .fetch_one(&mut admin)
        .await
        .expect("a count");
    assert_eq!(remaining, 0);
    // A closed invitation accepts no further action.
    for (caller, id) in [(BIRCH, &ids[0]), (CEDAR, &ids[1])] {
        let refusal = scenario
            .client(&alliance_lead(caller))
            .accept_engagement_invitation(accept_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a closed invitation")).reason,
            "ILLEGAL_TRANSITION"
        );
        let refusal = scenario
            .client(&alliance_lead(ALDER))
            .cancel_engagement_invitation(cancel_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a closed invitation")).reason,
            "ILLEGAL_TRANSITION"
        );
    }
    // Both accounts can be invited again.
    assert_eq!(
        scenario.share(&[BIRCH, CEDAR]).await.engagement_invitations.len(),
        2
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_010_invitation_expires_after_fifteen_days() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    let (accepted, expired) = (
        &shared.engagement_invitations[0],
        &shared.engagement_invitations[1],
    );
    let validity =
        accepted.expire_time.expect("a time").seconds - accepted.create_time.expect("a time").seconds;
    assert_eq!(validity, 15 * 24 * 3600);
    scenario
        .app
        .clock
        .advance(TimeDelta::days(15) - TimeDelta::seconds(1));
    scenario.accept_invitation(accepted).await;
    scenario.app.clock.advance(TimeDelta::seconds(1));
    let late = scenario
        .client(&alliance_lead(CEDAR))
        .accept_engagement_invitation(accept_request(&expired.engagement_invitation_id))
        .await;
    let refusal = parse_refusal(&late.expect_err("an expired invitation"));
    assert_eq!(refusal.metadata["state"], "EXPIRED");
    let seen = get_first_invitation(&scenario, CEDAR).await;
    assert_eq!(
        (seen.state(), seen.payload.is_none()),
        (pb::EngagementInvitationState::Expired, true)
    );
    eventually(
        async || match scenario.event_count(CEDAR, "engagement_invitation_expired").await {
            1 => Ok(()),
            other => Err(format!("{other} events")),
        },
    )
    .await;
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let states = scenario.member_states(&alliance_lead(ALDER), &engagement).await;
    assert_eq!(
        states[2],
        (CEDAR.to_owned(), pb::EngagementMemberState::NotJoined)
    );
    let expired_only = pb::ListEngagementInvitationsRequest {
        states: vec![pb::EngagementInvitationState::Expired.into()],
        ..Default::default()
    };
    let listed = scenario
        .client(&alliance_lead(ALDER))
        .list_engagement_invitations(expired_only)
        .await;
    assert_eq!(
        listed.expect("a list").into_inner().engagement_invitations.len(),
        1
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_014_ended_connection_cancels_pending_invitations_only() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    scenario
        .accept_invitation(&shared.engagement_invitations[0])
        .await;
    for other in [BIRCH, CEDAR] {
        scenario.publish_connection(ALDER, other, 2, false).await;
    }
    eventually(
        async || match get_first_invitation(&scenario, CEDAR).await.state() {
            pb::EngagementInvitationState::Canceled => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    assert!(
        scenario
            .get_engagement(&alliance_lead(BIRCH), &engagement)
            .await
            .is_ok(),
        "an existing engagement must continue"
    );
    let states = scenario.member_states(&alliance_lead(ALDER), &engagement).await;
    assert_eq!(states[1].1, pb::EngagementMemberState::Active);
    assert_eq!(states[2].1, pb::EngagementMemberState::NotJoined);
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(crate::support::share_request(&[CEDAR]))
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a missing connection")).reason,
        "NOT_CONNECTED"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_013_invitation_is_answered_and_canceled_by_permitted_callers() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH]).await;
    let id = &shared.engagement_invitations[0].engagement_invitation_id;
    for (role, reason) in [
        (Role::AceUser, "ROLE_NOT_PERMITTED"),
        (Role::TechnicalStaff, "ROLE_NOT_PERMITTED"),
        (Role::CloudAdmin, "ROLE_NOT_PERMITTED"),
    ] {
        let caller = partner("mem-birch", BIRCH, role);
        let refusal = scenario
            .client(&caller)
            .accept_engagement_invitation(accept_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a role without access")).reason,
            reason
        );
    }
    for caller in [alliance_lead(CEDAR), alliance_lead(ALDER)] {
        let refusal = scenario
            .client(&caller)
            .accept_engagement_invitation(accept_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("an account without an invitation")).reason,
            "ENGAGEMENT_INVITATION_NOT_FOUND"
        );
        let refusal = scenario
            .client(&caller)
            .reject_engagement_invitation(reject_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("an account without an invitation")).reason,
            "ENGAGEMENT_INVITATION_NOT_FOUND"
        );
    }
    let refusal = scenario
        .client(&alliance_lead(BIRCH))
        .cancel_engagement_invitation(cancel_request(id))
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a refusal for the receiver")).reason,
        "ENGAGEMENT_INVITATION_NOT_FOUND"
    );
    for caller in [sales(), aws("mem-reviewer", Role::Reviewer)] {
        let refusal = scenario
            .client(&caller)
            .accept_engagement_invitation(accept_request(id))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a refusal for AWS")).reason,
            "ROLE_NOT_PERMITTED"
        );
    }
    let stale = pb::AcceptEngagementInvitationRequest {
        etag: "\"7\"".to_owned(),
        ..accept_request(id)
    };
    let refusal = scenario
        .client(&alliance_lead(BIRCH))
        .accept_engagement_invitation(stale)
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a stale etag")).reason,
        "ETAG_MISMATCH"
    );
    let unknown = scenario
        .client(&alliance_lead(BIRCH))
        .accept_engagement_invitation(accept_request("engi-a000000000000"))
        .await;
    assert_eq!(
        parse_refusal(&unknown.expect_err("an unknown id")).code,
        Code::NotFound
    );
    scenario.app.finish::<Collaboration>().await;
}
