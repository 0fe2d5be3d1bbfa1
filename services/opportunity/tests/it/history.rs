//! The history of a record: revisions, reads as of a time, diffs, and what AWS sees of them (ACC-012, OPP-017,
//! OPP-067 to OPP-069).

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
    client_for, create, discard_request, get_request, manager, next_steps_request, record, start, submit,
    submit_request, unrelated_member, user, withdraw_request,
};

fn reviewer() -> Caller {
    aws("mem-reviewer", Role::Reviewer)
}

fn seller() -> Caller {
    aws("mem-seller", Role::SalesRepresentative)
}

/// Creates a record with six revisions, one an hour: draft (1), updated (2), submitted with limited visibility (3),
/// withdrawn (4), updated by another member (5), submitted for co-sell (6).
async fn create_history(app: &App) -> String {
    let mut input = record("Alder");
    input.primary_needs_from_aws.clear();
    let id = create(app, &user(), input).await.opportunity_id;
    let advance_hour = || app.clock.advance(chrono::TimeDelta::hours(1));
    advance_hour();
    let change = next_steps_request(&id, "First call");
    client_for(app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    advance_hour();
    let limited = pb::SubmitOpportunityRequest {
        involvement_type: pb::InvolvementType::ForVisibilityOnly.into(),
        visibility: pb::Visibility::Limited.into(),
        ..submit_request(&id)
    };
    client_for(app, &user())
        .lifecycle()
        .submit_opportunity(limited)
        .await
        .expect("a submission");
    advance_hour();
    client_for(app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    advance_hour();
    let mut change = next_steps_request(&id, "Second call");
    let input = change.opportunity.as_mut().expect("a record");
    input.primary_needs_from_aws = vec![pb::PrimaryNeedFromAws::DealSupport.into()];
    client_for(app, &manager())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    advance_hour();
    submit(app, &user(), &id).await;
    advance_hour();
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
        let page = client_for(app, caller)
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

fn revision_numbers(revisions: &[pb::OpportunityRevision]) -> Vec<i64> {
    revisions.iter().map(|revision| revision.revision).collect()
}

#[tokio::test]
async fn opp_067_revisions_are_listed_newest_first() {
    let app = start().await;
    let id = create_history(&app).await;
    for page_size in [0, 1, 4] {
        let all = revisions(&app, &user(), &id, page_size).await;
        assert_eq!(revision_numbers(&all), [6, 5, 4, 3, 2, 1]);
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
async fn acc_012_opp_067_aws_lists_only_revisions_visible_to_it() {
    let app = start().await;
    let id = create_history(&app).await;
    assert_eq!(
        revision_numbers(&revisions(&app, &reviewer(), &id, 0).await),
        [6, 3],
        "drafts are hidden"
    );
    assert_eq!(
        revision_numbers(&revisions(&app, &seller(), &id, 0).await),
        [6],
        "limited revisions are hidden"
    );
    let list = async |caller: &Caller, id: &str| {
        let request = pb::ListRevisionsRequest {
            opportunity_id: id.to_owned(),
            ..Default::default()
        };
        client_for(&app, caller).history().list_revisions(request).await
    };
    for hidden in [list(&unrelated_member(), &id).await, list(&user(), "O1").await] {
        refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    client_for(&app, &user())
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
    client_for(&app, &user())
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

async fn revision_as_of(app: &App, caller: &Caller, id: &str, seconds: i64) -> Result<i64, Status> {
    let request = pb::GetOpportunityRequest {
        as_of: Some(AsOf::Time(Timestamp { seconds, nanos: 0 })),
        ..get_request(id)
    };
    let answer = client_for(app, caller)
        .opportunities()
        .get_opportunity(request)
        .await?;
    Ok(answer.into_inner().opportunity.expect("the record").revision)
}

#[tokio::test]
async fn opp_068_record_is_returned_as_of_a_time() {
    let app = start().await;
    let created = app.clock.now().timestamp();
    let id = create_history(&app).await;
    for (hours, expected) in [(0, 1), (1, 2), (3, 4), (5, 6), (1000, 6)] {
        let at = created + hours * 3600;
        let read = revision_as_of(&app, &user(), &id, at).await.expect("a revision");
        assert_eq!(read, expected, "after {hours} hours");
        if hours > 0 && hours < 1000 {
            let before = revision_as_of(&app, &user(), &id, at - 1)
                .await
                .expect("a revision");
            assert_eq!(before, expected - 1, "one second earlier");
        }
    }
    for (caller, at) in [
        (user(), created - 1),
        (unrelated_member(), created),
        (reviewer(), created + 3600),
        (seller(), created + 4 * 3600),
        (service("review"), created + 6 * 3600),
    ] {
        let hidden = revision_as_of(&app, &caller, &id, at).await;
        let error = hidden.expect_err("no such revision");
        assert_eq!(error.code(), Code::NotFound, "{}", caller.actor());
    }
    // Between two submissions AWS reads the last revision visible to it.
    let between = revision_as_of(&app, &reviewer(), &id, created + 4 * 3600).await;
    assert_eq!(between.expect("a revision"), 3);
    assert_eq!(
        revision_as_of(&app, &seller(), &id, created + 5 * 3600)
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
        let answer = client_for(&app, &user())
            .opportunities()
            .get_opportunity(request)
            .await;
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
    let answer = client_for(app, caller).history().diff_revisions(request).await?;
    Ok(answer.into_inner().differences)
}

/// A difference as text: field, both values, and member and revision of the last change.
fn diff_line(field: &pb::FieldDifference) -> String {
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
async fn opp_069_diff_lists_changed_fields_with_last_change() {
    let app = start().await;
    let id = create_history(&app).await;
    let lines = async |caller: &Caller, span| -> Vec<String> {
        let differences = diff(&app, caller, &id, span).await.expect("a difference");
        assert!(differences.iter().all(|field| field.time.is_some()));
        differences.iter().map(diff_line).collect()
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
        "changes made in the draft appear with the submission"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_069_diff_finds_last_change_across_many_revisions() {
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
        ..next_steps_request(&id, "")
    };
    client_for(&app, &manager())
        .opportunities()
        .update_opportunity(title)
        .await
        .expect("an update");
    for number in 3..50 {
        let change = next_steps_request(&id, &format!("Call {number}"));
        client_for(&app, &user())
            .opportunities()
            .update_opportunity(change)
            .await
            .expect("an update");
    }
    let differences = diff(&app, &user(), &id, (1, 49)).await.expect("a difference");
    let differences: Vec<_> = differences.iter().map(diff_line).collect();
    assert_eq!(
        differences,
        [
            "project.title Project of Alder -> Another by mem-manager in 2",
            "life_cycle.next_steps null -> Call 49 by mem-user in 49",
        ]
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_069_diff_with_hidden_revision_is_not_found() {
    let app = start().await;
    let id = create_history(&app).await;
    for (caller, span) in [
        (unrelated_member(), (1, 2)),
        (reviewer(), (1, 6)),
        (reviewer(), (3, 4)),
        (seller(), (3, 6)),
        (user(), (1, 7)),
    ] {
        let hidden = diff(&app, &caller, &id, span).await;
        let error = hidden.expect_err("no such revision");
        assert_eq!(error.code(), Code::NotFound, "{} {span:?}", caller.actor());
    }
    let request = pb::DiffRevisionsRequest {
        opportunity_id: id.clone(),
        from_revision: 3,
        to_revision: 2,
    };
    let refusal = refused(
        client_for(&app, &user()).history().diff_revisions(request).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["to_revision"]);
    let same = diff(&app, &user(), &id, (3, 3)).await.expect("a difference");
    assert_eq!(same, []);
    app.finish::<Opportunities>().await;
}

/// Diffs hide the customer data of a national-security record from AWS.
#[tokio::test]
async fn opp_017_069_diff_for_aws_omits_classified_fields() {
    let app = start().await;
    let mut classified = record("Mallard");
    classified.national_security = Some(true);
    let customer = classified.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let id = create(&app, &user(), classified).await.opportunity_id;
    submit(&app, &user(), &id).await;
    client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&id))
        .await
        .expect("a withdrawal");
    let mut change = next_steps_request(&id, "Call");
    let input = change.opportunity.as_mut().expect("a record");
    input.customer = record("Teal").customer;
    let account = input
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut());
    account.expect("an account").industry = "Government".to_owned();
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("an update");
    submit(&app, &user(), &id).await;
    let paths = async |caller: &Caller| -> Vec<String> {
        let differences = diff(&app, caller, &id, (2, 5)).await.expect("a difference");
        differences.into_iter().map(|field| field.field).collect()
    };
    let company = "customer.account.company_name".to_owned();
    assert!(paths(&user()).await.contains(&company));
    assert_eq!(
        paths(&reviewer()).await,
        ["life_cycle.next_steps", "life_cycle.review_round"]
    );
    app.finish::<Opportunities>().await;
}

/// The classification also applies to revisions from before the record was classified.
#[tokio::test]
async fn opp_017_classification_hides_customer_in_past_revisions_too() {
    let app = start().await;
    let mut unclassified = record("Mallard");
    let customer = unclassified.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    unclassified.national_security = Some(false);
    let id = create(&app, &user(), unclassified).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let at = |revision| pb::GetOpportunityRequest {
        as_of: Some(AsOf::Revision(revision)),
        ..crate::support::get_request(&id)
    };
    let company = async |caller: &Caller, revision| {
        let answer = client_for(&app, caller)
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
        "the record is not classified yet"
    );
    client_for(&app, &user())
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
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("a classification");
    submit(&app, &user(), &id).await;
    let review = cosell_testkit::harness::service("review");
    for caller in [reviewer(), review] {
        assert_eq!(company(&caller, 2).await, "", "{}", caller.actor());
    }
    assert_eq!(company(&user(), 2).await, "Mallard");
    let differences = diff(&app, &reviewer(), &id, (2, 5)).await.expect("a difference");
    let paths: Vec<_> = differences.iter().map(|field| field.field.as_str()).collect();
    assert!(!paths.contains(&"customer.account.company_name"), "{paths:?}");
    app.finish::<Opportunities>().await;
}
