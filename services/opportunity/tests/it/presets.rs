//! Presets, on both sides of each boundary, and their counts.

use std::collections::BTreeSet;

use cosell_opportunity::Opportunities;
use cosell_opportunity::domain::values::Preset;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{App, aws, partner};
use cosell_types::{Caller, ClosedList as _, Role};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{ALDER, BIRCH, by, create, manager, pages, record, start, user};

/// Writes a record with its columns, as it would be after a history that no test plays.
const PLANT: &str = "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
   review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date, create_time,
   update_time, submit_time, record)
 SELECT r ->> 'account', substr(r ->> 'id', 2)::bigint, 1, r ->> 'owner', r ->> 'created_by', r ->> 'submitted_by',
   r #>> '{review,status}', r #>> '{details,life_cycle,stage}', r ->> 'visibility',
   r #>> '{details,customer,account,company_name}', '', (r #>> '{details,life_cycle,target_close_date}')::date,
   (r ->> 'create_time')::timestamptz, (r ->> 'update_time')::timestamptz,
   (r #>> '{review,submit_time}')::timestamptz, r FROM (SELECT $1::jsonb) AS given (r)";

/// What presets ask of.
#[derive(Clone, Debug)]
struct Record {
    account: &'static str,
    owner: &'static str,
    origin: &'static str,
    status: &'static str,
    stage: &'static str,
    visibility: &'static str,
    closes: &'static str,
    created: &'static str,
    updated: &'static str,
    submitted: Option<&'static str>,
}

/// An approved one that is in no preset of time: it is 2 March 2026, 09:00.
const PLAIN: Record = Record {
    account: ALDER,
    owner: "mem-user",
    origin: "PARTNER_REFERRAL",
    status: "APPROVED",
    stage: "QUALIFIED",
    visibility: "FULL",
    closes: "2026-09-30",
    created: "2025-11-01T09:00:00Z",
    updated: "2026-03-01T09:00:00Z",
    submitted: Some("2025-11-02T09:00:00Z"),
};

/// Plants records with ids that count from 1.
async fn plant(app: &App, records: &[Record]) {
    let made = create(app, &user(), record("Alder")).await;
    let mut admin = app.database.admin::<Opportunities>().await;
    let base: Value = sqlx::query_scalar("SELECT record FROM opportunity")
        .fetch_one(&mut admin)
        .await
        .expect("a record");
    assert_eq!(base["id"], json!(made.opportunity_id));
    sqlx::query("DELETE FROM opportunity")
        .execute(&mut admin)
        .await
        .expect("an empty table");
    for (index, planted) in records.iter().enumerate() {
        let mut record = base.clone();
        record["id"] = json!(format!("O{}", index + 1));
        record["account"] = json!(planted.account);
        record["owner"] = json!(planted.owner);
        record["created_by"] = json!(planted.owner);
        record["submitted_by"] = json!(planted.owner);
        record["origin"] = json!(planted.origin);
        record["visibility"] = json!(planted.visibility);
        record["create_time"] = json!(planted.created);
        record["update_time"] = json!(planted.updated);
        record["review"]["status"] = json!(planted.status);
        record["review"]["submit_time"] = json!(planted.submitted);
        record["details"]["life_cycle"]["stage"] = json!(planted.stage);
        record["details"]["life_cycle"]["target_close_date"] = json!(planted.closes);
        sqlx::query(PLANT)
            .bind(record)
            .execute(&mut admin)
            .await
            .expect("a planted record");
    }
}

async fn listed(app: &App, caller: &Caller, preset: Preset, page_size: i32) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        preset: preset.number(),
        page_size,
        ..Default::default()
    };
    pages(app, caller, request).await.expect("pages")
}

async fn counted(app: &App, caller: &Caller, presets: &[Preset]) -> Vec<(i32, i64)> {
    let request = pb::CountOpportunitiesRequest {
        presets: presets.iter().map(|preset| preset.number()).collect(),
    };
    let answer = by(app, caller)
        .opportunities()
        .count_opportunities(request)
        .await
        .expect("counts");
    let counts = answer.into_inner().counts.into_iter();
    counts.map(|count| (count.preset, count.count)).collect()
}

/// Records, and the presets that each is in besides ALL_CUSTOMER_ENGAGEMENTS.
fn cases() -> Vec<(Record, Vec<Preset>)> {
    use Preset::{
        ActionRequired, AwsReferred, ClosingThisMonth, Committed, Draft, InReview, Launched,
        NoUpdateForTwoWeeks, PartnerReferred, SharedByAwsLast7Days, SharedByAwsThisQuarter,
        SubmittedLast7Days, SubmittedThisQuarter, ValidatedOpen,
    };
    let approved = |more: &[Preset]| [&[PartnerReferred, ValidatedOpen][..], more].concat();
    let status = |status| Record { status, ..PLAIN };
    let stage = |stage| Record { stage, ..PLAIN };
    let closes = |closes| Record { closes, ..PLAIN };
    let updated = |updated| Record { updated, ..PLAIN };
    let submitted = |submitted| Record {
        submitted: Some(submitted),
        ..PLAIN
    };
    let shared = |created| Record {
        origin: "AWS_REFERRAL",
        created,
        ..PLAIN
    };
    let referred = |more: &[Preset]| [&[AwsReferred, ValidatedOpen][..], more].concat();
    vec![
        (PLAIN, approved(&[])),
        (status("PENDING_SUBMISSION"), vec![Draft]),
        (status("SUBMITTED"), vec![InReview]),
        (status("IN_REVIEW"), vec![InReview]),
        (status("ACTION_REQUIRED"), vec![ActionRequired]),
        (status("REJECTED"), vec![]),
        (stage("COMMITTED"), approved(&[Committed])),
        (stage("LAUNCHED"), vec![PartnerReferred, Launched]),
        (stage("CLOSED_LOST"), vec![PartnerReferred]),
        (closes("2026-02-28"), approved(&[])),
        (closes("2026-03-01"), approved(&[ClosingThisMonth])),
        (closes("2026-03-31"), approved(&[ClosingThisMonth])),
        (closes("2026-04-01"), approved(&[])),
        (closes("2027-03-15"), approved(&[])),
        (
            updated("2026-02-16T08:59:59.999999Z"),
            approved(&[NoUpdateForTwoWeeks]),
        ),
        (updated("2026-02-16T09:00:00Z"), approved(&[])),
        (submitted("2025-12-31T23:59:59.999999Z"), approved(&[])),
        (
            submitted("2026-01-01T00:00:00Z"),
            approved(&[SubmittedThisQuarter]),
        ),
        (
            submitted("2026-02-23T08:59:59.999999Z"),
            approved(&[SubmittedThisQuarter]),
        ),
        (
            submitted("2026-02-23T09:00:00Z"),
            approved(&[SubmittedThisQuarter, SubmittedLast7Days]),
        ),
        (
            Record {
                status: "PENDING_SUBMISSION",
                ..submitted("2026-03-01T09:00:00Z")
            },
            vec![Draft],
        ),
        (shared("2025-12-31T23:59:59.999999Z"), referred(&[])),
        (
            shared("2026-01-01T00:00:00Z"),
            referred(&[SharedByAwsThisQuarter]),
        ),
        (
            shared("2026-02-23T08:59:59.999999Z"),
            referred(&[SharedByAwsThisQuarter]),
        ),
        (
            shared("2026-02-23T09:00:00Z"),
            referred(&[SharedByAwsThisQuarter, SharedByAwsLast7Days]),
        ),
        (
            Record {
                status: "PENDING_SUBMISSION",
                // Of a lead that the partner accepted: it waits for nobody's acceptance.
                ..shared("2025-11-01T09:00:00Z")
            },
            vec![Draft],
        ),
    ]
}

#[tokio::test]
async fn opp_063_each_preset_holds_what_it_says_on_both_sides_of_each_boundary() {
    let app = start().await;
    let cases = cases();
    let records: Vec<_> = cases.iter().map(|(record, _)| record.clone()).collect();
    plant(&app, &records).await;
    for preset in Preset::ALL.iter().copied() {
        let expected: BTreeSet<_> = cases
            .iter()
            .enumerate()
            .filter(|(_, (record, presets))| match preset {
                Preset::AllCustomerEngagements => {
                    record.status != "PENDING_SUBMISSION" || record.origin == "AWS_REFERRAL"
                }
                preset => presets.contains(&preset),
            })
            .map(|(index, _)| format!("O{}", index + 1))
            .collect();
        let found = listed(&app, &manager(), preset, 100).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{preset:?}");
    }
    app.finish::<Opportunities>().await;
}

/// In UTC, whatever the database thinks of time zones.
#[tokio::test]
async fn opp_063_a_quarter_ends_and_another_begins() {
    let app = start().await;
    let last = Record {
        submitted: Some("2026-03-31T23:59:59.999999Z"),
        ..PLAIN
    };
    let first = Record {
        submitted: Some("2026-04-01T00:00:00Z"),
        ..PLAIN
    };
    plant(&app, &[last, first]).await;
    let this_quarter = async || listed(&app, &manager(), Preset::SubmittedThisQuarter, 100).await;
    assert_eq!(this_quarter().await, ["O1"]);
    let now = app.clock.now();
    let quarter: chrono::DateTime<chrono::Utc> = "2026-04-01T00:00:00Z".parse().expect("a time");
    app.clock.advance(quarter - now);
    assert_eq!(this_quarter().await, ["O2"]);
    app.finish::<Opportunities>().await;
}

fn any_record() -> impl Strategy<Value = Record> {
    let of = |values: &'static [&'static str]| prop::sample::select(values);
    let times = [
        "2025-12-31T23:59:59.999999Z",
        "2026-01-01T00:00:00Z",
        "2026-02-16T08:59:59.999999Z",
        "2026-02-16T09:00:00Z",
        "2026-02-23T08:59:59.999999Z",
        "2026-02-23T09:00:00Z",
        "2026-03-02T09:00:00Z",
    ];
    let time = move || prop::sample::select(times.to_vec());
    (
        (
            of(&[ALDER, ALDER, BIRCH]),
            of(&["mem-user", "mem-manager", "mem-stranger"]),
            of(&["PARTNER_REFERRAL", "PARTNER_REFERRAL", "AWS_REFERRAL"]),
            of(&["FULL", "FULL", "LIMITED"]),
        ),
        of(&[
            "PENDING_SUBMISSION",
            "SUBMITTED",
            "IN_REVIEW",
            "ACTION_REQUIRED",
            "APPROVED",
            "APPROVED",
            "REJECTED",
        ]),
        of(&["PROSPECT", "QUALIFIED", "COMMITTED", "LAUNCHED", "CLOSED_LOST"]),
        of(&["2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"]),
        (time(), time(), prop::option::of(time())),
    )
        .prop_map(
            |((account, owner, origin, visibility), status, stage, closes, (created, updated, submitted))| {
                Record {
                    account,
                    owner,
                    origin,
                    status,
                    stage,
                    visibility,
                    closes,
                    created,
                    updated,
                    submitted,
                }
            },
        )
}

/// For whomever: as many as are listed, in pages of any size, once each, and of all presets.
#[tokio::test]
async fn opp_063_065_presets_are_counted_as_they_are_listed() {
    let app = start().await;
    let mut runner = TestRunner::deterministic();
    let records = prop::collection::vec(any_record(), 150).new_tree(&mut runner);
    let records = records.expect("records").current();
    plant(&app, &records).await;
    let callers = [
        manager(),
        user(),
        partner("mem-stranger", BIRCH, Role::AllianceLead),
        aws("mem-reviewer", Role::Reviewer),
        aws("mem-seller", Role::SalesRepresentative),
    ];
    for caller in &callers {
        for number in [3, 8, 21, 34, 55] {
            let request = pb::FlagOpportunityRequest {
                opportunity_id: format!("O{number}"),
                flagged: Some(true),
                ..Default::default()
            };
            // Some see it, some do not.
            let _ = by(&app, caller).opportunities().flag_opportunity(request).await;
        }
    }
    for caller in &callers {
        let counts = counted(&app, caller, &[]).await;
        assert_eq!(counts.len(), Preset::ALL.len());
        for (preset, (number, count)) in Preset::ALL.iter().zip(counts) {
            assert_eq!(number, preset.number());
            let once = listed(&app, caller, *preset, 100).await;
            let by_sevens = listed(&app, caller, *preset, 7).await;
            assert_eq!(once, by_sevens, "{preset:?} for {}", caller.actor());
            let different: BTreeSet<_> = once.iter().collect();
            assert_eq!(different.len(), once.len(), "{preset:?} for {}", caller.actor());
            assert_eq!(
                count,
                i64::try_from(once.len()).expect("a number"),
                "{preset:?} for {}",
                caller.actor()
            );
        }
    }
    let all = counted(&app, &manager(), &[]).await;
    let empty: Vec<_> = all
        .iter()
        .filter(|(_, count)| *count == 0)
        .map(|(number, _)| *number)
        .collect();
    // What waits for acceptance is an offer, and no record.
    let waiting = Preset::PendingAcceptance.number();
    assert_eq!(empty, [waiting], "each other preset has something: {all:?}");
    let some = counted(&app, &manager(), &[Preset::Launched, Preset::Draft]).await;
    assert_eq!(some, [all[5], all[1]], "those that are named, in their order");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_062_063_presets_combine_with_filters_owners_and_origins() {
    let app = start().await;
    let of = |owner, origin, status| Record {
        owner,
        origin,
        status,
        ..PLAIN
    };
    let records = [
        of("mem-user", "PARTNER_REFERRAL", "APPROVED"),
        of("mem-manager", "PARTNER_REFERRAL", "APPROVED"),
        of("mem-user", "AWS_REFERRAL", "APPROVED"),
        of("mem-user", "PARTNER_REFERRAL", "SUBMITTED"),
    ];
    plant(&app, &records).await;
    let list = async |preset: Preset, filter: pb::OpportunityFilter| {
        let request = pb::ListOpportunitiesRequest {
            preset: preset.number(),
            filter: Some(filter),
            sort_key: pb::OpportunitySortKey::OpportunityId.into(),
            ..Default::default()
        };
        pages(&app, &manager(), request).await.expect("pages")
    };
    let owner = |ids: &[&str]| pb::OpportunityFilter {
        owner_member_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..Default::default()
    };
    let engagements = Preset::AllCustomerEngagements;
    assert_eq!(list(engagements, owner(&["mem-user"])).await, ["O4", "O3", "O1"]);
    assert_eq!(
        list(engagements, owner(&["mem-user", "mem-manager"])).await.len(),
        4
    );
    assert_eq!(list(engagements, owner(&["mem-nobody"])).await.len(), 0);
    assert_eq!(
        list(Preset::ValidatedOpen, owner(&["mem-user"])).await,
        ["O3", "O1"]
    );
    let referred = pb::OpportunityFilter {
        origins: vec![pb::Origin::AwsReferral.into()],
        ..Default::default()
    };
    assert_eq!(list(engagements, referred.clone()).await, ["O3"]);
    assert_eq!(
        list(Preset::PartnerReferred, referred).await.len(),
        0,
        "both must hold"
    );
    let submitted = pb::OpportunityFilter {
        review_statuses: vec![ReviewStatus::Submitted.into()],
        ..Default::default()
    };
    assert_eq!(list(Preset::InReview, submitted).await, ["O4"]);
    app.finish::<Opportunities>().await;
}
