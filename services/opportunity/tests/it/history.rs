//! The past of a record: its revisions, how it was at a time, and what became of its fields.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, aws, refused, service};
use cosell_types::{Caller, Role};
use prost_types::Timestamp;
use prost_types::value::Kind;
use tonic::{Code, Status};

use crate::support::{
    by, create, discard_request, get_request, manager, next_steps, record, start, stranger, submit,
    submit_request, user, withdraw_request,
};

fn reviewer() -> Caller {
    aws("mem-reviewer", Role::Reviewer)
}

fn seller() -> Caller {
    aws("mem-seller", Role::SalesRepresentative)
}

/// A draft (1), changed (2), submitted with limited visibility (3), taken back (4), changed by another (5), submitted for
/// co-sell (6); an hour apart each.
async fn history(app: &App) -> String {
    let mut given = record("Alder");
    given.primary_needs_from_aws.clear();
    let id = create(app, &user(), given).await.opportunity_id;
    let hour = || app.clock.advance(chrono::TimeDelta::hours(1));
    hour();
    let change = next_steps(&id, "First call");
    by(app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    hour();
    let limited = pb::SubmitOpportunityRequest {
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..submit_request(&id)
    };
    by(app, &user())
        .lifecycle()
        .submit_opportunity(limited)
        .await
        .expect("a submission");
    hour();
    by(app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    hour();
    let mut change = next_steps(&id, "Second call");
    let given = change.opportunity.as_mut().expect("a record");
    given.primary_needs_from_aws = vec![pb::PrimaryNeedFromAws::DealSupport.into()];
    by(app, &manager())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    hour();
    submit(app, &user(), &id).await;
    hour();
    id
}

async fn revisions(app: &App, caller: &Caller, id: &str, page_size: i32) -> Vec<pb::OpportunityRevision> {
    let mut request = pb::ListRevisionsRequest {
        opportunity_id: id.to_owned(),
        page_size,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = by(app, caller)
            .history()
            .list_revisions(request.clone())
            .await
            .expect("a page")
            .into_inner();
        all.extend(page.revisions);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

fn numbers(revisions: &[pb::OpportunityRevision]) -> Vec<i64> {
    revisions.iter().map(|revision| revision.revision).collect()
}

#[tokio::test]
async fn opp_067_revisions_are_listed_newest_first() {
    let app = start().await;
    let id = history(&app).await;
    for page_size in [0, 1, 4] {
        let all = revisions(&app, &user(), &id, page_size).await;
        assert_eq!(numbers(&all), [6, 5, 4, 3, 2, 1]);
        let actions: Vec<_> = all.iter().map(|revision| revision.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "submitted",
                "updated",
                "submission_withdrawn",
                "submitted",
                "updated",
                "created"
            ]
        );
        assert_eq!(all[1].actor_member_id, "mem-manager");
        assert_eq!(
            all[1].changed_fields,
            ["primary_needs_from_aws", "life_cycle.next_steps"]
        );
        assert_eq!(all[1].review_status(), ReviewStatus::PendingSubmission);
        assert_eq!(all[0].review_status(), ReviewStatus::Submitted);
        assert_eq!(all[0].stage(), pb::Stage::Prospect);
        assert!(all[0].changed_fields.is_empty());
        let hour = all[4].time.expect("a time").seconds - all[5].time.expect("a time").seconds;
        assert_eq!(hour, 3600);
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_012_opp_067_aws_lists_what_it_could_see() {
    let app = start().await;
    let id = history(&app).await;
    assert_eq!(
        numbers(&revisions(&app, &reviewer(), &id, 0).await),
        [6, 3],
        "no drafts"
    );
    assert_eq!(
        numbers(&revisions(&app, &seller(), &id, 0).await),
        [6],
        "nothing limited"
    );
    let list = async |caller: &Caller, id: &str| {
        let request = pb::ListRevisionsRequest {
            opportunity_id: id.to_owned(),
            ..Default::default()
        };
        by(&app, caller).history().list_revisions(request).await
    };
    for unknown in [list(&stranger(), &id).await, list(&user(), "O1").await] {
        refused(unknown, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    refused(
        list(&reviewer(), &id).await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    let draft = create(&app, &user(), record("Elm")).await.opportunity_id;
    by(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(&draft))
        .await
        .expect("a discarded draft");
    refused(
        list(&user(), &draft).await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    app.finish::<Opportunities>().await;
}

async fn as_of(app: &App, caller: &Caller, id: &str, seconds: i64) -> Result<i64, Status> {
    let request = pb::GetOpportunityRequest {
        as_of: Some(AsOf::Time(Timestamp { seconds, nanos: 0 })),
        ..get_request(id)
    };
    let answer = by(app, caller).opportunities().get_opportunity(request).await?;
    Ok(answer.into_inner().opportunity.expect("the record").revision)
}

#[tokio::test]
async fn opp_068_a_record_is_read_as_it_was_at_a_time() {
    let app = start().await;
    let created = app.clock.now().timestamp();
    let id = history(&app).await;
    for (hours, expected) in [(0, 1), (1, 2), (3, 4), (5, 6), (1000, 6)] {
        let at = created + hours * 3600;
        let read = as_of(&app, &user(), &id, at).await.expect("a revision");
        assert_eq!(read, expected, "after {hours} hours");
        if hours > 0 && hours < 1000 {
            let before = as_of(&app, &user(), &id, at - 1).await.expect("a revision");
            assert_eq!(before, expected - 1, "a second before");
        }
    }
    for (caller, at) in [
        (user(), created - 1),
        (stranger(), created),
        (reviewer(), created + 3600),
        (seller(), created + 4 * 3600),
        (service("review"), created + 6 * 3600),
    ] {
        let unknown = as_of(&app, &caller, &id, at).await;
        let error = unknown.expect_err("no such revision");
        assert_eq!(error.code(), Code::NotFound, "{}", caller.actor());
    }
    // Of the time between two submissions AWS reads what it saw last.
    let between = as_of(&app, &reviewer(), &id, created + 4 * 3600).await;
    assert_eq!(between.expect("a revision"), 3);
    assert_eq!(
        as_of(&app, &seller(), &id, created + 5 * 3600)
            .await
            .expect("a revision"),
        6
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_068_time_out_of_range_is_refused() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (-70_000_000_000, 0)] {
        let request = pb::GetOpportunityRequest {
            as_of: Some(AsOf::Time(Timestamp { seconds, nanos })),
            ..get_request(&id)
        };
        let answer = by(&app, &user()).opportunities().get_opportunity(request).await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["time"]);
    }
    app.finish::<Opportunities>().await;
}

async fn diff(
    app: &App,
    caller: &Caller,
    id: &str,
    (from_revision, to_revision): (i64, i64),
) -> Result<Vec<pb::FieldDifference>, Status> {
    let request = pb::DiffRevisionsRequest {
        opportunity_id: id.to_owned(),
        from_revision,
        to_revision,
    };
    let answer = by(app, caller).history().diff_revisions(request).await?;
    Ok(answer.into_inner().differences)
}

/// A field's values as JSON, and revision and member of its last change.
fn line(field: &pb::FieldDifference) -> String {
    fn text(value: Option<&prost_types::Value>) -> String {
        match value.and_then(|value| value.kind.as_ref()) {
            Some(Kind::StringValue(text)) => text.clone(),
            Some(Kind::NumberValue(number)) => number.to_string(),
            Some(Kind::ListValue(list)) => {
                let values: Vec<_> = list.values.iter().map(|value| text(Some(value))).collect();
                format!("[{}]", values.join(","))
            }
            Some(Kind::NullValue(_)) => "null".to_owned(),
            other => format!("{other:?}"),
        }
    }
    format!(
        "{} {} -> {} by {} in {}",
        field.field,
        text(field.old_value.as_ref()),
        text(field.new_value.as_ref()),
        field.actor_member_id,
        field.revision
    )
}

#[tokio::test]
async fn opp_069_two_revisions_differ_field_by_field() {
    let app = start().await;
    let id = history(&app).await;
    let lines = async |caller: &Caller, span| -> Vec<String> {
        let found = diff(&app, caller, &id, span).await.expect("a difference");
        assert!(found.iter().all(|field| field.time.is_some()));
        found.iter().map(line).collect()
    };
    assert_eq!(
        lines(&user(), (1, 6)).await,
        [
            "submitted_by null -> mem-user by mem-user in 3",
            "involvement_type null -> INVOLVEMENT_TYPE_CO_SELL by mem-user in 6",
            "visibility null -> VISIBILITY_FULL by mem-user in 6",
            "primary_needs_from_aws null -> [PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT] by mem-manager in 5",
            "life_cycle.next_steps null -> Second call by mem-manager in 5",
            "life_cycle.review_status REVIEW_STATUS_PENDING_SUBMISSION -> REVIEW_STATUS_SUBMITTED by mem-user in 6",
            "life_cycle.review_round null -> 2 by mem-user in 6",
        ]
    );
    assert_eq!(
        lines(&user(), (2, 5)).await[3..],
        [
            "primary_needs_from_aws null -> [PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT] by mem-manager in 5",
            "life_cycle.next_steps First call -> Second call by mem-manager in 5",
            "life_cycle.review_round null -> 1 by mem-user in 3",
        ]
    );
    assert_eq!(
        lines(&reviewer(), (3, 6)).await.last().expect("a line"),
        "life_cycle.review_round 1 -> 2 by mem-user in 6",
        "what happened while it was a draft shows with the submission"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_069_a_long_way_back_is_found() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let title = pb::UpdateOpportunityRequest {
        opportunity: Some(pb::Opportunity {
            project: Some(pb::Project {
                title: "Another".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..next_steps(&id, "")
    };
    by(&app, &manager())
        .opportunities()
        .update_opportunity(title)
        .await
        .expect("an update");
    for number in 3..50 {
        let change = next_steps(&id, &format!("Call {number}"));
        by(&app, &user())
            .opportunities()
            .update_opportunity(change)
            .await
            .expect("an update");
    }
    let found = diff(&app, &user(), &id, (1, 49)).await.expect("a difference");
    let found: Vec<_> = found.iter().map(line).collect();
    assert_eq!(
        found,
        [
            "project.title Project of Alder -> Another by mem-manager in 2",
            "life_cycle.next_steps null -> Call 49 by mem-user in 49",
        ]
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_069_nobody_compares_what_it_may_not_see() {
    let app = start().await;
    let id = history(&app).await;
    for (caller, span) in [
        (stranger(), (1, 2)),
        (reviewer(), (1, 6)),
        (reviewer(), (3, 4)),
        (seller(), (3, 6)),
        (user(), (1, 7)),
    ] {
        let unknown = diff(&app, &caller, &id, span).await;
        let error = unknown.expect_err("no such revision");
        assert_eq!(error.code(), Code::NotFound, "{} {span:?}", caller.actor());
    }
    let request = pb::DiffRevisionsRequest {
        opportunity_id: id.clone(),
        from_revision: 3,
        to_revision: 2,
    };
    let refusal = refused(
        by(&app, &user()).history().diff_revisions(request).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["to_revision"]);
    let same = diff(&app, &user(), &id, (3, 3)).await.expect("a difference");
    assert_eq!(same, []);
    app.finish::<Opportunities>().await;
}

/// What a national-security deal keeps from AWS is kept in its past too.
#[tokio::test]
async fn opp_017_069_aws_compares_no_classified_values() {
    let app = start().await;
    let mut secret = record("Mallard");
    secret.national_security = Some(true);
    let customer = secret.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let id = create(&app, &user(), secret).await.opportunity_id;
    submit(&app, &user(), &id).await;
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    let mut change = next_steps(&id, "Call");
    let given = change.opportunity.as_mut().expect("a record");
    given.customer = record("Teal").customer;
    let account = given
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut());
    account.expect("an account").industry = "Government".to_owned();
    by(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    submit(&app, &user(), &id).await;
    let paths = async |caller: &Caller| -> Vec<String> {
        let found = diff(&app, caller, &id, (2, 5)).await.expect("a difference");
        found.into_iter().map(|field| field.field).collect()
    };
    let company = "customer.account.company_name".to_owned();
    assert!(paths(&user()).await.contains(&company));
    assert_eq!(
        paths(&reviewer()).await,
        ["life_cycle.next_steps", "life_cycle.review_round"]
    );
    app.finish::<Opportunities>().await;
}

/// Also of a time at which nobody had said yet that it is one.
#[tokio::test]
async fn opp_017_what_is_classified_now_was_never_known_to_aws() {
    let app = start().await;
    let mut open = record("Mallard");
    let customer = open.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let id = create(&app, &user(), open).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let at = |revision| pb::GetOpportunityRequest {
        as_of: Some(AsOf::Revision(revision)),
        ..crate::support::get_request(&id)
    };
    let company = async |caller: &Caller, revision| {
        let answer = by(&app, caller)
            .opportunities()
            .get_opportunity(at(revision))
            .await
            .expect("a revision");
        let record = answer.into_inner().opportunity.expect("a record");
        let account = record
            .customer
            .and_then(|customer| customer.account)
            .expect("an account");
        account.company_name
    };
    assert_eq!(
        company(&reviewer(), 2).await,
        "Mallard",
        "nobody has said that it is a secret"
    );
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: id.clone(),
        opportunity: Some(pb::Opportunity {
            national_security: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    by(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("a secret");
    submit(&app, &user(), &id).await;
    let review = cosell_testkit::harness::service("review");
    for caller in [reviewer(), review] {
        assert_eq!(company(&caller, 2).await, "", "{}", caller.actor());
    }
    assert_eq!(company(&user(), 2).await, "Mallard");
    let found = diff(&app, &reviewer(), &id, (2, 5)).await.expect("a difference");
    let paths: Vec<_> = found.iter().map(|field| field.field.as_str()).collect();
    assert!(!paths.contains(&"customer.account.company_name"), "{paths:?}");
    app.finish::<Opportunities>().await;
}
