//! Calls that are refused because of who makes them leave a trace.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_store::Scope;
use cosell_testkit::harness::{App, Client, aws, eventually, partner, service};
use cosell_types::{Caller, Role};
use sqlx::Executor as _;

use crate::support::{ALDER, by, create, get_request, manager, record, start, submit_request, user};

/// Who was refused what and why, with the record; sorted.
async fn denials(app: &App, expected: usize) -> Vec<String> {
    eventually(async || {
        let mut admin = app.database.admin::<Opportunities>().await;
        let mut rows: Vec<String> = sqlx::query_scalar(
            "SELECT concat_ws(' ', account_id, actor, split_part(method, '/', 2), reason, subject)
             FROM denial",
        )
        .fetch_all(&mut admin)
        .await
        .expect("denials");
        rows.sort();
        if rows.len() == expected {
            Ok(rows)
        } else {
            Err(format!("{rows:#?}"))
        }
    })
    .await
}

#[tokio::test]
async fn acc_030_every_denial_is_kept_with_who_what_and_why() {
    let app = start().await;
    let id = create(&app, &manager(), record("Alder")).await.opportunity_id;
    let refused: [Caller; 3] = [
        partner("mem-standard", ALDER, Role::StandardUser),
        aws("mem-reviewer", Role::Reviewer),
        service("review"),
    ];
    for caller in &refused {
        let answer = by(&app, caller)
            .lifecycle()
            .submit_opportunity(submit_request(&id))
            .await;
        answer.expect_err("no role for it");
    }
    // A colleague's record is not there for an ACE user, a draft is not there for AWS, and nobody tells them from one that
    // never was: all of these are kept.
    by(&app, &user())
        .opportunities()
        .get_opportunity(get_request(&id))
        .await
        .expect_err("a colleague's");
    by(&app, &user())
        .opportunities()
        .get_opportunity(get_request("O1"))
        .await
        .expect_err("none");
    by(&app, &aws("mem-reviewer", Role::Reviewer))
        .opportunities()
        .get_opportunity(get_request(&id))
        .await
        .expect_err("a draft");
    let left = partner("mem-left", ALDER, Role::AceManager);
    let client = Client::new(&app.issuer, Some(&left)).over(app.channel.clone());
    OpportunityServiceClient::new(client)
        .get_opportunity(get_request(&id))
        .await
        .expect_err("nobody here");

    assert_eq!(
        denials(&app, 7).await,
        [
            " service:review SubmitOpportunity ROLE_NOT_PERMITTED ".to_owned(),
            format!("{ALDER} mem-left GetOpportunity MEMBER_INACTIVE "),
            format!("{ALDER} mem-standard SubmitOpportunity ROLE_NOT_PERMITTED "),
            format!("{ALDER} mem-user GetOpportunity OPPORTUNITY_NOT_FOUND O1"),
            format!("{ALDER} mem-user GetOpportunity OPPORTUNITY_NOT_FOUND {id}"),
            format!("999999999999 mem-reviewer GetOpportunity OPPORTUNITY_NOT_FOUND {id}"),
            "999999999999 mem-reviewer SubmitOpportunity ROLE_NOT_PERMITTED ".to_owned(),
        ]
    );
    app.finish::<Opportunities>().await;
}

/// What was kept is read by no call, and neither role with which the service runs makes it disappear. The owner of the
/// table sees no row, but can empty it.
#[tokio::test]
async fn acc_030_denials_are_out_of_reach_of_those_they_are_about() {
    let app = start().await;
    let standard = partner("mem-standard", ALDER, Role::StandardUser);
    by(&app, &standard)
        .opportunities()
        .get_opportunity(get_request("O1"))
        .await
        .expect_err("no role for it");
    denials(&app, 1).await;

    let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
    let deleted = tx
        .conn()
        .execute("DELETE FROM denial WHERE account_id IS NOT NULL")
        .await;
    assert_eq!(deleted.expect("rows").rows_affected(), 0, "it is not old enough");
    tx.commit().await.expect("a commit");
    let account = ALDER.parse().expect("an account");
    for statement in [
        "SELECT 1 FROM denial",
        "DELETE FROM denial",
        "UPDATE denial SET actor = ''",
    ] {
        let mut tx = app
            .pools
            .calls
            .tx(&Scope::account(&account))
            .await
            .expect("a transaction");
        tx.conn()
            .execute(statement)
            .await
            .expect_err("calls reach no denial");
        let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
        if statement.starts_with("UPDATE") {
            tx.conn()
                .execute(statement)
                .await
                .expect_err("the worker rewrites none");
        }
    }
    let mut owner = app.database.admin::<Opportunities>().await;
    owner
        .execute("SET ROLE opportunity_owner")
        .await
        .expect("the owner's role");
    for statement in ["DELETE FROM denial", "UPDATE denial SET actor = ''"] {
        let hit = owner.execute(statement).await.expect("rows");
        assert_eq!(hit.rows_affected(), 0, "{statement}");
    }
    owner
        .execute("BEGIN; TRUNCATE denial; ROLLBACK")
        .await
        .expect("its own table");
    drop(owner);
    denials(&app, 1).await;
    app.finish::<Opportunities>().await;
}
