//! Who works for an account (DIR-010 to DIR-015).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, Refusal, refused, service};
use cosell_types::{ClosedList as _, Role};
use tonic::{Code, Request};

use crate::support::{
    ALDER, AWS, BIRCH, apply, by, last_event, lead, member_record, named, person, request_id, start,
    start_with, subjects, who,
};

fn roles(roles: &[Role]) -> Vec<i32> {
    roles.iter().map(|role| role.number()).collect()
}

fn inviting(id: &str, given: &[Role]) -> pb::InviteMemberRequest {
    pb::InviteMemberRequest {
        member_id: id.to_owned(),
        person: Some(named(id)),
        roles: roles(given),
        ..Default::default()
    }
}

fn setting(id: &str, given: &[Role]) -> pb::SetMemberRolesRequest {
    pb::SetMemberRolesRequest {
        member_id: id.to_owned(),
        roles: roles(given),
        ..Default::default()
    }
}

async fn get(app: &App, id: &str) -> pb::Member {
    let request = pb::GetMemberRequest {
        member_id: id.to_owned(),
        ..Default::default()
    };
    let answer = lead(app, ALDER)
        .members()
        .get_member(request)
        .await
        .expect("a member");
    answer.into_inner().member.expect("a member")
}

#[tokio::test]
async fn dir_010_acc_004_a_member_is_invited_joins_and_leaves() {
    let app = start().await;
    let before = last_event(&app).await;
    let newcomer = by(&app, &who(ALDER, "alder.newcomer"));
    let list = pb::ListMembersRequest::default();
    refused(
        newcomer.members().list_members(list.clone()).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );

    let inviting = pb::InviteMemberRequest {
        request_id: request_id(),
        ..inviting("alder.newcomer", &[Role::AceUser])
    };
    let administrator = by(&app, &who(ALDER, "alder-admin"));
    let invited = administrator
        .members()
        .invite_member(inviting.clone())
        .await
        .expect("an invitation")
        .into_inner();
    let again = administrator
        .members()
        .invite_member(inviting)
        .await
        .expect("the same answer")
        .into_inner();
    assert_eq!(invited.member, again.member, "a repetition does nothing");
    let invited = invited.member.expect("a member");
    assert_eq!(
        (invited.status(), invited.revision),
        (pb::MemberStatus::Invited, 1)
    );
    refused(
        newcomer.members().list_members(list.clone()).await,
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );

    let joining = pb::AcceptMembershipRequest::default();
    for _ in 0..2 {
        let joined = newcomer
            .members()
            .accept_membership(joining.clone())
            .await
            .expect("a member")
            .into_inner();
        let joined = joined.member.expect("a member");
        assert_eq!((joined.status(), joined.revision), (pb::MemberStatus::Active, 2));
    }
    newcomer
        .members()
        .list_members(list.clone())
        .await
        .expect("a list");

    let leaving = pb::DeactivateMemberRequest {
        member_id: "alder.newcomer".to_owned(),
        ..Default::default()
    };
    administrator
        .members()
        .deactivate_member(leaving.clone())
        .await
        .expect("an end");
    refused(
        newcomer.members().list_members(list).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    let gone = administrator.members().deactivate_member(leaving).await;
    let gone = refused(gone, Code::FailedPrecondition, "INCOMPATIBLE_MEMBER_STATUS");
    assert_eq!(gone.metadata["status"], "DEACTIVATED");
    assert_eq!(
        subjects(&app, before).await,
        [
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_invited",
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_joined",
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_deactivated",
        ]
    );
    // The address is free for somebody else, and the id is not.
    let mut other = inviting_as("alder-other", "alder.newcomer@partners.example");
    lead(&app, ALDER)
        .members()
        .invite_member(other.clone())
        .await
        .expect("an invitation");
    other.member_id = "alder.newcomer".to_owned();
    refused(
        lead(&app, ALDER).members().invite_member(other).await,
        Code::AlreadyExists,
        "DUPLICATE_MEMBER",
    );
    app.finish::<Partners>().await;
}

fn inviting_as(id: &str, email: &str) -> pb::InviteMemberRequest {
    pb::InviteMemberRequest {
        person: Some(pb::Person {
            email: email.to_owned(),
            ..named(id)
        }),
        ..inviting(id, &[])
    }
}

#[tokio::test]
async fn dir_011_012_who_may_grant_what_and_how_many_hold_it() {
    let app = start().await;
    let team = by(&app, &who(ALDER, "alder-team"));
    let refusal = refused(
        team.members()
            .set_member_roles(setting("alder-user", &[Role::AllianceTeam]))
            .await,
        Code::PermissionDenied,
        "ROLE_NOT_GRANTABLE",
    );
    assert_eq!(refusal.metadata["roles"], "ALLIANCE_TEAM");
    let changed = team
        .members()
        .set_member_roles(setting("alder-user", &[Role::AceManager]))
        .await;
    assert_eq!(
        changed
            .expect("a change")
            .into_inner()
            .member
            .expect("a member")
            .roles,
        roles(&[Role::AceManager])
    );

    let many: Vec<_> = (0..18)
        .map(|number| member_record(person(ALDER, &format!("m{number}"), &[Role::AceManager])))
        .collect();
    apply(&app, many).await;
    let full = team
        .members()
        .invite_member(inviting("one-more", &[Role::AceManager]))
        .await;
    let full = refused(full, Code::FailedPrecondition, "ROLE_LIMIT_REACHED");
    assert_eq!(
        (full.metadata["role"].as_str(), full.metadata["limit"].as_str()),
        ("ACE_MANAGER", "20")
    );

    let lead = lead(&app, ALDER);
    let without = lead.members().set_member_roles(setting("alder-lead", &[])).await;
    refused(without, Code::FailedPrecondition, "ALLIANCE_LEAD_REQUIRED");
    let stale = pb::SetMemberRolesRequest {
        etag: "\"7\"".to_owned(),
        ..setting("alder-user", &[])
    };
    refused(
        lead.members().set_member_roles(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let rehearsed = pb::SetMemberRolesRequest {
        validate_only: true,
        ..setting("alder-user", &[])
    };
    lead.members()
        .set_member_roles(rehearsed)
        .await
        .expect("a rehearsal");
    assert_eq!(
        get(&app, "alder-user").await.roles,
        roles(&[Role::AceManager]),
        "a dry run changes nothing"
    );
    let wrong = lead
        .members()
        .set_member_roles(setting("alder-user", &[Role::Reviewer]))
        .await;
    let wrong = refused(wrong, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(wrong.paths(), ["roles"]);
    refused(
        lead.members().set_member_roles(setting("birch-user", &[])).await,
        Code::NotFound,
        "MEMBER_NOT_FOUND",
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_011_the_lead_hands_over_and_two_at_once_cannot() {
    let app = start().await;
    let handing = |to: &str, word: &str| pb::TransferAllianceLeadRequest {
        member_id: to.to_owned(),
        confirmation: word.to_owned(),
        ..Default::default()
    };
    let unsure = lead(&app, ALDER)
        .members()
        .transfer_alliance_lead(handing("alder-team", "yes"))
        .await;
    refused(unsure, Code::InvalidArgument, "INVALID_FIELDS");
    // Both at once: one is the lead afterwards, and the caller is none any more.
    let (one, two) = (lead(&app, ALDER), lead(&app, ALDER));
    let (first, second) = tokio::join!(
        async {
            one.members()
                .transfer_alliance_lead(handing("alder-team", "confirm"))
                .await
        },
        async {
            two.members()
                .transfer_alliance_lead(handing("alder-manager", "confirm"))
                .await
        },
    );
    let (won, lost) = match (first, second) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("one of them hands over: {both:?}"),
    };
    assert!(won.into_inner().member.is_some());
    // Who has handed the role over leads no more.
    assert_eq!(Refusal::from(&lost).reason, "ROLE_NOT_PERMITTED");
    let request = pb::ListMembersRequest {
        roles: roles(&[Role::AllianceLead]),
        ..Default::default()
    };
    let manager = by(&app, &who(ALDER, "alder-manager"));
    let leads = manager
        .members()
        .list_members(request)
        .await
        .expect("a list")
        .into_inner()
        .members;
    assert_eq!(leads.len(), 1, "{leads:?}");
    assert_eq!(get(&app, "alder-lead").await.roles, roles(&[Role::AllianceTeam]));
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_013_addresses_and_their_domains() {
    let app = start_with(Options {
        email_domains: 2,
        ..Options::default()
    })
    .await;
    let lead = lead(&app, ALDER);
    let taken = lead
        .members()
        .invite_member(inviting_as("x", "ALDER-user@partners.example"))
        .await;
    let taken = refused(taken, Code::AlreadyExists, "DUPLICATE_MEMBER");
    assert_eq!(taken.metadata["field"], "person.email");
    assert!(
        !format!("{taken:?}").to_lowercase().contains("alder-user@"),
        "{taken:?}"
    );
    lead.members()
        .invite_member(inviting_as("y", "y@two.example"))
        .await
        .expect("a second domain");
    let third = lead
        .members()
        .invite_member(inviting_as("z", "z@three.example"))
        .await;
    refused(third, Code::ResourceExhausted, "LIMIT_EXCEEDED_NUMBER_OF_DOMAIN");
    let itself = lead
        .members()
        .invite_member(inviting_as(ALDER, "w@two.example"))
        .await;
    refused(itself, Code::AlreadyExists, "DUPLICATE_MEMBER");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_014_who_reads_and_changes_whom() {
    let app = start().await;
    let reading = |id: &str, account: &str| pb::GetMemberRequest {
        member_id: id.to_owned(),
        account_id: account.to_owned(),
    };
    for (caller, id, account, found) in [
        (who(ALDER, "alder-standard"), "alder-standard", "", true),
        (who(ALDER, "alder-standard"), "alder-user", "", false),
        (who(ALDER, "alder-user"), "alder-lead", "", true),
        (who(ALDER, "alder-admin"), "alder-lead", ALDER, true),
        (who(ALDER, "alder-lead"), "birch-lead", "", false),
        (who(ALDER, "alder-lead"), "birch-lead", BIRCH, false),
        (who(AWS, "aws-pdm"), "aws-pdm", "", true),
        (who(AWS, "aws-pdm"), "alder-lead", ALDER, false),
        (service("opportunity"), "birch-lead", BIRCH, true),
        (service("opportunity"), "birch-lead", ALDER, false),
        (service("opportunity"), "birch-lead", "", false),
    ] {
        let answer = by(&app, &caller).members().get_member(reading(id, account)).await;
        let what = format!("{} reads {id} of {account:?}", caller.actor());
        match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                assert!(found && answer.account.is_some(), "{what}");
                assert_eq!(answer.member.expect("a member").member_id, id);
            }
            Err(status) => {
                assert!(!found, "{what}: {status}");
                assert_eq!(Refusal::from(&status).reason, "MEMBER_NOT_FOUND", "{what}");
            }
        }
    }
    let describing = |id: &str, title: &str| pb::UpdateMemberRequest {
        member_id: id.to_owned(),
        person: Some(pb::Person {
            title: title.to_owned(),
            ..named(id)
        }),
        ..Default::default()
    };
    let user = by(&app, &who(ALDER, "alder-user"));
    user.members()
        .update_member(describing("alder-user", "Seller"))
        .await
        .expect("oneself");
    refused(
        user.members()
            .update_member(describing("alder-lead", "Seller"))
            .await,
        Code::NotFound,
        "MEMBER_NOT_FOUND",
    );
    let admin = by(&app, &who(ALDER, "alder-admin"));
    admin
        .members()
        .update_member(describing("alder-user", "Vendor"))
        .await
        .expect("whom one administers");
    let seen = get(&app, "alder-user").await;
    assert_eq!(
        (seen.person.expect("a person").title.as_str(), seen.revision),
        ("Vendor", 3)
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_015_assignable_members_are_the_active_ones_of_four_roles() {
    let app = start().await;
    let invited = inviting("alder-z", &[Role::AceUser]);
    lead(&app, ALDER)
        .members()
        .invite_member(invited)
        .await
        .expect("an invitation");
    let mut found = Vec::new();
    let mut request = pb::ListAssignableMembersRequest {
        page_size: 3,
        ..Default::default()
    };
    let user = by(&app, &who(ALDER, "alder-user"));
    loop {
        let page = user
            .members()
            .list_assignable_members(request.clone())
            .await
            .expect("a page")
            .into_inner();
        found.extend(page.members.into_iter().map(|member| member.member_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, ["alder-lead", "alder-manager", "alder-team", "alder-user"]);
    let foreign = by(&app, &who(BIRCH, "birch-user"))
        .members()
        .list_assignable_members(Request::new(request))
        .await;
    refused(foreign, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    app.finish::<Partners>().await;
}
