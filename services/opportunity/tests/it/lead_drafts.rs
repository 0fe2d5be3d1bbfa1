//! Drafts that are made of leads (OPP-091).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::{DateRange, ReviewStatus, SortOrder};
use cosell_testkit::harness::{eventually, refused};
use tonic::Code;

use crate::support::{ALDER, by, count, create, date, get, manager, record};

use crate::referred::{ID, deal, made, start_beside_both};

pub const LEAD: &str = "lead-0000000000004";

fn interaction(day: i32, use_case: &str, problem: &str, email: &str) -> referral::LeadInteraction {
    referral::LeadInteraction {
        source_type: "Event".to_owned(),
        customer_action: "Came to the stand".to_owned(),
        use_case: use_case.to_owned(),
        business_problem: problem.to_owned(),
        interaction_date: (day > 0).then(|| prost_types::Timestamp {
            seconds: 1_769_947_200 + i64::from(day - 1) * 86_400,
            nanos: 0,
        }),
        contact: Some(referral::LeadContact {
            first_name: "Ada".to_owned(),
            business_title: "x".repeat(if day > 0 { 255 } else { 80 }),
            phone: if day > 0 {
                "040 / 666".to_owned()
            } else {
                "+49 (40) 666".to_owned()
            },
            email: email.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The newest touch point is the second; one without a day is older than all others.
fn lead() -> referral::LeadDetails {
    referral::LeadDetails {
        customer_company_name: "Nordwind".to_owned(),
        customer_website_url: "www.nordwind.example".to_owned(),
        address: Some(pb::Address {
            country_code: "DE".to_owned(),
            city: "Hamburg".to_owned(),
            ..Default::default()
        }),
        industry: "Retail".to_owned(),
        interactions: vec![
            interaction(
                11,
                "Database",
                "Orders are typed in twice, every day.",
                "ada@customer.example",
            ),
            interaction(12, "", "Invoices are typed in twice.", "Ada@customer.example"),
            interaction(0, "Storage & Backup", "", "bert@customer.example"),
        ],
        ..Default::default()
    }
}

fn converted() -> referral::LeadConverted {
    referral::LeadConverted {
        lead_id: LEAD.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 4,
        converted_by: "mem-manager".to_owned(),
        opportunity_id: ID.to_owned(),
    }
}

#[tokio::test]
async fn opp_091_of_a_lead_comes_a_draft_with_what_is_known_once() {
    let (app, far) = start_beside_both(deal(), lead()).await;
    far.tell("referral", ALDER, LEAD, 1, &referral::LeadAccepted::default())
        .await;
    far.tell("referral", ALDER, LEAD, 2, &converted()).await;
    let seen = made(&app).await;
    assert_eq!(
        (
            seen.origin(),
            seen.owner_member_id.as_str(),
            seen.lead_id.as_str(),
            seen.referral_offer_id.as_str(),
        ),
        (pb::Origin::AwsReferral, "mem-manager", LEAD, "")
    );
    let life_cycle = seen.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            life_cycle.stage(),
            life_cycle.target_close_date
        ),
        (ReviewStatus::PendingSubmission, pb::Stage::Prospect, None)
    );
    let customer = seen.customer.as_ref().expect("a customer");
    let account = customer.account.as_ref().expect("an account");
    let address = account.address.as_ref().expect("an address");
    assert_eq!(
        (
            account.company_name.as_str(),
            account.website_url.as_str(),
            account.industry.as_str(),
            address.country_code.as_str(),
            address.city.as_str()
        ),
        ("Nordwind", "www.nordwind.example", "Retail", "DE", "Hamburg")
    );
    let reached: Vec<_> = customer
        .contacts
        .iter()
        .map(|contact| {
            let title = contact.business_title.len();
            (contact.email.as_str(), title, contact.phone.as_str())
        })
        .collect();
    assert_eq!(
        reached,
        [
            ("ada@customer.example", 0, ""),
            ("bert@customer.example", 80, "+4940666")
        ],
        "what a record cannot have is left out"
    );
    let project = seen.project.as_ref().expect("a project");
    assert_eq!(
        (
            project.customer_use_case.as_str(),
            project.customer_business_problem.as_str(),
            project.title.as_str()
        ),
        ("Database", "Invoices are typed in twice.", "")
    );

    // The event comes again, as itself and as another copy.
    far.tell("referral", ALDER, LEAD, 2, &converted()).await;
    far.tell("referral", ALDER, LEAD, 3, &referral::LeadAssigned::default())
        .await;
    let read = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-referral'";
    eventually(async || match count(&app, read).await {
        3 | 4 => Ok(()),
        read => Err(format!("{read} events were read")),
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    assert_eq!(get(&app, &manager(), ID).await.revision, 1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_091_what_is_missing_is_asked_for_and_a_solution_too() {
    let mut known = lead();
    known.interactions[0].use_case = "Something with data".to_owned();
    known.interactions[2].use_case = String::new();
    let (app, far) = start_beside_both(deal(), known).await;
    far.tell("referral", ALDER, LEAD, 1, &converted()).await;
    let seen = made(&app).await;
    assert_eq!(
        seen.project.expect("a project").customer_use_case,
        "",
        "a record knows the words of the list only"
    );
    let submission = pb::SubmitOpportunityRequest {
        opportunity_id: ID.to_owned(),
        involvement_type: pb::InvolvementType::CoSell.into(),
        ..Default::default()
    };
    let mut calls = by(&app, &manager()).lifecycle();
    let answer = calls.submit_opportunity(submission.clone()).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    let missing = refusal.paths();
    for field in [
        "opportunity.project.title",
        "opportunity.customer.account.address.postal_code",
        "opportunity.life_cycle.target_close_date",
        "opportunity.project.customer_use_case",
        // A deal of AWS would do without a solution.
        "opportunity.related_entity_identifiers",
    ] {
        assert!(missing.contains(&field), "{field} is not in {missing:?}");
    }

    // With all of it, it is a draft like every other one.
    let update = pb::UpdateOpportunityRequest {
        opportunity_id: ID.to_owned(),
        opportunity: Some(pb::Opportunity {
            partner_opportunity_identifier: String::new(),
            ..record("Nordwind")
        }),
        ..Default::default()
    };
    by(&app, &manager())
        .opportunities()
        .update_opportunity(update)
        .await
        .expect("what was missing");
    by(&app, &manager())
        .lifecycle()
        .submit_opportunity(submission)
        .await
        .expect("a submission");
    let seen = get(&app, &manager(), ID).await;
    let status = seen.life_cycle.expect("a life cycle").review_status();
    assert_eq!((status, seen.lead_id.as_str()), (ReviewStatus::Submitted, LEAD));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_063_091_a_draft_without_a_close_date_is_listed_last_and_waits_for_nobody() {
    let (app, far) = start_beside_both(deal(), lead()).await;
    far.tell("referral", ALDER, LEAD, 1, &converted()).await;
    made(&app).await;
    let own = create(&app, &manager(), record("Alder")).await;
    let list = async |request: pb::ListOpportunitiesRequest| {
        let mut calls = by(&app, &manager()).opportunities();
        let answer = calls.list_opportunities(request).await;
        let answer = answer.expect("a list").into_inner();
        let ids: Vec<_> = answer
            .opportunities
            .into_iter()
            .map(|record| record.opportunity_id)
            .collect();
        (ids, answer.next_page_token)
    };
    let sorted = pb::ListOpportunitiesRequest {
        page_size: 1,
        sort_key: pb::OpportunitySortKey::TargetCloseDate.into(),
        sort_order: SortOrder::Ascending.into(),
        ..Default::default()
    };
    let (first, token) = list(sorted.clone()).await;
    let second = pb::ListOpportunitiesRequest {
        page_token: token,
        ..sorted
    };
    let (second, _) = list(second).await;
    assert_eq!(
        (first, second),
        (vec![own.opportunity_id.clone()], vec![ID.to_owned()])
    );
    let preset = |preset: pb::OpportunityPreset| pb::ListOpportunitiesRequest {
        preset: preset.into(),
        ..Default::default()
    };
    let (drafts, _) = list(preset(pb::OpportunityPreset::Draft)).await;
    assert_eq!(drafts.len(), 2);
    let (waiting, _) = list(preset(pb::OpportunityPreset::PendingAcceptance)).await;
    assert_eq!(waiting, Vec::<String>::new(), "it was accepted long ago");
    let ahead = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            target_close_date: Some(DateRange {
                start: date(2026, 1, 1),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (ahead, _) = list(ahead).await;
    assert_eq!(
        ahead,
        [own.opportunity_id],
        "a day that is not known is in no span"
    );
    app.finish::<Opportunities>().await;
}
