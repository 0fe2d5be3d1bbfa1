//! Who may connect and be linked, and how often an address is asked to join.

use cosell_partner_connection::domain::values::PartnerTier;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, refused};
use cosell_types::{ClosedList as _, Role};
use tonic::{Code, Response, Status};

use crate::support::{
    ALDER, BIRCH, CEDAR, accepting, account, account_record, apply, company, invite, lead, named, profile_id,
    start, start_with,
};

/// One company invites another under itself.
async fn link(
    app: &App,
    from: &str,
    to: &str,
) -> Result<Response<pb::CreateConnectionInvitationResponse>, Status> {
    let request = invite(to, pb::ConnectionType::Subsidiary);
    lead(app, from)
        .connections()
        .create_connection_invitation(request)
        .await
}

async fn linked(app: &App, from: &str, to: &str) -> Result<(), Status> {
    let sent = link(app, from, to).await?.into_inner();
    let id = sent
        .connection_invitation
        .expect("an invitation")
        .connection_invitation_id;
    lead(app, to)
        .connections()
        .accept_connection_invitation(accepting(&id))
        .await
        .map(drop)
}

/// Cedar has a profile from here on.
async fn with_cedar(app: &App) {
    apply(app, vec![account_record(company(CEDAR, "Cedar"))]).await;
}

#[tokio::test]
async fn con_006_a_company_is_under_one_other_and_has_none_under_itself() {
    let app = start().await;
    with_cedar(&app).await;
    linked(&app, ALDER, BIRCH).await.expect("a link");
    let reason = "INVALID_ACCOUNT_LINKING_STATUS";
    let refusal = refused(link(&app, BIRCH, CEDAR).await, Code::FailedPrecondition, reason);
    assert_eq!(refusal.metadata["participant_type"], "SENDER");
    let refusal = refused(link(&app, CEDAR, BIRCH).await, Code::FailedPrecondition, reason);
    assert_eq!(refusal.metadata["participant_type"], "RECEIVER");
    let refusal = refused(link(&app, CEDAR, ALDER).await, Code::FailedPrecondition, reason);
    assert_eq!(refusal.metadata["participant_type"], "RECEIVER");
    // A second one under the same company is fine.
    linked(&app, ALDER, CEDAR).await.expect("a second link");
    app.finish::<Partners>().await;
}

/// A sender that named an account learns neither name nor profile by its own event, as little as by asking.
#[tokio::test]
async fn con_002_the_event_of_a_sender_that_named_an_account_has_no_profile() {
    let app = start().await;
    let birch = profile_id(&app, BIRCH).await;
    linked(&app, ALDER, BIRCH).await.expect("a link");
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
    assert!(!has_profile(ALDER, 1).await, "the sender's, when it was sent");
    assert!(has_profile(BIRCH, 1).await, "the receiver's");
    assert!(has_profile(ALDER, 2).await, "the sender's, once accepted");
    drop(admin);
    app.finish::<Partners>().await;
}

/// Two companies want a third under themselves; the second to be accepted is too late.
#[tokio::test]
async fn con_006_what_was_possible_when_invited_is_asked_again_when_accepted() {
    let app = start().await;
    with_cedar(&app).await;
    let mut ids = Vec::new();
    for from in [ALDER, CEDAR] {
        let sent = link(&app, from, BIRCH).await.expect("an invitation").into_inner();
        ids.push(
            sent.connection_invitation
                .expect("an invitation")
                .connection_invitation_id,
        );
    }
    let (one, two) = (lead(&app, BIRCH), lead(&app, BIRCH));
    let (first, second) = tokio::join!(
        async {
            one.connections()
                .accept_connection_invitation(accepting(&ids[0]))
                .await
        },
        async {
            two.connections()
                .accept_connection_invitation(accepting(&ids[1]))
                .await
        },
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let late = if first.is_err() { first } else { second };
    refused(late, Code::FailedPrecondition, "INVALID_ACCOUNT_LINKING_STATUS");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn con_005_dir_002_who_has_not_come_far_enough_invites_nobody() {
    let options = Options {
        connection_tier: PartnerTier::Select,
        ..Options::default()
    };
    let app = start_with(options).await;
    let receiver = profile_id(&app, BIRCH).await;
    let request = invite(&receiver, pb::ConnectionType::OpportunityCollaboration);
    let mut alder = lead(&app, ALDER);
    let answer = alder
        .connections()
        .create_connection_invitation(request.clone())
        .await;
    let refusal = refused(answer, Code::FailedPrecondition, "INELIGIBLE_ACCOUNT_TIER");
    assert_eq!(refusal.metadata["tier"], "REGISTERED");
    assert_eq!(refusal.metadata["required_tier"], "SELECT");
    let mut record = company(ALDER, "Alder");
    record.tier = pb::PartnerTier::Advanced.into();
    apply(&app, vec![account_record(record)]).await;
    assert_eq!(account(&mut alder).await.tier(), pb::PartnerTier::Advanced);
    alder
        .connections()
        .create_connection_invitation(request)
        .await
        .expect("an invitation");

    let found = lead(&app, BIRCH)
        .accounts()
        .list_partners(pb::ListPartnersRequest::default())
        .await;
    let found = found.expect("companies").into_inner().partners;
    let tiers: Vec<_> = found.iter().map(|partner| partner.tier()).collect();
    assert_eq!(tiers, [pb::PartnerTier::Advanced, pb::PartnerTier::Registered]);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_016_an_address_is_asked_to_join_so_often_a_day() {
    let options = Options {
        emails_per_day: 2,
        ..Options::default()
    };
    let app = start_with(options).await;
    let alder = lead(&app, ALDER);
    let ask = pb::InviteMemberRequest {
        person: Some(named("new")),
        roles: vec![Role::AceUser.number()],
        ..Default::default()
    };
    for _ in 0..2 {
        let invited = alder
            .members()
            .invite_member(ask.clone())
            .await
            .expect("an invitation")
            .into_inner();
        let leaving = pb::DeactivateMemberRequest {
            member_id: invited.member.expect("a member").member_id,
            ..Default::default()
        };
        alder.members().deactivate_member(leaving).await.expect("an end");
    }
    let again = alder.members().invite_member(ask.clone()).await;
    let refusal = refused(again, Code::ResourceExhausted, "LIMIT_EXCEEDED_NUMBER_OF_EMAIL");
    assert_eq!(refusal.metadata["limit"], "2");
    // Another address, another company, another day.
    let mut other = ask.clone();
    other.person = Some(named("other"));
    alder.members().invite_member(other).await.expect("an invitation");
    lead(&app, BIRCH)
        .members()
        .invite_member(ask.clone())
        .await
        .expect("an invitation");
    app.clock.advance(chrono::TimeDelta::days(1));
    lead(&app, ALDER)
        .members()
        .invite_member(ask)
        .await
        .expect("an invitation");
    app.finish::<Partners>().await;
}
