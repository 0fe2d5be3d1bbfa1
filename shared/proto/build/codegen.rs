//! Generates `impl Validate` and `impl Debug` for every message, `impl Debug` for every enum, and `impl EventDetail` for
//! the details of events.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Value,
};

use crate::rules::{self, Rules};

/// The number of `google.api.FieldBehavior.OUTPUT_ONLY`.
const OUTPUT_ONLY: i32 = 3;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Generates the Rust source of all implementations.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut code = String::new();
    for message in pool
        .all_messages()
        .filter(|m| crate::is_generated(m.package_name()) && !m.is_map_entry())
    {
        validate_impl(&mut code, &message)?;
        debug_impl(&mut code, &message)?;
        mutation_impl(&mut code, &message)?;
    }
    for descriptor in pool.all_enums().filter(|e| crate::is_generated(e.package_name())) {
        enum_debug_impl(&mut code, &descriptor)?;
    }
    event_detail_impls(&mut code, pool)?;
    Ok(code)
}

/// Generates `impl EventDetail` for the type of each field `detail` of the events: no event can be forgotten.
fn event_detail_impls(code: &mut String, pool: &DescriptorPool) -> Result<()> {
    let mut reads = BTreeMap::<String, String>::new();
    for message in pool
        .all_messages()
        .filter(|m| crate::is_generated(m.package_name()))
    {
        let Some(Kind::Message(detail)) = message.get_field_by_name("detail").map(|field| field.kind())
        else {
            continue;
        };
        let event = rust_path(message.full_name(), None);
        let body = reads.entry(rust_path(detail.full_name(), None)).or_default();
        writeln!(
            body,
            "        if type_name == {event}::full_name() {{
            return Some({event}::decode(payload).map(|event| event.detail.unwrap_or_default()));
        }}"
        )?;
    }
    for (detail, body) in reads {
        writeln!(
            code,
            "impl EventDetail for {detail} {{
    fn read(type_name: &str, payload: &[u8]) -> Option<Result<Self, DecodeError>> {{
{body}        None
    }}
}}"
        )?;
    }
    Ok(())
}

/// The fields for which code is generated. Maps occur only in Google's messages, which cosell sends but does not
/// validate.
fn fields(message: &MessageDescriptor) -> impl Iterator<Item = FieldDescriptor> {
    message.fields().filter(|field| !field.is_map())
}

/// The oneof that contains the field; `None` for an `optional` field, whose descriptor has a synthetic oneof.
fn oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

fn oneofs(message: &MessageDescriptor) -> impl Iterator<Item = OneofDescriptor> {
    message.oneofs().filter(|oneof| !oneof.is_synthetic())
}

/// The Rust path of a oneof's enum, in the module of its message.
fn oneof_path(oneof: &OneofDescriptor) -> String {
    let message = rust_path(oneof.parent_message().full_name(), None);
    let (package, name) = message.rsplit_once("::").unwrap_or_default();
    format!("{package}::{}::{}", snake(name), camel(oneof.name()))
}

/// The pattern and expression of an `if let` that binds `value` if the field is set.
fn if_set(field: &FieldDescriptor) -> (String, String) {
    match oneof(field) {
        Some(oneof) => {
            let message = rust_path(field.parent_message().full_name(), None);
            let (package, name) = message.rsplit_once("::").unwrap_or_default();
            let module = format!("{package}::{}", snake(name));
            let variant = format!("{module}::{}::{}", camel(oneof.name()), camel(field.name()));
            (
                format!("Some({variant}(value))"),
                format!("&self.{}", oneof.name()),
            )
        }
        None => (
            "Some(value)".to_owned(),
            format!("&self.{}", rust_field(field.name())),
        ),
    }
}

fn validate_impl(code: &mut String, message: &MessageDescriptor) -> Result<()> {
    let mut body = String::new();
    for field in fields(message) {
        let rules = rules::of(&field)?;
        // The services ignore it in requests, so that a record can be sent back as it was read.
        if is_output_only(&field) {
            if !rules.is_empty() {
                return Err(format!("{} is output-only and has rules", field.full_name()).into());
            }
            continue;
        }
        field_checks(&mut body, &field, &rules)?;
    }
    for oneof in oneofs(message) {
        if rules::is_required(&oneof)? {
            let members: Vec<_> = oneof.fields().map(|field| field.name().to_owned()).collect();
            let name = oneof.name();
            writeln!(
                body,
                "        one_of(self.{name}.is_some(), &{members:?}, &at.field({name:?}), violations);"
            )?;
        }
    }
    let (at, violations) = if body.is_empty() {
        ("_", "_")
    } else {
        ("at", "violations")
    };
    writeln!(
        code,
        "impl Validate for {} {{\n    fn check(&self, {at}: &FieldPath<'_>, {violations}: &mut Vec<Violation>) {{\n{body}    }}\n}}",
        rust_path(message.full_name(), message.parent_message().as_ref())
    )?;
    Ok(())
}

fn field_checks(body: &mut String, field: &FieldDescriptor, rules: &Rules) -> Result<()> {
    let name = rust_field(field.name());
    let at = format!("&at.field({:?})", field.name());
    if field.is_list() {
        if !rules.is_empty() {
            let unique = rules.unique;
            writeln!(
                body,
                "        items(&self.{name}, {:?}, {:?}, {unique}, {at}, violations);",
                rules.min_items, rules.max_items
            )?;
        }
        let item_rules = rules.items.as_deref().cloned().unwrap_or_default();
        let check = value_check(field, &item_rules, "item", "&list.index(index)")?;
        if !check.is_empty() {
            writeln!(body, "        let list = {};", at.trim_start_matches('&'))?;
            // Of too many items none is checked: the work would be up to the sender.
            let items = match rules.max_items {
                Some(max) => {
                    format!("self.{name}.iter().take(if self.{name}.len() > {max} {{ 0 }} else {{ {max} }})")
                }
                None => format!("self.{name}.iter()"),
            };
            writeln!(
                body,
                "        for (index, item) in {items}.enumerate() {{ {check} }}"
            )?;
        }
        return Ok(());
    }
    if matches!(field.kind(), Kind::Message(_)) || field.supports_presence() {
        if rules.required {
            writeln!(body, "        required(self.{name}.is_some(), {at}, violations);")?;
        }
        let check = value_check(field, rules, "value", &at)?;
        if !check.is_empty() {
            let (pattern, expression) = if_set(field);
            writeln!(body, "        if let {pattern} = {expression} {{ {check} }}")?;
        }
    } else {
        let check = value_check(field, rules, &format!("&self.{name}"), &at)?;
        if !check.is_empty() {
            writeln!(body, "        {check}")?;
        }
    }
    Ok(())
}

/// The call that validates one value; empty if it has no rules.
fn value_check(field: &FieldDescriptor, rules: &Rules, value: &str, at: &str) -> Result<String> {
    Ok(match field.kind() {
        Kind::Message(message) if crate::is_generated(message.package_name()) => {
            format!("{value}.check({at}, violations);").replace("&self.", "self.")
        }
        // Also without rules: PostgreSQL cannot store a text with a NUL character.
        Kind::String => {
            let pattern = match &rules.pattern {
                Some(pattern) => format!(
                    "Some({{ static P: LazyLock<Regex> = LazyLock::new(|| pattern({pattern:?})); &*P }})"
                ),
                None => "None".to_owned(),
            };
            format!(
                "string({value}, &StringRules {{ optional: {}, min_len: {:?}, max_len: {:?}, uuid: {}, pattern: {pattern}, expected: {:?}, personal: {}, multiline: {}, email: {} }}, {at}, violations);",
                rules.ignore_zero && !rules.required,
                if rules.required {
                    rules.min_len.max(Some(1))
                } else {
                    rules.min_len
                },
                rules.max_len,
                rules.uuid,
                first_sentence(field),
                is_redacted(field),
                has_option(field, "cosell.type.v1.multiline"),
                has_option(field, "cosell.type.v1.email_address"),
            )
        }
        Kind::Enum(descriptor) if rules.defined_only => {
            let allowed: Vec<_> = descriptor
                .values()
                .filter(|value| value.number() != 0)
                .map(|value| value.name().to_owned())
                .collect();
            format!(
                "enumeration({}, |number| {}::try_from(number).is_ok(), {}, &{:?}, {at}, violations);",
                scalar(value),
                rust_path(descriptor.full_name(), descriptor.parent_message().as_ref()),
                rules.not_zero,
                allowed.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        }
        Kind::Int32 | Kind::Int64 if rules.gte.is_some() || rules.lte.is_some() => {
            format!(
                "integer({}, {:?}, {:?}, {at}, violations);",
                scalar(value),
                rules.gte,
                rules.lte
            )
        }
        _ if rules.is_empty()
            || (rules.required && matches!(field.kind(), Kind::Message(_) | Kind::Bool)) =>
        {
            String::new()
        }
        kind => {
            return Err(format!("{}: no generator for these rules on {kind:?}", field.full_name()).into());
        }
    })
}

/// Generates `impl Mutation` for requests with a `request_id`.
fn mutation_impl(code: &mut String, message: &MessageDescriptor) -> Result<()> {
    if message.get_field_by_name("request_id").is_none() {
        return Ok(());
    }
    let validate_only = if message.get_field_by_name("validate_only").is_some() {
        "self.validate_only"
    } else {
        "false"
    };
    writeln!(
        code,
        "impl Mutation for {} {{\n    fn request_id(&self) -> &str {{ &self.request_id }}\n    fn with_request_id(&self, request_id: ::std::string::String) -> Self {{ Self {{ request_id, ..::core::clone::Clone::clone(self) }} }}\n    fn validate_only(&self) -> bool {{ {validate_only} }}\n}}",
        rust_path(message.full_name(), message.parent_message().as_ref())
    )?;
    Ok(())
}

fn debug_impl(code: &mut String, message: &MessageDescriptor) -> Result<()> {
    let path = rust_path(message.full_name(), message.parent_message().as_ref());
    writeln!(code, "impl ::core::fmt::Debug for {path} {{")?;
    writeln!(
        code,
        "    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{"
    )?;
    writeln!(code, "        f.debug_struct({:?})", message.name())?;
    for field in fields(message).filter(|field| oneof(field).is_none()) {
        let name = rust_field(field.name());
        if is_redacted(&field) {
            writeln!(code, "            .field({:?}, &Redacted)", field.name())?;
            continue;
        }
        match field.kind() {
            Kind::Enum(descriptor) => {
                let target = rust_path(descriptor.full_name(), descriptor.parent_message().as_ref());
                writeln!(
                    code,
                    "            .field({:?}, &EnumNames(&self.{name}, |n| {target}::try_from(n).ok().map(|v| v.as_str_name())))",
                    field.name()
                )?;
            }
            _ => writeln!(code, "            .field({:?}, &self.{name})", field.name())?,
        }
    }
    for oneof in oneofs(message) {
        writeln!(code, "            .field({0:?}, &self.{0})", oneof.name())?;
    }
    writeln!(code, "            .finish()\n    }}\n}}")?;
    for oneof in oneofs(message) {
        oneof_debug_impl(code, &oneof)?;
    }
    Ok(())
}

fn oneof_debug_impl(code: &mut String, oneof: &OneofDescriptor) -> Result<()> {
    writeln!(code, "impl ::core::fmt::Debug for {} {{", oneof_path(oneof))?;
    writeln!(
        code,
        "    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        match self {{"
    )?;
    for field in oneof.fields() {
        // The content of an `Any` has no field options that would mark personal data.
        let is_any =
            matches!(field.kind(), Kind::Message(message) if message.full_name() == "google.protobuf.Any");
        let (binding, value) = match is_any || is_redacted(&field) {
            true => ("_", "&Redacted"),
            false => ("value", "value"),
        };
        let variant = camel(field.name());
        writeln!(
            code,
            "            Self::{variant}({binding}) => f.debug_tuple({variant:?}).field({value}).finish(),"
        )?;
    }
    writeln!(code, "        }}\n    }}\n}}")?;
    Ok(())
}

/// Whether the field may hold personal data.
fn is_redacted(field: &FieldDescriptor) -> bool {
    has_option(field, "cosell.type.v1.personal")
}

/// Whether only the services set the field.
fn is_output_only(field: &FieldDescriptor) -> bool {
    let options = field.options();
    let extension = field
        .parent_pool()
        .get_extension_by_name("google.api.field_behavior");
    let behaviors = extension.map(|extension| options.get_extension(&extension).into_owned());
    let behaviors = behaviors.as_ref().and_then(Value::as_list).unwrap_or_default();
    behaviors
        .iter()
        .any(|behavior| behavior.as_enum_number() == Some(OUTPUT_ONLY))
}

/// Whether the field has this option of cosell.
fn has_option(field: &FieldDescriptor, name: &str) -> bool {
    let options = field.options();
    let extension = field.parent_pool().get_extension_by_name(name);
    extension.is_some_and(|extension| options.get_extension(&extension).as_bool() == Some(true))
}

fn enum_debug_impl(code: &mut String, descriptor: &EnumDescriptor) -> Result<()> {
    writeln!(
        code,
        "impl ::core::fmt::Debug for {} {{\n    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        f.write_str(self.as_str_name())\n    }}\n}}",
        rust_path(descriptor.full_name(), descriptor.parent_message().as_ref())
    )?;
    Ok(())
}

/// The expression for the value to which the expression `value` is a reference.
fn scalar(value: &str) -> String {
    value
        .strip_prefix('&')
        .map_or_else(|| format!("*{value}"), str::to_owned)
}

/// The first sentence of the field's comment, which violations quote as the expected format.
fn first_sentence(field: &FieldDescriptor) -> String {
    let file = field.parent_file();
    let comment = file
        .file_descriptor_proto()
        .source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == field.path())
        .map(|location| location.leading_comments().trim().replace('\n', " "))
        .unwrap_or_default();
    let sentence = comment
        .split_once(". ")
        .map_or(comment.as_str(), |(first, _)| first);
    // Rule ids in parentheses are for readers of the definitions, not of violations.
    let is_rule_id = |start: &usize| {
        let mut id = sentence[start + 2..].split('-');
        id.next()
            .is_some_and(|context| context.len() == 3 && context.bytes().all(|b| b.is_ascii_uppercase()))
            && id
                .next()
                .is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
    };
    let end = sentence
        .match_indices(" (")
        .map(|(start, _)| start)
        .find(is_rule_id)
        .unwrap_or(sentence.len());
    sentence[..end]
        .trim_end_matches('.')
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The Rust path of a proto type: `google.longrunning.Operation` is `crate::google::longrunning::Operation`. A nested
/// type is in the module of its parent message.
fn rust_path(full_name: &str, parent: Option<&MessageDescriptor>) -> String {
    let parts: Vec<_> = full_name.split('.').collect();
    let nested = if parent.is_some() { 2 } else { 1 };
    let (packages, types) = parts.split_at(parts.len() - nested);
    let mut path = String::from("crate");
    for package in packages {
        path.push_str("::");
        path.push_str(&rust_field(package));
    }
    if nested == 2 {
        path.push_str("::");
        path.push_str(&snake(types[0]));
    }
    path.push_str("::");
    path.push_str(types[nested - 1]);
    path
}

fn rust_field(name: &str) -> String {
    if name == "type" {
        "r#type".to_owned()
    } else {
        name.to_owned()
    }
}

fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}
