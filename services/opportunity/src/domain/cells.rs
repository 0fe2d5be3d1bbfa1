//! Parses and formats the cells of imported and exported tables (OPP-080).

use std::borrow::Cow;

use chrono::{Datelike as _, NaiveDate};
use cosell_types::standard::normalize;
use cosell_types::{ClosedList, Currency, Money, Pii, ViolationCode};

use super::customer_spend::TARGET_AWS;
use super::values::PaymentFrequency;
use super::{Contact, Details, ExpectedCustomerSpend, Opportunity};

/// The code and description of a violation in a cell.
pub(super) type CellError = (ViolationCode, String);

/// Maximum entries that are read of a cell: more than any list can have, so that a longer one is refused.
const MAX_ENTRIES: usize = 200;

pub(super) fn split_list(cell: &str) -> impl Iterator<Item = &str> {
    let entries = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
    entries.take(MAX_ENTRIES)
}

pub(super) fn join_literals<T: ClosedList>(values: &[T]) -> String {
    let literals: Vec<_> = values.iter().map(|value| value.literal()).collect();
    literals.join(";")
}

pub(super) fn parse_enum<T: ClosedList>(cell: &str) -> Result<Option<T>, CellError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let name = normalize(cell);
    let mut all = T::ALL.iter().copied();
    let value =
        all.find(|value| normalize(value.literal()) == name || value.name().eq_ignore_ascii_case(cell));
    value.map(Some).ok_or_else(|| {
        let allowed: Vec<_> = T::ALL.iter().map(|value| value.literal()).collect();
        (
            ViolationCode::InvalidEnumValue,
            format!("Must be one of {}.", allowed.join(", ")),
        )
    })
}

pub(super) fn parse_enums<T: ClosedList>(cell: &str) -> Result<Vec<T>, CellError> {
    let values: Result<Vec<_>, CellError> = split_list(cell).map(parse_enum).collect();
    Ok(values?.into_iter().flatten().collect())
}

pub(super) fn parse_bool(cell: &str) -> Result<Option<bool>, CellError> {
    match normalize(cell).as_str() {
        "" => Ok(None),
        "yes" | "true" => Ok(Some(true)),
        "no" | "false" => Ok(Some(false)),
        _ => Err((ViolationCode::InvalidValue, "Must be Yes or No.".to_owned())),
    }
}

pub(super) fn format_bool(value: Option<bool>) -> String {
    match value {
        None => "",
        Some(true) => "Yes",
        Some(false) => "No",
    }
    .to_owned()
}

/// ISO 8601, or the format of AWS's bulk template (month/day/year).
pub(super) fn parse_date(cell: &str) -> Result<Option<NaiveDate>, CellError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let parsed =
        NaiveDate::parse_from_str(cell, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(cell, "%m/%d/%Y"));
    // The parser accepts a sign, and a year of fewer digits for one of the first centuries.
    let parsed = parsed
        .ok()
        .filter(|day| day.year() >= 1000 && !cell.contains('+'));
    let text = "Must be a date such as 2027-06-30 or 06/30/2027.";
    parsed
        .map(Some)
        .ok_or_else(|| (ViolationCode::InvalidStringFormat, text.to_owned()))
}

/// The monthly spend with AWS.
pub(super) fn aws_spend(record: &Opportunity) -> Option<Money> {
    let mut entries = record.details().project.expected_customer_spend.iter();
    entries.find(|entry| entry.target_company == TARGET_AWS)?.amount
}

/// Updates the entry of the spend with AWS. An entry that does not exist is created if it then has an amount.
pub(super) fn update_aws_spend(
    details: &mut Details,
    set: impl FnOnce(&mut ExpectedCustomerSpend) -> Result<(), CellError>,
) -> Result<(), CellError> {
    let entries = &mut details.project.expected_customer_spend;
    if let Some(entry) = entries
        .iter_mut()
        .find(|entry| entry.target_company == TARGET_AWS)
    {
        return set(entry);
    }
    let mut entry = ExpectedCustomerSpend {
        amount: None,
        frequency: Some(PaymentFrequency::Monthly),
        target_company: TARGET_AWS.to_owned(),
        estimation_url: String::new(),
    };
    set(&mut entry)?;
    if entry.amount.is_some() {
        entries.insert(0, entry);
    }
    Ok(())
}

/// Sets the amount: digits with a point and at most two decimals. The currency stays; without one it is USD.
pub(super) fn set_amount(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), CellError> {
    let text = "Must be an amount such as 18500 or 18500.50, without a currency.";
    let invalid = || (ViolationCode::InvalidStringFormat, text.to_owned());
    if cell.is_empty() {
        entry.amount = None;
        return Ok(());
    }
    let (units, rest) = cell.split_once('.').unwrap_or((cell, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // US notation, as in AWS's bulk template: commas are accepted as thousands separators only.
    let groups: Vec<_> = units.split(',').collect();
    let in_thousands = groups.iter().skip(1).all(|group| group.len() == 3)
        && (groups.len() == 1 || (1..=3).contains(&groups[0].len()));
    if !in_thousands {
        return Err(invalid());
    }
    let units = groups.concat();
    if !is_number(&units) || !is_number(rest) || rest.len() > 2 {
        return Err(invalid());
    }
    let units: i64 = units.parse().map_err(|_| invalid())?;
    let cents: i64 = format!("{rest:0<2}").parse().map_err(|_| invalid())?;
    let hundredths = units
        .checked_mul(100)
        .and_then(|sum| sum.checked_add(cents))
        .ok_or_else(invalid)?;
    let dollars: Currency = "USD".parse().map_err(|_| invalid())?;
    let currency = entry.amount.map_or(dollars, |money| money.currency);
    entry.amount = Some(Money { currency, hundredths });
    Ok(())
}

/// Sets the currency of an existing amount. Cells are applied in the order of the template, where the amount comes
/// first.
pub(super) fn set_currency(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), CellError> {
    if cell.is_empty() {
        return Ok(());
    }
    let text = "Must be a currency code of ISO 4217, such as USD.";
    let currency = cell
        .to_uppercase()
        .parse()
        .map_err(|_| (ViolationCode::InvalidStringFormat, text.to_owned()))?;
    if let Some(money) = &mut entry.amount {
        money.currency = currency;
    }
    Ok(())
}

/// Sets a field of the first contact. A contact is created if there is none and the cell is not empty.
pub(super) fn set_first_contact(
    contacts: &mut Vec<Contact>,
    cell: &str,
    field: fn(&mut Contact) -> &mut Pii<String>,
) -> Result<(), CellError> {
    if contacts.is_empty() && cell.is_empty() {
        return Ok(());
    }
    if contacts.is_empty() {
        contacts.push(Contact::default());
    }
    if let Some(contact) = contacts.first_mut() {
        *field(contact) = cell.into();
    }
    Ok(())
}

/// A phone number in E.164. AWS's bulk template has digits only, without the leading plus sign.
pub(super) fn parse_phone(cell: &str) -> String {
    let is_digits = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits {
        format!("+{cell}")
    } else {
        cell.to_owned()
    }
}

pub(super) fn set_sales_contact(
    details: &mut Details,
    cell: &str,
    field: fn(&mut Contact) -> &mut Pii<String>,
) -> Result<(), CellError> {
    set_first_contact(&mut details.opportunity_team, cell, field)?;
    if let Some(contact) = details.opportunity_team.first_mut()
        && contact.business_title.is_empty()
    {
        contact.business_title = "PartnerAccountManager".into();
    }
    Ok(())
}

pub(super) fn first_contact_field(contacts: &[Contact], field: fn(&Contact) -> &Pii<String>) -> String {
    contacts
        .first()
        .map_or_else(String::new, |contact| field(contact).reveal().clone())
}

const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell of an uploaded file as the result file repeats it: with an apostrophe before what a spreadsheet would evaluate.
/// A cell that has one already is unchanged, and surrounding white space is left out as in an import, so that the result
/// file can be imported again.
pub fn escape_formula(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    match cell.starts_with(FORMULA) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// The text of a cell without the apostrophe that keeps a spreadsheet from evaluating it.
pub fn unescape_formula(cell: &str) -> &str {
    cell.strip_prefix('\'')
        .filter(|rest| is_formula(rest))
        .unwrap_or(cell)
}

/// Whether a spreadsheet would evaluate the text as a formula; some treat the full-width forms like the characters. Also
/// true for such a text with leading apostrophes, so that escaping stays reversible.
pub(super) fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}
