use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_testkit::harness::{aws, partner, refused, service};
use cosell_types::Role;
use tonic::Code;

use crate::support::{
    ALDER, BIRCH, by, catalog, count, create, create_request, date, get, get_request, manager, record, start,
    stranger, submit, user, withdraw_request,
};

#[tokio::test]
async fn opp_002_004_006_what_is_registered_is_read_back_with_what_the_service_adds() {
    let app = start().await;
    catalog(&app).await;
    let mut given = record("Alder");
    given.partner_opportunity_identifier = "CRM-1".to_owned();
    given.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        solutions: vec!["S-1".to_owned()],
        ..Default::default()
    });
    // Output only: what a client says here counts for nothing.
    given.opportunity_id = "O1".to_owned();
    given.account_id = BIRCH.to_owned();
    given.origin = pb::Origin::AwsReferral.into();
    given.life_cycle.as_mut().expect("a life cycle").review_status = ReviewStatus::Approved.into();

    let made = create(&app, &user(), given.clone()).await;
    assert_eq!(made, get(&app, &user(), &made.opportunity_id).await);
    assert_eq!(made.account_id, ALDER);
    assert_ne!(made.opportunity_id, "O1");
    assert_eq!((made.revision, made.etag.as_str()), (1, "\"1\""));
    assert_eq!(
        (made.created_by.as_str(), made.owner_member_id.as_str()),
        ("mem-user", "mem-user")
    );
    assert_eq!(made.submitted_by, "");
    assert_eq!(made.create_time, made.update_time);
    assert_eq!(made.origin(), pb::Origin::PartnerReferral);
    assert_eq!(made.opportunity_type(), pb::OpportunityType::NetNewBusiness);
    assert_eq!(made.catalog, "Sandbox");
    let arn = format!(
        "arn:aws:partnercentral:us-east-1:{ALDER}:catalog/Sandbox/opportunity/{}",
        made.opportunity_id
    );
    assert_eq!(made.arn, arn);
    let life_cycle = made.life_cycle.expect("a life cycle");
    assert_eq!(life_cycle.review_status(), ReviewStatus::PendingSubmission);
    assert_eq!(life_cycle.stage(), pb::Stage::Prospect);
    assert_eq!((made.customer, made.project), (given.customer, given.project));
    assert_eq!(made.related_entity_identifiers, given.related_entity_identifiers);
    app.finish::<Opportunities>().await;
}

/// Every field of the interface that a partner writes, with a value: none may get lost on the way in or out.
#[tokio::test]
async fn every_field_survives_the_round_trip() {
    let app = start().await;
    catalog(&app).await;
    let parent = create(&app, &manager(), record("Alder")).await.opportunity_id;
    let mut given = record("Alder");
    let contact = |title: &str| pb::Contact {
        first_name: "Jane".to_owned(),
        last_name: "Roe".to_owned(),
        business_title: title.to_owned(),
        email: "jane.roe@alder.example".to_owned(),
        phone: "+4940123456".to_owned(),
    };
    given.partner_opportunity_identifier = "CRM-2".to_owned();
    given.opportunity_type = pb::OpportunityType::Expansion.into();
    given.national_security = Some(true);
    given.lead_source = "Fair".to_owned();
    given.tags = vec![pb::Tag {
        key: "team".to_owned(),
        value: "north".to_owned(),
    }];
    given.opportunity_team = vec![contact("PartnerAccountManager")];
    given.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
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
    let customer = given.customer.as_mut().expect("a customer");
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
    let project = given.project.as_mut().expect("a project");
    project.sub_use_case = "Reporting".to_owned();
    project.expected_customer_spend[0].estimation_url =
        format!("https://calculator.aws/#/estimate?id={}", "a1".repeat(20));
    if let Some(amount) = &mut project.expected_customer_spend[0].amount {
        amount.currency_code = "EUR".to_owned();
    }
    project.apn_programs = vec!["Windows".to_owned(), "P3".to_owned()];
    project.competitor_name = pb::CompetitorName::Other.into();
    project.other_competitor_names = "Somebody".to_owned();
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
    given.marketing = Some(pb::Marketing {
        source: pb::MarketingSource::MarketingActivity.into(),
        aws_funding_used: Some(false),
        campaign_name: "Autumn".to_owned(),
        use_cases: vec!["Analytics".to_owned()],
        channels: vec![pb::MarketingChannel::LiveEvent.into()],
    });
    given.software_revenue = Some(pb::SoftwareRevenue {
        delivery_model: pb::RevenueDeliveryModel::Subscription.into(),
        value: given.project.as_ref().expect("a project").expected_customer_spend[0]
            .amount
            .clone(),
        effective_date: date(2026, 4, 1),
        expiration_date: date(2027, 3, 31),
    });
    let life_cycle = given.life_cycle.as_mut().expect("a life cycle");
    life_cycle.stage = pb::Stage::ClosedLost.into();
    life_cycle.closed_lost_reason = pb::ClosedLostReason::Price.into();
    life_cycle.next_steps = "Workshop".to_owned();

    let made = create(&app, &manager(), given.clone()).await;
    let mut expected = made.clone();
    // What the partner wrote, field by field; the rest is the service's.
    expected
        .partner_opportunity_identifier
        .clone_from(&given.partner_opportunity_identifier);
    expected.opportunity_type = given.opportunity_type;
    expected.national_security = given.national_security;
    expected
        .primary_needs_from_aws
        .clone_from(&given.primary_needs_from_aws);
    expected.customer.clone_from(&given.customer);
    expected.project.clone_from(&given.project);
    expected.marketing.clone_from(&given.marketing);
    expected.software_revenue.clone_from(&given.software_revenue);
    expected.opportunity_team.clone_from(&given.opportunity_team);
    expected
        .related_entity_identifiers
        .clone_from(&given.related_entity_identifiers);
    expected.lead_source.clone_from(&given.lead_source);
    expected.tags.clone_from(&given.tags);
    assert_eq!(made, expected);
    let life_cycle = made.life_cycle.clone().expect("a life cycle");
    assert_eq!(life_cycle.stage(), pb::Stage::ClosedLost);
    assert_eq!(life_cycle.closed_lost_reason(), pb::ClosedLostReason::Price);
    assert_eq!(life_cycle.target_close_date, date(2026, 9, 30));
    assert_eq!(life_cycle.next_steps, "Workshop");
    assert_eq!(life_cycle.next_steps_history[0].value, "Workshop");
    assert_eq!(get(&app, &manager(), &made.opportunity_id).await, made);

    // What goes with an estimate does not go with a contract.
    given.partner_opportunity_identifier = "CRM-3".to_owned();
    let project = given.project.as_mut().expect("a project");
    let spend = &mut project.expected_customer_spend;
    spend[0].estimation_url.clear();
    spend.push(pb::ExpectedCustomerSpend {
        frequency: pb::PaymentFrequency::OneTime.into(),
        target_company: "Self".to_owned(),
        ..spend[0].clone()
    });
    project.expected_contract_duration = Some(pb::ExpectedContractDuration { months: 36 });
    let made = create(&app, &manager(), given.clone()).await;
    assert_eq!(made.project, given.project);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_003_the_partners_own_key_is_unique_in_its_account() {
    let app = start().await;
    let mut first = record("Alder");
    first.partner_opportunity_identifier = "CRM-1".to_owned();
    create(&app, &user(), first.clone()).await;
    create(&app, &stranger(), first.clone()).await;
    let again = by(&app, &manager())
        .opportunities()
        .create_opportunity(create_request(first))
        .await;
    let refusal = refused(again, Code::AlreadyExists, "PARTNER_IDENTIFIER_TAKEN");
    assert_eq!(refusal.paths(), ["opportunity.partner_opportunity_identifier"]);
    assert_eq!(refusal.fields[0].1, "DUPLICATE_KEY_VALUE");
    create(&app, &user(), record("Alder")).await;
    create(&app, &user(), record("Alder")).await;
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_011_what_somebody_may_not_see_does_not_exist() {
    let app = start().await;
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    let colleague = partner("mem-colleague", ALDER, Role::AceUser);
    let mut messages = Vec::new();
    for outsider in [&colleague, &stranger(), &aws("mem-reviewer", Role::Reviewer)] {
        let hidden = by(&app, outsider)
            .opportunities()
            .get_opportunity(get_request(id))
            .await;
        messages.push(
            refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND")
                .message
                .replace(id, "?"),
        );
    }
    // Nothing tells a hidden record from one that never was.
    let absent = by(&app, &stranger())
        .opportunities()
        .get_opportunity(get_request("O123"))
        .await;
    messages.push(
        refused(absent, Code::NotFound, "OPPORTUNITY_NOT_FOUND")
            .message
            .replace("O123", "?"),
    );
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(get(&app, &manager(), id).await.opportunity_id, id);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn acc_012_aws_sees_what_was_submitted_until_it_is_taken_back() {
    let app = start().await;
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    let made = create(&app, &user(), record("Alder")).await;
    let id = made.opportunity_id.as_str();
    submit(&app, &user(), id).await;
    assert_eq!(get(&app, &reviewer, id).await.revision, 2);
    let draft = pb::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: Some(AsOf::Revision(1)),
    };
    refused(
        by(&app, &reviewer)
            .opportunities()
            .get_opportunity(draft.clone())
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    assert!(
        by(&app, &user())
            .opportunities()
            .get_opportunity(draft)
            .await
            .is_ok(),
        "the partner reads its own past"
    );

    by(&app, &user())
        .lifecycle()
        .withdraw_submission(withdraw_request(id))
        .await
        .expect("a withdrawal");
    refused(
        by(&app, &reviewer)
            .opportunities()
            .get_opportunity(get_request(id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    // A service still reads what it was told of.
    let submitted = pb::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        as_of: Some(AsOf::Revision(2)),
    };
    assert!(
        by(&app, &service("review"))
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
        let hidden = by(&app, &service("review"))
            .opportunities()
            .get_opportunity(other)
            .await;
        refused(hidden, Code::NotFound, "OPPORTUNITY_NOT_FOUND");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn plt_004_validate_only_answers_as_if_done_and_does_nothing() {
    let app = start().await;
    let request = pb::CreateOpportunityRequest {
        validate_only: true,
        ..create_request(record("Alder"))
    };
    let answer = by(&app, &user())
        .opportunities()
        .create_opportunity(request)
        .await
        .expect("as if done");
    let id = answer.into_inner().opportunity.expect("a record").opportunity_id;
    refused(
        by(&app, &user())
            .opportunities()
            .get_opportunity(get_request(&id))
            .await,
        Code::NotFound,
        "OPPORTUNITY_NOT_FOUND",
    );
    let wrong = pb::CreateOpportunityRequest {
        validate_only: true,
        ..create_request(pb::Opportunity::default())
    };
    refused(
        by(&app, &user()).opportunities().create_opportunity(wrong).await,
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
