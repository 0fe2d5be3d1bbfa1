//! Covers `ApplyDirectory`: provisioning of accounts and members from a master list, results per record, batches,
//! callers, events, and delivery lanes of the outbox (DIR-050, DIR-051).

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::r#type::v1::{InvalidField, InvalidFields};
use cosell_proto::google::rpc;
use cosell_store::Scope;
use cosell_testkit::harness::{PeerStub, Published, Setup, eventually, refused};
use cosell_types::Role;
use sqlx::Executor as _;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, account_record, account_request, alliance_lead, apply, caller, clients, count,
    event_subjects, get_account, last_event_seq, member_record, member_request, person, provision, start,
};

#[tokio::test]
async fn dir_050_apply_directory_creates_updates_and_skips_unchanged_records() {
    let app = start().await;
    let before = last_event_seq(&app).await;
    let mut changed = account_record(ALDER, "Alder");
    changed.legal_name = "Alder SE".to_owned();
    changed.terms_accepted = true;
    let mut promoted = member_record(ALDER, "alder-user", &[Role::AceUser, Role::AceManager]);
    promoted.person = Some(pb::Person {
        email: "Alder-User@PARTNERS.example".to_owned(),
        ..person("alder-user")
    });
    let records = vec![
        account_request(changed.clone()),
        member_request(promoted.clone()),
        member_request(member_record(ALDER, "alder.new", &[Role::AceUser])),
        account_request(account_record(BIRCH, "Birch")),
        account_request(account_record("444444444444", "Elm")),
    ];
    let results =
        |responses: &[pb::ApplyDirectoryResponse]| responses.iter().map(|a| a.result()).collect::<Vec<_>>();
    use pb::ApplyResult::{Created, Unchanged, Updated};
    let dry_run: Vec<_> = records
        .iter()
        .cloned()
        .map(|record| pb::ApplyDirectoryRequest {
            validate_only: true,
            ..record
        })
        .collect();
    let expected = [Updated, Updated, Created, Unchanged, Created];
    assert_eq!(results(&apply(&app, dry_run).await), expected);
    assert_eq!(last_event_seq(&app).await, before, "a dry run changes nothing");
    assert_eq!(results(&apply(&app, records.clone()).await), expected);
    assert_eq!(
        event_subjects(&app, before).await,
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
        "applying the same records again must change nothing"
    );
    let alder = get_account(&mut alliance_lead(&app, ALDER)).await;
    assert_eq!((alder.legal_name.as_str(), alder.revision), ("Alder SE", 3));
    assert!(alder.terms_accept_time.is_some());
    let mut without_profile = account_record(ALDER, "Alder");
    without_profile.legal_name = "Alder SE".to_owned();
    without_profile.profile = None;
    let results = apply(&app, vec![account_request(without_profile)]).await;
    assert_eq!(
        results[0].result(),
        Unchanged,
        "a record without terms and profile must keep both"
    );
    app.finish::<Partners>().await;
}

/// The fields that violate a rule.
fn invalid_fields(error: &rpc::Status) -> Vec<InvalidField> {
    let mut details = error.details.iter();
    details
        .find_map(|detail| detail.to_msg::<InvalidFields>().ok())
        .map(|details| details.fields)
        .unwrap_or_default()
}

#[tokio::test]
async fn dir_051_invalid_record_is_refused_without_blocking_others() {
    let app = start().await;
    let mut invalid_profile = account_record(ALDER, "Alder");
    if let Some(profile) = &mut invalid_profile.profile {
        profile.industry_segments = vec!["Nonsense".to_owned()];
    }
    let mut other_side = account_record(ALDER, "Alder");
    other_side.side = pb::Side::Aws.into();
    let mut invalid_address = member_record(ALDER, "alder-x", &[]);
    invalid_address.person = Some(pb::Person {
        email: "nonsense".to_owned(),
        first_name: String::new(),
        ..person("x")
    });
    let records = vec![
        account_request(invalid_profile),
        account_request(other_side),
        member_request(invalid_address),
        member_request(member_record(ALDER, "alder-second-lead", &[Role::AllianceLead])),
        member_request(member_record(ALDER, "alder-reviewer", &[Role::Reviewer])),
        member_request(member_record(ALDER, ALDER, &[])),
        member_request(member_record(ALDER, "alder-fine", &[Role::AceUser])),
        member_request(member_record("555555555555", "nowhere", &[])),
        pb::ApplyDirectoryRequest::default(),
    ];
    let numbered: Vec<_> = (1..)
        .zip(records)
        .map(|(number, record)| pb::ApplyDirectoryRequest { number, ..record })
        .collect();
    let responses = apply(&app, numbered).await;
    let numbers: Vec<_> = responses.iter().map(|response| response.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (response, text) in responses.iter().zip([
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
            assert_eq!(response.result(), pb::ApplyResult::Created);
        } else {
            assert_eq!(response.result(), pb::ApplyResult::Refused, "{response:?}");
            let error = response.error.as_ref().expect("an error");
            let mut description = format!("{} ", error.message);
            let invalid = invalid_fields(error);
            description.extend(invalid.iter().map(|field| format!("{} ", field.field)));
            assert!(description.contains(text), "{text}: {description}");
        }
    }
    let error = responses[2].error.as_ref().expect("an error");
    assert_eq!(
        invalid_fields(error).len(),
        2,
        "every violation must be reported: {error:?}"
    );
    app.finish::<Partners>().await;
}

/// A record without a status keeps the status of a member, and activates an account.
#[tokio::test]
async fn dir_050_unspecified_status_keeps_member_status_and_activates_account() {
    let app = start().await;
    let record_with = |status: pb::MemberStatus| {
        let mut record = member_record(ALDER, "alder.new", &[Role::AceUser]);
        record.status = status.into();
        member_request(record)
    };
    for status in [pb::MemberStatus::Invited, pb::MemberStatus::Deactivated] {
        let responses = apply(
            &app,
            vec![record_with(status), record_with(pb::MemberStatus::Unspecified)],
        )
        .await;
        let again = responses.last().map(pb::ApplyDirectoryResponse::result);
        assert_eq!(again, Some(pb::ApplyResult::Unchanged), "{status:?}");
        let request = pb::GetMemberRequest {
            member_id: "alder.new".to_owned(),
            ..Default::default()
        };
        let response = alliance_lead(&app, ALDER)
            .members()
            .get_member(request)
            .await
            .expect("a member");
        let member = response.into_inner().member.expect("a member");
        assert_eq!(member.status(), status);
    }
    let mut suspended = account_record(BIRCH, "Birch");
    suspended.status = pb::AccountStatus::Suspended.into();
    apply(&app, vec![account_request(suspended)]).await;
    apply(&app, vec![account_request(account_record(BIRCH, "Birch"))]).await;
    let birch = get_account(&mut alliance_lead(&app, BIRCH)).await;
    assert_eq!(birch.status(), pb::AccountStatus::Active);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_050_long_list_is_applied_in_batches() {
    let app = start().await;
    let records: Vec<_> = (0..1203)
        .map(|number| {
            let account = if number % 2 == 0 && number > 600 {
                BIRCH
            } else {
                ALDER
            };
            member_request(member_record(account, &format!("m{number}"), &[Role::AceUser]))
        })
        .collect();
    let responses = apply(&app, records).await;
    assert_eq!(responses.len(), 1203);
    assert!(
        responses
            .iter()
            .all(|response| response.result() == pb::ApplyResult::Created)
    );
    app.finish::<Partners>().await;
}

/// Connections that are all in use for longer than a call waits do not end a list.
#[tokio::test]
async fn dir_050_list_is_applied_after_the_database_was_busy() {
    let app = start().await;
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let db = app.pools.calls.clone();
            tokio::spawn(async move {
                let mut tx = db.tx(&Scope::work()).await.expect("a connection");
                let statement = tx.conn().execute("SELECT pg_sleep(4)").await;
                statement.expect("a statement");
            })
        })
        .collect();
    eventually(async || match app.pools.calls.connections() {
        (4, 0) => Ok(()),
        other => Err(format!("{other:?} connections are open and idle")),
    })
    .await;
    let record = member_request(member_record(ALDER, "alder.new", &[Role::AceUser]));
    let applied = apply(&app, vec![record]).await;
    assert_eq!(applied[0].result(), pb::ApplyResult::Created, "{applied:?}");
    for transaction in busy {
        transaction.await.expect("no panic");
    }
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_050_member_may_not_call_apply_directory() {
    let app = start().await;
    let clients = clients(&app, &caller(ALDER, "alder-lead"));
    let response = clients
        .accounts()
        .apply_directory(tokio_stream::iter([account_request(account_record(ALDER, "A"))]))
        .await;
    refused(
        response.map(|response| response.map(|_| ())),
        Code::PermissionDenied,
        "ROLE_NOT_PERMITTED",
    );
    app.finish::<Partners>().await;
}

/// Events of a long list are published in the bulk lane, behind all other events and no faster than consumers apply
/// them, so the deactivation of a single member is not delayed.
#[tokio::test]
async fn dir_050_acc_004_deactivation_is_published_ahead_of_bulk_events() {
    const MANY: usize = 450;
    let mut app = Setup::default()
        .with_bus()
        .start::<Partners>(Options::default())
        .await;
    provision(&app).await;
    let peer = PeerStub::new(&app.bus().url()).await;
    let published = peer.first_events("partner", 1).await.len();
    assert_eq!(published, 1, "the stream must exist");
    // An idle consumer: every event that it receives stays in its backlog.
    peer.create_idle_consumer("partner").await;
    let members = (0..MANY)
        .map(|number| member_request(member_record(ALDER, &format!("alder-{number}"), &[Role::AceUser])));
    apply(&app, members.collect()).await;
    let pending = count(&app, "SELECT count(*) FROM outbox_pending WHERE bulk").await;
    assert!(pending > 100, "only {pending} events are pending");
    let deactivation = pb::DeactivateMemberRequest {
        member_id: "alder-user".to_owned(),
        ..Default::default()
    };
    alliance_lead(&app, ALDER)
        .members()
        .deactivate_member(deactivation)
        .await
        .expect("a deactivation");
    // A change of a member whose bulk event is still pending: its events must keep their order.
    let change = pb::SetMemberRolesRequest {
        member_id: format!("alder-{}", MANY - 1),
        ..Default::default()
    };
    alliance_lead(&app, ALDER)
        .members()
        .set_member_roles(change)
        .await
        .expect("a change");
    eventually(
        async || match count(&app, "SELECT count(*) FROM outbox_pending WHERE NOT bulk").await {
            0 => Ok(()),
            pending => Err(format!("{pending} events are pending")),
        },
    )
    .await;
    let remaining = count(&app, "SELECT count(*) FROM outbox_pending WHERE bulk").await;
    assert!(remaining > 0, "bulk events must still be pending");
    let event_count = peer.count("partner").await;
    let events = peer
        .first_events("partner", usize::try_from(event_count).expect("a number"))
        .await;
    let is_last_member = |event: &Published| event.header("ce-subject") == format!("alder-{}", MANY - 1);
    let order = events
        .iter()
        .filter(|event| is_last_member(event))
        .map(|event| event.header("ce-sequence").to_owned());
    assert_eq!(
        order.collect::<Vec<_>>(),
        ["1", "2"],
        "events of one member must keep their order"
    );
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_050_apply_directory_publishes_event_for_each_kind_of_change() {
    let app = start().await;
    let before = last_event_seq(&app).await;
    let mut invited = member_record(ALDER, "alder-invited", &[Role::AceUser]);
    invited.status = pb::MemberStatus::Invited.into();
    let mut left = member_record(ALDER, "alder-team", &[Role::AllianceTeam]);
    left.status = pb::MemberStatus::Deactivated.into();
    let mut renamed = member_record(ALDER, "alder-manager", &[Role::AceManager]);
    renamed.person = Some(pb::Person {
        last_name: "Other".to_owned(),
        ..person("alder-manager")
    });
    let records = [
        member_record(ALDER, "alder-new", &[Role::AceUser]),
        invited,
        member_record(ALDER, "alder-user", &[Role::StandardUser]),
        renamed,
        left,
    ];
    apply(&app, records.map(member_request).to_vec()).await;
    let mut published = event_subjects(&app, before).await;
    published.sort();
    let subject = |id: &str, event: &str| format!("cosell.partner.v1.{ALDER}.{id}.{event}");
    assert_eq!(
        published,
        [
            subject("alder-invited", "member_invited"),
            subject("alder-manager", "member_details_changed"),
            subject("alder-new", "member_registered"),
            subject("alder-team", "member_deactivated"),
            subject("alder-user", "member_roles_changed"),
        ]
    );
    app.finish::<Partners>().await;
}

/// The rows of an account that a dry run creates are rolled back with its batch, and later batches refer to them.
#[tokio::test]
async fn dir_051_dry_run_of_a_new_account_has_members_in_later_batches() {
    let app = start().await;
    let account = "666666666666";
    let members =
        (0..600).map(|number| member_request(member_record(account, &format!("fir-{number}"), &[])));
    let mut records = vec![account_request(account_record(account, "Fir"))];
    records.extend(members);
    for record in &mut records {
        record.validate_only = true;
    }
    let created = apply(&app, records.clone()).await;
    assert_eq!(created.len(), records.len());
    let refused = created
        .iter()
        .find(|response| response.result() != pb::ApplyResult::Created);
    assert_eq!(refused, None);
    app.finish::<Partners>().await;
}
