//! What is taken for what, what is warned about, and what pick lists there are (OPP-011, OPP-017, OPP-042, OPP-044).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::r#type::v1::Warning;
use cosell_testkit::harness::{aws, service};
use cosell_types::Role;

use crate::support::{
    by, create, create_request, get, get_request, manager, record, start, submit, submit_request, user,
};

fn fields(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.field.as_str()).collect()
}

#[tokio::test]
async fn opp_011_what_is_written_otherwise_is_kept_in_the_platforms_spelling() {
    let app = start().await;
    let mut written = record("Alder");
    let project = written.project.as_mut().expect("a project");
    project.customer_use_case = "Migration/Database migration".to_owned();
    project.apn_programs = vec!["ISV Immersion Day SFID Program".to_owned()];
    let customer = written.customer.as_mut().expect("a customer");
    customer.contacts = vec![pb::Contact {
        email: "Jane.Roe@Alder.Example".to_owned(),
        ..Default::default()
    }];
    let account = customer.account.as_mut().expect("an account");
    account.industry = "energy – power & utilities".to_owned();
    let address = account.address.as_mut().expect("an address");
    (address.country_code, address.postal_code) = ("gb".to_owned(), "sw1a 1aa".to_owned());
    let id = create(&app, &user(), written).await.opportunity_id;

    let kept = get(&app, &user(), &id).await;
    let (customer, project) = (
        kept.customer.expect("a customer"),
        kept.project.expect("a project"),
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
async fn opp_005_028_042_what_is_taken_for_something_else_is_said() {
    let app = start().await;
    let mut written = record("Alder");
    let project = written.project.as_mut().expect("a project");
    project.title = "A".repeat(61);
    project.related_opportunity_id = "O1".to_owned();
    project.expected_customer_spend[0].target_company = "Somebody".to_owned();
    let answer = by(&app, &user())
        .opportunities()
        .create_opportunity(create_request(written))
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
    let kept = answer.opportunity.expect("the record");
    let project = kept.project.expect("a project");
    assert_eq!(project.related_opportunity_id, "");
    assert_eq!(project.expected_customer_spend[0].target_company, "AWS");

    // Of a change only what is changed is told.
    let change = pb::UpdateOpportunityRequest {
        opportunity_id: kept.opportunity_id.clone(),
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
    let answer = by(&app, &user())
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

    // A submission in PROSPECT is taken, and warned about.
    let id = create(&app, &user(), record("Birch")).await.opportunity_id;
    let answer = by(&app, &user())
        .lifecycle()
        .submit_opportunity(submit_request(&id))
        .await;
    let warnings = answer.expect("a submission").into_inner().warnings;
    assert_eq!(fields(&warnings), ["opportunity.life_cycle.stage"]);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_017_what_is_classified_is_not_shown_to_aws_nor_to_services() {
    let app = start().await;
    let mut secret = record("Alder");
    secret.national_security = Some(true);
    let customer = secret.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account").industry = "Government".to_owned();
    let id = create(&app, &manager(), secret).await.opportunity_id;
    let submitted = submit(&app, &manager(), &id).await;
    let company = |record: &pb::Opportunity| {
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
    let own = company(&submitted);
    assert!(
        !own.0.is_empty() && !own.1.is_empty() && !own.2.is_empty(),
        "{own:?}"
    );
    let nothing = || (String::new(), String::new(), String::new(), "US".to_owned());
    let reviewer = aws("mem-reviewer", Role::Reviewer);
    assert_eq!(company(&get(&app, &reviewer, &id).await), nothing());
    let listed = by(&app, &reviewer)
        .opportunities()
        .list_opportunities(pb::ListOpportunitiesRequest::default())
        .await;
    assert_eq!(
        company(&listed.expect("a list").into_inner().opportunities[0]),
        nothing()
    );
    let by_revision = pb::GetOpportunityRequest {
        as_of: Some(AsOf::Revision(submitted.revision)),
        ..get_request(&id)
    };
    let read = by(&app, &service("review"))
        .opportunities()
        .get_opportunity(by_revision)
        .await;
    let read = read
        .expect("what was submitted")
        .into_inner()
        .opportunity
        .expect("the record");
    assert_eq!(company(&read), nothing());
    assert_eq!(company(&get(&app, &manager(), &id).await), own);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_044_pick_lists_are_listed_with_their_version() {
    let app = start().await;
    let list = async |request: pb::ListStandardValuesRequest| {
        let answer = by(&app, &service("crm"))
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
    let nothing_new = list(pb::ListStandardValuesRequest {
        known_version: all.version.clone(),
        ..Default::default()
    })
    .await;
    assert_eq!((nothing_new.lists.len(), nothing_new.version), (0, all.version));
    app.finish::<Opportunities>().await;
}
