//! What a new opportunity must state, as its users meet it: customer details, close date, parent, marketing and team
//! (OPP-004, OPP-005, OPP-007, OPP-010, OPP-013 to OPP-016, OPP-029).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{App, refused};
use tonic::Code;

use crate::support::{client_for, create, create_request, date, record, start, unrelated_member, user};

/// A violation of a new opportunity: what is wrong with a record, and the path and code of the violation.
type Case = (fn(&mut pb::Opportunity), &'static str, &'static str);

fn account(record: &mut pb::Opportunity) -> &mut pb::Account {
    let customer = record.customer.as_mut().expect("a customer");
    customer.account.as_mut().expect("an account")
}

fn address(record: &mut pb::Opportunity) -> &mut pb::Address {
    account(record).address.as_mut().expect("an address")
}

fn project(record: &mut pb::Opportunity) -> &mut pb::Project {
    record.project.as_mut().expect("a project")
}

/// Each case is refused with its violation alone.
async fn assert_refused(app: &App, cases: &[Case]) {
    for (spoil, path, code) in cases {
        let mut spoiled = record("Nordwind");
        spoil(&mut spoiled);
        let answer = client_for(app, &user())
            .opportunities()
            .create_opportunity(create_request(spoiled))
            .await;
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
        let violations: Vec<_> = refusal
            .fields
            .iter()
            .map(|(path, code, _)| (path.as_str(), code.as_str()))
            .collect();
        let path = format!("opportunity.{path}");
        assert_eq!(violations, [(path.as_str(), *code)]);
    }
}

#[tokio::test]
async fn opp_010_013_014_customer_details_are_required_but_the_duns_number() {
    let app = start().await;
    let missing = "REQUIRED_FIELD_MISSING";
    let cases: [Case; 6] = [
        (
            |record| account(record).company_name.clear(),
            "customer.account.company_name",
            missing,
        ),
        (
            |record| account(record).industry.clear(),
            "customer.account.industry",
            missing,
        ),
        (
            |record| account(record).website_url.clear(),
            "customer.account.website_url",
            missing,
        ),
        (
            |record| address(record).country_code.clear(),
            "customer.account.address.country_code",
            missing,
        ),
        (
            |record| address(record).postal_code.clear(),
            "customer.account.address.postal_code",
            missing,
        ),
        (
            |record| address(record).country_code = "US".to_owned(),
            "customer.account.address.state_or_region",
            missing,
        ),
    ];
    assert_refused(&app, &cases).await;
    let created = create(&app, &user(), record("Nordwind")).await;
    let customer = created.customer.expect("a customer");
    assert_eq!(customer.account.expect("an account").duns, "");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_007_015_029_date_marketing_and_team_of_a_new_opportunity_are_checked() {
    let app = start().await;
    let cases: [Case; 3] = [
        (
            // The clock of the service is on this day.
            |record| {
                record
                    .life_cycle
                    .as_mut()
                    .expect("a life cycle")
                    .target_close_date = date(2026, 3, 2)
            },
            "life_cycle.target_close_date",
            "VALUE_OUT_OF_RANGE",
        ),
        (
            |record| {
                record.marketing = Some(pb::Marketing {
                    source: pb::MarketingSource::MarketingActivity.into(),
                    ..Default::default()
                });
            },
            "marketing.aws_funding_used",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            |record| {
                record.opportunity_team = vec![pb::Contact {
                    business_title: "Chief of everything".to_owned(),
                    ..Default::default()
                }];
            },
            "opportunity_team[0].business_title",
            "INVALID_ENUM_VALUE",
        ),
    ];
    assert_refused(&app, &cases).await;
    app.finish::<Opportunities>().await;
}

/// A parent that does not exist and one of another account are refused alike.
#[tokio::test]
async fn opp_004_005_renewals_and_expansions_name_a_parent_of_the_same_account() {
    let app = start().await;
    let parent = create(&app, &user(), record("Nordwind")).await.opportunity_id;
    let foreign = create(&app, &unrelated_member(), record("Ostwind"))
        .await
        .opportunity_id;
    for kind in [pb::OpportunityType::FlatRenewal, pb::OpportunityType::Expansion] {
        let child = |parent: &str| {
            let mut child = record("Nordwind");
            child.set_opportunity_type(kind);
            project(&mut child).related_opportunity_id = parent.to_owned();
            child
        };
        let created = create(&app, &user(), child(&parent)).await;
        assert_eq!(created.opportunity_type(), kind);
        assert_eq!(created.project.expect("a project").related_opportunity_id, parent);
        let mut texts = Vec::new();
        for unknown in ["O900719925474099999", foreign.as_str()] {
            let answer = client_for(&app, &user())
                .opportunities()
                .create_opportunity(create_request(child(unknown)))
                .await;
            let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
            assert_eq!(refusal.paths(), ["opportunity.project.related_opportunity_id"]);
            texts.push(refusal.fields[0].2.replace(unknown, "O1"));
        }
        assert_eq!(texts[0], texts[1]);
    }
    app.finish::<Opportunities>().await;
}

/// The work for a list is bounded before its entries are looked at.
#[tokio::test]
async fn plt_007_list_that_is_too_long_is_one_violation() {
    let app = start().await;
    let mut invalid = record("Alder");
    invalid.related_entity_identifiers = Some(pb::RelatedEntityIdentifiers {
        aws_products: vec!["a b".to_owned(); 100_000],
        ..Default::default()
    });
    let answer = client_for(&app, &user())
        .opportunities()
        .create_opportunity(create_request(invalid))
        .await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(
        refusal.paths(),
        ["opportunity.related_entity_identifiers.aws_products"]
    );
    app.finish::<Opportunities>().await;
}
