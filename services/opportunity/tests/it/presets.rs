//! Presets of lists: contents on both sides of each boundary, counts, and combination with filters (OPP-062, OPP-063,
//! OPP-065).

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

use crate::support::{ALDER, BIRCH, client_for, create, list_all_ids, manager, record, start, user};

/// Inserts a record directly, in a state that calls could reach only over a long time.
const INSERT_RECORD: &str = "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
   review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date, create_time,
   update_time, submit_time, record)
 SELECT r ->> 'account', substr(r ->> 'id', 2)::bigint, 1, r ->> 'owner', r ->> 'created_by', r ->> 'submitted_by',
   r #>> '{review,status}', r #>> '{details,life_cycle,stage}', r ->> 'visibility',
   r #>> '{details,customer,account,company_name}', '', (r #>> '{details,life_cycle,target_close_date}')::date,
   (r ->> 'create_time')::timestamptz, (r ->> 'update_time')::timestamptz,
   (r #>> '{review,submit_time}')::timestamptz, r FROM (SELECT $1::jsonb) AS inserted (r)";

/// The properties that presets depend on.
#[derive(Clone, Debug)]
struct Record {
    account: &'static str,
    owner: &'static str,
    origin: &'static str,
    status: &'static str,
    stage: &'static str,
    visibility: &'static str,
    close_date: &'static str,
    created: &'static str,
    updated: &'static str,
    submitted: Option<&'static str>,
}

/// An approved record that matches no time-based preset. The clock is at 2 March 2026, 09:00.
const BASE_RECORD: Record = Record {
    account: ALDER,
    owner: "mem-user",
    origin: "PARTNER_REFERRAL",
    status: "APPROVED",
    stage: "QUALIFIED",
    visibility: "FULL",
    close_date: "2026-09-30",
    created: "2025-11-01T09:00:00Z",
    updated: "2026-03-01T09:00:00Z",
    submitted: Some("2025-11-02T09:00:00Z"),
};

/// Inserts records with the ids O1, O2 and so on.
async fn insert_records(app: &App, records: &[Record]) {
    let created = create(app, &user(), record("Alder")).await;
    let mut admin = app.database.admin::<Opportunities>().await;
    let base: Value = sqlx::query_scalar("SELECT record FROM opportunity")
        .fetch_one(&mut admin)
        .await
        .expect("a record");
    assert_eq!(base["id"], json!(created.opportunity_id));
    sqlx::query("DELETE FROM opportunity")
        .execute(&mut admin)
        .await
        .expect("an empty table");
    for (index, spec) in records.iter().enumerate() {
        let mut record = base.clone();
        record["id"] = json!(format!("O{}", index + 1));
        record["account"] = json!(spec.account);
        record["owner"] = json!(spec.owner);
        record["created_by"] = json!(spec.owner);
        record["submitted_by"] = json!(spec.owner);
        record["origin"] = json!(spec.origin);
        record["visibility"] = json!(spec.visibility);
        record["create_time"] = json!(spec.created);
        record["update_time"] = json!(spec.updated);
        record["review"]["status"] = json!(spec.status);
        record["review"]["submit_time"] = json!(spec.submitted);
        record["details"]["life_cycle"]["stage"] = json!(spec.stage);
        record["details"]["life_cycle"]["target_close_date"] = json!(spec.close_date);
        sqlx::query(INSERT_RECORD)
            .bind(record)
            .execute(&mut admin)
            .await
            .expect("an inserted record");
    }
}

async fn list_preset(app: &App, caller: &Caller, preset: Preset, page_size: i32) -> Vec<String> {
    let request = pb::ListOpportunitiesRequest {
        preset: preset.number(),
        page_size,
        ..Default::default()
    };
    list_all_ids(app, caller, request).await.expect("pages")
}

async fn count_presets(app: &App, caller: &Caller, presets: &[Preset]) -> Vec<(i32, i64)> {
    let request = pb::CountOpportunitiesRequest {
        presets: presets.iter().map(|preset| preset.number()).collect(),
    };
    let answer = client_for(app, caller)
        .opportunities()
        .count_opportunities(request)
        .await
        .expect("counts");
    let counts = answer.into_inner().counts.into_iter();
    counts.map(|count| (count.preset, count.count)).collect()
}

/// Records with the presets that each matches, besides ALL_CUSTOMER_ENGAGEMENTS.
fn preset_cases() -> Vec<(Record, Vec<Preset>)> {
    use Preset::{
        ActionRequired, AwsReferred, ClosingThisMonth, Committed, Draft, InReview, Launched,
        NoUpdateForTwoWeeks, PartnerReferred, SharedByAwsLast7Days, SharedByAwsThisQuarter,
        SubmittedLast7Days, SubmittedThisQuarter, ValidatedOpen,
    };
    let approved = |more: &[Preset]| [&[PartnerReferred, ValidatedOpen][..], more].concat();
    let status = |status| Record {
        status,
        ..BASE_RECORD
    };
    let stage = |stage| Record { stage, ..BASE_RECORD };
    let close_date = |close_date| Record {
        close_date,
        ..BASE_RECORD
    };
    let updated = |updated| Record {
        updated,
        ..BASE_RECORD
    };
    let submitted = |submitted| Record {
        submitted: Some(submitted),
        ..BASE_RECORD
    };
    let shared = |created| Record {
        origin: "AWS_REFERRAL",
        created,
        ..BASE_RECORD
    };
    let referred = |more: &[Preset]| [&[AwsReferred, ValidatedOpen][..], more].concat();
    vec![
        (BASE_RECORD, approved(&[])),
        (status("PENDING_SUBMISSION"), vec![Draft]),
        (status("SUBMITTED"), vec![InReview]),
        (status("IN_REVIEW"), vec![InReview]),
        (status("ACTION_REQUIRED"), vec![ActionRequired]),
        (status("REJECTED"), vec![]),
        (stage("COMMITTED"), approved(&[Committed])),
        (stage("LAUNCHED"), vec![PartnerReferred, Launched]),
        (stage("CLOSED_LOST"), vec![PartnerReferred]),
        (close_date("2026-02-28"), approved(&[])),
        (close_date("2026-03-01"), approved(&[ClosingThisMonth])),
        (close_date("2026-03-31"), approved(&[ClosingThisMonth])),
        (close_date("2026-04-01"), approved(&[])),
        (close_date("2027-03-15"), approved(&[])),
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
                // A draft from an accepted lead is not pending acceptance.
                ..shared("2025-11-01T09:00:00Z")
            },
            vec![Draft],
        ),
    ]
}

/// All presets but that of offers, which are not records.
fn listed_presets() -> impl Iterator<Item = Preset> {
    Preset::ALL
        .iter()
        .copied()
        .filter(|preset| *preset != Preset::PendingAcceptance)
}

#[tokio::test]
async fn opp_063_preset_contents_are_exact_at_each_boundary() {
    let app = start().await;
    let cases = preset_cases();
    let records: Vec<_> = cases.iter().map(|(record, _)| record.clone()).collect();
    insert_records(&app, &records).await;
    for preset in listed_presets() {
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
        let listed = list_preset(&app, &manager(), preset, 100).await;
        assert_eq!(
            listed.into_iter().collect::<BTreeSet<_>>(),
            expected,
            "{preset:?}"
        );
    }
    app.finish::<Opportunities>().await;
}

/// Quarters are in UTC, independent of the time zone of the database.
#[tokio::test]
async fn opp_063_quarter_preset_switches_at_utc_quarter_boundary() {
    let app = start().await;
    let last = Record {
        submitted: Some("2026-03-31T23:59:59.999999Z"),
        ..BASE_RECORD
    };
    let first = Record {
        submitted: Some("2026-04-01T00:00:00Z"),
        ..BASE_RECORD
    };
    insert_records(&app, &[last, first]).await;
    let this_quarter = async || list_preset(&app, &manager(), Preset::SubmittedThisQuarter, 100).await;
    assert_eq!(this_quarter().await, ["O1"]);
    let now = app.clock.now();
    let quarter: chrono::DateTime<chrono::Utc> = "2026-04-01T00:00:00Z".parse().expect("a time");
    app.clock.advance(quarter - now);
    assert_eq!(this_quarter().await, ["O2"]);
    app.finish::<Opportunities>().await;
}

fn arbitrary_record() -> impl Strategy<Value = Record> {
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
            of(&["mem-user", "mem-manager", "mem-unrelated"]),
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
            |(
                (account, owner, origin, visibility),
                status,
                stage,
                close_date,
                (created, updated, submitted),
            )| {
                Record {
                    account,
                    owner,
                    origin,
                    status,
                    stage,
                    visibility,
                    close_date,
                    created,
                    updated,
                    submitted,
                }
            },
        )
}

/// For each caller and preset, the count equals the number of listed records, and no record is listed twice.
#[tokio::test]
async fn opp_063_065_preset_counts_equal_listed_records_for_each_caller() {
    let app = start().await;
    let mut runner = TestRunner::deterministic();
    let records = prop::collection::vec(arbitrary_record(), 150).new_tree(&mut runner);
    let records = records.expect("records").current();
    insert_records(&app, &records).await;
    let callers = [
        manager(),
        user(),
        partner("mem-unrelated", BIRCH, Role::AllianceLead),
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
            // The result is ignored: some callers do not see the record.
            let _ = client_for(&app, caller)
                .opportunities()
                .flag_opportunity(request)
                .await;
        }
    }
    for caller in &callers {
        let counts = count_presets(&app, caller, &[]).await;
        assert_eq!(counts.len(), listed_presets().count());
        for (preset, (number, count)) in listed_presets().zip(counts) {
            assert_eq!(number, preset.number());
            let single_page = list_preset(&app, caller, preset, 100).await;
            let small_pages = list_preset(&app, caller, preset, 7).await;
            assert_eq!(single_page, small_pages, "{preset:?} for {}", caller.actor());
            let distinct: BTreeSet<_> = single_page.iter().collect();
            assert_eq!(
                distinct.len(),
                single_page.len(),
                "{preset:?} for {}",
                caller.actor()
            );
            assert_eq!(
                count,
                i64::try_from(single_page.len()).expect("a number"),
                "{preset:?} for {}",
                caller.actor()
            );
        }
    }
    let all = count_presets(&app, &manager(), &[]).await;
    let empty: Vec<_> = all
        .iter()
        .filter(|(_, count)| *count == 0)
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(
        empty,
        Vec::<i32>::new(),
        "every preset must have records: {all:?}"
    );
    let selected = count_presets(&app, &manager(), &[Preset::Launched, Preset::Draft]).await;
    assert_eq!(
        selected,
        [all[5], all[1]],
        "only the requested presets, in the requested order"
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_062_063_presets_combine_with_owner_origin_and_status_filters() {
    let app = start().await;
    let of = |owner, origin, status| Record {
        owner,
        origin,
        status,
        ..BASE_RECORD
    };
    let records = [
        of("mem-user", "PARTNER_REFERRAL", "APPROVED"),
        of("mem-manager", "PARTNER_REFERRAL", "APPROVED"),
        of("mem-user", "AWS_REFERRAL", "APPROVED"),
        of("mem-user", "PARTNER_REFERRAL", "SUBMITTED"),
    ];
    insert_records(&app, &records).await;
    let list = async |preset: Preset, filter: pb::OpportunityFilter| {
        let request = pb::ListOpportunitiesRequest {
            preset: preset.number(),
            filter: Some(filter),
            sort_key: pb::OpportunitySortKey::OpportunityId.into(),
            ..Default::default()
        };
        list_all_ids(&app, &manager(), request).await.expect("pages")
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
    assert_eq!(list(engagements, owner(&["mem-unknown"])).await.len(), 0);
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
        "preset and filter must both match"
    );
    let submitted = pb::OpportunityFilter {
        review_statuses: vec![ReviewStatus::Submitted.into()],
        ..Default::default()
    };
    assert_eq!(list(Preset::InReview, submitted).await, ["O4"]);
    app.finish::<Opportunities>().await;
}
