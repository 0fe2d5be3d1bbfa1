//! Engagements: contexts, leaving, removing.

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_context::Payload;
use tonic::Code;

use crate::support::{ALDER, BIRCH, CEDAR, Scene, lead, request_id, sales, why};

fn context(id: &str, title: &str) -> Option<pb::EngagementContext> {
    let project = pb::CustomerProject {
        customer: Some(pb::EngagementCustomer {
            company_name: "Nordwind".to_owned(),
            industry: "Retail".to_owned(),
            website_url: "www.nordwind.example".to_owned(),
            country_code: "DE".to_owned(),
        }),
        project: Some(pb::EngagementProject {
            title: title.to_owned(),
            business_problem: "Orders are typed in twice, every day.".to_owned(),
            target_completion_date: None,
        }),
    };
    Some(pb::EngagementContext {
        context_id: id.to_owned(),
        payload: Some(Payload::CustomerProject(project)),
    })
}

#[tokio::test]
async fn col_030_five_contexts_which_every_member_writes() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH]).await;
    let before = scene.get(&lead(BIRCH), &id).await.expect("it");
    assert_eq!(
        before.contexts.len(),
        1,
        "what is known of the customer from the beginning"
    );
    let create = |title: &str, etag: &str| pb::CreateEngagementContextRequest {
        engagement_id: id.clone(),
        context: context("", title),
        etag: etag.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let stale = scene
        .by(&lead(BIRCH))
        .create_engagement_context(create("Second", "\"1\""))
        .await;
    assert_eq!(why(&stale.expect_err("stale")).reason, "ETAG_MISMATCH");
    let request = create("Second", &before.etag);
    let second = scene
        .by(&lead(BIRCH))
        .create_engagement_context(request.clone())
        .await;
    let second = second.expect("added").into_inner().engagement.expect("it");
    assert_eq!(second.contexts[1].context_id, "2");
    assert_eq!(second.modified_by_account_id, BIRCH);
    let again = scene.by(&lead(BIRCH)).create_engagement_context(request).await;
    assert_eq!(again.expect("added before").into_inner().engagement, Some(second));
    for title in ["Third", "Fourth", "Fifth"] {
        scene
            .by(&lead(ALDER))
            .create_engagement_context(create(title, ""))
            .await
            .expect("added");
    }
    let sixth = scene
        .by(&lead(ALDER))
        .create_engagement_context(create("Sixth", ""))
        .await;
    assert_eq!(why(&sixth.expect_err("full")).reason, "TOO_MANY_CONTEXTS");

    let update = |context_id: &str, title: &str| pb::UpdateEngagementContextRequest {
        engagement_id: id.clone(),
        context: context(context_id, title),
        ..Default::default()
    };
    let changed = scene
        .by(&lead(ALDER))
        .update_engagement_context(update("2", "Second, but better"))
        .await;
    let changed = changed.expect("changed").into_inner().engagement.expect("it");
    let same = scene
        .by(&lead(ALDER))
        .update_engagement_context(update("2", "Second, but better"))
        .await;
    let same = same.expect("the same").into_inner().engagement.expect("it");
    assert_eq!(same.revision, changed.revision, "what says the same is no change");
    let missing = scene
        .by(&lead(ALDER))
        .update_engagement_context(update("9", "?"))
        .await;
    assert_eq!(why(&missing.expect_err("none")).reason, "CONTEXT_NOT_FOUND");
    let foreign = scene
        .by(&lead(CEDAR))
        .update_engagement_context(update("2", "Mine"))
        .await;
    assert_eq!(
        why(&foreign.expect_err("no part of it")).reason,
        "ENGAGEMENT_NOT_FOUND"
    );
    let aws = scene
        .by(&sales())
        .update_engagement_context(update("2", "Ours"))
        .await;
    assert_eq!(why(&aws.expect_err("only reads")).reason, "ROLE_NOT_PERMITTED");
    let empty = pb::UpdateEngagementContextRequest {
        engagement_id: id.clone(),
        context: Some(pb::EngagementContext::default()),
        ..Default::default()
    };
    let refusal = scene.by(&lead(ALDER)).update_engagement_context(empty).await;
    assert_eq!(why(&refusal.expect_err("says nothing")).reason, "INVALID_FIELDS");
    let mut unlisted = update("2", "Ours");
    if let Some(Payload::CustomerProject(said)) =
        unlisted.context.as_mut().and_then(|given| given.payload.as_mut())
    {
        let customer = said.customer.get_or_insert_default();
        customer.industry = "Alchemy".to_owned();
        customer.country_code = "XX".to_owned();
    }
    let refusal = scene.by(&lead(ALDER)).update_engagement_context(unlisted).await;
    let fields = why(&refusal.expect_err("of no list")).fields;
    let fields: Vec<_> = fields.iter().map(|field| field.0.as_str()).collect();
    let at = "context.customer_project.customer";
    assert_eq!(fields, [format!("{at}.industry"), format!("{at}.country_code")]);
    let mut invalid = update("2", &"Ours".repeat(64));
    if let Some(Payload::CustomerProject(said)) =
        invalid.context.as_mut().and_then(|given| given.payload.as_mut())
    {
        said.customer = None;
        said.project.get_or_insert_default().business_problem = "NUL \0 and too short".to_owned();
    }
    let refusal = scene.by(&lead(ALDER)).update_engagement_context(invalid).await;
    let fields = why(&refusal.expect_err("against the form")).fields;
    let fields: Vec<_> = fields.iter().map(|field| field.0.as_str()).collect();
    let at = "context.customer_project";
    let project = format!("{at}.project");
    assert_eq!(
        fields,
        [
            format!("{at}.customer"),
            format!("{project}.title"),
            format!("{project}.business_problem")
        ]
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_021_who_leaves_and_who_is_removed_does_not_see_it_any_more() {
    let scene = Scene::start().await;
    let id = scene.engage(&[BIRCH, CEDAR]).await;
    let leave = |request_id: String| pb::LeaveEngagementRequest {
        engagement_id: id.clone(),
        request_id,
        ..Default::default()
    };
    let founder = scene.by(&lead(ALDER)).leave_engagement(leave(request_id())).await;
    let refusal = why(&founder.expect_err("it began it"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::FailedPrecondition, "ILLEGAL_TRANSITION")
    );
    let once = request_id();
    for _ in 0..2 {
        // Said again, it is done: that there is no engagement for it any more is what it asked for.
        let left = scene.by(&lead(BIRCH)).leave_engagement(leave(once.clone())).await;
        left.expect("left");
    }
    let gone = scene.get(&lead(BIRCH), &id).await.expect_err("left");
    assert_eq!(why(&gone).reason, "ENGAGEMENT_NOT_FOUND");
    assert_eq!(scene.list(&lead(BIRCH)).await, []);
    let remove = |account: &str| pb::RemoveEngagementMemberRequest {
        engagement_id: id.clone(),
        account_id: account.to_owned(),
        ..Default::default()
    };
    // Only the company that began it removes another one.
    let refusal = scene
        .by(&lead(CEDAR))
        .remove_engagement_member(remove(ALDER))
        .await;
    assert_eq!(why(&refusal.expect_err("not its")).reason, "ENGAGEMENT_NOT_FOUND");
    let refusal = scene
        .by(&lead(ALDER))
        .remove_engagement_member(remove("777777777777"))
        .await;
    let refusal = why(&refusal.expect_err("unknown"));
    assert_eq!(refusal.reason, "ENGAGEMENT_MEMBER_NOT_FOUND");
    assert_eq!(refusal.metadata["account_id"], "777777777777");
    let refusal = scene
        .by(&lead(ALDER))
        .remove_engagement_member(remove(BIRCH))
        .await;
    assert_eq!(why(&refusal.expect_err("has left")).reason, "ILLEGAL_TRANSITION");
    let after = scene
        .by(&lead(ALDER))
        .remove_engagement_member(remove(CEDAR))
        .await;
    assert_eq!(
        after
            .expect("removed")
            .into_inner()
            .engagement
            .expect("it")
            .member_count,
        1
    );
    assert_eq!(scene.list(&lead(CEDAR)).await, []);
    let states = scene.members(&sales(), &id).await;
    let states: Vec<_> = states.iter().map(|(_, state)| *state).collect();
    assert_eq!(
        states,
        [
            pb::EngagementMemberState::Active,
            pb::EngagementMemberState::Left,
            pb::EngagementMemberState::Removed
        ]
    );
    // Both can be asked again, and come back with an opportunity of their own.
    scene.engage(&[BIRCH]).await;
    assert_eq!(scene.list(&lead(BIRCH)).await.len(), 1);
    scene.app.finish::<Collaboration>().await;
}
