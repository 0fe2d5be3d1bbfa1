//! Options out of the fields of a request, and a request out of options.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};
use cosell_types::{Clock, random};
use prost_reflect::{DynamicMessage, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, Value};

use super::values;
use crate::descriptors::POOL;

/// Fields that are no options: pages are fetched as they come, and each change has an id of its own.
const OWN: [&str; 3] = ["page_token", "page_size", "request_id"];

/// An option, or what stands without one.
pub struct Opt {
    /// The way to the field through messages.
    path: Vec<FieldDescriptor>,
    /// Names the field among everything that a command takes, and never anything else: see `id`.
    id: String,
    name: String,
    is_subject: bool,
}

/// The options of a request. A field of a small message is an option of its own; a large message is given in JSON.
pub fn options(request: &MessageDescriptor, subject: &str) -> Vec<Opt> {
    let mut found = Vec::new();
    collect(request, &[], subject, &mut found);
    found
}

fn collect(message: &MessageDescriptor, above: &[FieldDescriptor], subject: &str, found: &mut Vec<Opt>) {
    for field in message.fields() {
        let is_own = above.is_empty() && OWN.contains(&field.name());
        if is_own {
            continue;
        }
        let mut path = above.to_vec();
        path.push(field.clone());
        if let Kind::Message(inner) = field.kind()
            && !field.is_list()
            && is_small(&inner)
        {
            collect(&inner, &path, subject, found);
            continue;
        }
        let mut name = name(&field);
        if let (true, Some(parent)) = (found.iter().any(|other| other.name == name), above.last()) {
            name = format!("{}-{name}", parent.name().replace('_', "-"));
        }
        // The bounds of a range are prefixed with its name.
        if let (true, Some(parent)) = (["start", "end"].contains(&field.name()), above.last()) {
            name = format!("{}-{}", parent.name().replace('_', "-"), field.name());
        }
        found.push(Opt {
            is_subject: above.is_empty() && field.name() == subject,
            id: id(&path),
            path,
            name,
        });
    }
}

/// Begins as no option does that is not made from a field, so no new field of a request can take the place of one.
fn id(path: &[FieldDescriptor]) -> String {
    let names: Vec<_> = path.iter().map(FieldDescriptor::name).collect();
    format!("request.{}", names.join("."))
}

/// Whether a message is spread over options: it holds no other message but lists and values that have a text.
fn is_small(message: &MessageDescriptor) -> bool {
    !values::has_text(message)
        && message.fields().all(|field| match field.kind() {
            Kind::Message(inner) => field.is_list() || values::has_text(&inner) || is_span(&inner),
            _ => true,
        })
}

fn is_span(message: &MessageDescriptor) -> bool {
    message.full_name().starts_with("cosell.type.v1.") && message.name().ends_with("Range")
}

/// One value of a list is one option.
fn name(field: &FieldDescriptor) -> String {
    let name = match field.name() {
        "validate_only" => "dry-run".to_owned(),
        name => name.replace('_', "-"),
    };
    if !field.is_list() {
        return name;
    }
    match name.strip_suffix("ies").map(|stem| format!("{stem}y")) {
        Some(singular) => singular,
        None => name
            .strip_suffix("uses")
            .map(|stem| format!("{stem}us"))
            .or_else(|| name.strip_suffix('s').map(str::to_owned))
            .unwrap_or(name),
    }
}

impl Opt {
    /// As the command line takes it.
    pub fn arg(&self) -> Arg {
        let Some(field) = self.path.last() else {
            return Arg::new("none");
        };
        let mut arg = Arg::new(self.id.clone())
            .value_name(self.name.clone())
            .help(help(field));
        if self.is_subject {
            arg = arg.required(true);
        } else {
            arg = arg
                .long(self.name.clone())
                .required(self.path.iter().all(is_required));
        }
        arg = match field.kind() {
            Kind::Bool if !field.supports_presence() => {
                return arg.action(ArgAction::SetTrue).required(false);
            }
            Kind::Bool => arg.value_parser(PossibleValuesParser::new(["true", "false"])),
            Kind::Enum(list) => arg
                .value_parser(PossibleValuesParser::new(values::names(&list)))
                .ignore_case(true),
            Kind::Message(message) if !values::has_text(&message) => arg.value_name("JSON or @FILE"),
            _ => arg,
        };
        if field.is_list() {
            arg.action(ArgAction::Append)
        } else {
            arg
        }
    }

    /// Puts what was given into a request.
    fn apply(&self, matches: &ArgMatches, request: &mut DynamicMessage) -> anyhow::Result<()> {
        let (Some(field), parents) = (self.path.last(), &self.path[..self.path.len() - 1]) else {
            return Ok(());
        };
        let value = if matches!(field.kind(), Kind::Bool) && !field.supports_presence() {
            matches.get_flag(&self.id).then_some(Value::Bool(true))
        } else {
            let given: Vec<_> = matches.get_many::<String>(&self.id).unwrap_or_default().collect();
            let read = given
                .iter()
                .map(|text| values::read(&field.kind(), text).with_context(|| format!("--{}", self.name)));
            let mut read = read.collect::<anyhow::Result<Vec<_>>>()?;
            match (read.is_empty(), field.is_list()) {
                (true, _) => None,
                (false, true) => Some(Value::List(read)),
                (false, false) => read.pop(),
            }
        };
        let Some(value) = value else { return Ok(()) };
        let mut message = request;
        for parent in parents {
            message = message
                .get_field_mut(parent)
                .as_message_mut()
                .context("a message within a message")?;
        }
        message.set_field(field, value);
        Ok(())
    }
}

/// The request that the options make, with an id of its own where it changes something.
pub fn request(
    definition: &MessageDescriptor,
    subject: &str,
    matches: &ArgMatches,
) -> anyhow::Result<DynamicMessage> {
    let mut request = DynamicMessage::new(definition.clone());
    for option in options(definition, subject) {
        option.apply(matches, &mut request)?;
    }
    if let Some(field) = definition.get_field_by_name("request_id") {
        let id = random::uuid(Clock::system().now());
        request.set_field(&field, Value::String(id.to_string()));
    }
    Ok(request)
}

fn help(field: &FieldDescriptor) -> String {
    let comment = comment(&field.parent_message().parent_file(), field.path());
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the interface says that a field is required.
fn is_required(field: &FieldDescriptor) -> bool {
    const REQUIRED: i32 = 2;
    let Some(behavior) = POOL.get_extension_by_name("google.api.field_behavior") else {
        return false;
    };
    let options = field.options();
    let stated = options.get_extension(&behavior);
    let mut stated = stated.as_list().unwrap_or_default().iter();
    stated.any(|value| value.as_enum_number() == Some(REQUIRED))
}

/// The comment of a definition in the interface, by its path in the file descriptor.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let locations = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = locations.into_iter().flat_map(|info| &info.location);
    let found = locations.find(|location| location.path == path);
    let comment = found.and_then(|location| location.leading_comments.clone());
    let lines = comment.unwrap_or_default();
    let lines = lines.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
