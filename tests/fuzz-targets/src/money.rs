//! Amounts of money: of requests, and of the cells of a table (OPP-016, OPP-080).

use cosell_opportunity::domain::Details;
use cosell_opportunity::domain::column_lookup::find_column;
use cosell_proto::google::r#type::Money as Message;
use cosell_types::{Currency, Money};
use prost::Message as _;

use crate::support::{assert_bounded, assert_described};

/// Currency, units and nanos of a message, separated by spaces. The bytes are also read as an encoded message, as an amount
/// in JSON, and as a cell of a table.
pub fn money(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        check_parts(&message.currency_code, message.units, message.nanos);
    }
    if let Ok(money) = serde_json::from_slice::<Money>(data) {
        let stored = serde_json::to_vec(&money).expect("JSON");
        assert_eq!(serde_json::from_slice::<Money>(&stored).ok(), Some(money));
        check_amount(money);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    check_cell(text);
    let parts: Vec<_> = text.split_whitespace().collect();
    if let [currency, units, nanos] = parts[..]
        && let (Ok(units), Ok(nanos)) = (units.parse(), nanos.parse())
    {
        check_parts(currency, units, nanos);
    }
}

fn check_parts(currency: &str, units: i64, nanos: i32) {
    let currency = match currency.parse::<Currency>() {
        Ok(currency) => currency,
        Err(error) => return assert_bounded(&error.to_string()),
    };
    match Money::from_parts(currency, units, nanos) {
        Ok(money) => {
            assert_eq!(money.parts(), (units, nanos));
            check_amount(money);
        }
        Err(error) => {
            assert_bounded(&error.to_string());
            let exact = i128::from(units) * 1_000_000_000 + i128::from(nanos);
            let is_mixed = units.signum() * i64::from(nanos.signum()) < 0;
            let fits = i64::try_from(exact / 10_000_000).is_ok();
            assert!(
                is_mixed || nanos.unsigned_abs() > 999_999_999 || exact % 10_000_000 != 0 || !fits,
                "{units} {nanos} is an amount"
            );
        }
    }
}

fn check_amount(money: Money) {
    let (units, nanos) = money.parts();
    assert_eq!(Money::from_parts(money.currency, units, nanos), Ok(money));
    let text = money.to_string();
    let (currency, amount) = text.split_once(' ').expect("a currency and an amount");
    assert_eq!(currency, money.currency.code());
    assert_eq!(amount.replace('.', "").parse(), Ok(money.hundredths));
}

fn check_cell(cell: &str) {
    let column = find_column("Estimated AWS MRR").expect("a column");
    let (mut details, mut violations) = (Details::default(), Vec::new());
    column.read(&mut details, cell, &mut violations);
    assert_described(&violations);
    let amount = |details: &Details| details.project.expected_customer_spend.first()?.amount;
    let Some(money) = amount(&details) else {
        return;
    };
    assert!(violations.is_empty() && money.hundredths >= 0);
    let shown = format!("{}.{:02}", money.hundredths / 100, money.hundredths % 100);
    let mut again = Details::default();
    column.read(&mut again, &shown, &mut violations);
    assert_eq!((amount(&again), violations), (Some(money), Vec::new()));
}
