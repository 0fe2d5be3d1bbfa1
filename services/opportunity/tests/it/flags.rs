//! Follow-up flags (OPP-066): they belong to a member, do not change the record, and are deleted with a discarded
//! draft. Also the backfill of the migration that introduced them.

use cosell_opportunity::Opportunities;
use cosell_opportunity::domain::values::Preset;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_testkit::harness::{App, aws, refused};
use cosell_types::{Caller, ClosedList as _, Role};
use tonic::Code;

use crate::support::{
    client_for, count, create, discard_request, get, list_all_ids, manager, next_steps_request, record,
    request_id, start, submit, unrelated_member, user,
};

fn flag_request(id: &str, flagged: bool) -> pb::FlagOpportunityRequest {
    pb::FlagOpportunityRequest {
        opportunity_id: id.to_owned(),
        flagged: Some(flagged),
        ..Default::default()
    }
}

async fn flag(app: &App, caller: &Caller, request: pb::FlagOpportunityRequest) -> pb::Opportunity {
    let answer = client_for(app, caller)
        .opportunities()
        .flag_opportunity(request)
        .await;
    answer
        .expect("a flag")
        .into_inner()
        .opportunity
        .expect("the record")
}

async fn list_flagged(app: &App, caller: &Caller) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        preset: Preset::Flagged.number(),
        ..Default::default()
    };
    list_all_ids(app, caller, request).await.expect("pages")
}

#[tokio::test]
async fn opp_066_flag_is_per_member_and_does_not_change_the_record() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.clone();
    submit(&app, &user(), &id).await;
    let before = get(&app, &user(), &id).await;
    assert!(!before.flagged_for_follow_up);
    let events = count(&app, "SELECT count(*) FROM event_journal").await;
    let (reviewer, seller) = (
        aws("mem-reviewer", Role::Reviewer),
        aws("mem-seller", Role::SalesRepresentative),
    );
    for caller in [user(), reviewer.clone()] {
        let answer = flag(&app, &caller, flag_request(&id, true)).await;
        assert!(answer.flagged_for_follow_up);
        let same = pb::Opportunity {
            flagged_for_follow_up: false,
            ..answer
        };
        assert_eq!((same.revision, same.etag), (before.revision, before.etag.clone()));
        assert_eq!(same.update_time, before.update_time);
        // Flagging again changes nothing.
        assert!(
            flag(&app, &caller, flag_request(&id, true))
                .await
                .flagged_for_follow_up
        );
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 2);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, events);
    for (caller, expected) in [
        (user(), true),
        (manager(), false),
        (reviewer.clone(), true),
        (seller.clone(), false),
    ] {
        let shown = get(&app, &caller, &id).await;
        assert_eq!(shown.flagged_for_follow_up, expected, "{}", caller.actor());
        let listed = list_flagged(&app, &caller).await;
        assert_eq!(listed.len(), usize::from(expected), "{}", caller.actor());
        let past = pb::GetOpportunityRequest {
            opportunity_id: id.clone(),
            as_of: Some(AsOf::Revision(2)),
        };
        let past = client_for(&app, &caller)
            .opportunities()
            .get_opportunity(past)
            .await
            .expect("a revision");
        let past = past.into_inner().opportunity.expect("the record");
        assert_eq!(past.flagged_for_follow_up, expected, "in a past revision");
        let calls = client_for(&app, &caller);
        let all = calls
            .opportunities()
            .list_opportunities(pb::ListOpportunitiesRequest::default())
            .await;
        let all = all.expect("a list").into_inner().opportunities;
        assert_eq!(all[0].flagged_for_follow_up, expected, "in a list");
    }
    assert!(
        !flag(&app, &user(), flag_request(&id, false))
            .await
            .flagged_for_follow_up
    );
    assert_eq!(list_flagged(&app, &user()).await.len(), 0);
    assert_eq!(
        list_flagged(&app, &reviewer).await.len(),
        1,
        "the flag of another member is retained"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_update_does_not_change_flag() {
    let app = start().await;
    let mut input = record("Alder");
    input.flagged_for_follow_up = true;
    let created = create(&app, &user(), input).await;
    assert!(!created.flagged_for_follow_up, "the field is output only");
    let id = created.opportunity_id;
    flag(&app, &user(), flag_request(&id, true)).await;
    let answer = client_for(&app, &user())
        .opportunities()
        .update_opportunity(next_steps_request(&id, "Workshop"))
        .await;
    let updated = answer
        .expect("an update")
        .into_inner()
        .opportunity
        .expect("the record");
    assert!(updated.flagged_for_follow_up);
    let mut masked = next_steps_request(&id, "Workshop");
    masked.update_mask = Some(prost_types::FieldMask {
        paths: vec!["flagged_for_follow_up".to_owned()],
    });
    refused(
        client_for(&app, &user())
            .opportunities()
            .update_opportunity(masked)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_record_not_visible_to_caller_cannot_be_flagged() {
    let app = start().await;
    let id = create(&app, &manager(), record("Alder")).await.opportunity_id;
    for caller in [user(), unrelated_member(), aws("mem-reviewer", Role::Reviewer)] {
        for id in [&id, "O1"] {
            let answer = client_for(&app, &caller)
                .opportunities()
                .flag_opportunity(flag_request(id, true))
                .await;
            refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
        }
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_plt_002_004_flag_supports_request_id_and_validate_only() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let dry_run = pb::FlagOpportunityRequest {
        validate_only: true,
        ..flag_request(&id, true)
    };
    assert!(flag(&app, &user(), dry_run).await.flagged_for_follow_up);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    let request = pb::FlagOpportunityRequest {
        request_id: request_id(),
        ..flag_request(&id, true)
    };
    flag(&app, &user(), request.clone()).await;
    flag(&app, &user(), flag_request(&id, false)).await;
    let again = flag(&app, &user(), request.clone()).await;
    assert!(!again.flagged_for_follow_up, "a retry returns the current state");
    let other = pb::FlagOpportunityRequest {
        flagged: Some(false),
        ..request
    };
    refused(
        client_for(&app, &user())
            .opportunities()
            .flag_opportunity(other)
            .await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_032_discarding_draft_deletes_its_flags_and_words() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    flag(&app, &user(), flag_request(&id, true)).await;
    flag(&app, &manager(), flag_request(&id, true)).await;
    let discarded = client_for(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(&id))
        .await;
    discarded.expect("a discarded draft");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_word").await, 0);
    app.finish::<Opportunities>().await;
}

/// Restores the schema before migration 0016 and applies it to existing flags, submissions and words.
#[tokio::test]
async fn opp_063_064_066_migration_backfills_flags_submissions_and_words() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    app.clock.advance(chrono::TimeDelta::days(1));
    submit(&app, &user(), &id).await;
    let mut admin = app.database.admin::<Opportunities>().await;
    for sql in [
        "DROP TABLE opportunity_word, opportunity_flag",
        "ALTER TABLE opportunity DROP origin, DROP company_name_for_aws, DROP submit_time",
        // The other indexes were dropped with a column.
        "DROP INDEX opportunity_of_all_by_creation, opportunity_of_all_by_close_date, opportunity_of_all_by_owner,
           opportunity_of_all_by_position, opportunity_of_all_by_company",
        "UPDATE opportunity SET record = jsonb_set(record #- '{review,submit_time}', '{details,flagged_for_follow_up}', 'true')",
        "SET ROLE opportunity_owner",
        include_str!("../../migrations/0016_finding.sql"),
        "RESET ROLE",
    ] {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(
            sql.replace("DROP INDEX", "DROP INDEX IF EXISTS"),
        ));
        done.execute(&mut admin)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    assert_eq!(list_flagged(&app, &user()).await, [id.as_str()]);
    assert_eq!(list_flagged(&app, &manager()).await.len(), 0);
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    for request in [
        pb::ListOpportunitiesRequest {
            preset: Preset::SubmittedLast7Days.number(),
            ..Default::default()
        },
        pb::ListOpportunitiesRequest {
            search: "ald proj twice".to_owned(),
            ..Default::default()
        },
    ] {
        for caller in [user(), reviewer.clone()] {
            let listed = list_all_ids(&app, &caller, request.clone()).await.expect("pages");
            assert_eq!(listed, [id.as_str()], "{}", caller.actor());
        }
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity WHERE (record #>> '{review,submit_time}')::timestamptz = submit_time").await, 1);
    app.finish::<Opportunities>().await;
}
