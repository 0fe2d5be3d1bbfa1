//! Standard values: normalization, warnings, classified customer data, and the lists of standard values (OPP-011,
//! OPP-017, OPP-042, OPP-044).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::Warning;
use cosell_testkit::harness::{aws, service};
use cosell_types::Role;

use crate::support::{
    client_for, create, create_request, get, get_request, manager, record, start, submit, submit_request,
    user,
};

fn fields(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.field.as_str()).collect()
}

#[tokio::test]
async fn opp_011_alternative_spellings_are_stored_in_canonical_form() {
    let app = start().await;
    let mut input = record("Alder");
    let project = input.project.as_mut().expect("a project");
    project.customer_use_case = "Migration/Database migration".to_owned();
    project.apn_programs = vec!["ISV Immersion Day SFID Program".to_owned()];
    let customer = input.customer.as_mut().expect("a customer");
    customer.contacts = vec![pb::Contact {
        email: "Jane.Roe@Alder.Example".to_owned(),
        ..Default::default()
    }];
    let account = customer.account.as_mut().expect("an account");
    account.industry = "energy – power & utilities".to_owned();
    let address = account.address.as_mut().expect("an address");
    (address.country_code, address.postal_code) = ("gb".to_owned(), "sw1a 1aa".to_owned());
    let id = create(&app, &user(), input).await.opportunity_id;

    let stored = get(&app, &user(), &id).await;
    let (customer, project) = (
        stored.customer.expect("a customer"),
        stored.project.expect("a project"),
    );
    let account = customer.account.expect("an account");
    let address = account.address.expect("an address");
    assert_eq!(project.customer_use_case, "Migration / Database Migration");
    assert_eq!(project.apn_programs, ["IS Immersion Day SFID Program"]);
    assert_eq!(customer.contacts[0].email, "jane.roe@alder.example");
    assert_eq!(account.industry, "Energy - Power and Utilities");
    assert_eq!(
        (address.country_code.as_str(), address.postal_code.as_str()),
        ("GB", "SW1A 1AA")
    );
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_005_028_042_normalized_and_doubtful_values_produce_warnings() {
    let app = start().await;
    let mut input = record("Alder");
    let project = input.project.as_mut().expect("a project");
    project.title = "A".repeat(61);
    project.related_opportunity_id = "O1".to_owned();
    project.expected_customer_spend[0].target_company = "Other Ltd".to_owned();
    let answer = client_for(&app, &user())
        .opportunities()
        .create_opportunity(create_request(input))
        .await;
    let answer = answer.expect("a draft").into_inner();
    assert_eq!(
        fields(&answer.warnings),
        [
            "opportunity.project.related_opportunity_id",
            "opportunity.project.expected_customer_spend[0].target_company",
            "opportunity.project.title",
        ]
    );
    let stored = answer.opportunity.expect("the record");
    let project = stored.project.expect("a project");
    assert_eq!(project.related_opportunity_id, "");
    assert_eq!(project.expected_customer_spend[0].target_company, "AWS");

    // An update returns warnings about changed fields only.
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: stored.opportunity_id.clone(),
        opportunity: Some(pb::Opportunity {
            customer: Some(pb::Customer {
                account: Some(pb::Account {
                    address: Some(pb::Address {
                        country_code: "AN".to_owned(),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = client_for(&app, &user())
        .opportunities()
        .update_opportunity(change)
        .await
        .expect("a change");
    let warnings = answer.into_inner().warnings;
    assert_eq!(
        fields(&warnings),
        ["opportunity.customer.account.address.country_code"]
    );
    assert!(warnings[0].description.contains("BQ, CW, SX"), "{warnings:?}");

    // A submission in PROSPECT is accepted with a warning.
    let id = create(&app, &user(), record("Birch")).await.opportunity_id;
    let answer = client_for(&app, &user())
        .lifecycle()
        .submit_opportunity(submit_request(&id))
        .await;
    let warnings = answer.expect("a submission").into_inner().warnings;
    assert_eq!(fields(&warnings), ["opportunity.life_cycle.stage"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_017_classified_customer_data_is_hidden_from_aws_and_services() {
    let app = start().await;
    let mut classified = record("Alder");
    classified.national_security = Some(true);
    let customer = classified.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let id = create(&app, &manager(), classified).await.opportunity_id;
    let submitted = submit(&app, &manager(), &id).await;
    let customer_data = |record: &pb::Opportunity| {
        let customer = record.customer.clone().expect("a customer");
        let account = customer.account.expect("an account");
        let address = account.address.expect("an address");
        (
            account.company_name,
            account.website_url,
            address.postal_code,
            address.country_code,
        )
    };
    let own = customer_data(&submitted);
    assert!(
        !own.0.is_empty() && !own.1.is_empty() && !own.2.is_empty(),
        "{own:?}"
    );
    let redacted = || (String::new(), String::new(), String::new(), "US".to_owned());
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(customer_data(&get(&app, &reviewer, &id).await), redacted());
    let listed = client_for(&app, &reviewer)
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(
        customer_data(&listed.expect("a list").into_inner().opportunities[0]),
        redacted()
    );
    let by_revision = pb::GetOpportunityRequest {
        as_of: Some(AsOf::Revision(submitted.revision)),
        ..get_request(&id)
    };
    let read = client_for(&app, &service("review"))
        .opportunities()
        .get_opportunity(by_revision)
        .await;
    let read = read
        .expect("the submitted revision")
        .into_inner()
        .opportunity
        .expect("the record");
    assert_eq!(customer_data(&read), redacted());
    assert_eq!(customer_data(&get(&app, &manager(), &id).await), own);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_044_standard_value_lists_are_returned_with_version() {
    let app = start().await;
    let list = async |request: pb::ListStandardValuesRequest| {
        let answer = client_for(&app, &service("crm"))
            .catalog()
            .list_standard_values(request)
            .await;
        answer.expect("lists").into_inner()
    };
    let all = list(pb::ListStandardValuesRequest::default()).await;
    assert!(all.lists.len() > 20, "{} lists", all.lists.len());
    let some = list(pb::ListStandardValuesRequest {
        lists: vec!["us_state".to_owned(), "no_such_list".to_owned()],
        ..Default::default()
    })
    .await;
    assert_eq!((some.lists.len(), some.lists[0].values.len()), (1, 62));
    assert_eq!(some.version, all.version);
    let unchanged = list(pb::ListStandardValuesRequest {
        known_version: all.version.clone(),
        ..Default::default()
    })
    .await;
    assert_eq!((unchanged.lists.len(), unchanged.version), (0, all.version));
    app.finish::<Opportunities>().await;
}
