//! The columns of spreadsheets: what stands in a cell, and which field of the record it is (OPP-080, OPP-081).

use cosell_types::standard::plain;
use cosell_types::{ClosedList as _, Violation, ViolationCode};

use super::cells::{
    Wrong, amount, currency, day, first, is_run, literals, member, members, of_aws, parts, person, phone,
    sales_contact, spend, yes, yes_no,
};
use super::reference::COUNTRY;
use super::values::{MarketingSource, PrimaryNeedFromAws};
use super::{Details, Field, Opportunity};

/// The version of the template: another one whenever a column comes or changes.
pub const VERSION: &str = "2";
/// The column that says which record a row changes.
pub const OPPORTUNITY_ID: &str = "Opportunity id";
/// The column that says which revision of it a row was made from.
pub const REVISION: &str = "Revision";
/// What a row became.
pub const RESULT: &str = "Result";
/// The record that a row became, or what is wrong with it.
pub const DETAILS: &str = "Details";
/// What the original's template says for visibility only.
const NO_SUPPORT: &str = "Do Not Need Support from AWS Sales Rep";
/// What stands for a solution that is described in words.
const OTHER: &str = "Other";

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the first line.
    pub name: &'static str,
    /// Whether a file of new records must have it.
    pub is_required: bool,
    /// Where in a record it stands.
    pub path: &'static str,
    /// What can be changed by it; none where it counts for new records only.
    pub field: Option<Field>,
    read: fn(&mut Details, &str) -> Result<(), Wrong>,
    show: fn(&Opportunity) -> String,
}

const fn column(
    name: &'static str,
    path: &'static str,
    field: Option<Field>,
    read: fn(&mut Details, &str) -> Result<(), Wrong>,
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

/// A text that is taken as it stands.
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

/// The same, for what may be personal.
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

/// Values out of a closed list, parted by semicolons.
macro_rules! several {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = members(cell)?;
                Ok(())
            },
            |record| literals(&record.details().$first$(.$rest)*),
        )
    };
}

/// One value out of a closed list, or none.
macro_rules! one_of {
    ($name:literal, $field:ident, $first:ident $(.$rest:ident)*) => {
        column(
            $name,
            concat!(stringify!($first) $(, ".", stringify!($rest))*),
            Some(Field::$field),
            |details, cell| {
                details.$first$(.$rest)* = member(cell)?;
                Ok(())
            },
            |record| record.details().$first$(.$rest)*.map_or_else(String::new, |value| value.literal().to_owned()),
        )
    };
}

/// What is said of the partner's sales contact.
macro_rules! of_sales {
    ($name:literal, $field:ident, $read:expr) => {
        column(
            $name,
            "opportunity_team",
            None,
            |details, cell| sales_contact(details, &$read(cell), |contact| &mut contact.$field),
            |record| first(&record.details().opportunity_team, |contact| &contact.$field),
        )
    };
}

/// Every column of the template, in its order.
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
            details.national_security = yes(cell)?;
            Ok(())
        },
        |record| yes_no(record.details().national_security),
    ),
    required(column(
        "Country",
        "customer.account.address.country_code",
        Some(Field::CountryCode),
        |details, cell| {
            // A spreadsheet has its name, the record its code.
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
            details.primary_needs_from_aws = if plain(cell) == plain(NO_SUPPORT) {
                Vec::new()
            } else {
                members(cell)?
            };
            Ok(())
        },
        |record| {
            let needs: &[PrimaryNeedFromAws] = &record.details().primary_needs_from_aws;
            if needs.is_empty() {
                NO_SUPPORT.to_owned()
            } else {
                literals(needs)
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
            let solutions = parts(cell).filter(|part| plain(part) != plain(OTHER));
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
        "project.expected_customer_spend",
        Some(Field::ExpectedCustomerSpend),
        |details, cell| spend(details, |entry| amount(entry, cell)),
        |record| {
            of_aws(record).map_or_else(String::new, |money| {
                let sum = money.hundredths;
                format!("{}.{:02}", sum / 100, sum % 100)
            })
        },
    )),
    column(
        "Currency",
        "project.expected_customer_spend",
        Some(Field::ExpectedCustomerSpend),
        |details, cell| spend(details, |entry| currency(entry, cell)),
        |record| of_aws(record).map_or_else(String::new, |money| money.currency.code().to_owned()),
    ),
    required(column(
        "Target close date",
        "life_cycle.target_close_date",
        Some(Field::TargetCloseDate),
        |details, cell| {
            details.life_cycle.target_close_date = day(cell)?;
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
            // Blank says nothing, which a new record takes for net new business.
            if let Some(kind) = member(cell)? {
                details.opportunity_type = kind;
            }
            Ok(())
        },
        |record| record.details().opportunity_type.literal().to_owned(),
    )),
    required(several!(
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
            details.marketing.source = yes(cell)?.map(from_marketing);
            Ok(())
        },
        |record| {
            let source = record.details().marketing.source;
            yes_no(source.map(|source| source == MarketingSource::MarketingActivity))
        },
    )),
    column(
        "Were marketing development funds used?",
        "marketing.aws_funding_used",
        Some(Field::AwsFundingUsed),
        |details, cell| {
            details.marketing.aws_funding_used = yes(cell)?;
            Ok(())
        },
        |record| yes_no(record.details().marketing.aws_funding_used),
    ),
    several!("Sales activities", SalesActivities, project.sales_activities),
    column(
        "AWS products",
        "related_entity_identifiers.aws_products",
        None,
        |details, cell| {
            details.related_entity_identifiers.aws_products = parts(cell).map(ToOwned::to_owned).collect();
            Ok(())
        },
        |record| record.details().related_entity_identifiers.aws_products.join(";"),
    ),
    column(
        "Parent opportunity id",
        "project.related_opportunity_id",
        Some(Field::RelatedOpportunity),
        |details, cell| {
            let wrong = |_| {
                (
                    ViolationCode::InvalidStringFormat,
                    "must be `O` and 1 to 19 digits".to_owned(),
                )
            };
            let parent = (!cell.is_empty()).then(|| cell.parse().map_err(wrong));
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
    one_of!("Competitive tracking", CompetitorName, project.competitor_name),
    text!(
        "Other competitors",
        OtherCompetitorNames,
        project.other_competitor_names
    ),
    text!("AWS marketing campaign", CampaignName, marketing.campaign_name),
    several!(
        "Marketing activity channel",
        MarketingChannels,
        marketing.channels
    ),
    column(
        "Marketing activity use case",
        "marketing.use_cases",
        Some(Field::MarketingUseCases),
        |details, cell| {
            details.marketing.use_cases = parts(cell).map(ToOwned::to_owned).collect();
            Ok(())
        },
        |record| record.details().marketing.use_cases.join(";"),
    ),
    column(
        "Customer phone",
        "customer.contacts",
        Some(Field::Contacts),
        |details, cell| {
            person(&mut details.customer.contacts, &phone(cell), |contact| {
                &mut contact.phone
            })
        },
        |record| first(&record.details().customer.contacts, |contact| &contact.phone),
    ),
    column(
        "Customer e-mail",
        "customer.contacts",
        Some(Field::Contacts),
        |details, cell| person(&mut details.customer.contacts, cell, |contact| &mut contact.email),
        |record| first(&record.details().customer.contacts, |contact| &contact.email),
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
    of_sales!("Primary sales contact first name", first_name, str::to_owned),
    of_sales!("Primary sales contact last name", last_name, str::to_owned),
    of_sales!("Primary sales contact title", business_title, str::to_owned),
    of_sales!("Primary sales contact phone", phone, phone),
    of_sales!("Primary sales contact e-mail", email, str::to_owned),
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
            if let Some(stage) = member(cell)? {
                details.life_cycle.stage = stage;
            }
            Ok(())
        },
        |record| record.details().life_cycle.stage.literal().to_owned(),
    ),
    one_of!(
        "Closed lost reason",
        ClosedLostReason,
        life_cycle.closed_lost_reason
    ),
    personal!("Next step", NextSteps, life_cycle.next_steps),
];

/// The column with a name, however it is written.
pub fn find(name: &str) -> Option<&'static Column> {
    let name = plain(name.trim_start_matches('\u{feff}'));
    COLUMNS.iter().find(|column| plain(column.name) == name)
}

/// Whether it is the column that says which record a row changes.
pub fn is_id(name: &str) -> bool {
    plain(name.trim_start_matches('\u{feff}')) == plain(OPPORTUNITY_ID)
}

/// Whether it is the column that says which revision of the record it was.
pub fn is_revision(name: &str) -> bool {
    plain(name) == plain(REVISION)
}

/// Whether it is one of the columns that an import has added.
pub fn is_of_result(name: &str) -> bool {
    [RESULT, DETAILS].iter().any(|added| plain(added) == plain(name))
}

/// The column that a field of a record stands in.
pub fn of_path(path: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| {
        path.strip_prefix(column.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

impl Column {
    /// Takes over what a cell says.
    pub fn read(&self, details: &mut Details, cell: &str, found: &mut Vec<Violation>) {
        let cell = cell.trim();
        let shielded = cell.strip_prefix('\'').filter(|rest| is_run(rest));
        if let Err((code, text)) = (self.read)(details, shielded.unwrap_or(cell)) {
            super::check::add(found, self.path, code, text);
        }
    }

    /// What stands in the cell of a record. A text that a spreadsheet would run is kept from that by an apostrophe.
    pub fn show(&self, record: &Opportunity) -> String {
        let text = (self.show)(record);
        if is_run(&text) { format!("'{text}") } else { text }
    }
}
