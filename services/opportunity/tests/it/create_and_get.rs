//! Creating and reading opportunities: service-assigned fields, the round trip of every field, the partner's
//! identifier, visibility (ACC-011, ACC-012) and dry runs (PLT-004).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{aws, partner, refused, service};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, apply_catalog, client_for, count, create, create_request, date, get, get_request, manager,
    record, start, submit, unrelated_member, user, withdraw_request,
};

#[tokio::test]
async fn opp_002_004_006_created_record_is_returned_with_service_assigned_fields() {
    let app = start().await;
    apply_catalog(&app).await;
    let mut input = record("Alder");
    input.partner_opportunity_identifier = "CRM-1".to_owned();
    input.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        solutions: vec!["S-1".to_owned()],
        ..Default::default()
    });
    // Output-only fields: values from the client are ignored.
    input.opportunity_id = "O1".to_owned();
    input.account_id = BIRCH.to_owned();
    input.origin = pb::Origin::AwsReferral.into();
    input.life_cycle.as_mut().expect("a life cycle").review_status = ReviewStatus::Approved.into();

    let created = create(&app, &user(), input.clone()).await;
    assert_eq!(created, get(&app, &user(), &created.opportunity_id).await);
    assert_eq!(created.account_id, ALDER);
    assert_ne!(created.opportunity_id, "O1");
    assert_eq!((created.revision, created.etag.as_str()), (1, "\"1\""));
    assert_eq!(
        (created.created_by.as_str(), created.owner_member_id.as_str()),
        ("mem-user", "mem-user")
    );
    assert_eq!(created.submitted_by, "");
    assert_eq!(created.create_time, created.update_time);
    assert_eq!(created.origin(), pb::Origin::PartnerReferral);
    assert_eq!(created.opportunity_type(), pb::OpportunityType::NetNewBusiness);
    assert_eq!(created.catalog, "Sandbox");
    let arn = format!(
        "arn:aws:partnercentral:us-east-1:{ALDER}:catalog/Sandbox/opportunity/{}",
        created.opportunity_id
    );
    assert_eq!(created.arn, arn);
    let life_cycle = created.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.review_status(), ReviewStatus::PendingSubmission);
    assert_eq!(life_cycle.stage(), pb::Stage::Prospect);
    assert_eq!(
        (created.customer, created.project),
        (input.customer, input.project)
    );
    assert_eq!(
        created.related_entity_identifiers,
        input.related_entity_identifiers
    );
    app.finish::<Opportunities>().await;
}

/// Sets every field that a partner can write.
#[tokio::test]
async fn opportunity_create_and_get_round_trip_preserves_every_field() {
    let app = start().await;
    apply_catalog(&app).await;
    let parent = create(&app, &manager(), record("Alder")).await.opportunity_id;
    let mut input = record("Alder");
    let contact = |title: &str| pb::Contact {
        first_name: "Jane".to_owned(),
        last_name: "Roe".to_owned(),
        business_title: title.to_owned(),
        email: "jane.roe@alder.example".to_owned(),
        phone: "+4940123456".to_owned(),
    };
    input.partner_opportunity_identifier = "CRM-2".to_owned();
    input.opportunity_type = pb::OpportunityType::Expansion.into();
    input.national_security = Some(true);
    input.lead_source = "Fair".to_owned();
    input.tags = vec![pb::Tag {
        key: "team".to_owned(),
        value: "north".to_owned(),
    }];
    input.opportunity_team = vec![contact("PartnerAccountManager")];
    input.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        solutions: vec!["S-1".to_owned()],
        aws_products: vec!["AmazonEC2".to_owned()],
        aws_marketplace_solutions: vec![
            "arn:aws:aws-marketplace:us-east-1:111111111111:AWSMarketplace/Solution/soln-a1".to_owned(),
        ],
        aws_marketplace_products: vec![
            "arn:aws:aws-marketplace:us-east-1:111111111111:AWSMarketplace/SaaSProduct/prod-b2".to_owned(),
        ],
        ..Default::default()
    });
    let customer = input.customer.as_mut().expect("a customer");
    customer.contacts = vec![contact("CEO")];
    let account = customer.account.as_mut().expect("an account");
    account.industry = "Government".to_owned();
    account.other_industry = "Harbour".to_owned();
    account.aws_account_id = "012345678901".to_owned();
    account.duns = "012345678".to_owned();
    account.address = Some(pb::Address {
        country_code: "US".to_owned(),
        postal_code: "99501".to_owned(),
        state_or_region: "Alaska".to_owned(),
        city: "Anchorage".to_owned(),
        street_address: "1 Harbour Road".to_owned(),
    });
    let project = input.project.as_mut().expect("a project");
    project.sub_use_case = "Reporting".to_owned();
    project.expected_customer_spend[0].estimation_url =
        format!("https://calculator.aws/#/estimate?id={}", "a1".repeat(20));
    if let Some(amount) = &mut project.expected_customer_spend[0].amount {
        amount.currency_code = "EUR".to_owned();
    }
    project.apn_programs = vec!["Windows".to_owned(), "P3".to_owned()];
    project.competitor_name = pb::CompetitorName::Other.into();
    project.other_competitor_names = "Competitor Ltd".to_owned();
    project.additional_comments = "None.".to_owned();
    project.aws_partition = "aws-eusc".to_owned();
    project.related_opportunity_id = parent;
    project.migration = Some(pb::MigrationDetails {
        workload: "Shop".to_owned(),
        source: "Data centre".to_owned(),
        phase: pb::MigrationPhase::Mobilize.into(),
        managed_services: Some(false),
        details: "In waves.".to_owned(),
    });
    input.marketing = Some(pb::Marketing {
        source: pb::MarketingSource::MarketingActivity.into(),
        aws_funding_used: Some(false),
        campaign_name: "Autumn".to_owned(),
        use_cases: vec!["Analytics".to_owned()],
        channels: vec![pb::MarketingChannel::LiveEvent.into()],
    });
    input.software_revenue = Some(pb::SoftwareRevenue {
        delivery_model: pb::RevenueDeliveryModel::Subscription.into(),
        value: input.project.as_ref().expect("a project").expected_customer_spend[0]
            .amount
            .clone(),
        effective_date: date(2026, 4, 1),
        expiration_date: date(2027, 3, 31),
    });
    let life_cycle = input.life_cycle.as_mut().expect("a life cycle");
    life_cycle.stage = pb::Stage::ClosedLost.into();
    life_cycle.closed_lost_reason = pb::ClosedLostReason::Price.into();
    life_cycle.next_steps = "Workshop".to_owned();

    let created = create(&app, &manager(), input.clone()).await;
    let mut expected = created.clone();
    // The fields written by the partner; the others are set by the service.
    expected
        .partner_opportunity_identifier
        .clone_from(&input.partner_opportunity_identifier);
    expected.opportunity_type = input.opportunity_type;
    expected.national_security = input.national_security;
    expected
        .primary_needs_from_aws
        .clone_from(&input.primary_needs_from_aws);
    expected.customer.clone_from(&input.customer);
    expected.project.clone_from(&input.project);
    expected.marketing.clone_from(&input.marketing);
    expected.software_revenue.clone_from(&input.software_revenue);
    expected.opportunity_team.clone_from(&input.opportunity_team);
    expected
        .related_entity_identifiers
        .clone_from(&input.related_entity_identifiers);
    expected.lead_source.clone_from(&input.lead_source);
    expected.tags.clone_from(&input.tags);
    assert_eq!(created, expected);
    let life_cycle = created.life_cycle.clone().expect("a life cycle");
    assert_eq!(life_cycle.stage(), pb::Stage::ClosedLost);
    assert_eq!(life_cycle.closed_lost_reason(), pb::ClosedLostReason::Price);
    assert_eq!(life_cycle.target_close_date, date(2026, 9, 30));
    assert_eq!(life_cycle.next_steps, "Workshop");
    assert_eq!(life_cycle.next_steps_history[0].value, "Workshop");
    assert_eq!(get(&app, &manager(), &created.opportunity_id).await, created);

    // An estimation URL excludes a contract.
    input.partner_opportunity_identifier = "CRM-3".to_owned();
    let project = input.project.as_mut().expect("a project");
    let spend = &mut project.expected_customer_spend;
    spend[0].estimation_url.clear();
    spend.push(pb::ExpectedCustomerSpend {
        frequency: pb::PaymentFrequency::OneTime.into(),
        target_company: "Self".to_owned(),
        ..spend[0].clone()
    });
    project.expected_contract_duration = Some(pb::ExpectedContractDuration { months: 36 });
    let created = create(&app, &manager(), input.clone()).await;
    assert_eq!(created.project, input.project);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_003_partner_identifier_is_unique_per_account() {
    let app = start().await;
    let mut first = record("Alder");
    first.partner_opportunity_identifier = "CRM-1".to_owned();
    let holder = create(&app, &user(), first.clone()).await;
    create(&app, &unrelated_member(), first.clone()).await;
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    // A colleague without access to the opportunity does not learn which one it is.
    for (caller, named) in [(&manager(), holder.opportunity_id.as_str()), (&colleague, "")] {
        let again = client_for(&app, caller)
            .opportunities()
            .create_opportunity(create_request(first.clone()))
            .await;
        let refusal = refused(again, Code::AlreadyExists, "PARTNER_IDENTIFIER_TAKEN");
        assert_eq!(refusal.paths(), ["opportunity.partner_opportunity_identifier"]);
        assert_eq!(refusal.fields[0].1, "DUPLICATE_KEY_VALUE");
        assert_eq!(refusal.metadata["opportunity_id"], named);
    }
    for (caller, count) in [(&user(), 1), (&manager(), 1), (&colleague, 0)] {
        let request = pb::ListOpportunitiesRequest {
            filter: Some(pb::OpportunityFilter {
                partner_opportunity_identifiers: vec!["CRM-1".to_owned(), "CRM-2".to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        };
        let listed = client_for(&app, caller)
            .opportunities()
            .list_opportunities(request)
            .await;
        assert_eq!(listed.expect("a list").into_inner().opportunities.len(), count);
    }
    create(&app, &user(), record("Alder")).await;
    create(&app, &user(), record("Alder")).await;
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_hidden_record_is_indistinguishable_from_missing_one() {
    let app = start().await;
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let mut messages = Vec::new();
    for caller in [
        &colleague,
        &unrelated_member(),
        &aws("mem-reviewer", Role::Reviewer),
    ] {
        let hidden = client_for(&app, caller)
            .opportunities()
            .get_opportunity(get_request(id))
            .await;
        messages.push(
            refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND")
                .message
                .replace(id, "?"),
        );
    }
    // The error for a hidden record equals the one for a record that does not exist.
    let missing = client_for(&app, &unrelated_member())
        .opportunities()
        .get_opportunity(get_request("O123"))
        .await;
    messages.push(
        refused(missing, Code::NotFound, "OPPORTUNITY_NOT_FOUND")
            .message
            .replace("O123", "?"),
    );
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(get(&app, &manager(), id).await.opportunity_id, id);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_012_aws_sees_submitted_record_until_withdrawal() {
    let app = start().await;
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    let created = create(&app, &user(), record("Alder")).await;
    let id = created.opportunity_id.as_str();
    submit(&app, &user(), id).await;
    assert_eq!(get(&app, &reviewer, id).await.revision, 2);
    let draft = pb::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: Some(AsOf::Revision(1)),
    };
    refused(
        client_for(&app, &reviewer)
            .opportunities()
            .get_opportunity(draft.clone())
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    assert!(
        client_for(&app, &user())
            .opportunities()
            .get_opportunity(draft)
            .await
            .is_ok(),
        "the partner reads its draft revisions"
    );

    client_for(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await
        .expect("a withdrawal");
    refused(
        client_for(&app, &reviewer)
            .opportunities()
            .get_opportunity(get_request(id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    // A service still reads the submitted revision that an event named.
    let submitted = pb::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: Some(AsOf::Revision(2)),
    };
    assert!(
        client_for(&app, &service("review"))
            .opportunities()
            .get_opportunity(submitted.clone())
            .await
            .is_ok()
    );
    for revision in [Some(1), Some(3), None] {
        let other = pb::GetOpportunityRequest {
            as_of: revision.map(AsOf::Revision),
            ..submitted.clone()
        };
        let hidden = client_for(&app, &service("review"))
            .opportunities()
            .get_opportunity(other)
            .await;
        refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_004_validate_only_returns_result_without_storing_anything() {
    let app = start().await;
    let request = pb::CreateOpportunityRequest {
        validate_only: true,
        ..create_request(record("Alder"))
    };
    let answer = client_for(&app, &user())
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("a dry run");
    let id = answer.into_inner().opportunity.expect("a record").opportunity_id;
    refused(
        client_for(&app, &user())
            .opportunities()
            .get_opportunity(get_request(&id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    let invalid = pb::CreateOpportunityRequest {
        validate_only: true,
        ..create_request(pb::Opportunity::default())
    };
    refused(
        client_for(&app, &user())
            .opportunities()
            .create_opportunity(invalid)
            .await,
        Code::InvalidArgument,
        "INVALID_FIELDS",
    );
    for table in [
        "SELECT count(*) FROM opportunity",
        "SELECT count(*) FROM outbox_pending",
    ] {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
    app.finish::<Opportunities>().await;
}
