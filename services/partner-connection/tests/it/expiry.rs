//! Invitations that nobody answers end (CON-010).

use chrono::TimeDelta;
use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, Setup, eventually, refused};
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, accepting, invite, invited, last_event, lead, profile_id, start, start_with, subjects,
};

async fn stored(app: &App, id: &str) -> Vec<String> {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT status FROM connection_invitation WHERE connection_invitation_id = $1")
        .bind(id.to_owned())
        .fetch_all(&mut admin)
        .await
        .expect("rows")
}

#[tokio::test]
async fn con_010_over_is_over_at_once_and_each_company_is_told_once() {
    let app = start().await;
    let invitation = invited(&app, ALDER, BIRCH).await;
    let id = invitation.connection_invitation_id;
    let before = last_event(&app).await;
    app.clock.advance(TimeDelta::days(30));
    let late = lead(&app, BIRCH)
        .connections()
        .accept_connection_invitation(accepting(&id))
        .await;
    let late = refused(
        late,
        Code::FailedPrecondition,
        "INCOMPATIBLE_CONNECTION_INVITATION_STATE",
    );
    assert_eq!(late.metadata["status"], "EXPIRED");
    eventually(async || match stored(&app, &id).await {
        rows if rows == ["EXPIRED", "EXPIRED"] => Ok(()),
        rows => Err(format!("{rows:?}")),
    })
    .await;
    assert_eq!(
        subjects(&app, before).await,
        [
            format!("cosell.partner.v1.{ALDER}.{id}.connection_invitation_expired"),
            format!("cosell.partner.v1.{BIRCH}.{id}.connection_invitation_expired"),
        ]
    );
    // Nothing is in the way of another one.
    invited(&app, ALDER, BIRCH).await;
    app.finish::<Partners>().await;
}

/// Several replicas work through what became due while none of them ran.
#[tokio::test]
async fn con_010_three_replicas_end_each_invitation_once() {
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
                _ => profile_id(&app, to).await,
            };
            let answer = lead(&app, from)
                .connections()
                .create_connection_invitation(invite(&receiver, kind))
                .await;
            if let Ok(made) = answer {
                ids.push(
                    made.into_inner()
                        .connection_invitation
                        .expect("one")
                        .connection_invitation_id,
                );
            }
        }
    }
    assert_eq!(ids.len(), 2, "one of each type between the two");
    let before = last_event(&app).await;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let replica = Setup::beside(&app).start_on::<Partners>(app.database.shared(), quotas.clone());
        replicas.push(replica.await);
    }
    app.clock.advance(TimeDelta::days(45));
    for id in &ids {
        eventually(async || match stored(&app, id).await {
            rows if rows == ["EXPIRED", "EXPIRED"] => Ok(()),
            rows => Err(format!("{rows:?}")),
        })
        .await;
    }
    assert_eq!(
        subjects(&app, before).await.len(),
        4,
        "two companies, two invitations"
    );
    for replica in replicas {
        replica.finish::<Partners>().await;
    }
    app.finish::<Partners>().await;
}
