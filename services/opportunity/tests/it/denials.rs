//! Denials (ACC-030): refusals because of the caller are stored, and neither callers nor the service's roles can alter
//! them.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_store::Scope;
use cosell_testkit::harness::{App, Client, aws, eventually, partner, service};
use cosell_types::{Caller, Role};
use sqlx::Executor as _;

use crate::support::{ALDER, client_for, create, get_request, manager, record, start, submit_request, user};

/// Waits for the expected number of denials and returns them sorted: account, actor, method, reason and record.
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
async fn acc_030_each_denial_is_stored_with_caller_method_and_reason() {
    let app = start().await;
    let id = create(&app, &manager(), record("Alder")).await.opportunity_id;
    let callers: [Caller; 3] = [
        partner("mem-standard", ALDER, Role::StandardUser),
        aws("mem-reviewer", Role::Reviewer),
        service("review"),
    ];
    for caller in &callers {
        let answer = client_for(&app, caller)
            .lifecycle()
            .submit_opportunity(submit_request(&id))
            .await;
        answer.expect_err("a role without permission");
    }
    // Also stored: calls about a record that is missing or hidden, such as a colleague's record for an ACE user and a
    // draft for AWS.
    client_for(&app, &user())
        .opportunities()
        .get_opportunity(get_request(&id))
        .await
        .expect_err("a colleague's record");
    client_for(&app, &user())
        .opportunities()
        .get_opportunity(get_request("O1"))
        .await
        .expect_err("a missing record");
    client_for(&app, &aws("mem-reviewer", Role::Reviewer))
        .opportunities()
        .get_opportunity(get_request(&id))
        .await
        .expect_err("a draft");
    let inactive = partner("mem-left", ALDER, Role::AceManager);
    let client = Client::new(&app.issuer, Some(&inactive)).with_channel(app.channel.clone());
    OpportunityServiceClient::new(client)
        .get_opportunity(get_request(&id))
        .await
        .expect_err("an unknown member");

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

/// Calls cannot read denials, and neither role of the running service can change or delete recent ones. The owner of
/// the table sees no row but can truncate it.
#[tokio::test]
async fn acc_030_calls_cannot_read_denials_and_service_roles_cannot_alter_them() {
    let app = start().await;
    let standard = partner("mem-standard", ALDER, Role::StandardUser);
    client_for(&app, &standard)
        .opportunities()
        .get_opportunity(get_request("O1"))
        .await
        .expect_err("a role without permission");
    denials(&app, 1).await;

    let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
    let deleted = tx
        .conn()
        .execute("DELETE FROM denial WHERE account_id IS NOT NULL")
        .await;
    assert_eq!(
        deleted.expect("rows").rows_affected(),
        0,
        "a recent denial must not be deleted"
    );
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
            .expect_err("calls have no permission on denials");
        let mut tx = app.pools.work.tx(&Scope::work()).await.expect("a transaction");
        if statement.starts_with("UPDATE") {
            tx.conn()
                .execute(statement)
                .await
                .expect_err("the worker cannot update denials");
        }
    }
    let mut owner = app.database.admin::<Opportunities>().await;
    owner
        .execute("SET ROLE opportunity_owner")
        .await
        .expect("the owner's role");
    for statement in ["DELETE FROM denial", "UPDATE denial SET actor = ''"] {
        let result = owner.execute(statement).await.expect("rows");
        assert_eq!(result.rows_affected(), 0, "{statement}");
    }
    owner
        .execute("BEGIN; TRUNCATE denial; ROLLBACK")
        .await
        .expect("the owner truncates its table");
    drop(owner);
    denials(&app, 1).await;
    app.finish::<Opportunities>().await;
}
