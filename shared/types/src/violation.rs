//! What is wrong with a request, field by field. Everything wrong is collected before anything is answered (PLT-007).

use std::fmt;

use crate::standard::StandardList;

/// Longest rejected value that is repeated.
const MOST_REJECTED: usize = 80;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request's root, such as `opportunity.customer.contacts[0].email`.
    pub field: String,
    /// What kind of thing is wrong.
    pub code: ViolationCode,
    /// What to do about it, in a sentence without the rejected value.
    pub description: String,
    /// The field's path in the original's interface, such as `Customer.Contacts[0].Email`; empty where it has none.
    pub original: String,
    /// The rejected value; empty where there is none, or where it may be personal data.
    pub rejected: String,
    /// The values that are allowed, where they are a list.
    pub allowed: Vec<String>,
    /// The list of standard values that they are of, if it is one of those.
    pub list: &'static str,
    /// The form that the value must have, as a regular expression.
    pub pattern: String,
}

impl Violation {
    /// A violation at a path.
    pub fn new(at: &FieldPath<'_>, code: ViolationCode, description: impl Into<String>) -> Self {
        Self {
            field: at.to_string(),
            code,
            description: description.into(),
            original: String::new(),
            rejected: String::new(),
            allowed: Vec::new(),
            list: "",
            pattern: String::new(),
        }
    }

    /// A value that is none of a list.
    pub fn not_in(list: &StandardList, at: &FieldPath<'_>) -> Self {
        let text = format!(
            "must be one of the {} values of the list `{}` of ListStandardValues",
            list.values.len(),
            list.name
        );
        Self::new(at, ViolationCode::InvalidEnumValue, text).allowing(list.values.iter().copied(), list.name)
    }

    /// With the rejected value, cut where it is long. Never with what may be personal data.
    #[must_use]
    pub fn rejecting(mut self, value: impl fmt::Display) -> Self {
        self.rejected = value.to_string().chars().take(MOST_REJECTED).collect();
        self
    }

    /// With the values that are allowed, and the list of standard values that they are of; the latter may be empty.
    #[must_use]
    pub fn allowing<T: Into<String>>(
        mut self,
        allowed: impl IntoIterator<Item = T>,
        list: &'static str,
    ) -> Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self.list = list;
        self
    }

    /// With the form that the value must have.
    #[must_use]
    pub fn matching(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.pattern);
        self
    }

    /// The same violation with its path counted from further up.
    pub fn under(mut self, parent: &str) -> Self {
        let separator = if self.field.is_empty() { "" } else { "." };
        self.field = format!("{parent}{separator}{}", self.field);
        self
    }
}

/// Stable codes of violations; the names are the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViolationCode {
    /// The field has to be given.
    RequiredFieldMissing,
    /// The value is none of the allowed ones.
    InvalidEnumValue,
    /// The text does not have the right form.
    InvalidStringFormat,
    /// The value is wrong for another reason.
    InvalidValue,
    /// The list is too short.
    NotEnoughValues,
    /// The list is too long.
    TooManyValues,
    /// The value is too small, too large, too short or too long.
    ValueOutOfRange,
    /// The value has to be unique and is taken.
    DuplicateKeyValue,
    /// The field cannot be changed in the record's present state.
    ActionNotPermitted,
}

impl ViolationCode {
    /// Every one of them.
    pub const ALL: [ViolationCode; 9] = [
        ViolationCode::RequiredFieldMissing,
        ViolationCode::InvalidEnumValue,
        ViolationCode::InvalidStringFormat,
        ViolationCode::InvalidValue,
        ViolationCode::NotEnoughValues,
        ViolationCode::TooManyValues,
        ViolationCode::ValueOutOfRange,
        ViolationCode::DuplicateKeyValue,
        ViolationCode::ActionNotPermitted,
    ];

    /// The code that is sent as this.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The code as sent, such as `REQUIRED_FIELD_MISSING`.
    pub fn as_str(self) -> &'static str {
        match self {
            ViolationCode::RequiredFieldMissing => "REQUIRED_FIELD_MISSING",
            ViolationCode::InvalidEnumValue => "INVALID_ENUM_VALUE",
            ViolationCode::InvalidStringFormat => "INVALID_STRING_FORMAT",
            ViolationCode::InvalidValue => "INVALID_VALUE",
            ViolationCode::NotEnoughValues => "NOT_ENOUGH_VALUES",
            ViolationCode::TooManyValues => "TOO_MANY_VALUES",
            ViolationCode::ValueOutOfRange => "VALUE_OUT_OF_RANGE",
            ViolationCode::DuplicateKeyValue => "DUPLICATE_KEY_VALUE",
            ViolationCode::ActionNotPermitted => "ACTION_NOT_PERMITTED",
        }
    }
}

/// Where in a message something is: built on the way down, written out only when something is wrong.
#[derive(Clone, Copy)]
pub struct FieldPath<'a>(Step<'a>);

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a FieldPath<'a>, &'a str),
    Index(&'a FieldPath<'a>, usize),
}

impl<'a> FieldPath<'a> {
    /// The message itself.
    pub fn root() -> Self {
        Self(Step::Root)
    }

    /// A field of the message at this path; the name may have dots.
    pub fn field(&'a self, name: &'a str) -> Self {
        Self(Step::Field(self, name))
    }

    /// An entry of the list at this path.
    pub fn index(&'a self, index: usize) -> Self {
        Self(Step::Index(self, index))
    }
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::Root => Ok(()),
            Step::Field(FieldPath(Step::Root), name) => f.write_str(name),
            Step::Field(parent, name) => write!(f, "{parent}.{name}"),
            Step::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_the_field() {
        let root = FieldPath::root();
        let customer = root.field("customer");
        let contacts = customer.field("contacts");
        let first = contacts.index(0);
        assert_eq!(first.field("email").to_string(), "customer.contacts[0].email");
        let violation = Violation::new(&first, ViolationCode::InvalidValue, "is wrong").under("opportunity");
        assert_eq!(violation.field, "opportunity.customer.contacts[0]");
    }
}
