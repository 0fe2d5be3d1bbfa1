//! Covers `ShareOpportunity`: what invited accounts read before acceptance (COL-011), which opportunities can be shared
//! with whom (COL-001 to COL-005), idempotency, and visibility for AWS (COL-050).

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::engagement_invitation::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::r#type::v1::{ParticipantType, ReviewStatus};
use cosell_testkit::harness::{Setup, eventually, partner};
use cosell_types::Role;
use prost::Message as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, CEDAR, DOGWOOD, HIDDEN, OPPORTUNITY_ID, Scenario, alliance_lead, approved_opportunity,
    parse_refusal, request_id, sales, share_request,
};

fn contains_text(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn col_011_pending_invitation_shows_only_listed_fields() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH, CEDAR]).await;
    let engagement = shared.engagement.expect("an engagement");
    assert_eq!(
        (
            engagement.title.as_str(),
            engagement.member_count,
            engagement.opportunity_id.as_str()
        ),
        ("Data platform", 3, OPPORTUNITY_ID)
    );
    assert_eq!(shared.engagement_invitations.len(), 2);

    let received = scenario.list_invitations(&alliance_lead(BIRCH)).await;
    let [invitation] = received.as_slice() else {
        panic!("{received:?}");
    };
    let Some(Payload::OpportunityInvitation(offer)) = invitation.payload.clone() else {
        panic!("{invitation:?}");
    };
    let customer = offer.customer.clone().expect("a customer");
    let project = offer.project.clone().expect("a project");
    assert_eq!(
        (
            invitation.message.as_str(),
            invitation.sender_company_name.as_str(),
            project.title.as_str(),
            project.customer_use_case.as_str(),
            customer.company_name.as_str(),
            customer.country_code.as_str(),
        ),
        (
            "Let us do this together.",
            "Company 111111111111",
            "Data platform",
            "Database",
            "Nordwind",
            "DE"
        )
    );
    assert_eq!(offer.sender_contacts[0].email, "ada@alder.example");
    assert_eq!(
        invitation.existing_members.len(),
        1,
        "existing members must not include invited accounts"
    );
    assert_eq!(invitation.participant_type(), ParticipantType::Receiver);
    assert_eq!(
        invitation.receiver_alias, "",
        "the alias must be hidden from the receiver"
    );

    // No response or event contains a hidden value, another invited account, or the id of Alder's record.
    let source_bytes = [
        approved_opportunity().encode_to_vec(),
        share_request(&[BIRCH]).encode_to_vec(),
    ]
    .concat();
    let mut secrets: Vec<_> = HIDDEN.to_vec();
    secrets.extend([CEDAR, OPPORTUNITY_ID, "our friend", "mem-lead-111111111111"]);
    for hidden in HIDDEN {
        assert!(
            contains_text(&source_bytes, hidden),
            "the source must contain {hidden}"
        );
    }
    let bytes = invitation.encode_to_vec();
    for secret in secrets {
        assert!(!contains_text(&bytes, secret), "the invitation contains {secret}");
    }
    let events = scenario.peer.first_events("collaboration", 7).await;
    for event in events
        .iter()
        .filter(|event| event.header("ce-accountid") == BIRCH)
    {
        for secret in HIDDEN
            .iter()
            .chain([&CEDAR, &OPPORTUNITY_ID, &"mem-lead-111111111111"])
        {
            assert!(
                !contains_text(&event.payload, secret),
                "an event of Birch contains {secret}"
            );
            assert!(
                !format!("{:?}", event.headers).contains(secret),
                "the event headers contain {secret}"
            );
        }
    }
    // An invited account does not see the engagement.
    assert_eq!(scenario.list_engagements(&alliance_lead(BIRCH)).await, []);
    let hidden = scenario
        .get_engagement(&alliance_lead(BIRCH), &engagement.engagement_id)
        .await
        .expect_err("a refusal before acceptance");
    assert_eq!(parse_refusal(&hidden).reason, "ENGAGEMENT_NOT_FOUND");
    // AWS sees the engagement and its invitations (COL-050).
    assert_eq!(scenario.list_engagements(&sales()).await.len(), 1);
    let seen = scenario.list_invitations(&sales()).await;
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter().all(|invitation| invitation.receiver_alias.is_empty()),
        "the alias must be visible to the sender only"
    );
    scenario.app.finish::<Collaboration>().await;
}

/// Makes an opportunity unshareable.
type Change = fn(&mut opportunity::Opportunity);

#[tokio::test]
async fn col_001_only_open_submitted_opportunities_are_shared() {
    let scenario = Scenario::start().await;
    let cases: [(&str, Change); 6] = [
        ("REVIEW_STATUS", |record| {
            life_cycle(record).review_status = ReviewStatus::PendingSubmission.into()
        }),
        ("REVIEW_STATUS", |record| {
            life_cycle(record).review_status = ReviewStatus::ActionRequired.into()
        }),
        ("REVIEW_STATUS", |record| {
            life_cycle(record).review_status = ReviewStatus::Rejected.into()
        }),
        ("STAGE", |record| {
            life_cycle(record).stage = opportunity::Stage::Launched.into()
        }),
        ("NATIONAL_SECURITY", |record| {
            record.national_security = Some(true)
        }),
        ("SHARED_BY_ANOTHER", |record| {
            record.engagement_invitation_id = "engi-a000000000000".to_owned()
        }),
    ];
    for (cause, change) in cases {
        let mut record = approved_opportunity();
        change(&mut record);
        *scenario.records.lock().expect("records") = vec![record];
        let refusal = scenario
            .client(&alliance_lead(ALDER))
            .share_opportunity(share_request(&[BIRCH]))
            .await;
        let refusal = parse_refusal(&refusal.expect_err(cause));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_SHAREABLE", cause)
        );
    }
    for status in [ReviewStatus::Submitted, ReviewStatus::InReview] {
        let mut record = approved_opportunity();
        life_cycle(&mut record).review_status = status.into();
        *scenario.records.lock().expect("records") = vec![record];
        let dry_run = pb::ShareOpportunityRequest {
            validate_only: true,
            ..share_request(&[BIRCH])
        };
        let response = scenario
            .client(&alliance_lead(ALDER))
            .share_opportunity(dry_run)
            .await;
        assert_eq!(
            response
                .expect("a dry run")
                .into_inner()
                .engagement_invitations
                .len(),
            1
        );
    }
    // Dry runs and refused calls create nothing.
    assert_eq!(scenario.list_engagements(&alliance_lead(ALDER)).await, []);
    assert_eq!(
        scenario.event_count(BIRCH, "engagement_invitation_created").await,
        0
    );
    scenario.app.finish::<Collaboration>().await;
}

fn life_cycle(record: &mut opportunity::Opportunity) -> &mut opportunity::LifeCycle {
    record.life_cycle.get_or_insert_default()
}

#[tokio::test]
async fn col_002_unconnected_and_unknown_receivers_are_refused_alike() {
    let scenario = Scenario::start().await;
    for receiver in [DOGWOOD, "777777777777", ALDER] {
        let refusal = scenario
            .client(&alliance_lead(ALDER))
            .share_opportunity(share_request(&[BIRCH, receiver]))
            .await;
        let refusal = parse_refusal(&refusal.expect_err("a missing connection"));
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (Code::FailedPrecondition, "NOT_CONNECTED")
        );
        assert_eq!(refusal.metadata["account_id"], receiver);
    }
    assert_eq!(
        scenario.list_invitations(&alliance_lead(BIRCH)).await,
        [],
        "a refused call must invite nobody"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_003_engagement_is_limited_to_nine_other_accounts() {
    let partners: Vec<_> = (1..=11).map(|number| format!("5000000000{number:02}")).collect();
    let partners: Vec<_> = partners.iter().map(String::as_str).collect();
    let scenario = Scenario::with_partners(Default::default(), &partners).await;
    let ten = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(share_request(&partners[..10]))
        .await;
    assert_eq!(
        parse_refusal(&ten.expect_err("too many receivers")).reason,
        "INVALID_FIELDS"
    );
    let shared = scenario.share(&partners[..9]).await;
    let tenth = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(share_request(&partners[9..10]))
        .await;
    let refusal = parse_refusal(&tenth.expect_err("a tenth other account"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::FailedPrecondition, "TOO_MANY_MEMBERS")
    );
    // A rejected invitation no longer counts.
    let rejected = &shared.engagement_invitations[0];
    let response = scenario
        .client(&alliance_lead(&rejected.receiver_account_id))
        .reject_engagement_invitation(crate::support::reject_request(&rejected.engagement_invitation_id))
        .await;
    response.expect("a rejected invitation");
    scenario.share(&partners[9..10]).await;
    let eleventh = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(share_request(&partners[10..]))
        .await;
    assert_eq!(
        parse_refusal(&eleventh.expect_err("a full engagement")).reason,
        "TOO_MANY_MEMBERS"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_004_opportunity_has_one_engagement_and_one_invitation_per_account() {
    let scenario = Scenario::start().await;
    let first = scenario.share(&[BIRCH]).await.engagement.expect("an engagement");
    let second = scenario.share(&[CEDAR]).await.engagement.expect("an engagement");
    assert_eq!(first.engagement_id, second.engagement_id);
    let again = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(share_request(&[BIRCH]))
        .await;
    let refusal = parse_refusal(&again.expect_err("an invited account"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::AlreadyExists, "ALREADY_INVOLVED")
    );
    assert_eq!(refusal.metadata["state"], "INVITED");
    let renamed = pb::ShareOpportunityRequest {
        engagement_title: "Another name".to_owned(),
        ..share_request(&[BIRCH])
    };
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(renamed)
        .await;
    let refusal = parse_refusal(&refusal.expect_err("an existing title"));
    assert_eq!(refusal.fields[0].0, "engagement_title");
    let duplicate = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(share_request(&[CEDAR, CEDAR]))
        .await;
    assert_eq!(
        parse_refusal(&duplicate.expect_err("a duplicate receiver")).fields[0].0,
        "receivers[1].account_id"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn plt_002_repeated_share_creates_one_invitation() {
    let scenario = Scenario::start().await;
    let request = pb::ShareOpportunityRequest {
        request_id: request_id(),
        ..share_request(&[CEDAR, BIRCH])
    };
    let first = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(request.clone())
        .await;
    let again = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(request.clone())
        .await;
    assert_eq!(
        first.expect("a shared opportunity").into_inner(),
        again.expect("a repeated request").into_inner()
    );
    assert_eq!(
        scenario.event_count(BIRCH, "engagement_invitation_created").await,
        1
    );
    let other = pb::ShareOpportunityRequest {
        message: "Another message".to_owned(),
        ..request
    };
    let refusal = scenario
        .client(&alliance_lead(ALDER))
        .share_opportunity(other)
        .await;
    assert_eq!(
        parse_refusal(&refusal.expect_err("another request body")).reason,
        "REQUEST_ID_REUSED"
    );
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_005_opportunity_is_shared_by_members_who_can_open_it() {
    let scenario = Scenario::start().await;
    let other_account = scenario
        .client(&alliance_lead(BIRCH))
        .share_opportunity(share_request(&[ALDER]))
        .await;
    assert_eq!(
        parse_refusal(&other_account.expect_err("an opportunity of another account")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    for role in [Role::CloudAdmin, Role::ChannelUser, Role::StandardUser] {
        let caller = partner("mem-no", ALDER, role);
        let refusal = scenario
            .client(&caller)
            .share_opportunity(share_request(&[BIRCH]))
            .await;
        assert_eq!(
            parse_refusal(&refusal.expect_err("a role without access")).reason,
            "ROLE_NOT_PERMITTED"
        );
    }
    // An ACE user sees the engagements that it began, and no other.
    let user = partner("mem-user", ALDER, Role::AceUser);
    let shared = scenario
        .client(&user)
        .share_opportunity(share_request(&[BIRCH]))
        .await;
    let id = shared
        .expect("a shared opportunity")
        .into_inner()
        .engagement
        .expect("an engagement")
        .engagement_id;
    assert_eq!(scenario.list_engagements(&user).await.len(), 1);
    let other = partner("mem-other", ALDER, Role::AceUser);
    assert_eq!(scenario.list_engagements(&other).await, []);
    assert_eq!(
        parse_refusal(
            &scenario
                .get_engagement(&other, &id)
                .await
                .expect_err("an invisible engagement")
        )
        .code,
        Code::NotFound
    );
    assert!(scenario.get_engagement(&alliance_lead(ALDER), &id).await.is_ok());
    scenario.app.finish::<Collaboration>().await;
}

/// Records with LIMITED visibility, and everything shared of them, are hidden from AWS sales roles.
#[tokio::test]
async fn col_050_acc_012_aws_reads_engagements_with_full_visibility_only() {
    let scenario = Scenario::with_partners(Setup::default(), &[BIRCH, CEDAR]).await;
    let set_visibility = |visibility: opportunity::Visibility| {
        scenario.records.lock().expect("records")[0].visibility = visibility.into();
    };
    set_visibility(opportunity::Visibility::Limited);
    let shared = scenario.share(&[BIRCH]).await;
    let engagement = shared.engagement.expect("an engagement").engagement_id;
    let invitation = pb::GetEngagementInvitationRequest {
        engagement_invitation_id: shared.engagement_invitations[0].engagement_invitation_id.clone(),
    };
    let snapshot = pb::GetResourceSnapshotRequest {
        engagement_id: engagement.clone(),
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: Some(1),
    };
    eventually(async || {
        let mut alder = scenario.snapshot_client(&alliance_lead(ALDER));
        let response = alder.get_resource_snapshot(snapshot.clone()).await;
        response.map_err(|status| status.message().to_owned())
    })
    .await;
    let members = pb::ListEngagementMembersRequest {
        engagement_id: engagement.clone(),
        ..Default::default()
    };
    assert_eq!(scenario.list_engagements(&sales()).await, []);
    assert_eq!(scenario.list_invitations(&sales()).await, []);
    for refusal in [
        scenario.get_engagement(&sales(), &engagement).await.err(),
        scenario
            .client(&sales())
            .get_engagement_invitation(invitation)
            .await
            .err(),
        scenario
            .client(&sales())
            .list_engagement_members(members)
            .await
            .err(),
        scenario
            .snapshot_client(&sales())
            .get_resource_snapshot(snapshot)
            .await
            .err(),
    ] {
        assert_eq!(refusal.expect("a refusal for AWS").code(), Code::NotFound);
    }
    // The opportunity is shared again with FULL visibility.
    set_visibility(opportunity::Visibility::Full);
    scenario.share(&[CEDAR]).await;
    assert_eq!(scenario.list_engagements(&sales()).await.len(), 1);
    assert_eq!(
        scenario.list_invitations(&sales()).await.len(),
        1,
        "an invitation that was LIMITED must stay hidden"
    );
    scenario.app.finish::<Collaboration>().await;
}
