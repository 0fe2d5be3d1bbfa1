//! Between the interface and the domain. Shape (lengths, patterns, known enum numbers) is checked by generated code
//! before; here what shape cannot say: whether a date exists, whether an amount can be kept exactly.

use chrono::NaiveDate;
use cosell_grpc::convert::{date, day, timestamp};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::Warning;
use cosell_proto::google::r#type as google;
use cosell_types::{ClosedList, FieldPath, Money, OpportunityId, Violation, ViolationCode};

use crate::domain::values::{OpportunityType, Stage};
use crate::domain::{
    Account, Address, Advice, Contact, Customer, Details, ExpectedCustomerSpend, LifeCycle, Marketing,
    Migration, NextStep, Opportunity, Project, RelatedEntityIdentifiers, SoftwareRevenue, Tag,
};

/// What a partner says about a deal, and what of it cannot be read. Output-only fields are passed over.
pub fn details(given: &pb::Opportunity) -> (Details, Vec<Violation>) {
    let mut reader = Reader::default();
    let details = reader.details(given.clone());
    (details, reader.found)
}

/// Reads what shape cannot say, and keeps what is wrong with it.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) found: Vec<Violation>,
}

impl Reader {
    fn details(&mut self, given: pb::Opportunity) -> Details {
        let customer = given.customer.unwrap_or_default();
        Details {
            partner_opportunity_identifier: given.partner_opportunity_identifier,
            opportunity_type: member(given.opportunity_type).unwrap_or(OpportunityType::NetNewBusiness),
            national_security: given.national_security,
            primary_needs_from_aws: members(&given.primary_needs_from_aws),
            customer: Customer {
                account: account(customer.account.unwrap_or_default()),
                contacts: customer.contacts.into_iter().map(contact).collect(),
            },
            project: self.project(given.project.unwrap_or_default()),
            marketing: marketing(given.marketing.unwrap_or_default()),
            software_revenue: self.software_revenue(&given.software_revenue.unwrap_or_default()),
            life_cycle: self.life_cycle(given.life_cycle.unwrap_or_default()),
            opportunity_team: given.opportunity_team.into_iter().map(contact).collect(),
            related_entity_identifiers: related(given.related_entity_identifiers.unwrap_or_default()),
            lead_source: given.lead_source,
            tags: given.tags.into_iter().map(tag).collect(),
        }
    }

    fn project(&mut self, given: pb::Project) -> Project {
        let migration = given.migration.unwrap_or_default();
        let spend = self.spend(given.expected_customer_spend, super::RECORD.field);
        Project {
            expected_customer_spend: spend,
            title: given.title.into(),
            customer_business_problem: given.customer_business_problem.into(),
            customer_use_case: given.customer_use_case,
            sub_use_case: given.sub_use_case,
            delivery_models: members(&given.delivery_models),
            sales_activities: members(&given.sales_activities),
            expected_contract_duration: given.expected_contract_duration.map(|duration| duration.months),
            apn_programs: given.apn_programs,
            competitor_name: member(given.competitor_name),
            other_competitor_names: given.other_competitor_names,
            other_solution_description: given.other_solution_description.into(),
            additional_comments: given.additional_comments.into(),
            aws_partition: given.aws_partition,
            related_opportunity_id: self.parent(&given.related_opportunity_id),
            migration: Migration {
                workload: migration.workload,
                source: migration.source,
                phase: member(migration.phase),
                managed_services: migration.managed_services,
                details: migration.details.into(),
            },
        }
    }

    pub(super) fn spend(
        &mut self,
        given: Vec<pb::ExpectedCustomerSpend>,
        record: &str,
    ) -> Vec<ExpectedCustomerSpend> {
        let entries = given.into_iter().enumerate().map(|(index, entry)| {
            let at = format!("{record}.project.expected_customer_spend[{index}].amount");
            ExpectedCustomerSpend {
                amount: self.money(entry.amount.as_ref(), &at),
                frequency: member(entry.frequency),
                target_company: entry.target_company,
                estimation_url: entry.estimation_url,
            }
        });
        entries.collect()
    }

    fn software_revenue(&mut self, given: &pb::SoftwareRevenue) -> SoftwareRevenue {
        let at = "opportunity.software_revenue";
        SoftwareRevenue {
            delivery_model: member(given.delivery_model),
            value: self.money(given.value.as_ref(), &format!("{at}.value")),
            effective_date: self.date(given.effective_date.as_ref(), &format!("{at}.effective_date")),
            expiration_date: self.date(given.expiration_date.as_ref(), &format!("{at}.expiration_date")),
        }
    }

    fn life_cycle(&mut self, given: pb::LifeCycle) -> LifeCycle {
        LifeCycle {
            stage: member(given.stage).unwrap_or(Stage::Prospect),
            closed_lost_reason: member(given.closed_lost_reason),
            target_close_date: self.date(
                given.target_close_date.as_ref(),
                "opportunity.life_cycle.target_close_date",
            ),
            next_steps: given.next_steps.into(),
        }
    }

    fn parent(&mut self, given: &str) -> Option<OpportunityId> {
        let id = given.parse().ok();
        if id.is_none() && !given.is_empty() {
            let at = "opportunity.project.related_opportunity_id";
            self.wrong(
                at,
                ViolationCode::InvalidValue,
                "is no opportunity id: the number is too large",
            );
        }
        id
    }

    pub fn money(&mut self, given: Option<&google::Money>, at: &str) -> Option<Money> {
        let given = given?;
        let Ok(currency) = given.currency_code.parse() else {
            let text = "must be three upper-case letters of ISO 4217: USD or EUR";
            self.wrong(
                &format!("{at}.currency_code"),
                ViolationCode::InvalidStringFormat,
                text,
            );
            return None;
        };
        match Money::from_parts(currency, given.units, given.nanos) {
            Ok(money) => Some(money),
            Err(error) => {
                self.wrong(at, ViolationCode::InvalidValue, &error.to_string());
                None
            }
        }
    }

    pub(super) fn date(&mut self, given: Option<&google::Date>, at: &str) -> Option<NaiveDate> {
        let date = day(given?);
        if date.is_none() {
            self.wrong(
                at,
                ViolationCode::InvalidValue,
                "is no day of the calendar; year, month and day are required",
            );
        }
        date
    }

    fn wrong(&mut self, at: &str, code: ViolationCode, text: &str) {
        self.found
            .push(Violation::new(&FieldPath::root().field(at), code, text));
    }
}

fn account(given: pb::Account) -> Account {
    let address = given.address.unwrap_or_default();
    Account {
        company_name: given.company_name.into(),
        industry: given.industry,
        other_industry: given.other_industry,
        website_url: given.website_url.into(),
        aws_account_id: given.aws_account_id.into(),
        duns: given.duns.into(),
        address: Address {
            country_code: address.country_code.into(),
            postal_code: address.postal_code.into(),
            state_or_region: address.state_or_region.into(),
            city: address.city.into(),
            street_address: address.street_address.into(),
        },
    }
}

pub fn contact(given: pb::Contact) -> Contact {
    Contact {
        first_name: given.first_name.into(),
        last_name: given.last_name.into(),
        business_title: given.business_title.into(),
        email: given.email.into(),
        phone: given.phone.into(),
    }
}

pub(super) fn related(given: pb::RelatedEntityIdentifiers) -> RelatedEntityIdentifiers {
    RelatedEntityIdentifiers {
        solutions: given.solutions,
        aws_products: given.aws_products,
        aws_marketplace_solutions: given.aws_marketplace_solutions,
        aws_marketplace_products: given.aws_marketplace_products,
        aws_marketplace_offers: given.aws_marketplace_offers,
        aws_marketplace_offer_sets: given.aws_marketplace_offer_sets,
    }
}

fn marketing(given: pb::Marketing) -> Marketing {
    Marketing {
        source: member(given.source),
        aws_funding_used: given.aws_funding_used,
        campaign_name: given.campaign_name,
        use_cases: given.use_cases,
        channels: members(&given.channels),
    }
}

pub(super) fn member<T: ClosedList>(number: i32) -> Option<T> {
    T::from_number(number)
}

/// The members of a closed list with these numbers; what is none is passed over.
pub fn members<T: ClosedList>(numbers: &[i32]) -> Vec<T> {
    numbers.iter().filter_map(|number| member(*number)).collect()
}

/// Hints, with paths as in the requests that carry the record.
pub fn warnings(hints: Vec<Advice>) -> Vec<Warning> {
    let shown = hints.into_iter().map(|hint| Warning {
        field: format!("{}.{}", super::RECORD.field, hint.field),
        description: hint.text,
    });
    shown.collect()
}

/// The record as the interface shows it.
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
            .source()
            .map(|source| source.invitation.clone())
            .unwrap_or_default(),
        cloned_from_opportunity_id: record.cloned_from().map(|id| id.to_string()).unwrap_or_default(),
        ..written(record.details())
    };
    let life_cycle = shown.life_cycle.get_or_insert_default();
    life_cycle.next_steps_history = record.next_steps_history().iter().map(show_step).collect();
    life_cycle.reopening = record.reopening().map(|reopening| pb::Reopening {
        previous_stage: reopening.from.number(),
        reason: reopening.reason.reveal().clone(),
        time: Some(timestamp(reopening.time)),
    });
    life_cycle.review_status = review.status.number();
    life_cycle.review_comments = review.remarks.reveal().clone();
    life_cycle.review_status_reason = number(review.reason);
    life_cycle.review_round = review.round;
    shown
}

/// What the partner writes, as the interface shows it.
pub fn written(details: &Details) -> pb::Opportunity {
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

/// Takes out what a national-security deal keeps from AWS.
pub fn classify(shown: &mut pb::Opportunity) {
    let customer = shown.customer.as_mut();
    if let Some(account) = customer.and_then(|customer| customer.account.as_mut()) {
        account.company_name.clear();
        account.website_url.clear();
        if let Some(address) = &mut account.address {
            address.postal_code.clear();
            address.state_or_region.clear();
        }
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

pub(super) fn show_contact(contact: &Contact) -> pb::Contact {
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

pub(super) fn show_spend(entry: &ExpectedCustomerSpend) -> pb::ExpectedCustomerSpend {
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

pub(super) fn show_step(step: &NextStep) -> pb::NextStep {
    pb::NextStep {
        value: step.value.reveal().clone(),
        time: Some(timestamp(step.time)),
    }
}

pub(super) fn show_related(related: &RelatedEntityIdentifiers) -> pb::RelatedEntityIdentifiers {
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

pub(super) fn number<T: ClosedList>(value: Option<T>) -> i32 {
    value.map_or(0, ClosedList::number)
}

fn numbers<T: ClosedList>(values: &[T]) -> Vec<i32> {
    values.iter().map(|value| value.number()).collect()
}

/// A tag as it is kept.
pub fn tag(given: pb::Tag) -> Tag {
    Tag {
        key: given.key,
        value: given.value,
    }
}
