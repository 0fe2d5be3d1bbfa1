//! Reads the `buf.validate` rules of a field. A rule that the generator does not support fails the build, so that no
//! rule is stated without being enforced.

use std::error::Error;

use prost_reflect::{DynamicMessage, FieldDescriptor, OneofDescriptor, ReflectMessage as _, Value};

/// The rules of one field, or of the items of a list.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub required: bool,
    pub ignore_zero: bool,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub pattern: Option<String>,
    pub uuid: bool,
    pub defined_only: bool,
    pub not_zero: bool,
    pub gte: Option<i64>,
    pub lte: Option<i64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique: bool,
    pub items: Option<Box<Rules>>,
    stated: bool,
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        !self.stated
    }
}

/// Reads the rules of a field; empty if it has none.
pub fn of(field: &FieldDescriptor) -> Result<Rules, Box<dyn Error>> {
    let extension = field
        .parent_pool()
        .get_extension_by_name("buf.validate.field")
        .ok_or("buf/validate/validate.proto is missing")?;
    let mut rules = Rules::default();
    let options = field.options();
    if options.has_extension(&extension)
        && let Value::Message(stated) = options.get_extension(&extension).as_ref()
    {
        read_rules(&mut rules, stated, field.full_name())?;
    }
    Ok(rules)
}

/// Whether the oneof is marked as required.
pub fn is_required(oneof: &OneofDescriptor) -> Result<bool, Box<dyn Error>> {
    let extension = oneof
        .parent_pool()
        .get_extension_by_name("buf.validate.oneof")
        .ok_or("buf/validate/validate.proto is missing")?;
    let options = oneof.options();
    let stated = options.get_extension(&extension);
    let rule = stated
        .as_message()
        .and_then(|rules| rules.get_field_by_name("required"));
    Ok(rule.is_some_and(|rule| rule.as_bool() == Some(true)))
}

fn read_rules(rules: &mut Rules, stated: &DynamicMessage, field_name: &str) -> Result<(), Box<dyn Error>> {
    rules.stated = true;
    for (field, value) in stated.fields() {
        match (field.name(), value) {
            ("required", Value::Bool(value)) => rules.required = *value,
            // IGNORE_IF_ZERO_VALUE
            ("ignore", Value::EnumNumber(1)) => rules.ignore_zero = true,
            ("string" | "enum" | "int32" | "int64" | "repeated", Value::Message(typed)) => {
                read_typed_rules(rules, typed, field_name)?;
            }
            (name, _) => return Err(unsupported(field_name, name)),
        }
    }
    Ok(())
}

fn read_typed_rules(
    rules: &mut Rules,
    typed: &DynamicMessage,
    field_name: &str,
) -> Result<(), Box<dyn Error>> {
    for (field, value) in typed.fields() {
        match (field.name(), value) {
            ("min_len", Value::U64(value)) => rules.min_len = Some(*value),
            ("max_len", Value::U64(value)) => rules.max_len = Some(*value),
            ("pattern", Value::String(value)) => rules.pattern = Some(value.clone()),
            ("uuid", Value::Bool(value)) => rules.uuid = *value,
            ("defined_only", Value::Bool(value)) => rules.defined_only = *value,
            ("not_in", Value::List(values)) if values[..] == [Value::I32(0)] => rules.not_zero = true,
            ("gte", Value::I32(value)) => rules.gte = Some((*value).into()),
            ("lte", Value::I32(value)) => rules.lte = Some((*value).into()),
            ("gte", Value::I64(value)) => rules.gte = Some(*value),
            ("lte", Value::I64(value)) => rules.lte = Some(*value),
            ("min_items", Value::U64(value)) => rules.min_items = Some(*value),
            ("max_items", Value::U64(value)) => rules.max_items = Some(*value),
            ("unique", Value::Bool(value)) => rules.unique = *value,
            ("items", Value::Message(items)) => {
                let mut inner = Rules::default();
                read_rules(&mut inner, items, field_name)?;
                rules.items = Some(Box::new(inner));
            }
            (name, _) => {
                let rule = format!("{}.{name}", typed.descriptor().name());
                return Err(unsupported(field_name, &rule));
            }
        }
    }
    Ok(())
}

fn unsupported(field: &str, rule: &str) -> Box<dyn Error> {
    format!(
        "{field}: shared/proto/build does not support the rule `{rule}`; add it to rules.rs, or use another rule"
    )
    .into()
}
