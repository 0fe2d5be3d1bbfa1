//! Field violations of a request. All violations are collected before the request is refused (PLT-007).

use std::fmt;

use crate::standard::StandardList;

/// Characters of a rejected value that are returned.
const MAX_REJECTED_CHARS: usize = 80;

/// A violation of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request's root, such as `opportunity.customer.contacts[0].email`.
    pub field: String,
    /// The class of the violation.
    pub code: ViolationCode,
    /// A sentence that says what the field must be, without the field's name and the rejected value.
    pub description: String,
    /// Path of the field in the AWS Partner Central API, such as `Customer.Contacts[0].Email`; empty if it has none.
    pub partner_central_field: String,
    /// The rejected value, truncated; empty if there is none or if it may be personal data.
    pub rejected: String,
    /// The allowed values; empty if they are not a list.
    pub allowed: Vec<String>,
    /// Name of the standard-value list that has the allowed values; empty if there is none.
    pub list: &'static str,
    /// The regular expression that the value must match; empty if there is none.
    pub pattern: String,
}

impl Violation {
    /// A violation without rejected value, allowed values and pattern.
    pub fn new(at: &FieldPath<'_>, code: ViolationCode, description: impl Into<String>) -> Self {
        Self {
            field: at.to_string(),
            code,
            description: description.into(),
            partner_central_field: String::new(),
            rejected: String::new(),
            allowed: Vec::new(),
            list: "",
            pattern: String::new(),
        }
    }

    /// A value that is not in a standard-value list.
    pub fn not_in(list: &StandardList, at: &FieldPath<'_>) -> Self {
        let text = format!(
            "Must be one of the {} values of the list `{}`, which ListStandardValues returns.",
            list.values.len(),
            list.name
        );
        Self::new(at, ViolationCode::InvalidEnumValue, text)
            .with_allowed_values(list.values.iter().copied(), list.name)
    }

    /// Sets the rejected value, truncated. Must not be called with a value that may be personal data.
    #[must_use]
    pub fn with_rejected_value(mut self, value: impl fmt::Display) -> Self {
        self.rejected = value.to_string().chars().take(MAX_REJECTED_CHARS).collect();
        self
    }

    /// Sets the allowed values and the name of their standard-value list, which may be empty.
    #[must_use]
    pub fn with_allowed_values<T: Into<String>>(
        mut self,
        allowed: impl IntoIterator<Item = T>,
        list: &'static str,
    ) -> Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self.list = list;
        self
    }

    /// Sets the regular expression that the value must match.
    #[must_use]
    pub fn with_pattern(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.pattern);
        self
    }

    /// Prefixes the path with that of the parent message.
    pub fn with_parent(mut self, parent: &str) -> Self {
        let separator = if self.field.is_empty() { "" } else { "." };
        self.field = format!("{parent}{separator}{}", self.field);
        self
    }
}

/// Whether the path `part` is that of the field `whole`, or of a part of it.
pub fn contains_path(whole: &str, part: &str) -> bool {
    part.strip_prefix(whole)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Stable codes of violations, named as in the AWS Partner Central API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViolationCode {
    /// The field is required.
    RequiredFieldMissing,
    /// The value is not one of the allowed values.
    InvalidEnumValue,
    /// The string does not have the required format.
    InvalidStringFormat,
    /// The value is invalid for another reason.
    InvalidValue,
    /// The list is too short.
    NotEnoughValues,
    /// The list is too long.
    TooManyValues,
    /// The value is too small, too large, too short or too long.
    ValueOutOfRange,
    /// The value must be unique and is already in use.
    DuplicateKeyValue,
    /// The field is not editable in the current state of the record.
    ActionNotPermitted,
}

impl ViolationCode {
    /// All codes.
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

    /// Parses a code as sent, such as `REQUIRED_FIELD_MISSING`.
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

/// The path of a field in a message. It borrows its parent path and is formatted only for a violation.
#[derive(Clone, Copy)]
pub struct FieldPath<'a>(Step<'a>);

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a FieldPath<'a>, &'a str),
    Index(&'a FieldPath<'a>, usize),
}

impl<'a> FieldPath<'a> {
    /// The empty path: the message itself.
    pub fn root() -> Self {
        Self(Step::Root)
    }

    /// Appends a field; `name` may itself be a path with dots.
    pub fn field(&'a self, name: &'a str) -> Self {
        Self(Step::Field(self, name))
    }

    /// Appends the index of a list entry.
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
    fn path_is_formatted_with_fields_and_indexes() {
        let root = FieldPath::root();
        let customer = root.field("customer");
        let contacts = customer.field("contacts");
        let first = contacts.index(0);
        assert_eq!(first.field("email").to_string(), "customer.contacts[0].email");
        let violation =
            Violation::new(&first, ViolationCode::InvalidValue, "Is invalid.").with_parent("opportunity");
        assert_eq!(violation.field, "opportunity.customer.contacts[0]");
    }
}
