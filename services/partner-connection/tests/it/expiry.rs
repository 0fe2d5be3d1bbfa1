//! Covers the expiry of invitations (CON-010): effective at once for every call, and recorded and published once even
//! in several replicas.

use chrono::TimeDelta;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, Setup, eventually, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, accept_request, alliance_lead, create_invitation, event_subjects, get_profile_id,
    invitation_request, last_event_seq, start, start_with,
};

async fn stored_statuses(app: &App, id: &str) -> Vec<String> {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT status FROM connection_invitation WHERE connection_invitation_id = $1")
        .bind(id.to_owned())
        .fetch_all(&mut admin)
        .await
        .expect("rows")
}

#[tokio::test]
async fn con_010_expired_invitation_is_refused_and_published_once_per_account() {
    let app = start().await;
    let invitation = create_invitation(&app, ALDER, BIRCH).await;
    let id = invitation.connection_invitation_id;
    let before = last_event_seq(&app).await;
    app.clock.advance(TimeDelta::days(30));
    let late = alliance_lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accept_request(&id))
        .await;
    let late = refused(
        late,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_STATE",
    );
    assert_eq!(late.metadata["status"], "EXPIRED");
    eventually(async || match stored_statuses(&app, &id).await {
        rows if rows == ["EXPIRED", "EXPIRED"] => Ok(()),
        rows => Err(format!("{rows:?}")),
    })
    .await;
    assert_eq!(
        event_subjects(&app, before).await,
        [
            format!("cosell.partner.v1.{ALDER}.{id}.connection_invitation_expired"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_invitation_expired"),
        ]
    );
    // An expired invitation does not block a new one.
    create_invitation(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}

/// Three replicas process the same expired invitations concurrently.
#[tokio::test]
async fn con_010_replicas_expire_each_invitation_once() {
    let quotas = Options {
        invitations_per_day: 1000,
        ..Options::default()
    };
    let app = start_with(quotas.clone()).await;
    let mut ids = Vec::new();
    for kind in [
        pb::ConnectionType::OpportunityCollaboration,
        pb::ConnectionType::Subsidiary,
    ] {
        for (from, to) in [(ALDER, BIRCH), (BIRCH, ALDER)] {
            let receiver = match kind {
                pb::ConnectionType::Subsidiary => to.to_owned(),
                _ => get_profile_id(&app, to).await,
            };
            let response = alliance_lead(&app, from)
                .connections()
                .create_connection_invitation(invitation_request(&receiver, kind))
                .await;
            if let Ok(created) = response {
                ids.push(
                    created
                        .into_inner()
                        .connection_invitation
                        .expect("a connection invitation")
                        .connection_invitation_id,
                );
            }
        }
    }
    assert_eq!(ids.len(), 2, "two accounts can have one invitation of each type");
    let before = last_event_seq(&app).await;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let replica = Setup::replica_of(&app).start_on::<Partners>(app.database.shared(), quotas.clone());
        replicas.push(replica.await);
    }
    app.clock.advance(TimeDelta::days(45));
    for id in &ids {
        eventually(async || match stored_statuses(&app, id).await {
            rows if rows == ["EXPIRED", "EXPIRED"] => Ok(()),
            rows => Err(format!("{rows:?}")),
        })
        .await;
    }
    assert_eq!(
        event_subjects(&app, before).await.len(),
        4,
        "each of two accounts must receive one event per invitation"
    );
    for replica in replicas {
        replica.finish::<Partners>().await;
    }
    app.finish::<Partners>().await;
}
