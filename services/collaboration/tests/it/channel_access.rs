//! Access to channels: what is a denial, what is checked again under the lock, and which connections a replay takes.

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_testkit::harness::{eventually, refused};
use cosell_types::AccountId;
use tonic::Code;

use crate::channels::{account_owner, ace_user, approve_request, prepare, request_channel};
use crate::support::{ALDER, Scenario, alliance_lead, request_id};

/// The alliance lead has access to every channel of the account without being a member of it.
#[tokio::test]
async fn chn_030_acc_030_join_and_leave_of_non_member_are_refused_without_denial() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let mut client = scenario.channel_client(&alliance_lead(ALDER));
    let join = pb::JoinChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    refused(
        client.join_channel(join).await,
        Code::NotFound,
        "CHANNEL_NOT_FOUND",
    );
    let leave = pb::LeaveChannelRequest {
        channel_id: id,
        ..Default::default()
    };
    refused(
        client.leave_channel(leave).await,
        Code::NotFound,
        "CHANNEL_NOT_FOUND",
    );
    let unknown = pb::LeaveChannelRequest {
        channel_id: "chan-0000000000000".to_owned(),
        ..Default::default()
    };
    refused(
        client.leave_channel(unknown).await,
        Code::NotFound,
        "CHANNEL_NOT_FOUND",
    );
    // Denials are written in order: once the last one is there, the others would be.
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    let subjects = eventually(async || {
        let subjects: Vec<String> = sqlx::query_scalar("SELECT subject FROM denial")
            .fetch_all(&mut admin)
            .await
            .expect("denials");
        if subjects.is_empty() {
            Err("no denial")
        } else {
            Ok(subjects)
        }
    });
    assert_eq!(subjects.await, ["chan-0000000000000"]);
    scenario.app.finish::<Collaboration>().await;
}

/// With all connections but one in use, a replay that needed a second one would wait for it in vain.
#[tokio::test]
async fn chn_010_plt_002_replayed_approval_needs_one_connection() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let approve = pb::ApproveChannelRequest {
        link: "https://chat.example/nordwind".to_owned(),
        request_id: request_id(),
        ..approve_request(&id)
    };
    let mut client = scenario.channel_client(&account_owner());
    let approved = client
        .approve_channel(approve.clone())
        .await
        .expect("an approval")
        .into_inner();
    let account: AccountId = ALDER.parse().expect("an account");
    let mut held = Vec::new();
    for _ in 1..scenario.app.database.args.database_pool {
        let tx = scenario.app.pools.calls.tx(&Scope::account(&account)).await;
        held.push(tx.expect("a connection"));
    }
    let replayed = client
        .approve_channel(approve)
        .await
        .expect("a replay")
        .into_inner();
    let state = |answer: pb::ApproveChannelResponse| answer.channel.expect("a channel").state;
    assert_eq!(state(replayed), state(approved));
    drop(held);
    scenario.app.finish::<Collaboration>().await;
}

/// The requester of a channel is no member of it, and loses access when the channel gets another requester. Meanwhile the
/// call waits for the lock.
#[tokio::test]
async fn chn_005_access_lost_while_waiting_for_the_lock_is_refused() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    scenario.list_engagements(&crate::support::sales()).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let mut admin = scenario.app.database.admin::<Collaboration>().await;
    sqlx::raw_sql("BEGIN")
        .execute(&mut admin)
        .await
        .expect("a transaction");
    // The record that the call will find once it has the lock: requested by another member, and without members.
    sqlx::query(
        "UPDATE channel SET requested_by = 'mem-other',
           record = jsonb_set(jsonb_set(record, '{requested_by}', '\"mem-other\"'), '{members}', '[]')",
    )
    .execute(&mut admin)
    .await
    .expect("a changed channel");
    let mut client = scenario.channel_client(&ace_user());
    let leave = pb::LeaveChannelRequest {
        channel_id: id.clone(),
        ..Default::default()
    };
    let call = tokio::spawn(async move { client.leave_channel(leave).await });
    let mut observer = scenario.app.database.admin::<Collaboration>().await;
    eventually(async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .fetch_one(&mut observer)
        .await
        .expect("a count");
        if waiting == 1 { Ok(()) } else { Err(format!("{waiting} waiting")) }
    })
    .await;
    sqlx::raw_sql("COMMIT")
        .execute(&mut admin)
        .await
        .expect("a commit");
    refused(
        call.await.expect("a response"),
        Code::NotFound,
        "CHANNEL_NOT_FOUND",
    );
    // Refused for lack of access, not because the caller is no member: only that is a denial.
    eventually(async || {
        let denied: Option<String> = sqlx::query_scalar("SELECT subject FROM denial")
            .fetch_optional(&mut observer)
            .await
            .expect("denials");
        denied.filter(|subject| *subject == id).ok_or("no denial")
    })
    .await;
    scenario.app.finish::<Collaboration>().await;
}
