//! What is wrong with a request, field by field. Everything wrong is collected before anything is answered (PLT-007).

use std::fmt;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request's root, such as `opportunity.customer.contacts[0].email`.
    pub field: String,
    /// What kind of thing is wrong.
    pub code: ViolationCode,
    /// What to do about it, in a sentence without the rejected value.
    pub description: String,
}

impl Violation {
    /// A violation at a path.
    pub fn new(at: &FieldPath<'_>, code: ViolationCode, description: impl Into<String>) -> Self {
        Self {
            field: at.to_string(),
            code,
            description: description.into(),
        }
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
