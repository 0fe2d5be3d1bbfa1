//! What stands in the cells of a table is what the record says (OPP-080, OPP-086).

use cosell_types::ViolationCode;
use proptest::prelude::{Just, prop, prop_oneof, proptest};

use super::columns::{COLUMNS, find, of_path};
use super::fixtures::{draft, facts, member, minimal, now};
use super::values::{DeliveryModel, MarketingSource, SalesActivity};
use super::{Contact, Details, Field, Opportunity};

fn read(column: &str, cell: &str) -> (Details, Vec<ViolationCode>) {
    let (mut details, mut found) = (Details::default(), Vec::new());
    find(column)
        .expect("a column")
        .read(&mut details, cell, &mut found);
    (
        details,
        found.into_iter().map(|violation| violation.code).collect(),
    )
}

/// What a table says of a record, read on top of what is there.
fn again(record: &Opportunity, base: &Details) -> Details {
    let (mut details, mut found) = (base.clone(), Vec::new());
    for column in &COLUMNS {
        column.read(&mut details, &column.show(record), &mut found);
    }
    assert!(found.is_empty(), "{found:?}");
    details
}

#[test]
fn opp_080_columns_are_found_however_they_are_written_and_no_two_are_the_same() {
    for column in &COLUMNS {
        let loud = format!(" \u{feff}{} ", column.name.to_uppercase());
        assert_eq!(find(loud.trim()).map(|found| found.name), Some(column.name));
        assert!(of_path(column.path).is_some());
        let is_its_own = |field: Field| field.path() == column.path;
        assert!(column.field.is_none_or(is_its_own), "{column:?}");
    }
    let required: Vec<_> = COLUMNS
        .iter()
        .filter(|column| column.is_required)
        .map(|column| column.path)
        .collect();
    assert!(required.contains(&"customer.account.company_name"));
    assert!(find("Nothing").is_none());
}

#[test]
fn opp_080_days_amounts_and_answers_are_read_in_every_usual_form_and_in_no_other() {
    for day in ["2027-06-30", "06/30/2027", "6/30/2027"] {
        let (details, found) = read("Target close date", day);
        assert!(found.is_empty(), "{day}");
        assert_eq!(
            details.life_cycle.target_close_date,
            "2027-06-30".parse().ok(),
            "{day}"
        );
    }
    for day in ["30.06.2027", "30/06/2027", "2027-02-30", "soon"] {
        assert_eq!(
            read("Target close date", day).1,
            [ViolationCode::InvalidStringFormat],
            "{day}"
        );
    }
    for (amount, hundredths) in [("18500", 1_850_000), ("18,500.5", 1_850_050), ("0.07", 7)] {
        let (details, found) = read("Estimated AWS MRR", amount);
        assert!(found.is_empty(), "{amount}");
        let money = details.project.expected_customer_spend[0]
            .amount
            .expect("an amount");
        assert_eq!(
            (money.hundredths, money.currency.code()),
            (hundredths, "USD"),
            "{amount}"
        );
    }
    for amount in [
        "1.8E4",
        "18.500,50",
        "18500,50",
        "1,5",
        "1,2345",
        "1234,567",
        "-5",
        "5.001",
        "USD 5",
        "99999999999999999999",
    ] {
        assert_eq!(
            read("Estimated AWS MRR", amount).1,
            [ViolationCode::InvalidStringFormat],
            "{amount}"
        );
    }
    for (cell, expected) in [("YES", Some(true)), ("no", Some(false)), ("", None)] {
        let details = read("Does opportunity belong to NatSec?", cell).0;
        assert_eq!(details.national_security, expected, "{cell:?}");
    }
    assert_eq!(
        read("Does opportunity belong to NatSec?", "perhaps").1,
        [ViolationCode::InvalidValue]
    );
    let contacts = read("Customer phone", "4940123456").0.customer.contacts;
    assert_eq!(contacts[0].phone.reveal(), "+4940123456");
    assert_eq!(
        read("Delivery model", "Resell; Carrier pigeon").1,
        [ViolationCode::InvalidEnumValue]
    );
}

#[test]
fn opp_086_a_formula_does_not_run_and_is_read_back() {
    let mut details = minimal();
    details.project.title = "=1+1".into();
    details.customer.contacts = vec![Contact {
        phone: "+4940123".into(),
        ..Contact::default()
    }];
    let record = draft(details);
    let title = find("Partner project title").expect("a column").show(&record);
    assert_eq!(title, "'=1+1");
    assert_eq!(&again(&record, record.details()), record.details());
}

proptest! {
    /// A table that was given out and is taken in again says the same, in a record of its own and on top of the record.
    #[test]
    fn opp_086_a_table_says_what_the_record_says(
        title in "[-=+@'A-Za-z][ A-Za-z0-9,;\"'.=+-]{0,40}[a-z]",
        hundredths in 1..1_000_000_000_i64,
        in_euro in prop::bool::ANY,
        models in prop::sample::subsequence(vec![DeliveryModel::Resell, DeliveryModel::Other, DeliveryModel::SaasOrPaas], 0..=3),
        activities in prop::sample::subsequence(vec![SalesActivity::SowSigned, SalesActivity::ConductedPocDemo], 0..=2),
        source in prop_oneof![Just(None), Just(Some(MarketingSource::None)), Just(Some(MarketingSource::MarketingActivity))],
        phone in "(\\+49[0-9]{3,9})?",
        days in 1..9000_u64,
    ) {
        let mut details = minimal();
        details.project.title = title.into();
        details.project.delivery_models = models;
        details.project.sales_activities = activities;
        details.marketing.source = source;
        details.marketing.aws_funding_used = (source == Some(MarketingSource::MarketingActivity)).then_some(true);
        details.life_cycle.target_close_date = now().date_naive().checked_add_days(chrono::Days::new(days));
        let money = details.project.expected_customer_spend[0].amount.as_mut().expect("an amount");
        money.hundredths = hundredths;
        if in_euro {
            money.currency = "EUR".parse().expect("a currency");
        }
        if !phone.is_empty() {
            details.customer.contacts = vec![Contact { phone: phone.into(), ..Contact::default() }];
        }
        let record = draft(details);
        proptest::prop_assert_eq!(&again(&record, record.details()), record.details());
        let anew = again(&record, &Details::default());
        let account = record.account().clone();
        let made = Opportunity::create(record.id(), account, member("creator"), anew, &facts(), now());
        let (made, _) = made.expect("the same record");
        proptest::prop_assert_eq!(made.details(), record.details());
    }
}
