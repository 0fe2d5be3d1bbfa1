//! Covers the operator's option that marketing staff sees all opportunities of its account (ACC-013): who has it, when it
//! is applied, and what is published.

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, eventually};
use cosell_types::{ClosedList as _, Role};

use crate::support::{
    ALDER, alliance_lead, apply, event_subjects, last_event_seq, member_record, member_request, start,
    start_with,
};

const MARKETER: &str = "alder-marketer";

async fn add_marketer(app: &App) {
    let record = member_record(ALDER, MARKETER, &[Role::MarketingStaff]);
    apply(app, vec![member_request(record)]).await;
}

async fn sees_all(app: &App, id: &str) -> bool {
    let request = pb::GetMemberRequest {
        member_id: id.to_owned(),
        ..Default::default()
    };
    let response = alliance_lead(app, ALDER).members().get_member(request).await;
    let member = response.expect("a member").into_inner().member;
    member.expect("a member").sees_all_opportunities
}

/// The same in the list of members.
async fn sees_all_in_list(app: &App, id: &str) -> bool {
    let list = alliance_lead(app, ALDER)
        .members()
        .list_members(pb::ListMembersRequest::default())
        .await;
    let members = list.expect("a list").into_inner().members;
    let member = members.into_iter().find(|member| member.member_id == id);
    member.expect("a listed member").sees_all_opportunities
}

async fn set_roles(app: &App, roles: &[Role]) {
    let request = pb::SetMemberRolesRequest {
        member_id: MARKETER.to_owned(),
        roles: roles.iter().map(|role| role.number()).collect(),
        ..Default::default()
    };
    let changed = alliance_lead(app, ALDER)
        .members()
        .set_member_roles(request)
        .await;
    changed.expect("other roles");
}

async fn wait_until_sees_all(app: &App, expected: bool) {
    eventually(async || match sees_all(app, MARKETER).await {
        seen if seen == expected => Ok(()),
        seen => Err(format!("sees all: {seen}")),
    })
    .await;
}

#[tokio::test]
async fn acc_013_option_is_published_once_for_each_member_of_marketing_staff() {
    let app = start_with(Options {
        marketing_sees_all: true,
        ..Options::default()
    })
    .await;
    let before = last_event_seq(&app).await;
    add_marketer(&app).await;
    wait_until_sees_all(&app, true).await;
    assert!(sees_all_in_list(&app, MARKETER).await);
    let event = |name: &str| format!("cosell.partner.v1.{ALDER}.{MARKETER}.{name}");
    assert_eq!(
        event_subjects(&app, before).await,
        [event("member_registered"), event("member_visibility_changed")]
    );
    // A member that stops being marketing staff loses it at once, and gets it again only by the option.
    set_roles(&app, &[Role::AceUser]).await;
    assert!(!sees_all(&app, MARKETER).await);
    set_roles(&app, &[Role::AceUser, Role::MarketingStaff]).await;
    wait_until_sees_all(&app, true).await;
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn acc_013_without_the_option_only_whole_pipeline_roles_see_all() {
    let app = start().await;
    add_marketer(&app).await;
    for (id, expected) in [
        ("alder-lead", true),
        ("alder-team", true),
        ("alder-manager", true),
        ("alder-user", false),
        ("alder-admin", false),
        (MARKETER, false),
    ] {
        assert_eq!(sees_all(&app, id).await, expected, "{id}");
    }
    // The option was set before the restart.
    let before = last_event_seq(&app).await;
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query("UPDATE member SET marketing_sees_all = true WHERE member_id = $1")
        .bind(MARKETER)
        .execute(&mut admin)
        .await
        .expect("a member with the former option");
    wait_until_sees_all(&app, false).await;
    let expected = format!("cosell.partner.v1.{ALDER}.{MARKETER}.member_visibility_changed");
    assert_eq!(event_subjects(&app, before).await, [expected]);
    app.finish::<Partners>().await;
}
