//! Identifiers. Each kind has its own type, so that an account id cannot be passed as a member id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text is not a valid identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind}: must be {expected}")]
pub struct IdError {
    /// The expected kind, such as `account id`.
    pub kind: &'static str,
    /// The format of the kind, such as `12 digits`.
    pub expected: &'static str,
}

/// Defines an identifier that is a validated text: type name, kind, format in words, validation.
#[macro_export]
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as a string slice.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $check;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err($crate::IdError { kind: $kind, expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Whether the text is `prefix` followed by 13 lower-case letters or digits.
pub fn is_prefixed(text: &str, prefix: &str) -> bool {
    has_prefix(text, prefix, 13)
}

/// Whether the text is `prefix` followed by a digit and 12 lower-case letters or digits: minted by referral (PLT-012).
pub fn is_digit_first(text: &str, prefix: &str) -> bool {
    has_prefix(text, prefix, 13) && text.as_bytes()[prefix.len()].is_ascii_digit()
}

/// Whether the text is `prefix` followed by a letter and lower-case letters or digits, `length` characters in total
/// without the prefix: minted by collaboration (PLT-012).
pub fn is_letter_first(text: &str, prefix: &str, length: usize) -> bool {
    has_prefix(text, prefix, length) && text.as_bytes()[prefix.len()].is_ascii_lowercase()
}

fn has_prefix(text: &str, prefix: &str, length: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == length && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

text_id!(
    /// A partner account, or the AWS account of the installation. 12 digits.
    AccountId,
    "account id",
    "12 digits",
    |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
);

text_id!(
    /// A member of an account; the `sub` of its tokens. Opaque and never an e-mail address, because events and logs
    /// contain it.
    MemberId,
    "member id",
    "1 to 64 letters, digits or any of . _ : | -",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:|-".contains(&byte))
);

text_id!(
    /// The name of a service of the platform, such as `review`.
    ServiceName,
    "service name",
    "1 to 32 lower-case letters or -",
    |text| (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
);

/// The id of an opportunity: `O` and 1 to 19 digits, 63 bits, of which the upper 41 are milliseconds (OPP-001).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpportunityId(i64);

impl OpportunityId {
    /// The number after the `O`.
    pub fn number(self) -> i64 {
        self.0
    }

    /// The id with this number; `None` if it is negative.
    pub fn from_number(number: i64) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }
}

impl fmt::Display for OpportunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "O{}", self.0)
    }
}

impl FromStr for OpportunityId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError {
            kind: "opportunity id",
            expected: "`O` and 1 to 19 digits",
        };
        match text.strip_prefix('O') {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map(Self).map_err(|_| error)
            }
            _ => Err(error),
        }
    }
}

impl TryFrom<String> for OpportunityId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<OpportunityId> for String {
    fn from(id: OpportunityId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn account_id_must_have_twelve_digits() {
        assert!("123456789012".parse::<AccountId>().is_ok());
        for invalid in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901a",
            "１23456789012",
        ] {
            assert!(
                invalid.parse::<AccountId>().is_err(),
                "{invalid:?} must be refused"
            );
        }
    }

    #[test]
    fn member_id_cannot_be_an_email_address() {
        assert!("mem-4k2m9x0a7b1cq".parse::<MemberId>().is_ok());
        assert!("jane@example.com".parse::<MemberId>().is_err());
    }

    #[test]
    fn opportunity_id_must_be_o_and_a_number_of_63_bits() {
        for invalid in [
            "",
            "O",
            "o1",
            "1",
            "O-1",
            "O+1",
            "O9223372036854775808",
            "O99999999999999999999",
        ] {
            assert!(
                invalid.parse::<OpportunityId>().is_err(),
                "{invalid:?} must be refused"
            );
        }
        assert_eq!(
            "O9223372036854775807"
                .parse::<OpportunityId>()
                .map(OpportunityId::number),
            Ok(i64::MAX)
        );
    }

    proptest! {
        #[test]
        fn opportunity_id_round_trips_through_text(number in 0..=i64::MAX) {
            let id = OpportunityId::from_number(number).expect("not negative");
            prop_assert_eq!(id.to_string().parse::<OpportunityId>(), Ok(id));
        }
    }
}
