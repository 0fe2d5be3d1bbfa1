//! Covers concurrent calls: exactly one succeeds, and the others are refused with the resulting state.

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{Refusal, eventually};
use cosell_types::{ClosedList as _, Role};
use sqlx::Connection as _;
use tokio::task::JoinSet;

use crate::support::{
    ALDER, BIRCH, SHARING, accept_request, alliance_lead, apply, caller, cancel_all_connections,
    cancel_request, clients, create_invitation, get_profile_id, invitation_request, member_record,
    member_request, person, reject_request, start,
};

/// The receiver accepts and rejects while the sender cancels, concurrently and repeatedly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_010_concurrent_answers_have_one_winner() {
    let app = start().await;
    for _ in 0..8 {
        let id = create_invitation(&app, ALDER, BIRCH)
            .await
            .connection_invitation_id;
        let (first_client, second_client, third_client) = (
            alliance_lead(&app, BIRCH),
            alliance_lead(&app, BIRCH),
            alliance_lead(&app, ALDER),
        );
        let (acceptance, rejection, cancellation) = tokio::join!(
            async {
                first_client
                    .connections()
                    .accept_connection_invitation(accept_request(&id))
                    .await
            },
            async {
                second_client
                    .connections()
                    .reject_connection_invitation(reject_request(&id, ""))
                    .await
            },
            async {
                third_client
                    .connections()
                    .cancel_connection_invitation(cancel_request(&id))
                    .await
            },
        );
        let outcomes = [
            acceptance.map(|_| ()),
            rejection.map(|_| ()),
            cancellation.map(|_| ()),
        ];
        let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(accepted, 1, "{outcomes:?}");
        for status in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            let reason = Refusal::from(status).reason;
            assert!(
                ["INCOMPATIBLE_CONNECTION_INVITATION_STATE", "CONCURRENT_CHANGE"].contains(&reason.as_str()),
                "{reason}"
            );
        }
        cancel_all_connections(&app).await;
    }
    app.finish::<Partners>().await;
}

/// Two accounts invite each other concurrently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_003_concurrent_mutual_invitations_create_one_invitation() {
    let app = start().await;
    let (alder, birch) = (
        get_profile_id(&app, ALDER).await,
        get_profile_id(&app, BIRCH).await,
    );
    let (first_client, second_client) = (alliance_lead(&app, ALDER), alliance_lead(&app, BIRCH));
    let (first, second) = tokio::join!(
        async {
            first_client
                .connections()
                .create_connection_invitation(invitation_request(&birch, SHARING))
                .await
        },
        async {
            second_client
                .connections()
                .create_connection_invitation(invitation_request(&alder, SHARING))
                .await
        },
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let refusal = first.err().or(second.err()).expect("a refusal");
    assert_eq!(Refusal::from(&refusal).reason, "DUPLICATE_CONNECTION_INVITATION");
    app.finish::<Partners>().await;
}

/// The role limit allows one more ACE manager, and six invitations compete for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dir_011_concurrent_invitations_do_not_exceed_role_limit() {
    let app = start().await;
    let many: Vec<_> = (0..18)
        .map(|number| member_request(member_record(ALDER, &format!("m{number}"), &[Role::AceManager])))
        .collect();
    apply(&app, many).await;
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let clients = alliance_lead(&app, ALDER);
        let id = format!("late-{number}");
        let request = pb::InviteMemberRequest {
            person: Some(person(&id)),
            member_id: id,
            roles: vec![Role::AceManager.number()],
            ..Default::default()
        };
        tasks.spawn(async move { clients.members().invite_member(request).await.map(drop) });
    }
    let outcomes = tasks.join_all().await;
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(
        accepted, 1,
        "one invitation fits within the limit of 20: {outcomes:?}"
    );
    for status in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let reason = Refusal::from(status).reason;
        assert!(
            ["ROLE_LIMIT_REACHED", "CONCURRENT_CHANGE"].contains(&reason.as_str()),
            "{reason}"
        );
    }
    app.finish::<Partners>().await;
}

/// Roles are checked when a call acquires the account lock, not when the call arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_004_role_withdrawn_while_call_waits_for_lock_is_not_effective() {
    let app = start().await;
    let mut admin = app.database.admin::<Partners>().await;
    let mut lock = admin.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM account WHERE account_id = $1 FOR NO KEY UPDATE")
        .bind(ALDER)
        .execute(&mut *lock)
        .await
        .expect("the account lock");
    let administrator = clients(&app, &caller(ALDER, "alder-admin"));
    let invite = pb::InviteMemberRequest {
        member_id: "alder-late".to_owned(),
        person: Some(person("alder-late")),
        roles: vec![Role::AceUser.number()],
        ..Default::default()
    };
    let pending_call = tokio::spawn(async move { administrator.members().invite_member(invite).await });
    let lock_waits =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database
                 WHERE datname = current_database()) OR (NOT granted AND locktype = 'transactionid')";
    eventually(async || {
        let mut other = app.database.admin::<Partners>().await;
        let count: i64 = sqlx::query_scalar(lock_waits)
            .fetch_one(&mut other)
            .await
            .expect("a number");
        if count > 0 {
            Ok(())
        } else {
            Err("the call does not wait for the lock yet".to_owned())
        }
    })
    .await;
    sqlx::query(
        "UPDATE member SET record = jsonb_set(record, '{facts,roles}', '[]') WHERE member_id = 'alder-admin'",
    )
    .execute(&mut *lock)
    .await
    .expect("a withdrawn role");
    lock.commit().await.expect("a commit");
    let refusal = pending_call
        .await
        .expect("a response")
        .expect_err("a refused call");
    assert_eq!(Refusal::from(&refusal).reason, "ROLE_NOT_PERMITTED");
    app.finish::<Partners>().await;
}
