//! The columns of spreadsheets: what stands in a cell, and which field of the record it is (OPP-080, OPP-081).

use chrono::NaiveDate;
use cosell_types::standard::plain;
use cosell_types::{ClosedList, Currency, Money, Pii, Violation, ViolationCode};

use super::deal_size::AWS;
use super::reference::COUNTRY;
use super::values::{MarketingSource, OpportunityType, PaymentFrequency, PrimaryNeedFromAws, Stage};
use super::{Contact, Details, ExpectedCustomerSpend, Field, Opportunity};

/// The version of the template: another one whenever a column comes or changes.
pub const VERSION: &str = "1";
/// The day on which the template last changed.
pub const CHANGED: &str = "2026-11-26";
/// The column that says which record a row changes.
pub const OPPORTUNITY_ID: &str = "Opportunity id";
/// What a row became.
pub const RESULT: &str = "Result";
/// The record that a row became, or what is wrong with it.
pub const DETAILS: &str = "Details";
/// What the original's template says for visibility only.
const NO_SUPPORT: &str = "Do Not Need Support from AWS Sales Rep";
/// What stands for a solution that is described in words.
const OTHER: &str = "Other";

/// What is wrong with a cell.
type Wrong = (ViolationCode, String);

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
    ($name:literal, $path:literal, $field:ident, $($part:ident).+) => {
        column(
            $name,
            $path,
            Some(Field::$field),
            |details, cell| {
                details.$($part).+ = cell.into();
                Ok(())
            },
            |record| String::from(record.details().$($part).+.clone()),
        )
    };
}

/// The same, for what may be personal.
macro_rules! personal {
    ($name:literal, $path:literal, $field:ident, $($part:ident).+) => {
        column(
            $name,
            $path,
            Some(Field::$field),
            |details, cell| {
                details.$($part).+ = cell.into();
                Ok(())
            },
            |record| record.details().$($part).+.reveal().clone(),
        )
    };
}

/// Values out of a closed list, parted by semicolons.
macro_rules! several {
    ($name:literal, $path:literal, $field:ident, $($part:ident).+) => {
        column(
            $name,
            $path,
            Some(Field::$field),
            |details, cell| {
                details.$($part).+ = members(cell)?;
                Ok(())
            },
            |record| literals(&record.details().$($part).+),
        )
    };
}

/// One value out of a closed list, or none.
macro_rules! one_of {
    ($name:literal, $path:literal, $field:ident, $($part:ident).+) => {
        column(
            $name,
            $path,
            Some(Field::$field),
            |details, cell| {
                details.$($part).+ = member(cell)?;
                Ok(())
            },
            |record| record.details().$($part).+.map_or_else(String::new, |value| value.literal().to_owned()),
        )
    };
}

/// Every column of the template, in its order.
pub static COLUMNS: [Column; 44] = [
    required(personal!(
        "Customer company name",
        "customer.account.company_name",
        CompanyName,
        customer.account.company_name
    )),
    required(text!(
        "Industry vertical",
        "customer.account.industry",
        Industry,
        customer.account.industry
    )),
    text!(
        "Industry other",
        "customer.account.other_industry",
        OtherIndustry,
        customer.account.other_industry
    ),
    column(
        "Does opportunity belong to NatSec?",
        "national_security",
        Some(Field::NationalSecurity),
        |details, cell| {
            details.national_security = yes(cell)?.unwrap_or_default();
            Ok(())
        },
        |record| yes_no(Some(record.details().national_security)),
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
        "customer.account.address.state_or_region",
        StateOrRegion,
        customer.account.address.state_or_region
    ),
    required(personal!(
        "Postal code",
        "customer.account.address.postal_code",
        PostalCode,
        customer.account.address.postal_code
    )),
    required(personal!(
        "Customer website",
        "customer.account.website_url",
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
    required(personal!(
        "Partner project title",
        "project.title",
        Title,
        project.title
    )),
    required(personal!(
        "Customer business problem",
        "project.customer_business_problem",
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
        "project.other_solution_description",
        OtherSolutionDescription,
        project.other_solution_description
    ),
    required(text!(
        "Use case",
        "project.customer_use_case",
        CustomerUseCase,
        project.customer_use_case
    )),
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
            details.opportunity_type = member(cell)?.unwrap_or(OpportunityType::NetNewBusiness);
            Ok(())
        },
        |record| record.details().opportunity_type.literal().to_owned(),
    )),
    required(several!(
        "Delivery model",
        "project.delivery_models",
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
    several!(
        "Sales activities",
        "project.sales_activities",
        SalesActivities,
        project.sales_activities
    ),
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
    one_of!(
        "Competitive tracking",
        "project.competitor_name",
        CompetitorName,
        project.competitor_name
    ),
    text!(
        "Other competitors",
        "project.other_competitor_names",
        OtherCompetitorNames,
        project.other_competitor_names
    ),
    text!(
        "AWS marketing campaign",
        "marketing.campaign_name",
        CampaignName,
        marketing.campaign_name
    ),
    several!(
        "Marketing activity channel",
        "marketing.channels",
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
        |details, cell| person(&mut details.customer.contacts, cell, |contact| &mut contact.phone),
        |record| first(&record.details().customer.contacts, |contact| &contact.phone),
    ),
    column(
        "Customer e-mail",
        "customer.contacts",
        Some(Field::Contacts),
        |details, cell| person(&mut details.customer.contacts, cell, |contact| &mut contact.email),
        |record| first(&record.details().customer.contacts, |contact| &contact.email),
    ),
    personal!(
        "AWS account id",
        "customer.account.aws_account_id",
        AwsAccountId,
        customer.account.aws_account_id
    ),
    personal!(
        "Additional comments",
        "project.additional_comments",
        AdditionalComments,
        project.additional_comments
    ),
    personal!(
        "Street address",
        "customer.account.address.street_address",
        StreetAddress,
        customer.account.address.street_address
    ),
    personal!(
        "City",
        "customer.account.address.city",
        City,
        customer.account.address.city
    ),
    column(
        "Primary sales contact first name",
        "opportunity_team",
        None,
        |details, cell| sales_contact(details, cell, |contact| &mut contact.first_name),
        |record| first(&record.details().opportunity_team, |contact| &contact.first_name),
    ),
    column(
        "Primary sales contact last name",
        "opportunity_team",
        None,
        |details, cell| sales_contact(details, cell, |contact| &mut contact.last_name),
        |record| first(&record.details().opportunity_team, |contact| &contact.last_name),
    ),
    column(
        "Primary sales contact phone",
        "opportunity_team",
        None,
        |details, cell| sales_contact(details, cell, |contact| &mut contact.phone),
        |record| first(&record.details().opportunity_team, |contact| &contact.phone),
    ),
    column(
        "Primary sales contact e-mail",
        "opportunity_team",
        None,
        |details, cell| sales_contact(details, cell, |contact| &mut contact.email),
        |record| first(&record.details().opportunity_team, |contact| &contact.email),
    ),
    text!(
        "Partner CRM unique identifier",
        "partner_opportunity_identifier",
        PartnerOpportunityIdentifier,
        partner_opportunity_identifier
    ),
    text!(
        "Sub use case",
        "project.sub_use_case",
        SubUseCase,
        project.sub_use_case
    ),
    column(
        "Stage",
        "life_cycle.stage",
        Some(Field::Stage),
        |details, cell| {
            details.life_cycle.stage = member(cell)?.unwrap_or(Stage::Prospect);
            Ok(())
        },
        |record| record.details().life_cycle.stage.literal().to_owned(),
    ),
    one_of!(
        "Closed lost reason",
        "life_cycle.closed_lost_reason",
        ClosedLostReason,
        life_cycle.closed_lost_reason
    ),
    personal!(
        "Next step",
        "life_cycle.next_steps",
        NextSteps,
        life_cycle.next_steps
    ),
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

/// Whether a spreadsheet takes it for a formula.
fn is_run(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|part| !part.is_empty())
}

fn literals<T: ClosedList>(values: &[T]) -> String {
    let literals: Vec<_> = values.iter().map(|value| value.literal()).collect();
    literals.join(";")
}

fn member<T: ClosedList>(cell: &str) -> Result<Option<T>, Wrong> {
    if cell.is_empty() {
        return Ok(None);
    }
    let name = plain(cell);
    let mut all = T::ALL.iter().copied();
    let found = all.find(|value| plain(value.literal()) == name || value.name().eq_ignore_ascii_case(cell));
    found.map(Some).ok_or_else(|| {
        let allowed: Vec<_> = T::ALL.iter().map(|value| value.literal()).collect();
        (
            ViolationCode::InvalidEnumValue,
            format!("must be one of {}", allowed.join(", ")),
        )
    })
}

fn members<T: ClosedList>(cell: &str) -> Result<Vec<T>, Wrong> {
    let found: Result<Vec<_>, Wrong> = parts(cell).map(member).collect();
    Ok(found?.into_iter().flatten().collect())
}

fn yes(cell: &str) -> Result<Option<bool>, Wrong> {
    match plain(cell).as_str() {
        "" => Ok(None),
        "yes" | "true" => Ok(Some(true)),
        "no" | "false" => Ok(Some(false)),
        _ => Err((ViolationCode::InvalidValue, "must be Yes or No".to_owned())),
    }
}

fn yes_no(value: Option<bool>) -> String {
    match value {
        None => "",
        Some(true) => "Yes",
        Some(false) => "No",
    }
    .to_owned()
}

/// ISO 8601, or as in the original's template.
fn day(cell: &str) -> Result<Option<NaiveDate>, Wrong> {
    if cell.is_empty() {
        return Ok(None);
    }
    let read =
        NaiveDate::parse_from_str(cell, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(cell, "%m/%d/%Y"));
    let text = "must be a day such as 2027-06-30 or 06/30/2027";
    read.map(Some)
        .map_err(|_| (ViolationCode::InvalidStringFormat, text.to_owned()))
}

/// What AWS is paid in a month.
fn of_aws(record: &Opportunity) -> Option<Money> {
    let mut entries = record.details().project.expected_customer_spend.iter();
    entries.find(|entry| entry.target_company == AWS)?.amount
}

/// The entry for AWS, which is made where there is none.
fn spend(
    details: &mut Details,
    set: impl FnOnce(&mut ExpectedCustomerSpend) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let entries = &mut details.project.expected_customer_spend;
    if let Some(entry) = entries.iter_mut().find(|entry| entry.target_company == AWS) {
        return set(entry);
    }
    let mut entry = ExpectedCustomerSpend {
        amount: None,
        frequency: Some(PaymentFrequency::Monthly),
        target_company: AWS.to_owned(),
        estimation_url: String::new(),
    };
    set(&mut entry)?;
    if entry.amount.is_some() {
        entries.insert(0, entry);
    }
    Ok(())
}

/// Digits with a point and at most two decimals, in the currency that is there already.
fn amount(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), Wrong> {
    let text = "must be an amount such as 18500 or 18500.50, without a currency";
    let wrong = || (ViolationCode::InvalidStringFormat, text.to_owned());
    if cell.is_empty() {
        entry.amount = None;
        return Ok(());
    }
    let (units, rest) = cell.split_once('.').unwrap_or((cell, "0"));
    // US notation, as the original has it.
    let units = units.replace(',', "");
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(&units) || !is_number(rest) || rest.len() > 2 {
        return Err(wrong());
    }
    let units: i64 = units.parse().map_err(|_| wrong())?;
    let cents: i64 = format!("{rest:0<2}").parse().map_err(|_| wrong())?;
    let hundredths = units
        .checked_mul(100)
        .and_then(|sum| sum.checked_add(cents))
        .ok_or_else(wrong)?;
    let dollars: Currency = "USD".parse().map_err(|_| wrong())?;
    let currency = entry.amount.map_or(dollars, |money| money.currency);
    entry.amount = Some(Money { currency, hundredths });
    Ok(())
}

/// Counts where there is an amount, in whatever order the columns come: the amount's comes first in a template.
fn currency(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), Wrong> {
    if cell.is_empty() {
        return Ok(());
    }
    let text = "must be three letters of ISO 4217, such as USD";
    let currency = cell
        .to_uppercase()
        .parse()
        .map_err(|_| (ViolationCode::InvalidStringFormat, text.to_owned()))?;
    if let Some(money) = &mut entry.amount {
        money.currency = currency;
    }
    Ok(())
}

/// The first person of a list, who is made where there is none.
fn person(
    people: &mut Vec<Contact>,
    cell: &str,
    of: fn(&mut Contact) -> &mut Pii<String>,
) -> Result<(), Wrong> {
    if people.is_empty() && cell.is_empty() {
        return Ok(());
    }
    if people.is_empty() {
        people.push(Contact::default());
    }
    if let Some(contact) = people.first_mut() {
        *of(contact) = cell.into();
    }
    Ok(())
}

fn sales_contact(
    details: &mut Details,
    cell: &str,
    of: fn(&mut Contact) -> &mut Pii<String>,
) -> Result<(), Wrong> {
    person(&mut details.opportunity_team, cell, of)?;
    if let Some(contact) = details.opportunity_team.first_mut() {
        contact.business_title = "PartnerAccountManager".into();
    }
    Ok(())
}

fn first(people: &[Contact], of: fn(&Contact) -> &Pii<String>) -> String {
    people
        .first()
        .map_or_else(String::new, |contact| of(contact).reveal().clone())
}
