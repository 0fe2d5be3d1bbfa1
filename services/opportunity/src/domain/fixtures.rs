//! Records for tests.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{MemberId, Money, OpportunityId};

use super::values::{
    DeliveryModel, InvolvementType, OpportunityType, PaymentFrequency, PrimaryNeedFromAws, ReviewReason,
    ReviewStatus, SalesActivity, Stage, Visibility,
};
use super::{Decision, Details, ExpectedCustomerSpend, Facts, Field, Opportunity, Outcome, Policy};

pub fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

pub fn today() -> NaiveDate {
    now().date_naive()
}

pub fn policy() -> Policy {
    Policy {
        currencies: ["USD", "EUR"]
            .map(|code| code.parse().expect("a currency"))
            .to_vec(),
        account_to_launch: ["CONSULTING_PARTNER".to_owned()].into(),
        solution_in_words: true,
    }
}

/// What is known of a partner that sells software and has the opportunity O1.
pub fn facts() -> Facts<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(policy);
    Facts {
        policy: &POLICY,
        partner_types: vec!["ISV".to_owned()],
        own: OpportunityId::from_number(1).into_iter().collect(),
        solutions: (1..=11).map(|number| format!("S-{number}")).collect(),
        products: (1..=21).map(|number| format!("AmazonEC{number}")).collect(),
        subsidiaries: ["333333333333".parse().expect("an account")].into(),
    }
}

pub fn member(id: &str) -> MemberId {
    id.parse().expect("a member id")
}

pub fn spend(units: i64) -> ExpectedCustomerSpend {
    ExpectedCustomerSpend {
        amount: Some(Money {
            currency: "USD".parse().expect("a currency"),
            hundredths: units * 100,
        }),
        frequency: Some(PaymentFrequency::Monthly),
        target_company: "AWS".to_owned(),
        estimation_url: String::new(),
    }
}

/// What is required to register a draft, and no more.
pub fn minimal() -> Details {
    let mut details = Details::default();
    let account = &mut details.customer.account;
    account.company_name = "Alder".into();
    account.industry = "Retail".to_owned();
    account.website_url = "alder.example".into();
    account.address.country_code = "DE".into();
    account.address.postal_code = "20457".into();
    details.project.title = "A project".into();
    details.project.customer_business_problem = "Orders are typed in twice.".into();
    details.project.expected_customer_spend = vec![spend(100)];
    details.life_cycle.target_close_date = "2026-09-30".parse().ok();
    details
}

/// What is required to submit for co-sell, with a registered solution, so that every stage is open.
pub fn submittable() -> Details {
    let mut details = minimal();
    details.opportunity_type = OpportunityType::Expansion;
    details.project.customer_use_case = "Database".to_owned();
    details.project.delivery_models = vec![DeliveryModel::Resell];
    details.project.sales_activities = vec![SalesActivity::SowSigned];
    details.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
    details.related_entity_identifiers.solutions = vec!["S-1".to_owned()];
    details
}

pub fn draft(details: Details) -> Opportunity {
    let id = OpportunityId::from_number(7).expect("an id");
    let account = "111111111111".parse().expect("an account");
    Opportunity::create(id, account, member("creator"), details, &facts(), now())
        .expect("a draft")
        .0
}

/// A record in a review status, reached by the legal way.
pub fn in_status(status: ReviewStatus, involvement: InvolvementType) -> Opportunity {
    let mut details = submittable();
    if involvement == InvolvementType::ForVisibilityOnly {
        details.primary_needs_from_aws.clear();
    }
    // Where both are possible, the one that is not the default.
    let visibility = match involvement {
        InvolvementType::CoSell => Visibility::Full,
        InvolvementType::ForVisibilityOnly => Visibility::Limited,
    };
    let mut record = draft(details);
    if status == ReviewStatus::PendingSubmission {
        return record;
    }
    record
        .submit(&member("creator"), involvement, visibility, &facts(), now())
        .expect("a submission");
    let outcome = match status {
        ReviewStatus::PendingSubmission | ReviewStatus::Submitted => return record,
        ReviewStatus::InReview => {
            record.review_started(1, now()).expect("a start");
            return record;
        }
        ReviewStatus::ActionRequired => Outcome::ActionRequired(ReviewReason::ClarifyRevenue),
        ReviewStatus::Approved => Outcome::Approved,
        ReviewStatus::Rejected => Outcome::Rejected(ReviewReason::Other),
    };
    record
        .decided(
            1,
            Decision {
                outcome,
                remarks: "Remarks.".into(),
                fields_to_correct: Vec::new(),
            },
            now(),
        )
        .expect("a decision");
    record
}

/// An approved record in a stage.
pub fn in_stage(stage: Stage, involvement: InvolvementType) -> Opportunity {
    let mut record = in_status(ReviewStatus::Approved, involvement);
    let mut given = record.details().clone();
    given.life_cycle.stage = stage;
    if stage == Stage::ClosedLost {
        given.life_cycle.closed_lost_reason = Some(super::values::ClosedLostReason::Price);
    }
    if stage == Stage::Launched {
        given.life_cycle.target_close_date = Some(today());
    }
    let fields = [Field::Stage, Field::ClosedLostReason, Field::TargetCloseDate];
    record
        .update(&member("creator"), &fields, &given, &facts(), now())
        .expect("a change of stage");
    record
}
