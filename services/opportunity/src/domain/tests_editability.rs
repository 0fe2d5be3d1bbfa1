//! Every cell of the editability table (OPP-040), and what a change brings with it.

use chrono::Days;
use cosell_types::{ClosedList as _, OpportunityId, ViolationCode};

use super::fixtures::{facts, in_stage, in_status, member, now, spend, today};
use super::values::{
    ClosedLostReason, CompetitorName, DeliveryModel, InvolvementType, MarketingChannel, MarketingSource,
    MigrationPhase, OpportunityType, PrimaryNeedFromAws, RevenueDeliveryModel, ReviewReason, ReviewStatus,
    SalesActivity, Stage, Visibility,
};
use super::{Contact, Decision, Details, Event, Field, Opportunity, Outcome, Rule};

/// Where each field is open: D draft, A action required, P approved and the deal open, V the same for visibility only,
/// L approved and launched. Submitted, in review, rejected and closed lost: nothing.
const TABLE: &str = "
partner_opportunity_identifier                 D A P V .
opportunity_type                               D . P V L
national_security                              D . . . .
primary_needs_from_aws                         D . . V .
customer.account.company_name                  D . . . .
customer.account.industry                      D . . . .
customer.account.other_industry                D . P V .
customer.account.website_url                   D A . . .
customer.account.aws_account_id                D . P V .
customer.account.duns                          D . P V .
customer.account.address.country_code          D A . . .
customer.account.address.postal_code           D A . . .
customer.account.address.state_or_region       D A . . .
customer.account.address.city                  D A P V .
customer.account.address.street_address        D A P V .
customer.contacts                              D . P V .
project.title                                  D . . . .
project.customer_business_problem              D A . . .
project.customer_use_case                      D . P V .
project.sub_use_case                           D . P V .
project.delivery_models                        D . P V L
project.sales_activities                       D . P V .
project.expected_customer_spend                D A P V .
project.expected_contract_duration             D . P V .
project.apn_programs                           D . P V .
project.competitor_name                        D . P V .
project.other_competitor_names                 D . P V .
project.other_solution_description             D . P V .
project.additional_comments                    D . P V L
project.aws_partition                          D . P V .
project.related_opportunity_id                 D . P V L
project.migration.workload                     D . P V .
project.migration.source                       D . P V .
project.migration.phase                        D . P V .
project.migration.managed_services             D . P V .
project.migration.details                      D . P V .
marketing.source                               D . P V .
marketing.aws_funding_used                     D . P V .
marketing.campaign_name                        D . P V .
marketing.use_cases                            D . P V .
marketing.channels                             D . P V .
software_revenue.delivery_model                D . P V L
software_revenue.value                         D . P V L
software_revenue.effective_date                D . P V L
software_revenue.expiration_date               D . P V L
life_cycle.stage                               D . P V .
life_cycle.closed_lost_reason                  D . P V .
life_cycle.target_close_date                   D A P V .
life_cycle.next_steps                          D . P V .
lead_source                                    D . P V .
";

/// Every situation a record can be in, with its letter in the table.
fn situations() -> Vec<(char, Opportunity)> {
    use InvolvementType::{CoSell, ForVisibilityOnly};
    let mut all = vec![
        ('D', in_status(ReviewStatus::PendingSubmission, CoSell)),
        ('-', in_status(ReviewStatus::Submitted, CoSell)),
        ('-', in_status(ReviewStatus::InReview, CoSell)),
        ('A', in_status(ReviewStatus::ActionRequired, CoSell)),
        ('A', in_status(ReviewStatus::ActionRequired, ForVisibilityOnly)),
        ('-', in_status(ReviewStatus::Rejected, CoSell)),
        ('L', in_stage(Stage::Launched, CoSell)),
        ('L', in_stage(Stage::Launched, ForVisibilityOnly)),
        ('-', in_stage(Stage::ClosedLost, CoSell)),
    ];
    for stage in Stage::ALL
        .iter()
        .copied()
        .filter(|stage| !stage.is_terminal() && *stage != Stage::Prospect)
    {
        all.push(('P', in_stage(stage, CoSell)));
        all.push(('V', in_stage(stage, ForVisibilityOnly)));
    }
    all
}

/// The same, with another value in one field.
fn with_another(field: Field, details: &Details) -> Details {
    let mut other = details.clone();
    let account = &mut other.customer.account;
    let project = &mut other.project;
    match field {
        Field::PartnerOpportunityIdentifier => other.partner_opportunity_identifier = "CRM-2".to_owned(),
        Field::OpportunityType => other.opportunity_type = OpportunityType::FlatRenewal,
        Field::NationalSecurity => other.national_security = Some(true),
        Field::PrimaryNeedsFromAws => {
            other.primary_needs_from_aws = vec![PrimaryNeedFromAws::BusinessPresentation]
        }
        Field::CompanyName => account.company_name = "Birch".into(),
        Field::Industry => account.industry = "Mining".to_owned(),
        Field::OtherIndustry => account.other_industry = "Circus".to_owned(),
        Field::WebsiteUrl => account.website_url = "birch.example".into(),
        Field::AwsAccountId => account.aws_account_id = "123456789012".into(),
        Field::Duns => account.duns = "123456789".into(),
        Field::CountryCode => account.address.country_code = "AT".into(),
        Field::PostalCode => account.address.postal_code = "1020".into(),
        Field::StateOrRegion => account.address.state_or_region = "Hamburg".into(),
        Field::City => account.address.city = "Hamburg".into(),
        Field::StreetAddress => account.address.street_address = "Am Sandtorkai 1".into(),
        Field::Contacts => other.customer.contacts = vec![Contact::default()],
        Field::Title => project.title = "Another project".into(),
        Field::CustomerBusinessProblem => {
            project.customer_business_problem = "Orders are typed in thrice.".into()
        }
        Field::CustomerUseCase => project.customer_use_case = "SAP".to_owned(),
        Field::SubUseCase => project.sub_use_case = "Reporting".to_owned(),
        Field::DeliveryModels => project.delivery_models = vec![DeliveryModel::Other],
        Field::SalesActivities => project.sales_activities = vec![SalesActivity::ConductedPocDemo],
        Field::ExpectedCustomerSpend => project.expected_customer_spend = vec![spend(200)],
        Field::ExpectedContractDuration => project.expected_contract_duration = Some(12),
        Field::ApnPrograms => project.apn_programs = vec!["Windows".to_owned()],
        Field::CompetitorName => project.competitor_name = Some(CompetitorName::OnPrem),
        Field::OtherCompetitorNames => project.other_competitor_names = "Somebody".to_owned(),
        Field::OtherSolutionDescription => project.other_solution_description = "A solution".into(),
        Field::AdditionalComments => project.additional_comments = "A comment".into(),
        Field::AwsPartition => project.aws_partition = "aws-eusc".to_owned(),
        Field::RelatedOpportunity => project.related_opportunity_id = OpportunityId::from_number(9),
        Field::MigrationWorkload => project.migration.workload = "Shop".to_owned(),
        Field::MigrationSource => project.migration.source = "Data centre".to_owned(),
        Field::MigrationPhase => project.migration.phase = Some(MigrationPhase::Assess),
        Field::MigrationManagedServices => project.migration.managed_services = Some(true),
        Field::MigrationDetails => project.migration.details = "In waves".into(),
        Field::MarketingSource => other.marketing.source = Some(MarketingSource::MarketingActivity),
        Field::AwsFundingUsed => other.marketing.aws_funding_used = Some(false),
        Field::CampaignName => other.marketing.campaign_name = "Autumn".to_owned(),
        Field::MarketingUseCases => other.marketing.use_cases = vec!["Analytics".to_owned()],
        Field::MarketingChannels => other.marketing.channels = vec![MarketingChannel::Tv],
        Field::RevenueDeliveryModel => {
            other.software_revenue.delivery_model = Some(RevenueDeliveryModel::Contract);
        }
        Field::RevenueValue => other.software_revenue.value = spend(5).amount,
        Field::RevenueEffectiveDate => other.software_revenue.effective_date = Some(today()),
        Field::RevenueExpirationDate => other.software_revenue.expiration_date = Some(today()),
        Field::Stage => other.life_cycle.stage = Stage::Prospect,
        Field::ClosedLostReason => other.life_cycle.closed_lost_reason = Some(ClosedLostReason::Other),
        Field::TargetCloseDate => other.life_cycle.target_close_date = today().checked_add_days(Days::new(9)),
        Field::NextSteps => other.life_cycle.next_steps = "Workshop".into(),
        Field::LeadSource => other.lead_source = "Fair".to_owned(),
    }
    // A draft starts in PROSPECT; there the other stage is another one.
    if field == Field::Stage && details.life_cycle.stage == Stage::Prospect {
        other.life_cycle.stage = Stage::Qualified;
    }
    assert!(field.differs(details, &other), "{field:?} needs another value");
    other
}

/// Whether an update of one field gets past editability; when not, it must change nothing and name the field.
fn is_open(field: Field, record: &Opportunity) -> bool {
    let given = with_another(field, record.details());
    let mut changed = record.clone();
    match changed.update(&member("creator"), &[field], &given, &facts(), now()) {
        Ok(Some(Event::Updated(fields) | Event::StageChanged { fields, .. })) => {
            assert!(fields.contains(&field), "{field:?}: {fields:?}");
            assert_eq!(changed.revision(), record.revision() + 1);
            true
        }
        Err(Rule::Invalid(_)) => true,
        Err(Rule::RecordNotEditable(_)) => {
            assert_eq!(&changed, record);
            false
        }
        Err(Rule::FieldsNotEditable(_, found)) => {
            assert_eq!(&changed, record);
            let locked: Vec<_> = found
                .iter()
                .filter(|violation| violation.code == ViolationCode::ActionNotPermitted)
                .collect();
            assert_eq!(locked.len(), 1, "{field:?}: {found:?}");
            assert_eq!(locked[0].field, field.path());
            false
        }
        other => panic!("{field:?}: {other:?}"),
    }
}

#[test]
fn opp_040_every_cell_of_the_editability_table() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim()
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    let paths: Vec<_> = rows.iter().map(|row| row[0]).collect();
    let fields: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    assert_eq!(paths, fields, "the table must name every field once, in order");
    for (letter, record) in situations() {
        for (field, row) in Field::ALL.iter().zip(&rows) {
            let expected = row[1..].contains(&letter.to_string().as_str());
            let situation = record.situation();
            assert_eq!(
                field.is_editable(situation),
                expected,
                "{} in {situation:?}",
                row[0]
            );
            assert_eq!(is_open(*field, &record), expected, "{} in {situation:?}", row[0]);
        }
    }
}

#[test]
fn opp_040_all_locked_and_all_wrong_fields_are_named_together() {
    let mut record = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell);
    let mut given = record.details().clone();
    given.project.title = "Another".into();
    given.customer.account.industry = "Mining".to_owned();
    given.customer.account.website_url = "".into();
    let fields = [Field::Title, Field::Industry, Field::WebsiteUrl];
    let Err(Rule::FieldsNotEditable(_, found)) =
        record.update(&member("creator"), &fields, &given, &facts(), now())
    else {
        panic!("two fields are locked");
    };
    let named: Vec<_> = found
        .iter()
        .map(|violation| (violation.field.as_str(), violation.code))
        .collect();
    assert_eq!(
        named,
        [
            ("customer.account.industry", ViolationCode::ActionNotPermitted),
            ("project.title", ViolationCode::ActionNotPermitted),
            (
                "customer.account.website_url",
                ViolationCode::RequiredFieldMissing
            ),
        ]
    );
}

#[test]
fn opp_040_saying_the_same_again_changes_nothing() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let before = record.clone();
    let same = record.details().clone();
    assert_eq!(
        record.update(&member("creator"), Field::ALL, &same, &facts(), now()),
        Ok(None)
    );
    assert_eq!(record, before);
}

#[test]
fn opp_041_the_last_fifty_next_steps_are_kept_newest_first() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    for number in 0..60 {
        let mut given = record.details().clone();
        given.life_cycle.next_steps = format!("step {number}").into();
        record
            .update(&member("creator"), &[Field::NextSteps], &given, &facts(), now())
            .expect("a next step");
    }
    let history = record.next_steps_history();
    assert_eq!(history.len(), 50);
    assert_eq!(history[0].value.reveal(), "step 59");
    assert_eq!(history[49].value.reveal(), "step 10");
}

#[test]
fn opp_027_asking_for_help_turns_visibility_into_co_sell_for_good() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::ForVisibilityOnly);
    let mut given = record.details().clone();
    given.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
    record
        .update(
            &member("creator"),
            &[Field::PrimaryNeedsFromAws],
            &given,
            &facts(),
            now(),
        )
        .expect("a conversion");
    assert_eq!(record.involvement(), Some(InvolvementType::CoSell));
    assert_eq!(record.visibility(), Some(Visibility::Full));
    given.primary_needs_from_aws.clear();
    let back = record.update(
        &member("creator"),
        &[Field::PrimaryNeedsFromAws],
        &given,
        &facts(),
        now(),
    );
    assert!(matches!(back, Err(Rule::FieldsNotEditable(..))), "{back:?}");
}

#[test]
fn opp_019_an_approved_record_stays_submittable() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let mut given = record.details().clone();
    given.project.customer_use_case.clear();
    let result = record.update(
        &member("creator"),
        &[Field::CustomerUseCase],
        &given,
        &facts(),
        now(),
    );
    let Err(Rule::Invalid(found)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(found[0].field, "project.customer_use_case");
}

/// What the reviewer names is open in ACTION_REQUIRED, and closed again once the record was submitted.
#[test]
fn rev_013_a_decision_opens_the_fields_that_it_names() {
    let mut record = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
    let title = Field::Title;
    let decision = Decision {
        outcome: Outcome::ActionRequired(ReviewReason::ClarifySolution),
        remarks: "Which one is it?".into(),
        fields_to_correct: vec![title.path().to_owned()],
    };
    record.decided(1, decision, now()).expect("a decision");
    let sent_back = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell).situation();
    for field in Field::ALL.iter().copied() {
        let expected = field.is_editable(sent_back) || field == title;
        assert_eq!(field.is_editable(record.situation()), expected, "{field:?}");
    }
    assert!(!title.is_editable(sent_back), "it is closed otherwise");
}
