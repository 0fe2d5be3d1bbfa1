//! Converts domain values to proto messages, unredacted. `view.rs` hides what is not visible to the caller.

use cosell_grpc::convert::{date, timestamp};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::Warning;
use cosell_proto::google::r#type as google;
use cosell_types::{ClosedList, Money};

use crate::domain::{
    Contact, Customer, Details, ExpectedCustomerSpend, FieldWarning, LifeCycle, Marketing, Migration,
    NextStep, Opportunity, Project, RelatedEntityIdentifiers, SoftwareRevenue,
};
use crate::status::RECORD;

/// Warnings, with paths as in the requests that carry the opportunity.
pub fn warnings(warnings: Vec<FieldWarning>) -> Vec<Warning> {
    let shown = warnings.into_iter().map(|warning| Warning {
        field: format!("{}.{}", RECORD.field, warning.field),
        description: warning.text,
    });
    shown.collect()
}

/// The complete opportunity.
pub fn opportunity(record: &Opportunity, catalog: &str) -> pb::Opportunity {
    let account = record.account();
    let id = record.id();
    let review = record.review();
    let mut shown = pb::Opportunity {
        opportunity_id: id.to_string(),
        account_id: account.to_string(),
        etag: cosell_grpc::etags::of(record.revision()),
        revision: record.revision(),
        create_time: Some(timestamp(record.create_time())),
        update_time: Some(timestamp(record.update_time())),
        created_by: record.created_by().to_string(),
        last_modified_by: record
            .last_modified_by()
            .map(ToString::to_string)
            .unwrap_or_default(),
        owner_member_id: record.owner().to_string(),
        submitted_by: record.submitted_by().map(ToString::to_string).unwrap_or_default(),
        catalog: catalog.to_owned(),
        arn: format!("arn:aws:partnercentral:us-east-1:{account}:catalog/{catalog}/opportunity/{id}"),
        origin: record.origin().number(),
        involvement_type: number(record.involvement()),
        visibility: number(record.visibility()),
        flagged_for_follow_up: record.is_flagged(),
        referral_offer_id: record.referral_offer().unwrap_or_default().to_owned(),
        lead_id: record.lead().unwrap_or_default().to_owned(),
        engagement_invitation_id: record
            .shared_from()
            .map(|source| source.invitation.clone())
            .unwrap_or_default(),
        cloned_from_opportunity_id: record.cloned_from().map(|id| id.to_string()).unwrap_or_default(),
        ..partner_fields(record.details())
    };
    let life_cycle = shown.life_cycle.get_or_insert_default();
    life_cycle.next_steps_history = record.next_steps_history().iter().map(show_step).collect();
    life_cycle.reopening = record.reopening().map(|reopening| pb::Reopening {
        previous_stage: reopening.from.number(),
        reason: reopening.reason.reveal().clone(),
        time: Some(timestamp(reopening.time)),
    });
    life_cycle.close_time = record.close_time().map(timestamp);
    life_cycle.correctable_fields = record
        .correctable_fields()
        .into_iter()
        .map(str::to_owned)
        .collect();
    life_cycle.review_status = review.status.number();
    life_cycle.review_comments = review.remarks.reveal().clone();
    life_cycle.review_status_reason = number(review.reason);
    life_cycle.review_round = review.round;
    shown
}

/// The fields that the partner writes; all others are empty.
pub fn partner_fields(details: &Details) -> pb::Opportunity {
    pb::Opportunity {
        partner_opportunity_identifier: details.partner_opportunity_identifier.clone(),
        opportunity_type: details.opportunity_type.number(),
        national_security: details.national_security,
        primary_needs_from_aws: numbers(&details.primary_needs_from_aws),
        customer: Some(show_customer(&details.customer)),
        project: Some(show_project(&details.project)),
        marketing: (details.marketing != Marketing::default()).then(|| show_marketing(&details.marketing)),
        software_revenue: (details.software_revenue != SoftwareRevenue::default())
            .then(|| show_software_revenue(&details.software_revenue)),
        life_cycle: Some(show_life_cycle(&details.life_cycle)),
        opportunity_team: details.opportunity_team.iter().map(show_contact).collect(),
        related_entity_identifiers: Some(show_related(&details.related_entity_identifiers)),
        lead_source: details.lead_source.clone(),
        tags: details
            .tags
            .iter()
            .map(|tag| pb::Tag {
                key: tag.key.clone(),
                value: tag.value.clone(),
            })
            .collect(),
        ..Default::default()
    }
}

fn show_customer(customer: &Customer) -> pb::Customer {
    let account = &customer.account;
    let address = &account.address;
    pb::Customer {
        account: Some(pb::Account {
            company_name: account.company_name.reveal().clone(),
            industry: account.industry.clone(),
            other_industry: account.other_industry.clone(),
            website_url: account.website_url.reveal().clone(),
            aws_account_id: account.aws_account_id.reveal().clone(),
            duns: account.duns.reveal().clone(),
            address: Some(pb::Address {
                country_code: address.country_code.reveal().clone(),
                postal_code: address.postal_code.reveal().clone(),
                state_or_region: address.state_or_region.reveal().clone(),
                city: address.city.reveal().clone(),
                street_address: address.street_address.reveal().clone(),
            }),
        }),
        contacts: customer.contacts.iter().map(show_contact).collect(),
    }
}

pub fn show_contact(contact: &Contact) -> pb::Contact {
    pb::Contact {
        first_name: contact.first_name.reveal().clone(),
        last_name: contact.last_name.reveal().clone(),
        business_title: contact.business_title.reveal().clone(),
        email: contact.email.reveal().clone(),
        phone: contact.phone.reveal().clone(),
    }
}

fn show_project(project: &Project) -> pb::Project {
    let migration = &project.migration;
    pb::Project {
        title: project.title.reveal().clone(),
        customer_business_problem: project.customer_business_problem.reveal().clone(),
        customer_use_case: project.customer_use_case.clone(),
        sub_use_case: project.sub_use_case.clone(),
        delivery_models: numbers(&project.delivery_models),
        sales_activities: numbers(&project.sales_activities),
        expected_customer_spend: project.expected_customer_spend.iter().map(show_spend).collect(),
        expected_contract_duration: project
            .expected_contract_duration
            .map(|months| pb::ExpectedContractDuration { months }),
        apn_programs: project.apn_programs.clone(),
        competitor_name: number(project.competitor_name),
        other_competitor_names: project.other_competitor_names.clone(),
        other_solution_description: project.other_solution_description.reveal().clone(),
        additional_comments: project.additional_comments.reveal().clone(),
        aws_partition: project.aws_partition.clone(),
        related_opportunity_id: project
            .related_opportunity_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        migration: (*migration != Migration::default()).then(|| pb::MigrationDetails {
            workload: migration.workload.clone(),
            source: migration.source.clone(),
            phase: number(migration.phase),
            managed_services: migration.managed_services,
            details: migration.details.reveal().clone(),
        }),
    }
}

pub fn show_spend(entry: &ExpectedCustomerSpend) -> pb::ExpectedCustomerSpend {
    pb::ExpectedCustomerSpend {
        amount: entry.amount.map(show_money),
        frequency: number(entry.frequency),
        target_company: entry.target_company.clone(),
        estimation_url: entry.estimation_url.clone(),
    }
}

fn show_marketing(marketing: &Marketing) -> pb::Marketing {
    pb::Marketing {
        source: number(marketing.source),
        aws_funding_used: marketing.aws_funding_used,
        campaign_name: marketing.campaign_name.clone(),
        use_cases: marketing.use_cases.clone(),
        channels: numbers(&marketing.channels),
    }
}

fn show_software_revenue(revenue: &SoftwareRevenue) -> pb::SoftwareRevenue {
    pb::SoftwareRevenue {
        delivery_model: number(revenue.delivery_model),
        value: revenue.value.map(show_money),
        effective_date: revenue.effective_date.map(date),
        expiration_date: revenue.expiration_date.map(date),
    }
}

fn show_life_cycle(life_cycle: &LifeCycle) -> pb::LifeCycle {
    pb::LifeCycle {
        stage: life_cycle.stage.number(),
        closed_lost_reason: number(life_cycle.closed_lost_reason),
        target_close_date: life_cycle.target_close_date.map(date),
        next_steps: life_cycle.next_steps.reveal().clone(),
        ..Default::default()
    }
}

pub fn show_step(step: &NextStep) -> pb::NextStep {
    pb::NextStep {
        value: step.value.reveal().clone(),
        time: Some(timestamp(step.time)),
    }
}

pub fn show_related(related: &RelatedEntityIdentifiers) -> pb::RelatedEntityIdentifiers {
    pb::RelatedEntityIdentifiers {
        solutions: related.solutions.clone(),
        aws_products: related.aws_products.clone(),
        aws_marketplace_solutions: related.aws_marketplace_solutions.clone(),
        aws_marketplace_products: related.aws_marketplace_products.clone(),
        aws_marketplace_offers: related.aws_marketplace_offers.clone(),
        aws_marketplace_offer_sets: related.aws_marketplace_offer_sets.clone(),
    }
}

pub fn show_money(money: Money) -> google::Money {
    let (units, nanos) = money.parts();
    google::Money {
        currency_code: money.currency.to_string(),
        units,
        nanos,
    }
}

pub fn number<T: ClosedList>(value: Option<T>) -> i32 {
    value.map_or(0, ClosedList::number)
}

fn numbers<T: ClosedList>(values: &[T]) -> Vec<i32> {
    values.iter().map(|value| value.number()).collect()
}
