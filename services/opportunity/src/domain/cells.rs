//! What stands in a cell of a spreadsheet, and what it is in a record (OPP-080).

use chrono::NaiveDate;
use cosell_types::standard::plain;
use cosell_types::{ClosedList, Currency, Money, Pii, ViolationCode};

use super::deal_size::AWS;
use super::values::PaymentFrequency;
use super::{Contact, Details, ExpectedCustomerSpend, Opportunity};

/// What is wrong with a cell.
pub(super) type Wrong = (ViolationCode, String);

pub(super) fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|part| !part.is_empty())
}

pub(super) fn literals<T: ClosedList>(values: &[T]) -> String {
    let literals: Vec<_> = values.iter().map(|value| value.literal()).collect();
    literals.join(";")
}

pub(super) fn member<T: ClosedList>(cell: &str) -> Result<Option<T>, Wrong> {
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

pub(super) fn members<T: ClosedList>(cell: &str) -> Result<Vec<T>, Wrong> {
    let found: Result<Vec<_>, Wrong> = parts(cell).map(member).collect();
    Ok(found?.into_iter().flatten().collect())
}

pub(super) fn yes(cell: &str) -> Result<Option<bool>, Wrong> {
    match plain(cell).as_str() {
        "" => Ok(None),
        "yes" | "true" => Ok(Some(true)),
        "no" | "false" => Ok(Some(false)),
        _ => Err((ViolationCode::InvalidValue, "must be Yes or No".to_owned())),
    }
}

pub(super) fn yes_no(value: Option<bool>) -> String {
    match value {
        None => "",
        Some(true) => "Yes",
        Some(false) => "No",
    }
    .to_owned()
}

/// ISO 8601, or as in the original's template.
pub(super) fn day(cell: &str) -> Result<Option<NaiveDate>, Wrong> {
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
pub(super) fn of_aws(record: &Opportunity) -> Option<Money> {
    let mut entries = record.details().project.expected_customer_spend.iter();
    entries.find(|entry| entry.target_company == AWS)?.amount
}

/// The entry for AWS, which is made where there is none.
pub(super) fn spend(
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
pub(super) fn amount(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), Wrong> {
    let text = "must be an amount such as 18500 or 18500.50, without a currency";
    let wrong = || (ViolationCode::InvalidStringFormat, text.to_owned());
    if cell.is_empty() {
        entry.amount = None;
        return Ok(());
    }
    let (units, rest) = cell.split_once('.').unwrap_or((cell, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // US notation, as the original has it: commas part thousands, and nothing else.
    let groups: Vec<_> = units.split(',').collect();
    let in_thousands =
        groups.iter().skip(1).all(|group| group.len() == 3) && (groups.len() == 1 || groups[0].len() <= 3);
    if !in_thousands {
        return Err(wrong());
    }
    let units = groups.concat();
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
pub(super) fn currency(entry: &mut ExpectedCustomerSpend, cell: &str) -> Result<(), Wrong> {
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
pub(super) fn person(
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

/// A phone number, which the original's template wants without anything but digits.
pub(super) fn phone(cell: &str) -> String {
    let is_bare = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    if is_bare {
        format!("+{cell}")
    } else {
        cell.to_owned()
    }
}

pub(super) fn sales_contact(
    details: &mut Details,
    cell: &str,
    of: fn(&mut Contact) -> &mut Pii<String>,
) -> Result<(), Wrong> {
    person(&mut details.opportunity_team, cell, of)?;
    if let Some(contact) = details.opportunity_team.first_mut()
        && contact.business_title.is_empty()
    {
        contact.business_title = "PartnerAccountManager".into();
    }
    Ok(())
}

pub(super) fn first(people: &[Contact], of: fn(&Contact) -> &Pii<String>) -> String {
    people
        .first()
        .map_or_else(String::new, |contact| of(contact).reveal().clone())
}

/// Whether a spreadsheet takes it for a formula, or it could be taken for one that was kept from that.
pub(super) fn is_run(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) || text.strip_prefix('\'').is_some_and(is_run)
}
