//! Covers engagements through the API: contexts (COL-030), and leaving and removal of members (COL-021).

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_context::Payload;
use tonic::Code;

use crate::support::{ALDER, BIRCH, CEDAR, Scenario, alliance_lead, parse_refusal, request_id, sales};

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
async fn col_030_members_write_up_to_five_contexts() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH]).await;
    let before = scenario
        .get_engagement(&alliance_lead(BIRCH), &id)
        .await
        .expect("a response");
    assert_eq!(before.contexts.len(), 1, "a new engagement must have one context");
    let create_request = |title: &str, etag: &str| pb::CreateEngagementContextRequest {
        engagement_id: id.clone(),
        context: context("", title),
        etag: etag.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let stale = scenario
        .client(&alliance_lead(BIRCH))
        .create_engagement_context(create_request("Second", "\"1\""))
        .await;
    assert_eq!(
        parse_refusal(&stale.expect_err("a stale etag")).reason,
        "ETAG_MISMATCH"
    );
    let request = create_request("Second", &before.etag);
    let second = scenario
        .client(&alliance_lead(BIRCH))
        .create_engagement_context(request.clone())
        .await;
    let second = second
        .expect("an added context")
        .into_inner()
        .engagement
        .expect("an engagement");
    assert_eq!(second.contexts[1].context_id, "2");
    assert_eq!(second.modified_by_account_id, BIRCH);
    let again = scenario
        .client(&alliance_lead(BIRCH))
        .create_engagement_context(request)
        .await;
    assert_eq!(
        again.expect("a repeated request").into_inner().engagement,
        Some(second)
    );
    for title in ["Third", "Fourth", "Fifth"] {
        scenario
            .client(&alliance_lead(ALDER))
            .create_engagement_context(create_request(title, ""))
            .await
            .expect("an added context");
    }
    let sixth = scenario
        .client(&alliance_lead(ALDER))
        .create_engagement_context(create_request("Sixth", ""))
        .await;
    assert_eq!(
        parse_refusal(&sixth.expect_err("a full engagement")).reason,
        "TOO_MANY_CONTEXTS"
    );

    let update_request = |context_id: &str, title: &str| pb::UpdateEngagementContextRequest {
        engagement_id: id.clone(),
        context: context(context_id, title),
        ..Default::default()
    };
    let changed = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(update_request("2", "Second, but better"))
        .await;
    let changed = changed
        .expect("a changed context")
        .into_inner()
        .engagement
        .expect("an engagement");
    let same = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(update_request("2", "Second, but better"))
        .await;
    let same = same
        .expect("an unchanged context")
        .into_inner()
        .engagement
        .expect("an engagement");
    assert_eq!(
        same.revision, changed.revision,
        "an unchanged context must not change the engagement"
    );
    let missing = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(update_request("9", "?"))
        .await;
    assert_eq!(
        parse_refusal(&missing.expect_err("an unknown context")).reason,
        "CONTEXT_NOT_FOUND"
    );
    let not_member = scenario
        .client(&alliance_lead(CEDAR))
        .update_engagement_context(update_request("2", "Mine"))
        .await;
    assert_eq!(
        parse_refusal(&not_member.expect_err("a refusal for a non-member")).reason,
        "ENGAGEMENT_NOT_FOUND"
    );
    let aws = scenario
        .client(&sales())
        .update_engagement_context(update_request("2", "Ours"))
        .await;
    assert_eq!(
        parse_refusal(&aws.expect_err("a refusal for AWS")).reason,
        "ROLE_NOT_PERMITTED"
    );
    let empty = pb::UpdateEngagementContextRequest {
        engagement_id: id.clone(),
        context: Some(pb::EngagementContext::default()),
        ..Default::default()
    };
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(empty)
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("an empty context")).reason,
        "INVALID_FIELDS"
    );
    let mut unlisted = update_request("2", "Ours");
    if let Some(Payload::CustomerProject(details)) = unlisted
        .context
        .as_mut()
        .and_then(|context| context.payload.as_mut())
    {
        let customer = details.customer.get_or_insert_default();
        customer.industry = "Alchemy".to_owned();
        customer.country_code = "XX".to_owned();
    }
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(unlisted)
        .await;
    let fields = parse_refusal(&refusal.expect_err("values outside the lists")).fields;
    let fields: Vec<_> = fields.iter().map(|field| field.0.as_str()).collect();
    let path = "context.customer_project.customer";
    assert_eq!(
        fields,
        [format!("{path}.industry"), format!("{path}.country_code")]
    );
    let mut invalid = update_request("2", &"Ours".repeat(64));
    if let Some(Payload::CustomerProject(details)) = invalid
        .context
        .as_mut()
        .and_then(|context| context.payload.as_mut())
    {
        details.customer = None;
        details.project.get_or_insert_default().business_problem = "NUL \0 and too short".to_owned();
    }
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .update_engagement_context(invalid)
        .await;
    let fields = parse_refusal(&refusal.expect_err("invalid fields")).fields;
    let fields: Vec<_> = fields.iter().map(|field| field.0.as_str()).collect();
    let path = "context.customer_project";
    let project = format!("{path}.project");
    assert_eq!(
        fields,
        [
            format!("{path}.customer"),
            format!("{project}.title"),
            format!("{project}.business_problem")
        ]
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_021_former_member_does_not_see_engagement() {
    let scenario = Scenario::start().await;
    let id = scenario.create_engagement(&[BIRCH, CEDAR]).await;
    let leave_request = |request_id: String| pb::LeaveEngagementRequest {
        engagement_id: id.clone(),
        request_id,
        ..Default::default()
    };
    let creator = scenario
        .client(&alliance_lead(ALDER))
        .leave_engagement(leave_request(request_id()))
        .await;
    let refusal = parse_refusal(&creator.expect_err("a refusal for the creator"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::FailedPrecondition, "ILLEGAL_TRANSITION")
    );
    let repeated_id = request_id();
    for _ in 0..2 {
        // A repeated request succeeds, although the engagement is no longer visible to the former member.
        let left = scenario
            .client(&alliance_lead(BIRCH))
            .leave_engagement(leave_request(repeated_id.clone()))
            .await;
        left.expect("a departure");
    }
    let hidden = scenario
        .get_engagement(&alliance_lead(BIRCH), &id)
        .await
        .expect_err("a refusal for a former member");
    assert_eq!(parse_refusal(&hidden).reason, "ENGAGEMENT_NOT_FOUND");
    assert_eq!(scenario.list_engagements(&alliance_lead(BIRCH)).await, []);
    let remove_request = |account: &str| pb::RemoveEngagementMemberRequest {
        engagement_id: id.clone(),
        account_id: account.to_owned(),
        ..Default::default()
    };
    // Only the creator of the engagement removes members.
    let refusal = scenario
        .client(&alliance_lead(CEDAR))
        .remove_engagement_member(remove_request(ALDER))
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a refusal for a non-creator")).reason,
        "ENGAGEMENT_NOT_FOUND"
    );
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .remove_engagement_member(remove_request("777777777777"))
        .await;
    let refusal = parse_refusal(&refusal.expect_err("an unknown id"));
    assert_eq!(refusal.reason, "ENGAGEMENT_MEMBER_NOT_FOUND");
    assert_eq!(refusal.metadata["account_id"], "777777777777");
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .remove_engagement_member(remove_request(BIRCH))
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("a former member")).reason,
        "ILLEGAL_TRANSITION"
    );
    let after = scenario
        .client(&alliance_lead(ALDER))
        .remove_engagement_member(remove_request(CEDAR))
        .await;
    assert_eq!(
        after
            .expect("a removed member")
            .into_inner()
            .engagement
            .expect("an engagement")
            .member_count,
        1
    );
    assert_eq!(scenario.list_engagements(&alliance_lead(CEDAR)).await, []);
    let states = scenario.member_states(&sales(), &id).await;
    let states: Vec<_> = states.iter().map(|(_, state)| *state).collect();
    assert_eq!(
        states,
        [
            pb::EngagementMemberState::Active,
            pb::EngagementMemberState::Left,
            pb::EngagementMemberState::Removed
        ]
    );
    // A former member can be invited again, and rejoins with a new opportunity.
    scenario.create_engagement(&[BIRCH]).await;
    assert_eq!(scenario.list_engagements(&alliance_lead(BIRCH)).await.len(), 1);
    scenario.app.finish::<Collaboration>().await;
}
