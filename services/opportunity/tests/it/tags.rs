//! Setting and removing tags in any review status (OPP-009).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{PeerStub, refused};
use tonic::Code;

use crate::support::{client_for, create, get, manager, record, start, submit, unrelated_member, user};

fn tag(key: &str, value: &str) -> pb::Tag {
    pb::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn tag_request(id: &str, tags: Vec<pb::Tag>) -> pb::TagOpportunityRequest {
    pb::TagOpportunityRequest {
        opportunity_id: id.to_owned(),
        tags,
        request_id: PeerStub::id(),
        ..Default::default()
    }
}

fn untag_request(id: &str, key: &str) -> pb::UntagOpportunityRequest {
    pb::UntagOpportunityRequest {
        opportunity_id: id.to_owned(),
        tag_keys: vec![key.to_owned()],
        ..Default::default()
    }
}

#[tokio::test]
async fn opp_009_tags_of_submitted_record_can_be_set_and_removed() {
    let app = start().await;
    let id = create(&app, &user(), record("Alder")).await.opportunity_id;
    submit(&app, &user(), &id).await;
    let before = get(&app, &user(), &id).await;
    let mut client = client_for(&app, &user()).opportunities();
    let request = tag_request(&id, vec![tag("region", "north"), tag("team", "")]);
    for _ in 0..2 {
        let answer = client.tag_opportunity(request.clone()).await.expect("tags");
        let tagged = answer.into_inner().opportunity.expect("a record");
        assert_eq!(tagged.revision, before.revision + 1, "a retry is applied once");
        assert_eq!(tagged.tags, request.tags);
        assert_eq!(tagged.life_cycle, before.life_cycle);
    }
    let stale = pb::TagOpportunityRequest {
        etag: before.etag.clone(),
        ..tag_request(&id, vec![tag("region", "south")])
    };
    refused(
        client.tag_opportunity(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let twice = tag_request(&id, vec![tag("a", "1"), tag("a", "2")]);
    let refusal = refused(
        client.tag_opportunity(twice).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    assert_eq!(refusal.paths(), ["tags[1].key"]);
    let answer = client
        .untag_opportunity(untag_request(&id, "region"))
        .await
        .expect("fewer tags");
    let tagged = answer.into_inner().opportunity.expect("a record");
    assert_eq!(tagged.tags, [tag("team", "")]);
    let again = client
        .untag_opportunity(untag_request(&id, "region"))
        .await
        .expect("no change");
    assert_eq!(again.into_inner().opportunity, Some(tagged));

    // Updates cannot change tags, and unrelated accounts cannot change them at all.
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
        client.update_opportunity(masked).await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    let mut client = client_for(&app, &unrelated_member()).opportunities();
    let answer = client.tag_opportunity(tag_request(&id, vec![tag("a", "")])).await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    let answer = client.untag_opportunity(untag_request(&id, "team")).await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    assert_eq!(get(&app, &manager(), &id).await.tags, [tag("team", "")]);
    app.finish::<Opportunities>().await;
}
