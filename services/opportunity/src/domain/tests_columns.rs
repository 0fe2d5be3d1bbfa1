//! Columns of import and export tables: lookup, cell formats, and the round trip of a record (OPP-080, OPP-086).

use cosell_types::ViolationCode;
use proptest::prelude::{Just, prop, prop_oneof, proptest};

use super::column_lookup::{find_by_path, find_column};
use super::columns::{COLUMNS, unescape_formula};
use super::fixtures::{draft, facts, member, minimal, now};
use super::values::{DeliveryModel, MarketingSource, SalesActivity};
use super::{Contact, Details, Field, Opportunity};

fn read_cell(column: &str, cell: &str) -> (Details, Vec<ViolationCode>) {
    let (mut details, mut violations) = (Details::default(), Vec::new());
    find_column(column)
        .expect("a column")
        .read(&mut details, cell, &mut violations);
    (
        details,
        violations.into_iter().map(|violation| violation.code).collect(),
    )
}

/// Exports the record to cells and reads them back on top of `base`.
fn read_back(record: &Opportunity, base: &Details) -> Details {
    let (mut details, mut violations) = (base.clone(), Vec::new());
    for column in &COLUMNS {
        column.read(&mut details, &column.show(record), &mut violations);
    }
    assert!(violations.is_empty(), "{violations:?}");
    details
}

#[test]
fn opp_080_column_lookup_ignores_case_and_resolves_uniquely() {
    for column in &COLUMNS {
        let upper_case = format!(" {} ", column.name.to_uppercase());
        assert_eq!(
            find_column(upper_case.trim()).map(|column| column.name),
            Some(column.name)
        );
        assert!(find_by_path(column.path).is_some());
        let is_of_field = |field: Field| column.path.starts_with(field.path());
        assert!(column.field.is_none_or(is_of_field), "{column:?}");
    }
    let required: Vec<_> = COLUMNS
        .iter()
        .filter(|column| column.is_required)
        .map(|column| column.path)
        .collect();
    assert!(required.contains(&"customer.account.company_name"));
    assert!(find_column("Unknown column").is_none());
}

#[test]
fn opp_080_cells_accept_only_documented_date_amount_and_boolean_formats() {
    for date in ["2027-06-30", "06/30/2027", "6/30/2027"] {
        let (details, violations) = read_cell("Target close date", date);
        assert!(violations.is_empty(), "{date}");
        assert_eq!(
            details.life_cycle.target_close_date,
            "2027-06-30".parse().ok(),
            "{date}"
        );
    }
    for date in [
        "30.06.2027",
        "30/06/2027",
        "2027-02-30",
        "soon",
        "+2027-06-30",
        "6/30/27",
        "27-06-30",
    ] {
        assert_eq!(
            read_cell("Target close date", date).1,
            [ViolationCode::InvalidStringFormat],
            "{date}"
        );
    }
    for (amount, hundredths) in [("18500", 1_850_000), ("18,500.5", 1_850_050), ("0.07", 7)] {
        let (details, violations) = read_cell("Estimated AWS MRR", amount);
        assert!(violations.is_empty(), "{amount}");
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
            read_cell("Estimated AWS MRR", amount).1,
            [ViolationCode::InvalidStringFormat],
            "{amount}"
        );
    }
    for (cell, expected) in [("YES", Some(true)), ("no", Some(false)), ("", None)] {
        let details = read_cell("Does opportunity belong to NatSec?", cell).0;
        assert_eq!(details.national_security, expected, "{cell:?}");
    }
    assert_eq!(
        read_cell("Does opportunity belong to NatSec?", "perhaps").1,
        [ViolationCode::InvalidValue]
    );
    let contacts = read_cell("Customer phone", "4940123456").0.customer.contacts;
    assert_eq!(contacts[0].phone.reveal(), "+4940123456");
    assert_eq!(
        read_cell("Delivery model", "Resell; Carrier pigeon").1,
        [ViolationCode::InvalidEnumValue]
    );
}

#[test]
fn opp_080_list_of_a_cell_is_read_up_to_a_bound() {
    let (details, _) = read_cell("AWS products", &"a;".repeat(100_000));
    assert_eq!(details.related_entity_identifiers.aws_products.len(), 200);
}

/// A cell of apostrophes once used the whole stack.
#[test]
fn opp_086_formula_is_recognized_behind_any_number_of_apostrophes() {
    let apostrophes = "'".repeat(1_000_000);
    assert_eq!(unescape_formula(&apostrophes), apostrophes);
    let formula = format!("{apostrophes}=1");
    assert_eq!(unescape_formula(&formula), &formula[1..]);
}

#[test]
fn opp_086_formula_cell_is_escaped_on_export_and_restored_on_import() {
    let mut details = minimal();
    details.project.title = "=1+1".into();
    details.customer.contacts = vec![Contact {
        phone: "+4940123".into(),
        ..Contact::default()
    }];
    let record = draft(details);
    let title = find_column("Partner project title")
        .expect("a column")
        .show(&record);
    assert_eq!(title, "'=1+1");
    assert_eq!(&read_back(&record, record.details()), record.details());
}

proptest! {
    /// Importing an exported table yields the same details, for a new record and on top of the existing one.
    #[test]
    fn opp_086_table_round_trip_preserves_record(
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
        proptest::prop_assert_eq!(&read_back(&record, record.details()), record.details());
        let fresh = read_back(&record, &Details::default());
        let account = record.account().clone();
        let created = Opportunity::create(record.id(), account, member("creator"), fresh, &facts(), now());
        let (created, _) = created.expect("the same record");
        proptest::prop_assert_eq!(created.details(), record.details());
    }
}
