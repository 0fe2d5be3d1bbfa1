//! Drafts created from converted leads (OPP-091): the copied details, submission requirements and position in lists.

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::r#type::v1::{DateRange, ReviewStatus, SortOrder};
use cosell_testkit::harness::{eventually, refused};
use tonic::Code;

use crate::support::{ALDER, client_for, count, create, date, get, manager, record};

use crate::referred::{ID, referred_opportunity, start_with_referral_and_lead, wait_for_opportunity};

pub const LEAD: &str = "lead-0000000000004";

fn interaction(day: i32, use_case: &str, problem: &str, email: &str) -> referral::LeadInteraction {
    referral::LeadInteraction {
        source_type: "Event".to_owned(),
        customer_action: "Visited the booth".to_owned(),
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

/// The newest interaction is the second; one without a date is older than all others.
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

fn lead_converted() -> referral::LeadConverted {
    referral::LeadConverted {
        lead_id: LEAD.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 4,
        converted_by: "mem-manager".to_owned(),
        opportunity_id: ID.to_owned(),
    }
}

#[tokio::test]
async fn opp_091_converted_lead_creates_one_draft_with_known_details() {
    let (app, peer) = start_with_referral_and_lead(referred_opportunity(), lead()).await;
    peer.publish_event("referral", ALDER, LEAD, 1, &referral::LeadAccepted::default())
        .await;
    peer.publish_event("referral", ALDER, LEAD, 2, &lead_converted())
        .await;
    let opportunity = wait_for_opportunity(&app).await;
    assert_eq!(
        (
            opportunity.origin(),
            opportunity.owner_member_id.as_str(),
            opportunity.lead_id.as_str(),
            opportunity.referral_offer_id.as_str(),
        ),
        (pb::Origin::AwsReferral, "mem-manager", LEAD, "")
    );
    let life_cycle = opportunity.life_cycle.as_ref().expect("a life cycle");
    assert_eq!(
        (
            life_cycle.review_status(),
            life_cycle.stage(),
            life_cycle.target_close_date
        ),
        (ReviewStatus::PendingSubmission, pb::Stage::Prospect, None)
    );
    let customer = opportunity.customer.as_ref().expect("a customer");
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
    let contacts: Vec<_> = customer
        .contacts
        .iter()
        .map(|contact| {
            let title = contact.business_title.len();
            (contact.email.as_str(), title, contact.phone.as_str())
        })
        .collect();
    assert_eq!(
        contacts,
        [
            ("ada@customer.example", 0, ""),
            ("bert@customer.example", 80, "+4940666")
        ],
        "values that are invalid in a record are omitted"
    );
    let project = opportunity.project.as_ref().expect("a project");
    assert_eq!(
        (
            project.customer_use_case.as_str(),
            project.customer_business_problem.as_str(),
            project.title.as_str()
        ),
        ("Database", "Invoices are typed in twice.", "")
    );

    // The event is delivered again, followed by another event of the lead.
    peer.publish_event("referral", ALDER, LEAD, 2, &lead_converted())
        .await;
    peer.publish_event("referral", ALDER, LEAD, 3, &referral::LeadAssigned::default())
        .await;
    let read = "SELECT count(*) FROM inbox WHERE consumer = 'opportunity-referral'";
    eventually(async || match count(&app, read).await {
        3 | 4 => Ok(()),
        read => Err(format!("{read} events were applied")),
    })
    .await;
    assert_eq!(count(&app, "SELECT count(*) FROM opportunity").await, 1);
    assert_eq!(get(&app, &manager(), ID).await.revision, 1);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_091_draft_from_lead_requires_missing_fields_and_solution() {
    let mut lead = lead();
    lead.interactions[0].use_case = "Something with data".to_owned();
    lead.interactions[2].use_case = String::new();
    let (app, peer) = start_with_referral_and_lead(referred_opportunity(), lead).await;
    peer.publish_event("referral", ALDER, LEAD, 1, &lead_converted())
        .await;
    let opportunity = wait_for_opportunity(&app).await;
    assert_eq!(
        opportunity.project.expect("a project").customer_use_case,
        "",
        "a use case outside the standard values is omitted"
    );
    let submission = pb::SubmitOpportunityRequest {
        opportunity_id: ID.to_owned(),
        involvement_type: pb::InvolvementType::CoSell.into(),
        ..Default::default()
    };
    let mut client = client_for(&app, &manager()).lifecycle();
    let answer = client.submit_opportunity(submission.clone()).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    let missing = refusal.paths();
    for field in [
        "opportunity.project.title",
        "opportunity.customer.account.address.postal_code",
        "opportunity.life_cycle.target_close_date",
        "opportunity.project.customer_use_case",
        // An accepted referral needs no solution.
        "opportunity.related_entity_identifiers",
    ] {
        assert!(missing.contains(&field), "{field} is missing in {missing:?}");
    }

    // With all required fields it is submitted like every other draft.
    let update = pb::UpdateOpportunityRequest {
        opportunity_id: ID.to_owned(),
        opportunity: Some(pb::Opportunity {
            partner_opportunity_identifier: String::new(),
            ..record("Nordwind")
        }),
        ..Default::default()
    };
    client_for(&app, &manager())
        .opportunities()
        .update_opportunity(update)
        .await
        .expect("an update with the required fields");
    client_for(&app, &manager())
        .lifecycle()
        .submit_opportunity(submission)
        .await
        .expect("a submission");
    let opportunity = get(&app, &manager(), ID).await;
    let status = opportunity.life_cycle.expect("a life cycle").review_status();
    assert_eq!(
        (status, opportunity.lead_id.as_str()),
        (ReviewStatus::Submitted, LEAD)
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_063_091_draft_without_close_date_is_listed_last_and_not_pending() {
    let (app, peer) = start_with_referral_and_lead(referred_opportunity(), lead()).await;
    peer.publish_event("referral", ALDER, LEAD, 1, &lead_converted())
        .await;
    wait_for_opportunity(&app).await;
    let dated = create(&app, &manager(), record("Alder")).await;
    let list = async |request: pb::ListOpportunitiesRequest| {
        let mut client = client_for(&app, &manager()).opportunities();
        let answer = client.list_opportunities(request).await;
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
        (vec![dated.opportunity_id.clone()], vec![ID.to_owned()])
    );
    let preset = |preset: pb::OpportunityPreset| pb::ListOpportunitiesRequest {
        preset: preset.into(),
        ..Default::default()
    };
    let (drafts, _) = list(preset(pb::OpportunityPreset::Draft)).await;
    assert_eq!(drafts.len(), 2);
    let with_close_date = pb::ListOpportunitiesRequest {
        filter: Some(pb::OpportunityFilter {
            target_close_date: Some(DateRange {
                start: date(2026, 1, 1),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (with_close_date, _) = list(with_close_date).await;
    assert_eq!(
        with_close_date,
        [dated.opportunity_id],
        "a record without a close date matches no date range"
    );
    app.finish::<Opportunities>().await;
}
