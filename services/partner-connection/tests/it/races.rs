//! Callers who get into each other's way: one wins, and the others are told how it stands.

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{Refusal, eventually};
use cosell_types::{ClosedList as _, Role};
use sqlx::Connection as _;
use tokio::task::JoinSet;

use crate::support::{
    ALDER, BIRCH, SHARING, accepting, apply, by, canceling, end_all, invite, invited, lead, member_record,
    named, person, profile_id, rejecting, start, who,
};

/// The receiver accepts and rejects while the sender takes it back, all at once and many times: one wins each time, and
/// the others are told how it stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_010_parallel_callers_race_and_one_wins() {
    let app = start().await;
    for _ in 0..8 {
        let id = invited(&app, ALDER, BIRCH).await.connection_invitation_id;
        let (one, two, three) = (lead(&app, BIRCH), lead(&app, BIRCH), lead(&app, ALDER));
        let (accepted, rejected, canceled) = tokio::join!(
            async {
                one.connections()
                    .accept_connection_invitation(accepting(&id))
                    .await
            },
            async {
                two.connections()
                    .reject_connection_invitation(rejecting(&id, ""))
                    .await
            },
            async {
                three
                    .connections()
                    .cancel_connection_invitation(canceling(&id))
                    .await
            },
        );
        let outcomes = [accepted.map(|_| ()), rejected.map(|_| ()), canceled.map(|_| ())];
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{outcomes:?}");
        for status in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            let reason = Refusal::from(status).reason;
            assert!(
                ["INCOMPATIBLE_CONNECTION_INVITATION_STATE", "CONCURRENT_CHANGE"].contains(&reason.as_str()),
                "{reason}"
            );
        }
        end_all(&app).await;
    }
    app.finish::<Partners>().await;
}

/// Both invite each other at once: one invitation is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con_003_two_who_invite_each_other_at_once_have_one_invitation() {
    let app = start().await;
    let (alder, birch) = (profile_id(&app, ALDER).await, profile_id(&app, BIRCH).await);
    let (one, two) = (lead(&app, ALDER), lead(&app, BIRCH));
    let (first, second) = tokio::join!(
        async {
            one.connections()
                .create_connection_invitation(invite(&birch, SHARING))
                .await
        },
        async {
            two.connections()
                .create_connection_invitation(invite(&alder, SHARING))
                .await
        },
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let refusal = first.err().or(second.err()).expect("a refusal");
    assert_eq!(Refusal::from(&refusal).reason, "DUPLICATE_CONNECTION_INVITATION");
    app.finish::<Partners>().await;
}

/// One place is left for an ACE manager, and six ask for it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dir_011_the_last_place_is_given_once() {
    let app = start().await;
    let many: Vec<_> = (0..18)
        .map(|number| member_record(person(ALDER, &format!("m{number}"), &[Role::AceManager])))
        .collect();
    apply(&app, many).await;
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let calls = lead(&app, ALDER);
        let id = format!("late-{number}");
        let request = pb::InviteMemberRequest {
            person: Some(named(&id)),
            member_id: id,
            roles: vec![Role::AceManager.number()],
            ..Default::default()
        };
        tasks.spawn(async move { calls.members().invite_member(request).await.map(drop) });
    }
    let outcomes = tasks.join_all().await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1, "of 20 places 19 were taken: {outcomes:?}");
    for status in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let reason = Refusal::from(status).reason;
        assert!(
            ["ROLE_LIMIT_REACHED", "CONCURRENT_CHANGE"].contains(&reason.as_str()),
            "{reason}"
        );
    }
    app.finish::<Partners>().await;
}

/// What a caller may do is what it may do when its call is its turn, not when it came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_004_a_role_that_is_withdrawn_while_a_call_waits_is_no_use_to_it() {
    let app = start().await;
    let mut admin = app.database.admin::<Partners>().await;
    let mut turn = admin.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM account WHERE account_id = $1 FOR NO KEY UPDATE")
        .bind(ALDER)
        .execute(&mut *turn)
        .await
        .expect("the lock that the calls wait for");
    let administrator = by(&app, &who(ALDER, "alder-admin"));
    let inviting = pb::InviteMemberRequest {
        member_id: "alder-late".to_owned(),
        person: Some(named("alder-late")),
        roles: vec![Role::AceUser.number()],
        ..Default::default()
    };
    let waiting = tokio::spawn(async move { administrator.members().invite_member(inviting).await });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database
                 WHERE datname = current_database()) OR (NOT granted AND locktype = 'transactionid')";
    eventually(async || {
        let mut other = app.database.admin::<Partners>().await;
        let count: i64 = sqlx::query_scalar(waits)
            .fetch_one(&mut other)
            .await
            .expect("a number");
        if count > 0 {
            Ok(())
        } else {
            Err("the call does not wait yet".to_owned())
        }
    })
    .await;
    sqlx::query(
        "UPDATE member SET record = jsonb_set(record, '{facts,roles}', '[]') WHERE member_id = 'alder-admin'",
    )
    .execute(&mut *turn)
    .await
    .expect("a role withdrawn");
    turn.commit().await.expect("a commit");
    let refusal = waiting.await.expect("an answer").expect_err("no role any more");
    assert_eq!(Refusal::from(&refusal).reason, "ROLE_NOT_PERMITTED");
    app.finish::<Partners>().await;
}
