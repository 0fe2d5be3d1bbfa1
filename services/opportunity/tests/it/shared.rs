//! Shared copies (OPP-092): Alder shares opportunities, and Birch accepts them. Covers creation, following the
//! decision, drafts, concurrency, lists, and reads by the collaboration service.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ParticipantType, ReviewStatus, SortOrder};
use cosell_testkit::harness::{App, PeerStub, aws, eventually, partner, refused, service};
use cosell_types::{Caller, Role, random};
use tonic::Code;

use crate::reviewer::{approve, create_approved, review_decided, review_round_opened, start_with_review};
use crate::support::{
    ALDER, BIRCH, client_for, count, create, date, get, get_request, list_all_ids, manager, record, submit,
    unrelated_member, user, withdraw_request,
};

/// The alliance lead of Birch, which accepts the invitations.
fn receiver() -> Caller {
    unrelated_member()
}

/// The id of Birch's shared copy.
const ID: &str = "O900719925474090107";
const INVITATION: &str = "engi-a000000000007";

fn invitation_detail(id: &str, invitation: &str) -> collaboration::EngagementInvitationEventDetail {
    collaboration::EngagementInvitationEventDetail {
        engagement_invitation_id: invitation.to_owned(),
        account_id: BIRCH.to_owned(),
        revision: 1,
        participant_type: ParticipantType::Receiver.into(),
        engagement_id: "eng-a0000000000007".to_owned(),
        sender_account_id: ALDER.to_owned(),
        receiver_account_id: BIRCH.to_owned(),
        opportunity_id: id.to_owned(),
        answered_by: "mem-unrelated".to_owned(),
        ..Default::default()
    }
}

fn invitation_accepted(
    source: &str,
    detail: collaboration::EngagementInvitationEventDetail,
) -> collaboration::EngagementInvitationAccepted {
    collaboration::EngagementInvitationAccepted {
        detail: Some(detail),
        source_opportunity_id: source.to_owned(),
    }
}

/// Publishes that Birch accepts an invitation to Alder's opportunity.
async fn accept_invitation(peer: &PeerStub, source: &str, id: &str) {
    let sent = random::prefixed_letter("engi-", 13);
    let event = invitation_accepted(source, invitation_detail(id, &sent));
    peer.publish_event("collaboration", BIRCH, &sent, 1, &event).await;
}

fn review_status(record: &pb::Opportunity) -> ReviewStatus {
    let life_cycle = record.life_cycle.as_ref().expect("a life cycle");
    life_cycle.review_status()
}

/// Waits until Birch's shared copy has the review status.
async fn wait_for_copy(app: &App, id: &str, wanted: ReviewStatus) -> pb::Opportunity {
    eventually(async || {
        let answer = client_for(app, &receiver())
            .opportunities()
            .get_opportunity(get_request(id))
            .await;
        let copy = answer
            .map_err(|status| status.to_string())?
            .into_inner()
            .opportunity;
        let copy = copy.expect("a record");
        if review_status(&copy) == wanted {
            Ok(copy)
        } else {
            Err(format!("{:?}, not {wanted:?}", review_status(&copy)))
        }
    })
    .await
}

/// Waits until the consumer has handled `events` events.
async fn wait_for_inbox(app: &App, events: i64) {
    eventually(async || {
        let sql = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-collaboration'";
        match count(app, sql).await {
            read if read >= events => Ok(()),
            read => Err(format!("{read} events were applied")),
        }
    })
    .await;
}

async fn publish_decision(peer: &PeerStub, source: &str, decision: review::ReviewDecision) {
    let case = random::prefixed("rc-");
    peer.publish_event("review", ALDER, &case, 1, &review_round_opened(source, 1, 1))
        .await;
    let decision = review::ReviewDecided {
        review_case_id: case.clone(),
        ..review_decided(source, 2, 1, decision)
    };
    peer.publish_event("review", ALDER, &case, 2, &decision).await;
}

/// The customer's people and numbers are hidden in snapshots, so that the copy has none of them either.
#[tokio::test]
async fn opp_092_receiver_reads_nothing_in_its_copy_that_snapshots_hide() {
    let (app, peer) = start_with_review().await;
    let mut shared = record("Nordwind");
    let customer = shared.customer.as_mut().expect("a customer");
    customer.contacts = vec![pb::Contact {
        first_name: "Ute".to_owned(),
        last_name: "Unger".to_owned(),
        email: "ute@nordwind.example".to_owned(),
        ..Default::default()
    }];
    let account = customer.account.as_mut().expect("an account");
    account.duns = "123456789".to_owned();
    account.aws_account_id = "123456789012".to_owned();
    let source = create_approved(&app, &peer, shared).await;
    accept_invitation(&peer, &source, ID).await;
    let copy = wait_for_copy(&app, ID, ReviewStatus::Approved).await;
    let customer = copy.customer.expect("a customer");
    assert_eq!(customer.contacts, []);
    let account = customer.account.expect("an account");
    assert_eq!(
        (
            account.company_name.as_str(),
            account.duns.as_str(),
            account.aws_account_id.as_str()
        ),
        ("Nordwind", "", "")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_092_accepted_invitation_creates_one_shared_copy() {
    let (app, peer) = start_with_review().await;
    let source = create_approved(&app, &peer, record("Nordwind")).await;
    // A created invitation and the sender's notification create no copy.
    let sent = collaboration::EngagementInvitationCreated {
        detail: Some(invitation_detail("", INVITATION)),
    };
    peer.publish_event("collaboration", BIRCH, INVITATION, 1, &sent)
        .await;
    let to_sender = invitation_accepted(
        "",
        collaboration::EngagementInvitationEventDetail {
            account_id: ALDER.to_owned(),
            participant_type: ParticipantType::Sender.into(),
            ..invitation_detail(&source, INVITATION)
        },
    );
    peer.publish_event("collaboration", ALDER, INVITATION, 1, &to_sender)
        .await;
    let event = invitation_accepted(
        &source,
        collaboration::EngagementInvitationEventDetail {
            revision: 2,
            ..invitation_detail(ID, INVITATION)
        },
    );
    // Delivered twice with the same id and once with a new id.
    let id = PeerStub::id();
    for id in [&id, &id, &PeerStub::id()] {
        peer.publish(id, "collaboration", BIRCH, INVITATION, 2, &event)
            .await;
    }
    let copy = wait_for_copy(&app, ID, ReviewStatus::Approved).await;
    let other = collaboration::EngagementMemberAdded::default();
    peer.publish_event("collaboration", BIRCH, "eng-a0000000000007", 1, &other)
        .await;
    wait_for_inbox(&app, 4).await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 2);
    assert_eq!(get(&app, &receiver(), ID).await.revision, 1);

    assert_eq!(
        (
            copy.account_id.as_str(),
            copy.owner_member_id.as_str(),
            copy.engagement_invitation_id.as_str()
        ),
        (BIRCH, "mem-unrelated", INVITATION)
    );
    assert_eq!(copy.origin(), pb::Origin::PartnerReferral);
    let shared = get(&app, &user(), &source).await;
    assert_eq!(
        shared.engagement_invitation_id, "",
        "the source is not a shared copy"
    );
    assert_eq!(copy.customer, shared.customer);
    let (copied, original) = (
        copy.project.expect("a project"),
        shared.project.expect("a project"),
    );
    assert_eq!(
        (&copied.title, &copied.customer_business_problem),
        (&original.title, &original.customer_business_problem)
    );
    assert!(copied.expected_customer_spend.is_empty() && copied.customer_use_case.is_empty());
    let life_cycle = copy.life_cycle.expect("a life cycle");
    assert_eq!(
        (life_cycle.stage(), life_cycle.target_close_date),
        (pb::Stage::Prospect, None)
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_092_shared_copy_follows_decision_on_source() {
    let (app, peer) = start_with_review().await;
    for (decision, expected_status) in [
        (review::ReviewDecision::Approve, ReviewStatus::Approved),
        (review::ReviewDecision::Reject, ReviewStatus::Rejected),
        (review::ReviewDecision::ActionRequired, ReviewStatus::Submitted),
    ] {
        let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
        submit(&app, &user(), &source).await;
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        accept_invitation(&peer, &source, &id).await;
        let pending = wait_for_copy(&app, &id, ReviewStatus::Submitted).await;
        // The receiver did not submit the record, so it cannot withdraw it.
        let answer = client_for(&app, &receiver())
            .lifecycle()
            .withdraw_submission(withdraw_request(&id))
            .await;
        refused(answer, Code::FailedPrecondition, "ILLEGAL_TRANSITION");
        assert_eq!(get(&app, &receiver(), &id).await, pending);

        publish_decision(&peer, &source, decision).await;
        eventually(async || match review_status(&get(&app, &user(), &source).await) {
            ReviewStatus::Submitted => Err("the source is still submitted"),
            _ => Ok(()),
        })
        .await;
        let copy = wait_for_copy(&app, &id, expected_status).await;
        let life_cycle = copy.life_cycle.expect("a life cycle");
        assert_eq!(life_cycle.review_comments, "", "review remarks are not copied");
        assert_eq!(
            copy.revision,
            1 + i64::from(expected_status != ReviewStatus::Submitted)
        );
    }
    app.finish::<Opportunities>().await;
}

/// AWS does not see a draft in the shared copy of another partner either (ACC-012).
#[tokio::test]
async fn opp_092_shared_copy_of_draft_uses_last_submitted_details() {
    let (app, peer) = start_with_review().await;
    let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    submit(&app, &user(), &source).await;
    let submitted = get(&app, &user(), &source).await;
    client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(&source))
        .await
        .expect("a withdrawal");
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
    client_for(&app, &user())
        .opportunities()
        .update_opportunity(update)
        .await
        .expect("an update");
    let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
    accept_invitation(&peer, &source, &id).await;
    let copy = wait_for_copy(&app, &id, ReviewStatus::Submitted).await;
    let title = |record: &pb::Opportunity| record.project.clone().expect("a project").title;
    assert_eq!(title(&copy), title(&submitted));
    assert!(copy.national_security != Some(true));
    assert_eq!(copy.customer, submitted.customer);
    app.finish::<Opportunities>().await;
}

/// A copy receives the decision whether it is created before or after it.
#[tokio::test]
async fn opp_092_shared_copy_receives_concurrent_decision_on_source() {
    const COUNT: usize = 12;
    let (app, peer) = start_with_review().await;
    let mut pairs = Vec::new();
    for _ in 0..COUNT {
        let source = create(&app, &user(), record("Nordwind")).await.opportunity_id;
        submit(&app, &user(), &source).await;
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        pairs.push((source, id));
    }
    futures::future::join_all(pairs.iter().enumerate().map(async |(number, (source, id))| {
        // Half of the pairs in each order.
        if number % 2 == 0 {
            publish_decision(&peer, source, review::ReviewDecision::Approve).await;
            accept_invitation(&peer, source, id).await;
        } else {
            accept_invitation(&peer, source, id).await;
            publish_decision(&peer, source, review::ReviewDecision::Approve).await;
        }
    }))
    .await;
    for (_, id) in &pairs {
        wait_for_copy(&app, id, ReviewStatus::Approved).await;
    }
    app.finish::<Opportunities>().await;
}

/// Copies without a close date sort after all dates, and pages continue past them.
#[tokio::test]
async fn opp_092_list_by_close_date_pages_through_copies_without_date() {
    let (app, peer) = start_with_review().await;
    let source = create_approved(&app, &peer, record("Nordwind")).await;
    let mut copies = Vec::new();
    for _ in 0..3 {
        let id = random::opportunity_id(cosell_types::Clock::system().now()).to_string();
        accept_invitation(&peer, &source, &id).await;
        wait_for_copy(&app, &id, ReviewStatus::Approved).await;
        copies.push(id);
    }
    let mut own = Vec::new();
    for month in [9, 4, 6] {
        let mut dated = record("Birch");
        dated.life_cycle.as_mut().expect("a life cycle").target_close_date = date(2026, month, 1);
        own.push((month, create(&app, &receiver(), dated).await.opportunity_id));
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
            let listed = list_all_ids(&app, &receiver(), request).await.expect("pages");
            assert_eq!(listed, expected, "{order:?} in pages of {page_size}");
        }
        expected.reverse();
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_opp_052_092_collaboration_reads_records_as_account_or_member() {
    let (app, peer) = start_with_review().await;
    let id = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    // A call makes each member known to the service.
    let answer = client_for(&app, &colleague)
        .opportunities()
        .get_opportunity(get_request(&id))
        .await;
    refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    get(&app, &manager(), &id).await;
    let get_for_account = async |caller: &Caller, account: &str, member: &str| {
        let request = pb::GetOpportunityForAccountRequest {
            account_id: account.to_owned(),
            opportunity_id: id.clone(),
            member_id: member.to_owned(),
        };
        client_for(&app, caller)
            .internal()
            .get_opportunity_for_account(request)
            .await
    };
    let collaboration = service("collaboration");
    let notification = get_for_account(&service("notification"), ALDER, "").await;
    notification.expect("the record, which notification names in its notifications");
    for member in ["", "mem-user", "mem-manager"] {
        let answer = get_for_account(&collaboration, ALDER, member)
            .await
            .expect("the record")
            .into_inner();
        assert_eq!(answer.opportunity.expect("a record").opportunity_id, id);
        assert_eq!(answer.aws_opportunity_summary, None, "a draft has no AWS summary");
    }
    for (account, member) in [
        (ALDER, "mem-colleague"),
        (ALDER, "mem-unknown"),
        (BIRCH, ""),
        (BIRCH, "mem-unrelated"),
        (BIRCH, "mem-user"),
    ] {
        let answer = get_for_account(&collaboration, account, member).await;
        refused(answer, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    for other in [
        service("review"),
        service("referral"),
        service("crm"),
        user(),
        manager(),
        aws("aws-reviewer", Role::Reviewer),
    ] {
        let answer = get_for_account(&other, ALDER, "").await;
        refused(answer, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }

    // An approved record is returned with the partner's view of the AWS summary.
    approve(&app, &peer, &id).await;
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
    let changed = client_for(&app, &owner)
        .aws_summaries()
        .update_aws_opportunity_summary(change)
        .await;
    changed.expect("a summary");
    let answer = get_for_account(&collaboration, ALDER, "")
        .await
        .expect("the record")
        .into_inner();
    let life_cycle = answer
        .aws_opportunity_summary
        .and_then(|summary| summary.life_cycle)
        .expect("a summary");
    assert_eq!(
        (life_cycle.next_steps.as_str(), life_cycle.stage()),
        ("Call the customer", pb::AwsStage::Unspecified),
        "the AWS stage is hidden until it is terminal"
    );
    app.finish::<Opportunities>().await;
}
