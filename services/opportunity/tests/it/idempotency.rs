//! Idempotency by `request_id` (PLT-002): retries, reuse for another request, refused requests, and concurrent
//! duplicates.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{partner, refused};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, client_for, count, create, create_request, discard_request, get, next_steps_request, record,
    request_id, start, submit_request, user, withdraw_request,
};

#[tokio::test]
async fn plt_002_repeated_create_returns_the_record_created_first() {
    let app = start().await;
    let request = pb::CreateOpportunityRequest {
        request_id: request_id(),
        ..create_request(record("Alder"))
    };
    let client = client_for(&app, &user());
    let first = client
        .opportunities()
        .create_opportunity(request.clone())
        .await
        .expect("a record")
        .into_inner();
    // After a later update, a retry returns the current record.
    let id = first
        .opportunity
        .as_ref()
        .expect("a record")
        .opportunity_id
        .clone();
    client
        .opportunities()
        .update_opportunity(next_steps_request(&id, "Workshop"))
        .await
        .expect("an update");
    let again = client
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("the same record")
        .into_inner();
    let again = again.opportunity.expect("a record");
    assert_eq!((again.opportunity_id.as_str(), again.revision), (id.as_str(), 2));
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_request_id_is_compared_as_a_uuid_and_not_nil() {
    let app = start().await;
    let client = client_for(&app, &user());
    let request = create_request(record("Alder"));
    let create = async |request_id: String| {
        let request = pb::CreateOpportunityRequest {
            request_id,
            ..request.clone()
        };
        client.opportunities().create_opportunity(request).await
    };
    let stated = request_id();
    for form in [stated.clone(), stated.to_uppercase()] {
        create(form).await.expect("a record");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    let nil = create("00000000-0000-0000-0000-000000000000".to_owned()).await;
    let refusal = refused(nil, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["request_id"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_repeated_transition_requests_are_applied_once() {
    let app = start().await;
    let client = client_for(&app, &user());
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let update = pb::UpdateOpportunityRequest {
        request_id: request_id(),
        ..next_steps_request(id, "Workshop")
    };
    let submit = pb::SubmitOpportunityRequest {
        request_id: request_id(),
        ..submit_request(id)
    };
    let withdraw = pb::WithdrawSubmissionRequest {
        request_id: request_id(),
        ..withdraw_request(id)
    };
    for _ in 0..3 {
        client
            .opportunities()
            .update_opportunity(update.clone())
            .await
            .expect("an update");
    }
    for _ in 0..3 {
        client
            .lifecycle()
            .submit_opportunity(submit.clone())
            .await
            .expect("a submission");
    }
    for _ in 0..3 {
        client
            .lifecycle()
            .withdraw_submission(withdraw.clone())
            .await
            .expect("a withdrawal");
    }
    assert_eq!(get(&app, &user(), id).await.revision, 4);
    let draft = create(&app, &user(), record("Birch")).await;
    let discard = pb::DiscardDraftRequest {
        request_id: request_id(),
        ..discard_request(&draft.opportunity_id)
    };
    for _ in 0..3 {
        client
            .lifecycle()
            .discard_draft(discard.clone())
            .await
            .expect("a discarded draft");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 4 + 2);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_request_id_is_bound_to_one_request_of_one_member() {
    let app = start().await;
    let id = request_id();
    let request = pb::CreateOpportunityRequest {
        request_id: id.clone(),
        ..create_request(record("Alder"))
    };
    client_for(&app, &user())
        .opportunities()
        .create_opportunity(request.clone())
        .await
        .expect("a record");
    let other_body = pb::CreateOpportunityRequest {
        request_id: id.clone(),
        ..create_request(record("Birch"))
    };
    refused(
        client_for(&app, &user())
            .opportunities()
            .create_opportunity(other_body)
            .await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    let created = create(&app, &user(), record("Cedar")).await;
    let other_method = pb::SubmitOpportunityRequest {
        request_id: id.clone(),
        ..submit_request(&created.opportunity_id)
    };
    refused(
        client_for(&app, &user())
            .lifecycle()
            .submit_opportunity(other_method)
            .await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    let colleague = partner("mem-colleague", ALDER, Role::AceManager);
    client_for(&app, &colleague)
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("request ids are scoped to the member");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 3);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_002_request_id_of_refused_request_can_be_reused() {
    let app = start().await;
    let id = request_id();
    let invalid = pb::CreateOpportunityRequest {
        request_id: id.clone(),
        ..create_request(pb::Opportunity::default())
    };
    refused(
        client_for(&app, &user())
            .opportunities()
            .create_opportunity(invalid)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    let valid = pb::CreateOpportunityRequest {
        request_id: id,
        ..create_request(record("Alder"))
    };
    client_for(&app, &user())
        .opportunities()
        .create_opportunity(valid)
        .await
        .expect("the corrected request");
    app.finish::<Opportunities>().await;
}

/// Of concurrent duplicates one is executed; the others wait for it and return its result.
#[tokio::test]
async fn plt_002_concurrent_duplicates_create_one_record() {
    let app = start().await;
    let request = pb::CreateOpportunityRequest {
        request_id: request_id(),
        ..create_request(record("Alder"))
    };
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (client, request) = (client_for(&app, &user()), request.clone());
            tokio::spawn(async move { client.opportunities().create_opportunity(request).await })
        })
        .collect();
    let mut ids = Vec::new();
    for call in calls {
        let answer = call.await.expect("no panic").expect("the record").into_inner();
        ids.push(answer.opportunity.expect("a record").opportunity_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM event_journal").await, 1);
    app.finish::<Opportunities>().await;
}
