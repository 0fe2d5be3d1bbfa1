use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IdError;

/// An ISO 4217 currency code: three upper-case letters. Which codes are accepted is a rule of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency code, such as `USD`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(IdError {
                kind: "currency",
                expected: "three upper-case letters of ISO 4217",
            }),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount of money, exact to a hundredth of the currency unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Currency of the amount.
    pub currency: Currency,
    /// The amount in hundredths of the currency unit.
    pub hundredths: i64,
}

/// Why `units` and `nanos` of a `google.type.Money` are not a valid amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Units and nanos have different signs, or nanos are 10^9 or more in magnitude.
    #[error(
        "Units and nanos must have the same sign, and nanos must be between -999,999,999 and 999,999,999."
    )]
    Malformed,
    /// More than two decimals.
    #[error("Must have at most two decimals.")]
    TooPrecise,
    /// The hundredths do not fit into 64 bits.
    #[error("Is too large.")]
    TooLarge,
}

const NANOS_PER_HUNDREDTH: i32 = 10_000_000;

impl Money {
    /// Converts from `units` and `nanos` of a `google.type.Money`.
    pub fn from_parts(currency: Currency, units: i64, nanos: i32) -> Result<Self, MoneyError> {
        if nanos.unsigned_abs() >= 1_000_000_000 || (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::Malformed);
        }
        if nanos % NANOS_PER_HUNDREDTH != 0 {
            return Err(MoneyError::TooPrecise);
        }
        let hundredths = units
            .checked_mul(100)
            .and_then(|whole| whole.checked_add(i64::from(nanos / NANOS_PER_HUNDREDTH)))
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self { currency, hundredths })
    }

    /// Converts to `units` and `nanos` of a `google.type.Money`.
    pub fn parts(&self) -> (i64, i32) {
        let rest = i32::try_from(self.hundredths % 100).unwrap_or_default();
        (self.hundredths / 100, rest * NANOS_PER_HUNDREDTH)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.hundredths < 0 { "-" } else { "" };
        let absolute = self.hundredths.unsigned_abs();
        write!(
            f,
            "{} {sign}{}.{:02}",
            self.currency,
            absolute / 100,
            absolute % 100
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd() -> Currency {
        "USD".parse().expect("a currency")
    }

    proptest! {
        #[test]
        fn amount_round_trips_through_units_and_nanos(hundredths in any::<i64>()) {
            let money = Money { currency: usd(), hundredths };
            let (units, nanos) = money.parts();
            prop_assert_eq!(Money::from_parts(usd(), units, nanos), Ok(money));
        }

        #[test]
        fn amount_with_more_than_two_decimals_is_refused(units in 0..1_000_000_i64, nanos in 0..1_000_000_000_i32) {
            let exact = nanos % 10_000_000 == 0;
            prop_assert_eq!(Money::from_parts(usd(), units, nanos).is_ok(), exact);
        }
    }

    #[test]
    fn contradicting_signs_and_overflow_are_refused() {
        assert_eq!(
            Money::from_parts(usd(), 1, -10_000_000),
            Err(MoneyError::Malformed)
        );
        assert_eq!(
            Money::from_parts(usd(), 1, 1_000_000_000),
            Err(MoneyError::Malformed)
        );
        assert_eq!(Money::from_parts(usd(), i64::MAX, 0), Err(MoneyError::TooLarge));
        assert_eq!(Money::from_parts(usd(), 0, 1), Err(MoneyError::TooPrecise));
    }

    #[test]
    fn amount_is_formatted_with_currency_and_two_decimals() {
        assert_eq!(
            Money {
                currency: usd(),
                hundredths: 120_050
            }
            .to_string(),
            "USD 1200.50"
        );
        assert_eq!(
            Money {
                currency: usd(),
                hundredths: -5
            }
            .to_string(),
            "USD -0.05"
        );
    }
}
