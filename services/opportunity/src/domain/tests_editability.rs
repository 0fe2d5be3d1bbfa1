//! Field editability by review status, stage and involvement (OPP-040), fields unlocked by a decision (REV-013), and
//! side effects of updates: next-step history (OPP-041) and conversion to co-sell (OPP-027).

use chrono::Days;
use cosell_types::{ClosedList as _, OpportunityId, ViolationCode};

use super::fixtures::{facts, in_stage, in_status, member, now, spend, today};
use super::values::{
    ClosedLostReason, CompetitorName, DeliveryModel, InvolvementType, MarketingChannel, MarketingSource,
    MigrationPhase, OpportunityType, PrimaryNeedFromAws, RevenueDeliveryModel, ReviewReason, ReviewStatus,
    SalesActivity, Stage, Visibility,
};
use super::{Contact, Decision, Details, Event, Field, Opportunity, ReviewOutcome, Rule};

/// Where each field is editable: D draft, A action required, P approved in an open stage, V the same for visibility
/// only, L approved and launched. In SUBMITTED, IN_REVIEW, REJECTED and CLOSED_LOST no field is editable.
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

/// Records in each review status and stage, with the letter of their column (`-`: no column).
fn records_by_column() -> Vec<(char, Opportunity)> {
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

/// The same details with a different value in one field.
fn with_changed_field(field: Field, details: &Details) -> Details {
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
        Field::OtherCompetitorNames => project.other_competitor_names = "Competitor Ltd".to_owned(),
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
    // A draft is in PROSPECT already, so it needs a different stage.
    if field == Field::Stage && details.life_cycle.stage == Stage::Prospect {
        other.life_cycle.stage = Stage::Qualified;
    }
    assert!(field.differs(details, &other), "{field:?} needs another value");
    other
}

/// Whether an update of one field passes the editability check. A refusal must change nothing and name the field.
fn is_accepted(field: Field, record: &Opportunity) -> bool {
    let input = with_changed_field(field, record.details());
    let mut changed = record.clone();
    match changed.update(&member("creator"), &[field], &input, &facts(), now()) {
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
        Err(Rule::FieldsNotEditable(_, violations)) => {
            assert_eq!(&changed, record);
            let locked: Vec<_> = violations
                .iter()
                .filter(|violation| violation.code == ViolationCode::ActionNotPermitted)
                .collect();
            assert_eq!(locked.len(), 1, "{field:?}: {violations:?}");
            assert_eq!(locked[0].field, field.path());
            false
        }
        other => panic!("{field:?}: {other:?}"),
    }
}

#[test]
fn opp_040_field_editability_matches_the_table() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim()
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    let paths: Vec<_> = rows.iter().map(|row| row[0]).collect();
    let fields: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    assert_eq!(paths, fields, "the table must name every field once, in order");
    for (letter, record) in records_by_column() {
        for (field, row) in Field::ALL.iter().zip(&rows) {
            let expected = row[1..].contains(&letter.to_string().as_str());
            let lifecycle_state = record.lifecycle_state();
            assert_eq!(
                field.is_editable(lifecycle_state),
                expected,
                "{} in {lifecycle_state:?}",
                row[0]
            );
            assert_eq!(
                is_accepted(*field, &record),
                expected,
                "{} in {lifecycle_state:?}",
                row[0]
            );
        }
    }
}

#[test]
fn opp_040_locked_and_invalid_fields_are_reported_together() {
    let mut record = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell);
    let mut input = record.details().clone();
    input.project.title = "Another".into();
    input.customer.account.industry = "Mining".to_owned();
    input.customer.account.website_url = "".into();
    let fields = [Field::Title, Field::Industry, Field::WebsiteUrl];
    let Err(Rule::FieldsNotEditable(_, violations)) =
        record.update(&member("creator"), &fields, &input, &facts(), now())
    else {
        panic!("an update of two locked fields was accepted");
    };
    let reported: Vec<_> = violations
        .iter()
        .map(|violation| (violation.field.as_str(), violation.code))
        .collect();
    assert_eq!(
        reported,
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
fn opp_040_update_with_equal_values_is_a_no_op() {
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
fn opp_041_next_steps_history_retains_last_fifty_newest_first() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    for number in 0..60 {
        let mut input = record.details().clone();
        input.life_cycle.next_steps = format!("step {number}").into();
        record
            .update(&member("creator"), &[Field::NextSteps], &input, &facts(), now())
            .expect("a next step");
    }
    let history = record.next_steps_history();
    assert_eq!(history.len(), 50);
    assert_eq!(history[0].value.reveal(), "step 59");
    assert_eq!(history[49].value.reveal(), "step 10");
}

#[test]
fn opp_027_adding_a_need_converts_visibility_only_to_co_sell_permanently() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::ForVisibilityOnly);
    let mut input = record.details().clone();
    input.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
    record
        .update(
            &member("creator"),
            &[Field::PrimaryNeedsFromAws],
            &input,
            &facts(),
            now(),
        )
        .expect("a conversion");
    assert_eq!(record.involvement(), Some(InvolvementType::CoSell));
    assert_eq!(record.visibility(), Some(Visibility::Full));
    input.primary_needs_from_aws.clear();
    let reverted = record.update(
        &member("creator"),
        &[Field::PrimaryNeedsFromAws],
        &input,
        &facts(),
        now(),
    );
    assert!(
        matches!(reverted, Err(Rule::FieldsNotEditable(..))),
        "{reverted:?}"
    );
}

#[test]
fn opp_019_update_of_approved_record_must_keep_it_submittable() {
    let mut record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let mut input = record.details().clone();
    input.project.customer_use_case.clear();
    let result = record.update(
        &member("creator"),
        &[Field::CustomerUseCase],
        &input,
        &facts(),
        now(),
    );
    let Err(Rule::Invalid(violations)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(violations[0].field, "project.customer_use_case");
}

/// Fields named by the reviewer are editable in ACTION_REQUIRED, besides those of the table.
#[test]
fn rev_013_action_required_decision_unlocks_named_fields() {
    let mut record = in_status(ReviewStatus::Submitted, InvolvementType::CoSell);
    let title = Field::Title;
    let decision = Decision {
        outcome: ReviewOutcome::ActionRequired(ReviewReason::Other),
        remarks: "Which one is it?".into(),
        fields_to_correct: vec![title.path().to_owned()],
    };
    record.apply_decision(1, decision, now()).expect("a decision");
    let action_required = in_status(ReviewStatus::ActionRequired, InvolvementType::CoSell).lifecycle_state();
    for field in Field::ALL.iter().copied() {
        let expected = field.is_editable(action_required) || field == title;
        assert_eq!(field.is_editable(record.lifecycle_state()), expected, "{field:?}");
    }
    assert!(!title.is_editable(action_required), "locked without the decision");
}
