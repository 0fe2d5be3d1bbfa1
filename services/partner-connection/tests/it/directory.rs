//! The directory is taken over from a master list (DIR-050, DIR-051).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::{InvalidField, InvalidFields};
use cosell_proto::google::rpc;
use cosell_testkit::harness::{FarEnd, Published, Setup, eventually, refused};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, account, account_record, apply, by, company, count, enrol, last_event, lead, member_record,
    named, person, start, subjects, who,
};

#[tokio::test]
async fn dir_050_what_is_new_is_made_what_differs_changed_what_is_the_same_left_alone() {
    let app = start().await;
    let before = last_event(&app).await;
    let mut changed = company(ALDER, "Alder");
    changed.legal_name = "Alder SE".to_owned();
    changed.terms_accepted = true;
    let mut promoted = person(ALDER, "alder-user", &[Role::AceUser, Role::AceManager]);
    promoted.person = Some(pb::Person {
        email: "Alder-User@PARTNERS.example".to_owned(),
        ..named("alder-user")
    });
    let records = vec![
        account_record(changed.clone()),
        member_record(promoted.clone()),
        member_record(person(ALDER, "alder.new", &[Role::AceUser])),
        account_record(company(BIRCH, "Birch")),
        account_record(company("444444444444", "Elm")),
    ];
    let results =
        |answers: &[pb::ApplyDirectoryResponse]| answers.iter().map(|a| a.result()).collect::<Vec<_>>();
    use pb::ApplyResult::{Created, Unchanged, Updated};
    let rehearsal: Vec<_> = records
        .iter()
        .cloned()
        .map(|record| pb::ApplyDirectoryRequest {
            validate_only: true,
            ..record
        })
        .collect();
    let expected = [Updated, Updated, Created, Unchanged, Created];
    assert_eq!(results(&apply(&app, rehearsal).await), expected);
    assert_eq!(last_event(&app).await, before, "a dry run changes nothing");
    assert_eq!(results(&apply(&app, records.clone()).await), expected);
    assert_eq!(
        subjects(&app, before).await,
        [
            "cosell.partner.v1.111111111111.111111111111.account_details_changed",
            "cosell.partner.v1.111111111111.111111111111.account_terms_accepted",
            "cosell.partner.v1.111111111111.alder-user.member_roles_changed",
            "cosell.partner.v1.111111111111.alder%2Enew.member_registered",
            "cosell.partner.v1.444444444444.444444444444.account_registered",
        ]
    );
    assert_eq!(
        results(&apply(&app, records).await),
        [Unchanged; 5],
        "again: nothing"
    );
    let alder = account(&mut lead(&app, ALDER)).await;
    assert_eq!((alder.legal_name.as_str(), alder.revision), ("Alder SE", 3));
    assert!(alder.terms_accept_time.is_some());
    let mut without = company(ALDER, "Alder");
    without.legal_name = "Alder SE".to_owned();
    without.profile = None;
    let kept = apply(&app, vec![account_record(without)]).await;
    assert_eq!(kept[0].result(), Unchanged, "terms and profile stay");
    app.finish::<Partners>().await;
}

/// The fields at fault.
fn invalid_fields(error: &rpc::Status) -> Vec<InvalidField> {
    let mut details = error.details.iter();
    details
        .find_map(|detail| detail.to_msg::<InvalidFields>().ok())
        .map(|details| details.fields)
        .unwrap_or_default()
}

#[tokio::test]
async fn dir_051_a_wrong_record_is_left_out_and_the_others_are_not() {
    let app = start().await;
    let mut wrong_profile = company(ALDER, "Alder");
    if let Some(profile) = &mut wrong_profile.profile {
        profile.industry_segments = vec!["Nonsense".to_owned()];
    }
    let mut other_side = company(ALDER, "Alder");
    other_side.side = pb::Side::Aws.into();
    let mut wrong_address = person(ALDER, "alder-x", &[]);
    wrong_address.person = Some(pb::Person {
        email: "nonsense".to_owned(),
        first_name: String::new(),
        ..named("x")
    });
    let records = vec![
        account_record(wrong_profile),
        account_record(other_side),
        member_record(wrong_address),
        member_record(person(ALDER, "alder-second-lead", &[Role::AllianceLead])),
        member_record(person(ALDER, "alder-reviewer", &[Role::Reviewer])),
        member_record(person(ALDER, ALDER, &[])),
        member_record(person(ALDER, "alder-fine", &[Role::AceUser])),
        member_record(person("555555555555", "nowhere", &[])),
        pb::ApplyDirectoryRequest::default(),
    ];
    let numbered: Vec<_> = (1..)
        .zip(records)
        .map(|(number, record)| pb::ApplyDirectoryRequest { number, ..record })
        .collect();
    let answers = apply(&app, numbered).await;
    let numbers: Vec<_> = answers.iter().map(|answer| answer.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (answer, text) in answers.iter().zip([
        "account.profile.industry_segments[0]",
        "account.side",
        "member.person.email",
        "ALLIANCE_LEAD",
        "roles",
        "member.member_id",
        "",
        "member.account_id",
        "exactly one of account, member",
    ]) {
        if text.is_empty() {
            assert_eq!(answer.result(), pb::ApplyResult::Created);
        } else {
            assert_eq!(answer.result(), pb::ApplyResult::Refused, "{answer:?}");
            let error = answer.error.as_ref().expect("an error");
            let mut told = format!("{} ", error.message);
            let invalid = invalid_fields(error);
            told.extend(invalid.iter().map(|field| format!("{} ", field.field)));
            assert!(told.contains(text), "{text}: {told}");
        }
    }
    let error = answers[2].error.as_ref().expect("an error");
    assert_eq!(invalid_fields(error).len(), 2, "all that is wrong: {error:?}");
    app.finish::<Partners>().await;
}

/// A record that states no status: a member keeps its own, an account takes part (again).
#[tokio::test]
async fn dir_050_a_status_that_is_not_stated_stays_a_members_and_is_active_of_an_account() {
    let app = start().await;
    let member = |status: pb::MemberStatus| {
        let mut record = person(ALDER, "alder.new", &[Role::AceUser]);
        record.status = status.into();
        member_record(record)
    };
    for status in [pb::MemberStatus::Invited, pb::MemberStatus::Deactivated] {
        let answers = apply(&app, vec![member(status), member(pb::MemberStatus::Unspecified)]).await;
        let again = answers.last().map(pb::ApplyDirectoryResponse::result);
        assert_eq!(again, Some(pb::ApplyResult::Unchanged), "{status:?}");
        let reading = pb::GetMemberRequest {
            member_id: "alder.new".to_owned(),
            ..Default::default()
        };
        let read = lead(&app, ALDER)
            .members()
            .get_member(reading)
            .await
            .expect("a member");
        let found = read.into_inner().member.expect("a member");
        assert_eq!(found.status(), status);
    }
    let mut suspended = company(BIRCH, "Birch");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_record(suspended)]).await;
    apply(&app, vec![account_record(company(BIRCH, "Birch"))]).await;
    let found = account(&mut lead(&app, BIRCH)).await;
    assert_eq!(found.status(), pb::AccountStatus::Active);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_050_lists_of_any_length_are_taken_over_in_batches() {
    let app = start().await;
    let records: Vec<_> = (0..1203)
        .map(|number| {
            let account = if number % 2 == 0 && number > 600 {
                BIRCH
            } else {
                ALDER
            };
            member_record(person(account, &format!("m{number}"), &[Role::AceUser]))
        })
        .collect();
    let answers = apply(&app, records).await;
    assert_eq!(answers.len(), 1203);
    assert!(
        answers
            .iter()
            .all(|answer| answer.result() == pb::ApplyResult::Created)
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_050_only_services_provision() {
    let app = start().await;
    let calls = by(&app, &who(ALDER, "alder-lead"));
    let answer = calls
        .accounts()
        .apply_directory(tokio_stream::iter([account_record(company(ALDER, "A"))]))
        .await;
    refused(
        answer.map(|answer| answer.map(|_| ())),
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    app.finish::<Partners>().await;
}

/// A list of many members does not keep waiting what concerns one: their events follow when nothing else waits, and no
/// faster than they are applied.
#[tokio::test]
async fn dir_050_acc_004_who_loses_access_during_a_long_list_loses_it_at_once() {
    const MANY: usize = 450;
    let mut app = Setup::default()
        .with_bus()
        .start::<Partners>(Options::default())
        .await;
    enrol(&app).await;
    let far = FarEnd::new(&app.bus().url()).await;
    let published = far.first("partner", 1).await.len();
    assert_eq!(published, 1, "the stream is there");
    // A consumer of the platform that applies nothing, so that all it is told is a backlog.
    far.idle("partner").await;
    let members =
        (0..MANY).map(|number| member_record(person(ALDER, &format!("alder-{number}"), &[Role::AceUser])));
    apply(&app, members.collect()).await;
    let waiting = count(&app, "SELECT count(*) FROM outbox_pending WHERE bulk").await;
    assert!(waiting > 100, "only {waiting} events wait");
    let leaving = pb::DeactivateMemberRequest {
        member_id: "alder-user".to_owned(),
        ..Default::default()
    };
    lead(&app, ALDER)
        .members()
        .deactivate_member(leaving)
        .await
        .expect("an end");
    // One who is new in the list and is changed: the list comes first for this one, and so does what it waited for.
    let changing = pb::SetMemberRolesRequest {
        member_id: format!("alder-{}", MANY - 1),
        ..Default::default()
    };
    lead(&app, ALDER)
        .members()
        .set_member_roles(changing)
        .await
        .expect("a change");
    eventually(
        async || match count(&app, "SELECT count(*) FROM outbox_pending WHERE NOT bulk").await {
            0 => Ok(()),
            left => Err(format!("{left} events wait")),
        },
    )
    .await;
    let still = count(&app, "SELECT count(*) FROM outbox_pending WHERE bulk").await;
    assert!(still > 0, "the list was through before");
    let told = far.count("partner").await;
    let told = far
        .first("partner", usize::try_from(told).expect("a number"))
        .await;
    let of_last = |event: &Published| event.header("ce-subject") == format!("alder-{}", MANY - 1);
    let order = told
        .iter()
        .filter(|event| of_last(event))
        .map(|event| event.header("ce-sequence").to_owned());
    assert_eq!(
        order.collect::<Vec<_>>(),
        ["1", "2"],
        "the order of a member is kept"
    );
    app.finish::<Partners>().await;
}

/// The list is a person's word too: who gets other roles, is asked to join or leaves is told so.
#[tokio::test]
async fn dir_050_a_change_by_the_list_is_told_as_what_it_is() {
    let app = start().await;
    let before = last_event(&app).await;
    let mut invited = person(ALDER, "alder-asked", &[Role::AceUser]);
    invited.status = pb::MemberStatus::Invited.into();
    let mut left = person(ALDER, "alder-team", &[Role::AllianceTeam]);
    left.status = pb::MemberStatus::Deactivated.into();
    let mut renamed = person(ALDER, "alder-manager", &[Role::AceManager]);
    renamed.person = Some(pb::Person {
        last_name: "Other".to_owned(),
        ..named("alder-manager")
    });
    let records = [
        person(ALDER, "alder-new", &[Role::AceUser]),
        invited,
        person(ALDER, "alder-user", &[Role::StandardUser]),
        renamed,
        left,
    ];
    apply(&app, records.map(member_record).to_vec()).await;
    let mut told = subjects(&app, before).await;
    told.sort();
    let subject = |id: &str, event: &str| format!("cosell.partner.v1.{ALDER}.{id}.{event}");
    assert_eq!(
        told,
        [
            subject("alder-asked", "member_invited"),
            subject("alder-manager", "member_details_changed"),
            subject("alder-new", "member_registered"),
            subject("alder-team", "member_deactivated"),
            subject("alder-user", "member_roles_changed"),
        ]
    );
    app.finish::<Partners>().await;
}
