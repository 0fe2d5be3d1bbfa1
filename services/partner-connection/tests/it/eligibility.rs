//! Covers eligibility for connections (CON-005, CON-006), the privacy of the receiver of a subsidiary invitation
//! (CON-002), and the daily limit of invitations to one e-mail address (DIR-016).

use cosell_partner_connection::domain::values::PartnerTier;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, refused};
use cosell_types::{ClosedList as _, Role};
use tonic::{Code, Response, Status};

use crate::support::{
    ALDER, BIRCH, CEDAR, accept_request, account_record, account_request, alliance_lead, apply, get_account,
    get_profile_id, invitation_request, person, start, start_with,
};

/// Invites an account as a subsidiary.
async fn invite_subsidiary(
    app: &App,
    from: &str,
    to: &str,
) -> Result<Response<pb::CreateConnectionInvitationResponse>, Status> {
    let request = invitation_request(to, pb::ConnectionType::Subsidiary);
    alliance_lead(app, from)
        .connections()
        .create_connection_invitation(request)
        .await
}

async fn create_subsidiary(app: &App, from: &str, to: &str) -> Result<(), Status> {
    let sent = invite_subsidiary(app, from, to).await?.into_inner();
    let id = sent
        .connection_invitation
        .expect("an invitation")
        .connection_invitation_id;
    alliance_lead(app, to)
        .connections()
        .accept_connection_invitation(accept_request(&id))
        .await
        .map(drop)
}

/// Provisions a profile for Cedar.
async fn provision_cedar_profile(app: &App) {
    apply(app, vec![account_request(account_record(CEDAR, "Cedar"))]).await;
}

#[tokio::test]
async fn con_006_subsidiary_cannot_have_another_parent_or_subsidiaries() {
    let app = start().await;
    provision_cedar_profile(&app).await;
    create_subsidiary(&app, ALDER, BIRCH).await.expect("a subsidiary");
    let reason = "INVALID_ACCOUNT_LINKING_STATUS";
    let refusal = refused(
        invite_subsidiary(&app, BIRCH, CEDAR).await,
        Code::FailedPrecondition,
        reason,
    );
    assert_eq!(refusal.metadata["participant_type"], "SENDER");
    let refusal = refused(
        invite_subsidiary(&app, CEDAR, BIRCH).await,
        Code::FailedPrecondition,
        reason,
    );
    assert_eq!(refusal.metadata["participant_type"], "RECEIVER");
    let refusal = refused(
        invite_subsidiary(&app, CEDAR, ALDER).await,
        Code::FailedPrecondition,
        reason,
    );
    assert_eq!(refusal.metadata["participant_type"], "RECEIVER");
    // A second subsidiary of the same account is allowed.
    create_subsidiary(&app, ALDER, CEDAR)
        .await
        .expect("a second subsidiary");
    app.finish::<Partners>().await;
}

/// Until the acceptance, the sender's event does not reveal the profile of a receiver that was named by its account.
#[tokio::test]
async fn con_002_sender_event_hides_profile_of_receiver_named_by_account() {
    let app = start().await;
    let birch = get_profile_id(&app, BIRCH).await;
    create_subsidiary(&app, ALDER, BIRCH).await.expect("a subsidiary");
    let mut admin = app.database.admin::<Partners>().await;
    let mut has_profile = async |account: &'static str, version: i64| -> bool {
        sqlx::query_scalar(
            "SELECT position($1 IN payload) > 0 FROM event_journal
             WHERE aggregate_type = 'connection_invitation' AND account_id = $2 AND aggregate_version = $3",
        )
        .bind(birch.as_bytes())
        .bind(account)
        .bind(version)
        .fetch_one(&mut admin)
        .await
        .expect("an event")
    };
    assert!(
        !has_profile(ALDER, 1).await,
        "the sender's event of a pending invitation must not name the profile"
    );
    assert!(
        has_profile(BIRCH, 1).await,
        "the receiver's event must name its profile"
    );
    assert!(
        has_profile(ALDER, 2).await,
        "the sender's event of the acceptance must name the profile"
    );
    drop(admin);
    app.finish::<Partners>().await;
}

/// Two accounts invite a third one as a subsidiary. Of two concurrent acceptances one succeeds.
#[tokio::test]
async fn con_006_link_status_is_checked_again_on_acceptance() {
    let app = start().await;
    provision_cedar_profile(&app).await;
    let mut ids = Vec::new();
    for from in [ALDER, CEDAR] {
        let sent = invite_subsidiary(&app, from, BIRCH)
            .await
            .expect("an invitation")
            .into_inner();
        ids.push(
            sent.connection_invitation
                .expect("an invitation")
                .connection_invitation_id,
        );
    }
    let (first_client, second_client) = (alliance_lead(&app, BIRCH), alliance_lead(&app, BIRCH));
    let (first, second) = tokio::join!(
        async {
            first_client
                .connections()
                .accept_connection_invitation(accept_request(&ids[0]))
                .await
        },
        async {
            second_client
                .connections()
                .accept_connection_invitation(accept_request(&ids[1]))
                .await
        },
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let failed = if first.is_err() { first } else { second };
    refused(failed, Code::FailedPrecondition, "INVALID_ACCOUNT_LINKING_STATUS");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_005_dir_002_sender_below_required_tier_is_refused() {
    let options = Options {
        connection_tier: PartnerTier::Select,
        ..Options::default()
    };
    let app = start_with(options).await;
    let receiver = get_profile_id(&app, BIRCH).await;
    let request = invitation_request(&receiver, pb::ConnectionType::OpportunityCollaboration);
    let mut alder = alliance_lead(&app, ALDER);
    let response = alder
        .connections()
        .create_connection_invitation(request.clone())
        .await;
    let refusal = refused(response, Code::FailedPrecondition, "INELIGIBLE_ACCOUNT_TIER");
    assert_eq!(refusal.metadata["tier"], "REGISTERED");
    assert_eq!(refusal.metadata["required_tier"], "SELECT");
    let mut record = account_record(ALDER, "Alder");
    record.tier = pb::PartnerTier::Advanced.into();
    apply(&app, vec![account_request(record)]).await;
    assert_eq!(get_account(&mut alder).await.tier(), pb::PartnerTier::Advanced);
    alder
        .connections()
        .create_connection_invitation(request)
        .await
        .expect("an invitation");

    let response = alliance_lead(&app, BIRCH)
        .accounts()
        .list_partners(pb::ListPartnersRequest::default())
        .await;
    let partners = response.expect("partners").into_inner().partners;
    let tiers: Vec<_> = partners.iter().map(|partner| partner.tier()).collect();
    assert_eq!(tiers, [pb::PartnerTier::Advanced, pb::PartnerTier::Registered]);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_016_invitations_to_one_address_are_limited_per_day() {
    let options = Options {
        emails_per_day: 2,
        ..Options::default()
    };
    let app = start_with(options).await;
    let alder = alliance_lead(&app, ALDER);
    let invite = pb::InviteMemberRequest {
        person: Some(person("new")),
        roles: vec![Role::AceUser.number()],
        ..Default::default()
    };
    for _ in 0..2 {
        let invited = alder
            .members()
            .invite_member(invite.clone())
            .await
            .expect("an invitation")
            .into_inner();
        let deactivation = pb::DeactivateMemberRequest {
            member_id: invited.member.expect("a member").member_id,
            ..Default::default()
        };
        alder
            .members()
            .deactivate_member(deactivation)
            .await
            .expect("a deactivation");
    }
    let again = alder.members().invite_member(invite.clone()).await;
    let refusal = refused(again, Code::ResourceExhausted, "LIMIT_EXCEEDED_NUMBER_OF_EMAIL");
    assert_eq!(refusal.metadata["limit"], "2");
    // Another address, another account, and another day are not limited.
    let mut other = invite.clone();
    other.person = Some(person("other"));
    alder.members().invite_member(other).await.expect("an invitation");
    alliance_lead(&app, BIRCH)
        .members()
        .invite_member(invite.clone())
        .await
        .expect("an invitation");
    app.clock.advance(chrono::TimeDelta::days(1));
    alliance_lead(&app, ALDER)
        .members()
        .invite_member(invite)
        .await
        .expect("an invitation");
    app.finish::<Partners>().await;
}
