use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal or confidential data. It can be stored and returned, but not formatted: `{}` and `{:?}` print a
/// placeholder, so that no log, span or error text contains it by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks a value as personal data.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for storage, for a response to a caller with access to it, or for a mail to its owner.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// Unwraps the value, for the same uses as [`Pii::reveal`].
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Pii<String> {
    /// Whether the text is empty, which is not personal data.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Pii<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl From<String> for Pii<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pii>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pii_is_redacted_when_formatted_and_unchanged_when_serialized() {
        let name = Pii::from("Jane Roe");
        assert_eq!(format!("{name} {name:?}"), "<pii> <pii>");
        assert_eq!(
            serde_json::to_string(&name).expect("serializable"),
            "\"Jane Roe\""
        );
        assert_eq!(name.reveal(), "Jane Roe");
    }
}
