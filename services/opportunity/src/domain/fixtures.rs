//! Fixtures for the tests of the domain and the store: a policy, partner facts, record details, and records in any
//! review status or stage.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{MemberId, Money, OpportunityId};

use super::values::{
    DeliveryModel, InvolvementType, OpportunityType, PaymentFrequency, PrimaryNeedFromAws, ReviewReason,
    ReviewStatus, SalesActivity, Stage, Visibility,
};
use super::{Decision, Details, ExpectedCustomerSpend, Facts, Field, Opportunity, Policy, ReviewOutcome};

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
        correction_days: 30,
    }
}

/// Facts of an ISV partner that owns the opportunity O1.
pub fn facts() -> Facts<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(policy);
    Facts {
        policy: &POLICY,
        partner_types: vec!["ISV".to_owned()],
        own_opportunities: OpportunityId::from_number(1).into_iter().collect(),
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

/// The fields required at creation, and no others.
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

/// The fields required to submit for co-sell, with a registered solution, which every stage accepts.
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

/// A record in ACTION_REQUIRED for this reason; the decision also names these fields.
pub fn in_correction(details: Details, reason: ReviewReason, fields_to_correct: &[&str]) -> Opportunity {
    let mut record = draft(details);
    let (involvement, visibility) = (InvolvementType::CoSell, Visibility::Full);
    record
        .submit(&member("creator"), involvement, visibility, &facts(), now())
        .expect("a submission");
    let decision = Decision {
        outcome: ReviewOutcome::ActionRequired(reason),
        remarks: "Remarks.".into(),
        fields_to_correct: fields_to_correct.iter().map(|path| (*path).to_owned()).collect(),
    };
    record.apply_decision(1, decision, now()).expect("a decision");
    record
}

/// A record in a review status, reached through legal transitions.
pub fn in_status(status: ReviewStatus, involvement: InvolvementType) -> Opportunity {
    let mut details = submittable();
    if involvement == InvolvementType::ForVisibilityOnly {
        details.primary_needs_from_aws.clear();
    }
    // Where both visibilities are allowed, the one that is not the default.
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
            record.start_review(1, now()).expect("a started review");
            return record;
        }
        ReviewStatus::ActionRequired => ReviewOutcome::ActionRequired(ReviewReason::Other),
        ReviewStatus::Approved => ReviewOutcome::Approved,
        ReviewStatus::Rejected => ReviewOutcome::Rejected(ReviewReason::Other),
    };
    record
        .apply_decision(
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
    let mut input = record.details().clone();
    input.life_cycle.stage = stage;
    if stage == Stage::ClosedLost {
        input.life_cycle.closed_lost_reason = Some(super::values::ClosedLostReason::Price);
    }
    if stage.is_terminal() {
        input.life_cycle.target_close_date = Some(today());
    }
    let fields = [Field::Stage, Field::ClosedLostReason, Field::TargetCloseDate];
    record
        .update(&member("creator"), &fields, &input, &facts(), now())
        .expect("a change of stage");
    record
}
