//! Converts the messages of requests to domain values, and collects violations that the protovalidate rules cannot
//! express: dates that do not exist, amounts that cannot be stored exactly. Lengths, patterns and enum numbers are
//! validated before.

use chrono::NaiveDate;
use cosell_grpc::convert::day;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::r#type as google;
use cosell_types::{ClosedList, FieldPath, Money, OpportunityId, Violation, ViolationCode};

use crate::domain::values::{OpportunityType, Stage};
use crate::domain::{
    Account, Address, Contact, Customer, Details, ExpectedCustomerSpend, LifeCycle, Marketing, Migration,
    Project, RelatedEntityIdentifiers, SoftwareRevenue, Tag,
};
use crate::status::RECORD;

/// The partner's part of an opportunity, with the violations. Output-only fields are ignored.
pub fn details(message: &pb::Opportunity) -> (Details, Vec<Violation>) {
    let mut reader = Reader::default();
    let details = reader.details(message.clone());
    (details, reader.violations)
}

/// Converts messages and collects the violations.
#[derive(Default)]
pub struct Reader {
    pub violations: Vec<Violation>,
}

impl Reader {
    fn details(&mut self, message: pb::Opportunity) -> Details {
        let customer = message.customer.unwrap_or_default();
        Details {
            partner_opportunity_identifier: message.partner_opportunity_identifier,
            opportunity_type: enum_value(message.opportunity_type).unwrap_or(OpportunityType::NetNewBusiness),
            national_security: message.national_security,
            primary_needs_from_aws: enum_values(&message.primary_needs_from_aws),
            customer: Customer {
                account: account(customer.account.unwrap_or_default()),
                contacts: customer.contacts.into_iter().map(contact).collect(),
            },
            project: self.project(message.project.unwrap_or_default()),
            marketing: marketing(message.marketing.unwrap_or_default()),
            software_revenue: self.software_revenue(&message.software_revenue.unwrap_or_default()),
            life_cycle: self.life_cycle(message.life_cycle.unwrap_or_default()),
            opportunity_team: message.opportunity_team.into_iter().map(contact).collect(),
            related_entity_identifiers: related(message.related_entity_identifiers.unwrap_or_default()),
            lead_source: message.lead_source,
            tags: message.tags.into_iter().map(tag).collect(),
        }
    }

    fn project(&mut self, message: pb::Project) -> Project {
        let migration = message.migration.unwrap_or_default();
        let spend = self.spend(message.expected_customer_spend, RECORD.field);
        Project {
            expected_customer_spend: spend,
            title: message.title.into(),
            customer_business_problem: message.customer_business_problem.into(),
            customer_use_case: message.customer_use_case,
            sub_use_case: message.sub_use_case,
            delivery_models: enum_values(&message.delivery_models),
            sales_activities: enum_values(&message.sales_activities),
            expected_contract_duration: message.expected_contract_duration.map(|duration| duration.months),
            apn_programs: message.apn_programs,
            competitor_name: enum_value(message.competitor_name),
            other_competitor_names: message.other_competitor_names,
            other_solution_description: message.other_solution_description.into(),
            additional_comments: message.additional_comments.into(),
            aws_partition: message.aws_partition,
            related_opportunity_id: self.parent(&message.related_opportunity_id),
            migration: Migration {
                workload: migration.workload,
                source: migration.source,
                phase: enum_value(migration.phase),
                managed_services: migration.managed_services,
                details: migration.details.into(),
            },
        }
    }

    pub fn spend(
        &mut self,
        message: Vec<pb::ExpectedCustomerSpend>,
        record: &str,
    ) -> Vec<ExpectedCustomerSpend> {
        let entries = message.into_iter().enumerate().map(|(index, entry)| {
            let at = format!("{record}.project.expected_customer_spend[{index}].amount");
            ExpectedCustomerSpend {
                amount: self.money(entry.amount.as_ref(), &at),
                frequency: enum_value(entry.frequency),
                target_company: entry.target_company,
                estimation_url: entry.estimation_url,
            }
        });
        entries.collect()
    }

    fn software_revenue(&mut self, message: &pb::SoftwareRevenue) -> SoftwareRevenue {
        let at = "opportunity.software_revenue";
        SoftwareRevenue {
            delivery_model: enum_value(message.delivery_model),
            value: self.money(message.value.as_ref(), &format!("{at}.value")),
            effective_date: self.date(message.effective_date.as_ref(), &format!("{at}.effective_date")),
            expiration_date: self.date(message.expiration_date.as_ref(), &format!("{at}.expiration_date")),
        }
    }

    fn life_cycle(&mut self, message: pb::LifeCycle) -> LifeCycle {
        LifeCycle {
            stage: enum_value(message.stage).unwrap_or(Stage::Prospect),
            closed_lost_reason: enum_value(message.closed_lost_reason),
            target_close_date: self.date(
                message.target_close_date.as_ref(),
                "opportunity.life_cycle.target_close_date",
            ),
            next_steps: message.next_steps.into(),
        }
    }

    fn parent(&mut self, text: &str) -> Option<OpportunityId> {
        let id = text.parse().ok();
        if id.is_none() && !text.is_empty() {
            let at = "opportunity.project.related_opportunity_id";
            self.add_violation(
                at,
                ViolationCode::InvalidValue,
                "Must be an opportunity id: the number is too large.",
            );
        }
        id
    }

    pub fn money(&mut self, message: Option<&google::Money>, at: &str) -> Option<Money> {
        let message = message?;
        let Ok(currency) = message.currency_code.parse() else {
            let text =
                "Must be a currency code of ISO 4217 with three upper-case letters, such as USD or EUR.";
            self.add_violation(
                &format!("{at}.currency_code"),
                ViolationCode::InvalidStringFormat,
                text,
            );
            return None;
        };
        match Money::from_parts(currency, message.units, message.nanos) {
            Ok(money) => Some(money),
            Err(error) => {
                self.add_violation(at, ViolationCode::InvalidValue, &error.to_string());
                None
            }
        }
    }

    pub fn date(&mut self, message: Option<&google::Date>, at: &str) -> Option<NaiveDate> {
        let date = day(message?);
        if date.is_none() {
            self.add_violation(
                at,
                ViolationCode::InvalidValue,
                "Must be a calendar date with year, month and day.",
            );
        }
        date
    }

    fn add_violation(&mut self, at: &str, code: ViolationCode, text: &str) {
        self.violations
            .push(Violation::new(&FieldPath::root().field(at), code, text));
    }
}

fn account(message: pb::Account) -> Account {
    let address = message.address.unwrap_or_default();
    Account {
        company_name: message.company_name.into(),
        industry: message.industry,
        other_industry: message.other_industry,
        website_url: message.website_url.into(),
        aws_account_id: message.aws_account_id.into(),
        duns: message.duns.into(),
        address: Address {
            country_code: address.country_code.into(),
            postal_code: address.postal_code.into(),
            state_or_region: address.state_or_region.into(),
            city: address.city.into(),
            street_address: address.street_address.into(),
        },
    }
}

pub fn contact(message: pb::Contact) -> Contact {
    Contact {
        first_name: message.first_name.into(),
        last_name: message.last_name.into(),
        business_title: message.business_title.into(),
        email: message.email.into(),
        phone: message.phone.into(),
    }
}

pub fn related(message: pb::RelatedEntityIdentifiers) -> RelatedEntityIdentifiers {
    RelatedEntityIdentifiers {
        solutions: message.solutions,
        aws_products: message.aws_products,
        aws_marketplace_solutions: message.aws_marketplace_solutions,
        aws_marketplace_products: message.aws_marketplace_products,
        aws_marketplace_offers: message.aws_marketplace_offers,
        aws_marketplace_offer_sets: message.aws_marketplace_offer_sets,
    }
}

fn marketing(message: pb::Marketing) -> Marketing {
    Marketing {
        source: enum_value(message.source),
        aws_funding_used: message.aws_funding_used,
        campaign_name: message.campaign_name,
        use_cases: message.use_cases,
        channels: enum_values(&message.channels),
    }
}

pub fn enum_value<T: ClosedList>(number: i32) -> Option<T> {
    T::from_number(number)
}

/// The values of a closed list with these numbers; unknown numbers are ignored.
pub fn enum_values<T: ClosedList>(numbers: &[i32]) -> Vec<T> {
    numbers.iter().filter_map(|number| enum_value(*number)).collect()
}

pub fn tag(message: pb::Tag) -> Tag {
    Tag {
        key: message.key,
        value: message.value,
    }
}
