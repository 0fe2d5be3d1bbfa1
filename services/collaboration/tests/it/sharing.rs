//! Sharing an opportunity, and what those see who are invited.

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
    ALDER, BIRCH, CEDAR, DEAL, DOGWOOD, HIDDEN, Scene, deal, lead, request_id, sales, share, why,
};

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn col_011_those_who_are_invited_read_what_they_may_know_and_nothing_else() {
    let scene = Scene::start().await;
    let shared = scene.share(&[BIRCH, CEDAR]).await;
    let engagement = shared.engagement.expect("an engagement");
    assert_eq!(
        (
            engagement.title.as_str(),
            engagement.member_count,
            engagement.opportunity_id.as_str()
        ),
        ("Data platform", 3, DEAL)
    );
    assert_eq!(shared.engagement_invitations.len(), 2);

    let received = scene.invitations(&lead(BIRCH)).await;
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
        "Alder, and nobody who is only invited"
    );
    assert_eq!(invitation.participant_type(), ParticipantType::Receiver);
    assert_eq!(invitation.receiver_alias, "", "that is between Alder and itself");

    // Byte by byte: what is hidden, who else is invited, and how Alder calls its record.
    let whole = [deal().encode_to_vec(), share(&[BIRCH]).encode_to_vec()].concat();
    let mut secrets: Vec<_> = HIDDEN.to_vec();
    secrets.extend([CEDAR, DEAL, "our friend", "mem-lead-111111111111"]);
    for hidden in HIDDEN {
        assert!(holds(&whole, hidden), "{hidden} is to be hidden, and not there");
    }
    let bytes = invitation.encode_to_vec();
    for secret in secrets {
        assert!(!holds(&bytes, secret), "the invitation holds {secret}");
    }
    let events = scene.far.first("collaboration", 7).await;
    for event in events
        .iter()
        .filter(|event| event.header("ce-accountid") == BIRCH)
    {
        for secret in HIDDEN.iter().chain([&CEDAR, &DEAL, &"mem-lead-111111111111"]) {
            assert!(!holds(&event.payload, secret), "an event of Birch holds {secret}");
            assert!(
                !format!("{:?}", event.headers).contains(secret),
                "its headers hold {secret}"
            );
        }
    }
    // Who is invited is not part of it.
    assert_eq!(scene.list(&lead(BIRCH)).await, []);
    let unseen = scene
        .get(&lead(BIRCH), &engagement.engagement_id)
        .await
        .expect_err("not yet");
    assert_eq!(why(&unseen).reason, "ENGAGEMENT_NOT_FOUND");
    // AWS sees the engagement, and who is invited (COL-050).
    assert_eq!(scene.list(&sales()).await.len(), 1);
    let seen = scene.invitations(&sales()).await;
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter().all(|one| one.receiver_alias.is_empty()),
        "for the sender"
    );
    scene.app.finish::<Collaboration>().await;
}

/// What is wrong with an opportunity.
type Change = fn(&mut opportunity::Opportunity);

#[tokio::test]
async fn col_001_only_open_deals_that_aws_has_are_shared() {
    let scene = Scene::start().await;
    let cases: [(&str, Change); 6] = [
        ("REVIEW_STATUS", |record| {
            life(record).review_status = ReviewStatus::PendingSubmission.into()
        }),
        ("REVIEW_STATUS", |record| {
            life(record).review_status = ReviewStatus::ActionRequired.into()
        }),
        ("REVIEW_STATUS", |record| {
            life(record).review_status = ReviewStatus::Rejected.into()
        }),
        ("STAGE", |record| {
            life(record).stage = opportunity::Stage::Launched.into()
        }),
        ("NATIONAL_SECURITY", |record| {
            record.national_security = Some(true)
        }),
        ("SHARED_BY_ANOTHER", |record| {
            record.engagement_invitation_id = "engi-a000000000000".to_owned()
        }),
    ];
    for (cause, change) in cases {
        let mut record = deal();
        change(&mut record);
        *scene.records.lock().expect("records") = vec![record];
        let refusal = scene.by(&lead(ALDER)).share_opportunity(share(&[BIRCH])).await;
        let refusal = why(&refusal.expect_err(cause));
        assert_eq!(
            (refusal.reason.as_str(), refusal.metadata["cause"].as_str()),
            ("NOT_SHAREABLE", cause)
        );
    }
    for status in [ReviewStatus::Submitted, ReviewStatus::InReview] {
        let mut record = deal();
        life(&mut record).review_status = status.into();
        *scene.records.lock().expect("records") = vec![record];
        let rehearsal = pb::ShareOpportunityRequest {
            validate_only: true,
            ..share(&[BIRCH])
        };
        let answer = scene.by(&lead(ALDER)).share_opportunity(rehearsal).await;
        assert_eq!(
            answer
                .expect("can be shared")
                .into_inner()
                .engagement_invitations
                .len(),
            1
        );
    }
    // What was only rehearsed, or left nothing.
    assert_eq!(scene.list(&lead(ALDER)).await, []);
    assert_eq!(scene.told(BIRCH, "engagement_invitation_created").await, 0);
    scene.app.finish::<Collaboration>().await;
}

fn life(record: &mut opportunity::Opportunity) -> &mut opportunity::LifeCycle {
    record.life_cycle.get_or_insert_default()
}

#[tokio::test]
async fn col_002_who_is_not_connected_is_not_told_apart_from_who_does_not_exist() {
    let scene = Scene::start().await;
    for other in [DOGWOOD, "777777777777", ALDER] {
        let refusal = scene
            .by(&lead(ALDER))
            .share_opportunity(share(&[BIRCH, other]))
            .await;
        let refusal = why(&refusal.expect_err("not connected"));
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (Code::FailedPrecondition, "NOT_CONNECTED")
        );
        assert_eq!(refusal.metadata["account_id"], other);
    }
    assert_eq!(
        scene.invitations(&lead(BIRCH)).await,
        [],
        "all or none are invited"
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_003_nine_others_with_those_who_are_invited_and_no_more() {
    let others: Vec<_> = (1..=11).map(|number| format!("5000000000{number:02}")).collect();
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    let scene = Scene::with(Default::default(), &others).await;
    let ten = scene
        .by(&lead(ALDER))
        .share_opportunity(share(&others[..10]))
        .await;
    assert_eq!(why(&ten.expect_err("ten in one call")).reason, "INVALID_FIELDS");
    let shared = scene.share(&others[..9]).await;
    let tenth = scene
        .by(&lead(ALDER))
        .share_opportunity(share(&others[9..10]))
        .await;
    let refusal = why(&tenth.expect_err("the tenth"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::FailedPrecondition, "TOO_MANY_MEMBERS")
    );
    // Who rejects makes room.
    let rejected = &shared.engagement_invitations[0];
    let answer = scene
        .by(&lead(&rejected.receiver_account_id))
        .reject_engagement_invitation(crate::support::reject(&rejected.engagement_invitation_id))
        .await;
    answer.expect("rejected");
    scene.share(&others[9..10]).await;
    let eleventh = scene
        .by(&lead(ALDER))
        .share_opportunity(share(&others[10..]))
        .await;
    assert_eq!(why(&eleventh.expect_err("full again")).reason, "TOO_MANY_MEMBERS");
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_004_an_opportunity_has_one_engagement_and_each_company_is_asked_once() {
    let scene = Scene::start().await;
    let first = scene.share(&[BIRCH]).await.engagement.expect("an engagement");
    let second = scene.share(&[CEDAR]).await.engagement.expect("an engagement");
    assert_eq!(first.engagement_id, second.engagement_id);
    let again = scene.by(&lead(ALDER)).share_opportunity(share(&[BIRCH])).await;
    let refusal = why(&again.expect_err("is invited"));
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::AlreadyExists, "ALREADY_INVOLVED")
    );
    assert_eq!(refusal.metadata["state"], "INVITED");
    let renamed = pb::ShareOpportunityRequest {
        engagement_title: "Another name".to_owned(),
        ..share(&[BIRCH])
    };
    let refusal = scene.by(&lead(ALDER)).share_opportunity(renamed).await;
    let refusal = why(&refusal.expect_err("has a name"));
    assert_eq!(refusal.fields[0].0, "engagement_title");
    let twice = scene
        .by(&lead(ALDER))
        .share_opportunity(share(&[CEDAR, CEDAR]))
        .await;
    assert_eq!(
        why(&twice.expect_err("named twice")).fields[0].0,
        "receivers[1].account_id"
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn plt_002_a_repeated_call_shares_once() {
    let scene = Scene::start().await;
    let request = pb::ShareOpportunityRequest {
        request_id: request_id(),
        ..share(&[CEDAR, BIRCH])
    };
    let first = scene.by(&lead(ALDER)).share_opportunity(request.clone()).await;
    let again = scene.by(&lead(ALDER)).share_opportunity(request.clone()).await;
    assert_eq!(
        first.expect("shared").into_inner(),
        again.expect("shared before").into_inner()
    );
    assert_eq!(scene.told(BIRCH, "engagement_invitation_created").await, 1);
    let other = pb::ShareOpportunityRequest {
        message: "Another word".to_owned(),
        ..request
    };
    let refusal = scene.by(&lead(ALDER)).share_opportunity(other).await;
    assert_eq!(
        why(&refusal.expect_err("another request")).reason,
        "REQUEST_ID_REUSED"
    );
    scene.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_005_who_can_open_the_opportunity_shares_it() {
    let scene = Scene::start().await;
    let foreign = scene.by(&lead(BIRCH)).share_opportunity(share(&[ALDER])).await;
    assert_eq!(
        why(&foreign.expect_err("of Alder")).reason,
        "OPPORTUNITY_NOT_FOUND"
    );
    for role in [Role::CloudAdmin, Role::ChannelUser, Role::StandardUser] {
        let caller = partner("mem-no", ALDER, role);
        let refusal = scene.by(&caller).share_opportunity(share(&[BIRCH])).await;
        assert_eq!(why(&refusal.expect_err("no access")).reason, "ROLE_NOT_PERMITTED");
    }
    // An ACE user works on what it shared itself, and sees no other.
    let user = partner("mem-user", ALDER, Role::AceUser);
    let shared = scene.by(&user).share_opportunity(share(&[BIRCH])).await;
    let id = shared
        .expect("shared")
        .into_inner()
        .engagement
        .expect("it")
        .engagement_id;
    assert_eq!(scene.list(&user).await.len(), 1);
    let other = partner("mem-other", ALDER, Role::AceUser);
    assert_eq!(scene.list(&other).await, []);
    assert_eq!(
        why(&scene.get(&other, &id).await.expect_err("not its own")).code,
        Code::NotFound
    );
    assert!(scene.get(&lead(ALDER), &id).await.is_ok());
    scene.app.finish::<Collaboration>().await;
}

/// What has LIMITED visibility is not for AWS sales, in the record as in what is shared of it.
#[tokio::test]
async fn col_050_acc_012_aws_reads_what_is_shared_of_deals_with_full_visibility_only() {
    let scene = Scene::with(Setup::default(), &[BIRCH, CEDAR]).await;
    let visible = |visibility: opportunity::Visibility| {
        scene.records.lock().expect("records")[0].visibility = visibility.into();
    };
    visible(opportunity::Visibility::Limited);
    let shared = scene.share(&[BIRCH]).await;
    let engagement = shared.engagement.expect("it").engagement_id;
    let asked = pb::GetEngagementInvitationRequest {
        engagement_invitation_id: shared.engagement_invitations[0].engagement_invitation_id.clone(),
    };
    let snapshot = pb::GetResourceSnapshotRequest {
        engagement_id: engagement.clone(),
        opportunity_id: DEAL.to_owned(),
        template: pb::SnapshotTemplate::OpportunitySummary.into(),
        revision: Some(1),
    };
    eventually(async || {
        let mut alder = scene.snapshots(&lead(ALDER));
        let found = alder.get_resource_snapshot(snapshot.clone()).await;
        found.map_err(|status| status.message().to_owned())
    })
    .await;
    let members = pb::ListEngagementMembersRequest {
        engagement_id: engagement.clone(),
        ..Default::default()
    };
    assert_eq!(scene.list(&sales()).await, []);
    assert_eq!(scene.invitations(&sales()).await, []);
    for refusal in [
        scene.get(&sales(), &engagement).await.err(),
        scene.by(&sales()).get_engagement_invitation(asked).await.err(),
        scene.by(&sales()).list_engagement_members(members).await.err(),
        scene
            .snapshots(&sales())
            .get_resource_snapshot(snapshot)
            .await
            .err(),
    ] {
        assert_eq!(refusal.expect("not for AWS").code(), Code::NotFound);
    }
    // It is shared again as one that AWS works on.
    visible(opportunity::Visibility::Full);
    scene.share(&[CEDAR]).await;
    assert_eq!(scene.list(&sales()).await.len(), 1);
    assert_eq!(
        scene.invitations(&sales()).await.len(),
        1,
        "what was limited stays so"
    );
    scene.app.finish::<Collaboration>().await;
}
