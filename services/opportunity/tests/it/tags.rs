//! Tags are set and removed at any time (OPP-009).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{FarEnd, refused};
use tonic::Code;

use crate::support::{by, create, get, manager, record, start, stranger, submit, user};

fn tag(key: &str, value: &str) -> pb::Tag {
    pb::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn tagging(id: &str, tags: Vec<pb::Tag>) -> pb::TagOpportunityRequest {
    pb::TagOpportunityRequest {
        opportunity_id: id.to_owned(),
        tags,
        request_id: FarEnd::id(),
        ..Default::default()
    }
}

fn untagging(id: &str, key: &str) -> pb::UntagOpportunityRequest {
    pb::UntagOpportunityRequest {
        opportunity_id: id.to_owned(),
        tag_keys: vec![key.to_owned()],
        ..Default::default()
    }
}

#[tokio::test]
async fn opp_009_tags_are_set_and_removed_also_of_a_record_in_review() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let before = get(&app, &user(), &id).await;
    let mut calls = by(&app, &user()).opportunities();
    let request = tagging(&id, vec![tag("region", "north"), tag("team", "")]);
    for _ in 0..2 {
        let answer = calls.tag_opportunity(request.clone()).await.expect("tags");
        let seen = answer.into_inner().opportunity.expect("a record");
        assert_eq!(
            seen.revision,
            before.revision + 1,
            "a repeated request is done once"
        );
        assert_eq!(seen.tags, request.tags);
        assert_eq!(seen.life_cycle, before.life_cycle);
    }
    let stale = pb::TagOpportunityRequest {
        etag: before.etag.clone(),
        ..tagging(&id, vec![tag("region", "south")])
    };
    refused(calls.tag_opportunity(stale).await, Code::Aborted, "ETAG_MISMATCH");
    let twice = tagging(&id, vec![tag("a", "1"), tag("a", "2")]);
    let refusal = refused(
        calls.tag_opportunity(twice).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["tags[1].key"]);
    let answer = calls
        .untag_opportunity(untagging(&id, "region"))
        .await
        .expect("fewer tags");
    let seen = answer.into_inner().opportunity.expect("a record");
    assert_eq!(seen.tags, [tag("team", "")]);
    let again = calls
        .untag_opportunity(untagging(&id, "region"))
        .await
        .expect("no change");
    assert_eq!(again.into_inner().opportunity, Some(seen));

    // In another way they are not changed, and nobody else's are.
    let draft = create(&app, &user(), record("Birch")).await.opportunity_id;
    let masked = pb::UpdateOpportunityRequest {
        opportunity_id: draft,
        opportunity: Some(record("Alder")),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["tags".to_owned()],
        }),
        ..Default::default()
    };
    refused(
        calls.update_opportunity(masked).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    let mut calls = by(&app, &stranger()).opportunities();
    let answer = calls.tag_opportunity(tagging(&id, vec![tag("a", "")])).await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let answer = calls.untag_opportunity(untagging(&id, "team")).await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    assert_eq!(get(&app, &manager(), &id).await.tags, [tag("team", "")]);
    app.finish::<Opportunities>().await;
}
