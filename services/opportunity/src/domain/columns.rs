//! The columns of imported and exported tables: the field of each, and how its cells are parsed and formatted (OPP-080,
//! OPP-081).

use cosell_types::standard::normalize;
use cosell_types::{ClosedList as _, Violation, ViolationCode};

pub use super::column_names::{
    DETAILS, OPPORTUNITY_ID, RESULT, REVISION, is_id_column, is_result_column, is_revision_column,
};

use super::cells::{
    CellError, aws_spend, first_contact_field, format_bool, is_formula, join_literals, parse_bool,
    parse_date, parse_enum, parse_enums, parse_phone, set_amount, set_currency, set_first_contact,
    set_sales_contact, split_list, update_aws_spend,
};
pub use super::cells::{escape_formula, unescape_formula};
use super::reference::COUNTRY;
use super::values::{MarketingSource, PrimaryNeedFromAws};
use super::{Details, Field, Opportunity};

/// The version of the template. It changes when a column is added or changed.
pub const VERSION: &str = "2";
/// The value of AWS's bulk template that stands for FOR_VISIBILITY_ONLY.
const NO_SUPPORT: &str = "Do Not Need Support from AWS Sales Rep";
/// The value that stands for a solution that is not registered.
const OTHER: &str = "Other";

/// A column of the template.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// Whether a file of new opportunities must have the column.
    pub is_required: bool,
    /// Path of the field, relative to the opportunity.
    pub path: &'static str,
    /// The field that the column updates; `None` if it is only read for new opportunities.
    pub field: Option<Field>,
    read: fn(&mut Details, &str) -> Result<(), CellError>,
    show: fn(&Opportunity) -> String,
}

const fn column(
    name: &'static str,
    path: &'static str,
    field: Option<Field>,
    read: fn(&mut Details, &str) -> Result<(), CellError>,
    show: fn(&Opportunity) -> String,
) -> Column {
    Column {
        name,
        is_required: false,
        path,
        field,
        read,
        show,
    }
}

const fn required(column: Column) -> Column {
    Column {
        is_required: true,
        ..column
    }
}

/// A text that is stored unchanged.
macro_rules! text {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = cell.into();
                Ok(())
            },
            |record| String::from(record.details().$first$(.$rest)*.clone()),
        )
    };
}

/// A text that may be personal data.
macro_rules! personal {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = cell.into();
                Ok(())
            },
            |record| record.details().$first$(.$rest)*.reveal().clone(),
        )
    };
}

/// Values of a closed list, separated by semicolons.
macro_rules! enum_list {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = parse_enums(cell)?;
                Ok(())
            },
            |record| join_literals(&record.details().$first$(.$rest)*),
        )
    };
}

/// One value of a closed list, or none.
macro_rules! enum_value {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = parse_enum(cell)?;
                Ok(())
            },
            |record| record.details().$first$(.$rest)*.map_or_else(String::new, |value| value.literal().to_owned()),
        )
    };
}

/// A field of the partner's sales contact.
macro_rules! sales_contact {
    ($name:literal, $field:ident, $read:expr) => {
        column(
            $name,
            concat!("opportunity_team[0].", stringify!($field)),
            None,
            |details, cell| set_sales_contact(details, &$read(cell), |contact| &mut contact.$field),
            |record| first_contact_field(&record.details().opportunity_team, |contact| &contact.$field),
        )
    };
}

/// The columns of the template, in order.
pub static COLUMNS: [Column; 45] = [
    required(personal!(
        "Customer company name",
        CompanyName,
        customer.account.company_name
    )),
    required(text!("Industry vertical", Industry, customer.account.industry)),
    text!("Industry other", OtherIndustry, customer.account.other_industry),
    column(
        "Does opportunity belong to NatSec?",
        "national_security",
        Some(Field::NationalSecurity),
        |details, cell| {
            // A blank cell states nothing: an answer is never cleared by a file.
            details.national_security = parse_bool(cell)?.or(details.national_security);
            Ok(())
        },
        |record| format_bool(record.details().national_security),
    ),
    required(column(
        "Country",
        "customer.account.address.country_code",
        Some(Field::CountryCode),
        |details, cell| {
            // The table has the name of the country, the opportunity its code.
            details.customer.account.address.country_code = COUNTRY.canonical(cell).unwrap_or(cell).into();
            Ok(())
        },
        |record| {
            record
                .details()
                .customer
                .account
                .address
                .country_code
                .reveal()
                .clone()
        },
    )),
    personal!(
        "State or province",
        StateOrRegion,
        customer.account.address.state_or_region
    ),
    required(personal!(
        "Postal code",
        PostalCode,
        customer.account.address.postal_code
    )),
    required(personal!(
        "Customer website",
        WebsiteUrl,
        customer.account.website_url
    )),
    required(column(
        "Partner primary need from AWS",
        "primary_needs_from_aws",
        Some(Field::PrimaryNeedsFromAws),
        |details, cell| {
            details.primary_needs_from_aws = if normalize(cell) == normalize(NO_SUPPORT) {
                Vec::new()
            } else {
                parse_enums(cell)?
            };
            Ok(())
        },
        |record| {
            let needs: &[PrimaryNeedFromAws] = &record.details().primary_needs_from_aws;
            if needs.is_empty() {
                NO_SUPPORT.to_owned()
            } else {
                join_literals(needs)
            }
        },
    )),
    required(personal!("Partner project title", Title, project.title)),
    required(personal!(
        "Customer business problem",
        CustomerBusinessProblem,
        project.customer_business_problem
    )),
    required(column(
        "Solution offered",
        "related_entity_identifiers.solutions",
        None,
        |details, cell| {
            let solutions = split_list(cell).filter(|part| normalize(part) != normalize(OTHER));
            details.related_entity_identifiers.solutions = solutions.map(ToOwned::to_owned).collect();
            Ok(())
        },
        |record| {
            let solutions = &record.details().related_entity_identifiers.solutions;
            if solutions.is_empty() {
                OTHER.to_owned()
            } else {
                solutions.join(";")
            }
        },
    )),
    personal!(
        "Other solution offered",
        OtherSolutionDescription,
        project.other_solution_description
    ),
    required(text!("Use case", CustomerUseCase, project.customer_use_case)),
    required(column(
        "Estimated AWS MRR",
        "project.expected_customer_spend[0].amount",
        Some(Field::ExpectedCustomerSpend),
        |details, cell| update_aws_spend(details, |entry| set_amount(entry, cell)),
        |record| {
            aws_spend(record).map_or_else(String::new, |money| {
                let sum = money.hundredths;
                format!("{}.{:02}", sum / 100, sum % 100)
            })
        },
    )),
    column(
        "Currency",
        "project.expected_customer_spend[0].amount.currency_code",
        Some(Field::ExpectedCustomerSpend),
        |details, cell| update_aws_spend(details, |entry| set_currency(entry, cell)),
        |record| aws_spend(record).map_or_else(String::new, |money| money.currency.code().to_owned()),
    ),
    required(column(
        "Target close date",
        "life_cycle.target_close_date",
        Some(Field::TargetCloseDate),
        |details, cell| {
            details.life_cycle.target_close_date = parse_date(cell)?;
            Ok(())
        },
        |record| {
            record
                .details()
                .life_cycle
                .target_close_date
                .map_or_else(String::new, |day| day.to_string())
        },
    )),
    required(column(
        "Opportunity type",
        "opportunity_type",
        Some(Field::OpportunityType),
        |details, cell| {
            // A blank cell keeps the value, which for a new opportunity is NET_NEW_BUSINESS.
            if let Some(kind) = parse_enum(cell)? {
                details.opportunity_type = kind;
            }
            Ok(())
        },
        |record| record.details().opportunity_type.literal().to_owned(),
    )),
    required(enum_list!(
        "Delivery model",
        DeliveryModels,
        project.delivery_models
    )),
    required(column(
        "Is opportunity from marketing activity?",
        "marketing.source",
        Some(Field::MarketingSource),
        |details, cell| {
            let from_marketing = |yes| {
                if yes {
                    MarketingSource::MarketingActivity
                } else {
                    MarketingSource::None
                }
            };
            details.marketing.source = parse_bool(cell)?.map(from_marketing);
            Ok(())
        },
        |record| {
            let source = record.details().marketing.source;
            format_bool(source.map(|source| source == MarketingSource::MarketingActivity))
        },
    )),
    column(
        "Were marketing development funds used?",
        "marketing.aws_funding_used",
        Some(Field::AwsFundingUsed),
        |details, cell| {
            details.marketing.aws_funding_used = parse_bool(cell)?;
            Ok(())
        },
        |record| format_bool(record.details().marketing.aws_funding_used),
    ),
    enum_list!("Sales activities", SalesActivities, project.sales_activities),
    column(
        "AWS products",
        "related_entity_identifiers.aws_products",
        None,
        |details, cell| {
            details.related_entity_identifiers.aws_products =
                split_list(cell).map(ToOwned::to_owned).collect();
            Ok(())
        },
        |record| record.details().related_entity_identifiers.aws_products.join(";"),
    ),
    column(
        "Parent opportunity id",
        "project.related_opportunity_id",
        Some(Field::RelatedOpportunity),
        |details, cell| {
            let invalid = |_| {
                (
                    ViolationCode::InvalidStringFormat,
                    "Must be `O` and 1 to 19 digits.".to_owned(),
                )
            };
            let parent = (!cell.is_empty()).then(|| cell.parse().map_err(invalid));
            details.project.related_opportunity_id = parent.transpose()?;
            Ok(())
        },
        |record| {
            record
                .details()
                .project
                .related_opportunity_id
                .map_or_else(String::new, |id| id.to_string())
        },
    ),
    enum_value!("Competitive tracking", CompetitorName, project.competitor_name),
    text!(
        "Other competitors",
        OtherCompetitorNames,
        project.other_competitor_names
    ),
    text!("AWS marketing campaign", CampaignName, marketing.campaign_name),
    enum_list!(
        "Marketing activity channel",
        MarketingChannels,
        marketing.channels
    ),
    column(
        "Marketing activity use case",
        "marketing.use_cases",
        Some(Field::MarketingUseCases),
        |details, cell| {
            details.marketing.use_cases = split_list(cell).map(ToOwned::to_owned).collect();
            Ok(())
        },
        |record| record.details().marketing.use_cases.join(";"),
    ),
    column(
        "Customer phone",
        "customer.contacts[0].phone",
        Some(Field::Contacts),
        |details, cell| {
            set_first_contact(&mut details.customer.contacts, &parse_phone(cell), |contact| {
                &mut contact.phone
            })
        },
        |record| first_contact_field(&record.details().customer.contacts, |contact| &contact.phone),
    ),
    column(
        "Customer e-mail",
        "customer.contacts[0].email",
        Some(Field::Contacts),
        |details, cell| set_first_contact(&mut details.customer.contacts, cell, |contact| &mut contact.email),
        |record| first_contact_field(&record.details().customer.contacts, |contact| &contact.email),
    ),
    personal!("AWS account id", AwsAccountId, customer.account.aws_account_id),
    personal!(
        "Additional comments",
        AdditionalComments,
        project.additional_comments
    ),
    personal!(
        "Street address",
        StreetAddress,
        customer.account.address.street_address
    ),
    personal!("City", City, customer.account.address.city),
    sales_contact!("Primary sales contact first name", first_name, str::to_owned),
    sales_contact!("Primary sales contact last name", last_name, str::to_owned),
    sales_contact!("Primary sales contact title", business_title, str::to_owned),
    sales_contact!("Primary sales contact phone", phone, parse_phone),
    sales_contact!("Primary sales contact e-mail", email, str::to_owned),
    text!(
        "Partner CRM unique identifier",
        PartnerOpportunityIdentifier,
        partner_opportunity_identifier
    ),
    text!("Sub use case", SubUseCase, project.sub_use_case),
    column(
        "Stage",
        "life_cycle.stage",
        Some(Field::Stage),
        |details, cell| {
            if let Some(stage) = parse_enum(cell)? {
                details.life_cycle.stage = stage;
            }
            Ok(())
        },
        |record| record.details().life_cycle.stage.literal().to_owned(),
    ),
    enum_value!(
        "Closed lost reason",
        ClosedLostReason,
        life_cycle.closed_lost_reason
    ),
    personal!("Next step", NextSteps, life_cycle.next_steps),
];

impl Column {
    /// Parses a cell and applies it to the opportunity's details.
    pub fn read(&self, details: &mut Details, cell: &str, violations: &mut Vec<Violation>) {
        if let Err((code, text)) = (self.read)(details, unescape_formula(cell.trim())) {
            super::check::add(violations, self.path, code, text);
        }
    }

    /// Formats the cell of an opportunity. A text that a spreadsheet would evaluate as a formula is escaped with an
    /// apostrophe.
    pub fn show(&self, record: &Opportunity) -> String {
        let text = (self.show)(record);
        if is_formula(&text) {
            format!("'{text}")
        } else {
            text
        }
    }
}
