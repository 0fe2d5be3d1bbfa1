use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal or confidential data: it can be stored and answered, but not printed. `{}` and `{:?}` show a
/// placeholder, so that no log, span or error text can carry it by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks a value as personal data.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for where it belongs: storage, the answer to someone who may see it, a letter to its owner.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Pii<String> {
    /// Whether nothing is stored, which is not personal.
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
    fn never_prints_and_stores_as_it_is() {
        let name = Pii::from("Jane Roe");
        assert_eq!(format!("{name} {name:?}"), "<pii> <pii>");
        assert_eq!(
            serde_json::to_string(&name).expect("serializable"),
            "\"Jane Roe\""
        );
        assert_eq!(name.reveal(), "Jane Roe");
    }
}
