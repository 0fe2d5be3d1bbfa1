//! Covers members through the API: invitation, joining, deactivation, roles, transfer of the alliance lead role,
//! addresses, visibility, and assignable members (DIR-010 to DIR-015).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, Refusal, refused, service};
use cosell_types::{ClosedList as _, Role};
use tonic::{Code, Request};

use crate::support::{
    ALDER, AWS, BIRCH, alliance_lead, apply, caller, clients, event_subjects, last_event_seq, member_record,
    member_request, person, request_id, start, start_with,
};

fn role_numbers(roles: &[Role]) -> Vec<i32> {
    roles.iter().map(|role| role.number()).collect()
}

fn invite_request(id: &str, roles: &[Role]) -> pb::InviteMemberRequest {
    pb::InviteMemberRequest {
        member_id: id.to_owned(),
        person: Some(person(id)),
        roles: role_numbers(roles),
        ..Default::default()
    }
}

fn set_roles_request(id: &str, roles: &[Role]) -> pb::SetMemberRolesRequest {
    pb::SetMemberRolesRequest {
        member_id: id.to_owned(),
        roles: role_numbers(roles),
        ..Default::default()
    }
}

async fn get_member(app: &App, id: &str) -> pb::Member {
    let request = pb::GetMemberRequest {
        member_id: id.to_owned(),
        ..Default::default()
    };
    let response = alliance_lead(app, ALDER)
        .members()
        .get_member(request)
        .await
        .expect("a member");
    response.into_inner().member.expect("a member")
}

#[tokio::test]
async fn dir_010_acc_004_member_is_invited_joins_and_is_deactivated() {
    let app = start().await;
    let before = last_event_seq(&app).await;
    let newcomer = clients(&app, &caller(ALDER, "alder.newcomer"));
    let list = pb::ListMembersRequest::default();
    refused(
        newcomer.members().list_members(list.clone()).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );

    let invite = pb::InviteMemberRequest {
        request_id: request_id(),
        ..invite_request("alder.newcomer", &[Role::AceUser])
    };
    let administrator = clients(&app, &caller(ALDER, "alder-admin"));
    let invited = administrator
        .members()
        .invite_member(invite.clone())
        .await
        .expect("an invitation")
        .into_inner();
    let again = administrator
        .members()
        .invite_member(invite)
        .await
        .expect("a repeated invitation")
        .into_inner();
    assert_eq!(
        invited.member, again.member,
        "a repeated request must not invite again"
    );
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

    let acceptance = pb::AcceptMembershipRequest::default();
    for _ in 0..2 {
        let joined = newcomer
            .members()
            .accept_membership(acceptance.clone())
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

    let deactivation = pb::DeactivateMemberRequest {
        member_id: "alder.newcomer".to_owned(),
        ..Default::default()
    };
    administrator
        .members()
        .deactivate_member(deactivation.clone())
        .await
        .expect("a deactivation");
    refused(
        newcomer.members().list_members(list).await,
        Code::PermissionDenied,
        "MEMBER_INACTIVE",
    );
    let deactivated_again = administrator.members().deactivate_member(deactivation).await;
    let refusal = refused(
        deactivated_again,
        Code::FailedPrecondition,
        "INCOMPATIBLE_MEMBER_STATUS",
    );
    assert_eq!(refusal.metadata["status"], "DEACTIVATED");
    assert_eq!(
        event_subjects(&app, before).await,
        [
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_invited",
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_joined",
            "cosell.partner.v1.111111111111.alder%2Enewcomer.member_deactivated",
        ]
    );
    // A deactivated member frees its address, but not its id.
    let mut other = invite_request_with_email("alder-other", "alder.newcomer@partners.example");
    alliance_lead(&app, ALDER)
        .members()
        .invite_member(other.clone())
        .await
        .expect("an invitation");
    other.member_id = "alder.newcomer".to_owned();
    refused(
        alliance_lead(&app, ALDER).members().invite_member(other).await,
        Code::AlreadyExists,
        "DUPLICATE_MEMBER",
    );
    app.finish::<Partners>().await;
}

fn invite_request_with_email(id: &str, email: &str) -> pb::InviteMemberRequest {
    pb::InviteMemberRequest {
        person: Some(pb::Person {
            email: email.to_owned(),
            ..person(id)
        }),
        ..invite_request(id, &[])
    }
}

#[tokio::test]
async fn dir_011_012_role_grants_depend_on_actor_and_role_limit() {
    let app = start().await;
    let team = clients(&app, &caller(ALDER, "alder-team"));
    let refusal = refused(
        team.members()
            .set_member_roles(set_roles_request("alder-user", &[Role::AllianceTeam]))
            .await,
        Code::PermissionDenied,
        "ROLE_NOT_GRANTABLE",
    );
    assert_eq!(refusal.metadata["roles"], "ALLIANCE_TEAM");
    let changed = team
        .members()
        .set_member_roles(set_roles_request("alder-user", &[Role::AceManager]))
        .await;
    assert_eq!(
        changed
            .expect("a change")
            .into_inner()
            .member
            .expect("a member")
            .roles,
        role_numbers(&[Role::AceManager])
    );

    let many: Vec<_> = (0..18)
        .map(|number| member_request(member_record(ALDER, &format!("m{number}"), &[Role::AceManager])))
        .collect();
    apply(&app, many).await;
    let over_limit = team
        .members()
        .invite_member(invite_request("excess", &[Role::AceManager]))
        .await;
    let refusal = refused(over_limit, Code::FailedPrecondition, "ROLE_LIMIT_REACHED");
    assert_eq!(
        (
            refusal.metadata["role"].as_str(),
            refusal.metadata["limit"].as_str()
        ),
        ("ACE_MANAGER", "20")
    );

    let alliance_lead = alliance_lead(&app, ALDER);
    let withdrawn = alliance_lead
        .members()
        .set_member_roles(set_roles_request("alder-lead", &[]))
        .await;
    refused(withdrawn, Code::FailedPrecondition, "ALLIANCE_LEAD_REQUIRED");
    let stale = pb::SetMemberRolesRequest {
        etag: "\"7\"".to_owned(),
        ..set_roles_request("alder-user", &[])
    };
    refused(
        alliance_lead.members().set_member_roles(stale).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let dry_run = pb::SetMemberRolesRequest {
        validate_only: true,
        ..set_roles_request("alder-user", &[])
    };
    alliance_lead
        .members()
        .set_member_roles(dry_run)
        .await
        .expect("a dry run");
    assert_eq!(
        get_member(&app, "alder-user").await.roles,
        role_numbers(&[Role::AceManager]),
        "a dry run changes nothing"
    );
    let invalid = alliance_lead
        .members()
        .set_member_roles(set_roles_request("alder-user", &[Role::Reviewer]))
        .await;
    let refusal = refused(invalid, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["roles"]);
    refused(
        alliance_lead
            .members()
            .set_member_roles(set_roles_request("birch-user", &[]))
            .await,
        Code::NotFound,
        "MEMBER_NOT_FOUND",
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_011_concurrent_alliance_lead_transfers_have_one_winner() {
    let app = start().await;
    let transfer_request = |to: &str, confirmation: &str| pb::TransferAllianceLeadRequest {
        member_id: to.to_owned(),
        confirmation: confirmation.to_owned(),
        ..Default::default()
    };
    let unconfirmed = alliance_lead(&app, ALDER)
        .members()
        .transfer_alliance_lead(transfer_request("alder-team", "yes"))
        .await;
    refused(unconfirmed, Code::InvalidArgument, "INVALID_FIELDS");
    // Two concurrent transfers: one succeeds, after which the caller has lost the role.
    let (first_client, second_client) = (alliance_lead(&app, ALDER), alliance_lead(&app, ALDER));
    let (first, second) = tokio::join!(
        async {
            first_client
                .members()
                .transfer_alliance_lead(transfer_request("alder-team", "confirm"))
                .await
        },
        async {
            second_client
                .members()
                .transfer_alliance_lead(transfer_request("alder-manager", "confirm"))
                .await
        },
    );
    let (success, failure) = match (first, second) {
        (Ok(success), Err(failure)) | (Err(failure), Ok(success)) => (success, failure),
        both => panic!("exactly one transfer must succeed: {both:?}"),
    };
    assert!(success.into_inner().member.is_some());
    // The second transfer is refused because the caller is no longer the alliance lead.
    assert_eq!(Refusal::from(&failure).reason, "ROLE_NOT_PERMITTED");
    let request = pb::ListMembersRequest {
        roles: role_numbers(&[Role::AllianceLead]),
        ..Default::default()
    };
    let manager = clients(&app, &caller(ALDER, "alder-manager"));
    let leads = manager
        .members()
        .list_members(request)
        .await
        .expect("a list")
        .into_inner()
        .members;
    assert_eq!(leads.len(), 1, "{leads:?}");
    assert_eq!(
        get_member(&app, "alder-lead").await.roles,
        role_numbers(&[Role::AllianceTeam])
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn plt_017_address_is_stored_with_a_labels_and_compared_so() {
    let app = start().await;
    let alliance_lead = alliance_lead(&app, ALDER);
    let invite = async |id: &str, email: &str| {
        let request = invite_request_with_email(id, email);
        alliance_lead.members().invite_member(request).await
    };
    let invited = invite("x", "X.Y@Müller.example")
        .await
        .expect("a member")
        .into_inner();
    let stored = invited
        .member
        .and_then(|member| member.person)
        .expect("a person")
        .email;
    assert_eq!(stored, "x.y@xn--mller-kva.example");
    let duplicate = invite("y", "x.y@MÜLLER.example").await;
    refused(duplicate, Code::AlreadyExists, "DUPLICATE_MEMBER");
    for email in [
        &format!("{}@alder.example", "l".repeat(65)),
        "jäne@alder.example",
        "jane@birch",
    ] {
        let refusal = refused(invite("z", email).await, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(refusal.paths(), ["person.email"]);
        assert!(!format!("{refusal:?}").contains(email), "{refusal:?}");
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_013_duplicate_address_excess_domain_and_reserved_id_are_refused() {
    let app = start_with(Options {
        email_domains: 2,
        ..Options::default()
    })
    .await;
    let alliance_lead = alliance_lead(&app, ALDER);
    let duplicate = alliance_lead
        .members()
        .invite_member(invite_request_with_email("x", "ALDER-user@partners.example"))
        .await;
    let refusal = refused(duplicate, Code::AlreadyExists, "DUPLICATE_MEMBER");
    assert_eq!(refusal.metadata["field"], "person.email");
    assert!(
        !format!("{refusal:?}").to_lowercase().contains("alder-user@"),
        "{refusal:?}"
    );
    alliance_lead
        .members()
        .invite_member(invite_request_with_email("y", "y@two.example"))
        .await
        .expect("a second domain");
    let third = alliance_lead
        .members()
        .invite_member(invite_request_with_email("z", "z@three.example"))
        .await;
    refused(third, Code::ResourceExhausted, "LIMIT_EXCEEDED_NUMBER_OF_DOMAIN");
    let reserved_id = alliance_lead
        .members()
        .invite_member(invite_request_with_email(ALDER, "w@two.example"))
        .await;
    refused(reserved_id, Code::AlreadyExists, "DUPLICATE_MEMBER");
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_014_member_is_read_and_updated_only_by_permitted_callers() {
    let app = start().await;
    let get_request = |id: &str, account: &str| pb::GetMemberRequest {
        member_id: id.to_owned(),
        account_id: account.to_owned(),
    };
    for (caller, id, account, is_visible) in [
        (caller(ALDER, "alder-standard"), "alder-standard", "", true),
        (caller(ALDER, "alder-standard"), "alder-user", "", false),
        (caller(ALDER, "alder-user"), "alder-lead", "", true),
        (caller(ALDER, "alder-admin"), "alder-lead", ALDER, true),
        (caller(ALDER, "alder-lead"), "birch-lead", "", false),
        (caller(ALDER, "alder-lead"), "birch-lead", BIRCH, false),
        (caller(AWS, "aws-pdm"), "aws-pdm", "", true),
        (caller(AWS, "aws-pdm"), "alder-lead", ALDER, false),
        (service("opportunity"), "birch-lead", BIRCH, true),
        (service("opportunity"), "birch-lead", ALDER, false),
        (service("opportunity"), "birch-lead", "", false),
    ] {
        let response = clients(&app, &caller)
            .members()
            .get_member(get_request(id, account))
            .await;
        let context = format!("{} reads {id} of {account:?}", caller.actor());
        match response {
            Ok(response) => {
                let response = response.into_inner();
                assert!(is_visible && response.account.is_some(), "{context}");
                assert_eq!(response.member.expect("a member").member_id, id);
            }
            Err(status) => {
                assert!(!is_visible, "{context}: {status}");
                assert_eq!(Refusal::from(&status).reason, "MEMBER_NOT_FOUND", "{context}");
            }
        }
    }
    let update_request = |id: &str, title: &str| pb::UpdateMemberRequest {
        member_id: id.to_owned(),
        person: Some(pb::Person {
            title: title.to_owned(),
            ..person(id)
        }),
        ..Default::default()
    };
    let user = clients(&app, &caller(ALDER, "alder-user"));
    user.members()
        .update_member(update_request("alder-user", "Seller"))
        .await
        .expect("an update of the caller itself");
    refused(
        user.members()
            .update_member(update_request("alder-lead", "Seller"))
            .await,
        Code::NotFound,
        "MEMBER_NOT_FOUND",
    );
    let admin = clients(&app, &caller(ALDER, "alder-admin"));
    admin
        .members()
        .update_member(update_request("alder-user", "Vendor"))
        .await
        .expect("an update by an administrator");
    let seen = get_member(&app, "alder-user").await;
    assert_eq!(
        (seen.person.expect("a person").title.as_str(), seen.revision),
        ("Vendor", 3)
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_015_assignable_members_are_active_and_have_one_of_four_roles() {
    let app = start().await;
    let invited = invite_request("alder-z", &[Role::AceUser]);
    alliance_lead(&app, ALDER)
        .members()
        .invite_member(invited)
        .await
        .expect("an invitation");
    let mut member_ids = Vec::new();
    let mut request = pb::ListAssignableMembersRequest {
        page_size: 3,
        ..Default::default()
    };
    let user = clients(&app, &caller(ALDER, "alder-user"));
    loop {
        let page = user
            .members()
            .list_assignable_members(request.clone())
            .await
            .expect("a page")
            .into_inner();
        member_ids.extend(page.members.into_iter().map(|member| member.member_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(
        member_ids,
        ["alder-lead", "alder-manager", "alder-team", "alder-user"]
    );
    let other_account = clients(&app, &caller(BIRCH, "birch-user"))
        .members()
        .list_assignable_members(Request::new(request))
        .await;
    refused(other_account, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    app.finish::<Partners>().await;
}
