//! Flags for follow-up: each member its own.

use cosell_opportunity::Opportunities;
use cosell_opportunity::domain::values::Preset;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_testkit::harness::{App, aws, refused};
use cosell_types::{Caller, ClosedList as _, Role};
use tonic::Code;

use crate::support::{
    by, count, create, discard_request, get, manager, next_steps, pages, record, request_id, start, stranger,
    submit, user,
};

fn flagging(id: &str, flagged: bool) -> pb::FlagOpportunityRequest {
    pb::FlagOpportunityRequest {
        opportunity_id: id.to_owned(),
        flagged: Some(flagged),
        ..Default::default()
    }
}

async fn flag(app: &App, caller: &Caller, request: pb::FlagOpportunityRequest) -> pb::Opportunity {
    let answer = by(app, caller).opportunities().flag_opportunity(request).await;
    answer
        .expect("a flag")
        .into_inner()
        .opportunity
        .expect("the record")
}

async fn flagged(app: &App, caller: &Caller) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        preset: Preset::Flagged.number(),
        ..Default::default()
    };
    pages(app, caller, request).await.expect("pages")
}

#[tokio::test]
async fn opp_066_a_flag_is_its_members_own_and_no_change_of_the_record() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.clone();
    submit(&app, &user(), &id).await;
    let before = get(&app, &user(), &id).await;
    assert!(!before.flagged_for_follow_up);
    let events = count(&app, "SELECT count(*) FROM event_journal").await;
    let (reviewer, seller) = (
        aws("mem-reviewer", Role::Reviewer),
        aws("mem-seller", Role::SalesRepresentative),
    );
    for caller in [user(), reviewer.clone()] {
        let answer = flag(&app, &caller, flagging(&id, true)).await;
        assert!(answer.flagged_for_follow_up);
        let same = pb::Opportunity {
            flagged_for_follow_up: false,
            ..answer
        };
        assert_eq!((same.revision, same.etag), (before.revision, before.etag.clone()));
        assert_eq!(same.update_time, before.update_time);
        // Again: nothing.
        assert!(
            flag(&app, &caller, flagging(&id, true))
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
        let listed = flagged(&app, &caller).await;
        assert_eq!(listed.len(), usize::from(expected), "{}", caller.actor());
        let past = pb::GetOpportunityRequest {
            opportunity_id: id.clone(),
            as_of: Some(AsOf::Revision(2)),
        };
        let past = by(&app, &caller)
            .opportunities()
            .get_opportunity(past)
            .await
            .expect("a revision");
        let past = past.into_inner().opportunity.expect("the record");
        assert_eq!(past.flagged_for_follow_up, expected, "of a past revision");
        let calls = by(&app, &caller);
        let all = calls
            .opportunities()
            .list_opportunities(pb::ListOpportunitiesRequest::default())
            .await;
        let all = all.expect("a list").into_inner().opportunities;
        assert_eq!(all[0].flagged_for_follow_up, expected, "in a list");
    }
    assert!(
        !flag(&app, &user(), flagging(&id, false))
            .await
            .flagged_for_follow_up
    );
    assert_eq!(flagged(&app, &user()).await.len(), 0);
    assert_eq!(flagged(&app, &reviewer).await.len(), 1, "that of another stays");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_an_update_neither_sets_nor_loses_a_flag() {
    let app = start().await;
    let mut given = record("Alder");
    given.flagged_for_follow_up = true;
    let made = create(&app, &user(), given).await;
    assert!(!made.flagged_for_follow_up, "it is for output only");
    let id = made.opportunity_id;
    flag(&app, &user(), flagging(&id, true)).await;
    let answer = by(&app, &user())
        .opportunities()
        .update_opportunity(next_steps(&id, "Workshop"))
        .await;
    let updated = answer
        .expect("an update")
        .into_inner()
        .opportunity
        .expect("the record");
    assert!(updated.flagged_for_follow_up);
    let mut masked = next_steps(&id, "Workshop");
    masked.update_mask = Some(prost_types::FieldMask {
        paths: vec!["flagged_for_follow_up".to_owned()],
    });
    refused(
        by(&app, &user()).opportunities().update_opportunity(masked).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_who_does_not_see_the_record_cannot_flag_it() {
    let app = start().await;
    let id = create(&app, &manager(), record("Alder")).await.opportunity_id;
    for caller in [user(), stranger(), aws("mem-reviewer", Role::Reviewer)] {
        for id in [&id, "O1"] {
            let answer = by(&app, &caller)
                .opportunities()
                .flag_opportunity(flagging(id, true))
                .await;
            refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
        }
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_plt_002_004_flags_are_repeated_and_tried_out() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    let tried = pb::FlagOpportunityRequest {
        validate_only: true,
        ..flagging(&id, true)
    };
    assert!(flag(&app, &user(), tried).await.flagged_for_follow_up);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    let once = pb::FlagOpportunityRequest {
        request_id: request_id(),
        ..flagging(&id, true)
    };
    flag(&app, &user(), once.clone()).await;
    flag(&app, &user(), flagging(&id, false)).await;
    let again = flag(&app, &user(), once.clone()).await;
    assert!(
        !again.flagged_for_follow_up,
        "a repetition is answered with what is"
    );
    let other = pb::FlagOpportunityRequest {
        flagged: Some(false),
        ..once
    };
    refused(
        by(&app, &user()).opportunities().flag_opportunity(other).await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_066_032_flags_and_words_of_a_discarded_draft_go_with_it() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    flag(&app, &user(), flagging(&id, true)).await;
    flag(&app, &manager(), flagging(&id, true)).await;
    let gone = by(&app, &user())
        .lifecycle()
        .discard_draft(discard_request(&id))
        .await;
    gone.expect("a discarded draft");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_flag").await, 0);
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity_word").await, 0);
    app.finish::<Opportunities>().await;
}

/// What was there before the migration: marks, submissions, words.
#[tokio::test]
async fn opp_063_064_066_what_was_stored_before_is_found_too() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    app.clock.advance(chrono::TimeDelta::days(1));
    submit(&app, &user(), &id).await;
    let mut admin = app.database.admin::<Opportunities>().await;
    for sql in [
        "DROP TABLE opportunity_word, opportunity_flag",
        "ALTER TABLE opportunity DROP origin, DROP company_name_for_aws, DROP submit_time",
        // The other indexes have gone with a column.
        "DROP INDEX opportunity_of_all_by_creation, opportunity_of_all_by_close_date, opportunity_of_all_by_owner,
           opportunity_of_all_by_position",
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
    assert_eq!(flagged(&app, &user()).await, [id.as_str()]);
    assert_eq!(flagged(&app, &manager()).await.len(), 0);
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
            let listed = pages(&app, &caller, request.clone()).await.expect("pages");
            assert_eq!(listed, [id.as_str()], "{}", caller.actor());
        }
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity WHERE (record #>> '{review,submit_time}')::timestamptz = submit_time").await, 1);
    app.finish::<Opportunities>().await;
}
