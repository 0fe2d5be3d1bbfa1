//! Copies of deals that another partner has shared.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ParticipantType, ReviewStatus, SortOrder};
use cosell_testkit::harness::{App, FarEnd, aws, eventually, partner, refused, service};
use cosell_types::{Caller, Role, random};
use tonic::Code;

use crate::reviewer::{approve, approved, decided, opened, start_with_review};
use crate::support::{
    ALDER, BIRCH, by, count, create, date, get, get_request, manager, pages, record, stranger, submit, user,
    withdraw_request,
};

/// Birch's id of a copy.
const ID: &str = "O900719925474090107";
const INVITATION: &str = "engi-a000000000007";

fn invitation(id: &str, invitation: &str) -> collaboration::EngagementInvitationEventDetail {
    collaboration::EngagementInvitationEventDetail {
        engagement_invitation_id: invitation.to_owned(),
        account_id: BIRCH.to_owned(),
        revision: 1,
        participant_type: ParticipantType::Receiver.into(),
        engagement_id: "eng-a0000000000007".to_owned(),
        sender_account_id: ALDER.to_owned(),
        receiver_account_id: BIRCH.to_owned(),
        opportunity_id: id.to_owned(),
        answered_by: "mem-stranger".to_owned(),
        ..Default::default()
    }
}

fn accepted(
    source: &str,
    detail: collaboration::EngagementInvitationEventDetail,
) -> collaboration::EngagementInvitationAccepted {
    collaboration::EngagementInvitationAccepted {
        detail: Some(detail),
        source_opportunity_id: source.to_owned(),
    }
}

/// Birch accepts what Alder shares.
async fn share(far: &FarEnd, source: &str, id: &str) {
    let sent = random::prefixed_letter("engi-", 13);
    let event = accepted(source, invitation(id, &sent));
    far.tell("collaboration", BIRCH, &sent, 1, &event).await;
}

fn status(record: &pb::Opportunity) -> ReviewStatus {
    let life_cycle = record.life_cycle.as_ref().expect("a life cycle");
    life_cycle.review_status()
}

/// Birch's record, once it stands there.
async fn stands(app: &App, id: &str, wanted: ReviewStatus) -> pb::Opportunity {
    eventually(async || {
        let answer = by(app, &stranger())
            .opportunities()
            .get_opportunity(get_request(id))
            .await;
        let seen = answer
            .map_err(|status| status.to_string())?
            .into_inner()
            .opportunity;
        let seen = seen.expect("a record");
        if status(&seen) == wanted {
            Ok(seen)
        } else {
            Err(format!("{:?}, not {wanted:?}", status(&seen)))
        }
    })
    .await
}

/// Until the consumer has dealt with so many events.
async fn read(app: &App, events: i64) {
    eventually(async || {
        let sql = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-collaboration'";
        match count(app, sql).await {
            read if read >= events => Ok(()),
            read => Err(format!("{read} events were read")),
        }
    })
    .await;
}

async fn decide(far: &FarEnd, source: &str, decision: review::ReviewDecision) {
    let case = random::prefixed("rc-");
    far.tell("review", ALDER, &case, 1, &opened(source, 1, 1)).await;
    let decision = review::ReviewDecided {
        review_case_id: case.clone(),
        ..decided(source, 2, 1, decision)
    };
    far.tell("review", ALDER, &case, 2, &decision).await;
}

#[tokio::test]
async fn opp_092_an_accepted_invitation_makes_a_copy_once() {
    let (app, far) = start_with_review().await;
    let source = approved(&app, &far, record("Nordwind")).await;
    // What is sent, refused, and said to the sender makes nothing.
    let sent = collaboration::EngagementInvitationCreated {
        detail: Some(invitation("", INVITATION)),
    };
    far.tell("collaboration", BIRCH, INVITATION, 1, &sent).await;
    let to_sender = accepted(
        "",
        collaboration::EngagementInvitationEventDetail {
            account_id: ALDER.to_owned(),
            participant_type: ParticipantType::Sender.into(),
            ..invitation(&source, INVITATION)
        },
    );
    far.tell("collaboration", ALDER, INVITATION, 1, &to_sender).await;
    let event = accepted(
        &source,
        collaboration::EngagementInvitationEventDetail {
            revision: 2,
            ..invitation(ID, INVITATION)
        },
    );
    // As itself, and as other copies.
    let id = FarEnd::id();
    for id in [&id, &id, &FarEnd::id()] {
        far.publish(id, "collaboration", BIRCH, INVITATION, 2, &event)
            .await;
    }
    let seen = stands(&app, ID, ReviewStatus::Approved).await;
    let other = collaboration::EngagementMemberAdded::default();
    far.tell("collaboration", BIRCH, "eng-a0000000000007", 1, &other)
        .await;
    read(&app, 4).await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 2);
    assert_eq!(get(&app, &stranger(), ID).await.revision, 1);

    assert_eq!(
        (
            seen.account_id.as_str(),
            seen.owner_member_id.as_str(),
            seen.engagement_invitation_id.as_str()
        ),
        (BIRCH, "mem-stranger", INVITATION)
    );
    assert_eq!(seen.origin(), pb::Origin::PartnerReferral);
    let shared = get(&app, &user(), &source).await;
    assert_eq!(shared.engagement_invitation_id, "", "a deal of one's own");
    assert_eq!(seen.customer, shared.customer);
    let (copied, whole) = (
        seen.project.expect("a project"),
        shared.project.expect("a project"),
    );
    assert_eq!(
        (&copied.title, &copied.customer_business_problem),
        (&whole.title, &whole.customer_business_problem)
    );
    assert!(copied.expected_customer_spend.is_empty() && copied.customer_use_case.is_empty());
    let life_cycle = seen.life_cycle.expect("a life cycle");
    assert_eq!(
        (life_cycle.stage(), life_cycle.target_close_date),
        (pb::Stage::Prospect, None)
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_092_a_copy_follows_the_decision_of_the_other_record() {
    let (app, far) = start_with_review().await;
    for (decision, becomes) in [
        (review::ReviewDecision::Approve, ReviewStatus::Approved),
        (review::ReviewDecision::Reject, ReviewStatus::Rejected),
        (review::ReviewDecision::ActionRequired, ReviewStatus::Submitted),
    ] {
        let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
        submit(&app, &user(), &source).await;
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        share(&far, &source, &id).await;
        let waits = stands(&app, &id, ReviewStatus::Submitted).await;
        // It was not this partner who submitted it.
        let answer = by(&app, &stranger())
            .lifecycle()
            .withdraw_submission(withdraw_request(&id))
            .await;
        refused(answer, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
        assert_eq!(get(&app, &stranger(), &id).await, waits);

        decide(&far, &source, decision).await;
        eventually(async || match status(&get(&app, &user(), &source).await) {
            ReviewStatus::Submitted => Err("the record was not decided yet"),
            _ => Ok(()),
        })
        .await;
        let seen = stands(&app, &id, becomes).await;
        let life_cycle = seen.life_cycle.expect("a life cycle");
        assert_eq!(
            life_cycle.review_comments, "",
            "what AWS wrote was for the other one"
        );
        assert_eq!(seen.revision, 1 + i64::from(becomes != ReviewStatus::Submitted));
    }
    app.finish::<Opportunities>().await;
}

/// Nobody at AWS reads a draft, also not in the copy of another partner (ACC-012).
#[tokio::test]
async fn opp_092_a_copy_of_a_draft_says_what_aws_last_had() {
    let (app, far) = start_with_review().await;
    let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    submit(&app, &user(), &source).await;
    let submitted = get(&app, &user(), &source).await;
    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&source))
        .await
        .expect("a draft again");
    let mut draft = record("Nordwind");
    draft.national_security = Some(true);
    let project = draft.project.as_mut().expect("a project");
    project.title = "Mallard".to_owned();
    let account = draft
        .customer
        .as_mut()
        .and_then(|customer| customer.account.as_mut());
    account.expect("an account").industry = "Government".to_owned();
    let update = pb::UpdateOpportunityRequest {
        opportunity_id: source.clone(),
        opportunity: Some(draft),
        update_mask: Some(prost_types::FieldMask {
            paths: vec![
                "national_security".to_owned(),
                "project.title".to_owned(),
                "customer.account.industry".to_owned(),
            ],
        }),
        ..Default::default()
    };
    by(&app, &user())
        .opportunities()
        .update_opportunity(update)
        .await
        .expect("changed");
    let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
    share(&far, &source, &id).await;
    let seen = stands(&app, &id, ReviewStatus::Submitted).await;
    let title = |record: &pb::Opportunity| record.project.clone().expect("a project").title;
    assert_eq!(title(&seen), title(&submitted));
    assert!(seen.national_security != Some(true));
    assert_eq!(seen.customer, submitted.customer);
    app.finish::<Opportunities>().await;
}

/// Whichever comes first, the decision or the copy: none is left waiting.
#[tokio::test]
async fn opp_092_a_decision_at_the_moment_of_the_copy_reaches_it() {
    const DEALS: usize = 12;
    let (app, far) = start_with_review().await;
    let mut pairs = Vec::new();
    for _ in 0..DEALS {
        let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
        submit(&app, &user(), &source).await;
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        pairs.push((source, id));
    }
    futures::future::join_all(pairs.iter().enumerate().map(async |(number, (source, id))| {
        // In both orders.
        if number % 2 == 0 {
            decide(&far, source, review::ReviewDecision::Approve).await;
            share(&far, source, id).await;
        } else {
            share(&far, source, id).await;
            decide(&far, source, review::ReviewDecision::Approve).await;
        }
    }))
    .await;
    for (_, id) in &pairs {
        stands(&app, id, ReviewStatus::Approved).await;
    }
    app.finish::<Opportunities>().await;
}

/// A copy has no close date yet: it stands behind those that have one, and no page ends at it.
#[tokio::test]
async fn opp_092_lists_by_close_date_go_through_copies_that_have_none() {
    let (app, far) = start_with_review().await;
    let source = approved(&app, &far, record("Nordwind")).await;
    let mut copies = Vec::new();
    for _ in 0..3 {
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        share(&far, &source, &id).await;
        stands(&app, &id, ReviewStatus::Approved).await;
        copies.push(id);
    }
    let mut own = Vec::new();
    for month in [9, 4, 6] {
        let mut dated = record("Birch");
        dated.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, month, 1);
        own.push((month, create(&app, &stranger(), dated).await.opportunity_id));
    }
    own.sort();
    copies.sort_by_key(|id| id[1..].parse::<i64>().expect("a number"));
    let mut expected: Vec<_> = own.into_iter().map(|(_, id)| id).chain(copies).collect();
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        for page_size in [1, 2, 4, 100] {
            let request = pb::ListOpportunitiesRequest {
                page_size,
                sort_key: pb::OpportunitySortKey::TargetCloseDate.into(),
                sort_order: order.into(),
                ..Default::default()
            };
            let listed = pages(&app, &stranger(), request).await.expect("pages");
            assert_eq!(listed, expected, "{order:?} in pages of {page_size}");
        }
        expected.reverse();
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_opp_052_092_collaboration_reads_what_an_account_or_a_member_of_it_sees() {
    let (app, far) = start_with_review().await;
    let id = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    // So that they are known here.
    let answer = by(&app, &colleague)
        .opportunities()
        .get_opportunity(get_request(&id))
        .await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    get(&app, &manager(), &id).await;
    let ask = async |caller: &Caller, account: &str, member: &str| {
        let request = pb::GetOpportunityForAccountRequest {
            account_id: account.to_owned(),
            opportunity_id: id.clone(),
            member_id: member.to_owned(),
        };
        by(&app, caller)
            .internal()
            .get_opportunity_for_account(request)
            .await
    };
    let collaboration = service("collaboration");
    for member in ["", "mem-user", "mem-manager"] {
        let answer = ask(&collaboration, ALDER, member)
            .await
            .expect("the record")
            .into_inner();
        assert_eq!(answer.opportunity.expect("a record").opportunity_id, id);
        assert_eq!(
            answer.aws_opportunity_summary, None,
            "AWS has said nothing of a draft"
        );
    }
    for (account, member) in [
        (ALDER, "mem-colleague"),
        (ALDER, "mem-unknown"),
        (BIRCH, ""),
        (BIRCH, "mem-stranger"),
        (BIRCH, "mem-user"),
    ] {
        let answer = ask(&collaboration, account, member).await;
        refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    for other in [
        service("review"),
        service("referral"),
        service("notification"),
        service("crm"),
        user(),
        manager(),
        aws("aws-reviewer", Role::Reviewer),
    ] {
        let answer = ask(&other, ALDER, "").await;
        refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }

    // Once it is approved, what AWS says comes with it, as the partner is shown it.
    approve(&app, &far, &id).await;
    let change = pb::UpdateAwsOpportunitySummaryRequest {
        opportunity_id: id.clone(),
        aws_opportunity_summary: Some(pb::AwsOpportunitySummary {
            life_cycle: Some(pb::AwsLifeCycle {
                stage: pb::AwsStage::Qualified.into(),
                next_steps: "Call the customer".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let owner = aws("aws-owner", Role::AccountOwner);
    let changed = by(&app, &owner)
        .aws_summaries()
        .update_aws_opportunity_summary(change)
        .await;
    changed.expect("a summary");
    let answer = ask(&collaboration, ALDER, "")
        .await
        .expect("the record")
        .into_inner();
    let said = answer
        .aws_opportunity_summary
        .and_then(|summary| summary.life_cycle)
        .expect("a summary");
    assert_eq!(
        (said.next_steps.as_str(), said.stage()),
        ("Call the customer", pb::AwsStage::Unspecified),
        "AWS's stage is hidden until it is terminal"
    );
    app.finish::<Opportunities>().await;
}
