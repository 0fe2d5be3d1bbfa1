//! The rules of the public interface (docs/API.md), checked on its descriptors, and its wire form, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cosell_tests::repository::read;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, ReflectMessage as _, Value,
};
use regex::Regex;

mod retry_policy;
mod wire;

/// Fails with everything that is against a rule.
#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("descriptors")
}

fn own(package: &str) -> bool {
    package.starts_with("cosell.")
}

fn own_files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    pool.files().filter(|file| own(file.package_name())).collect()
}

fn own_messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages()
        .filter(|message| own(message.package_name()) && !message.is_map_entry())
        .collect()
}

fn own_enums(pool: &DescriptorPool) -> Vec<EnumDescriptor> {
    pool.all_enums().filter(|list| own(list.package_name())).collect()
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    pool.services()
        .filter(|service| own(service.package_name()))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// Comments of a file by the path of what they are about.
fn comments(file: &FileDescriptor) -> BTreeMap<Vec<i32>, String> {
    let info = file
        .file_descriptor_proto()
        .source_code_info
        .clone()
        .unwrap_or_default();
    info.location
        .into_iter()
        .filter_map(|location| Some((location.path, location.leading_comments?)))
        .collect()
}

fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    comments(file).remove(path).unwrap_or_default().trim().to_owned()
}

/// An option of a field, message, … such as `google.api.field_behavior`.
fn option(options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = options.descriptor().parent_pool().get_extension_by_name(name)?;
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).into_owned())
}

fn behavior(field: &FieldDescriptor) -> Vec<i32> {
    match option(&field.options(), "google.api.field_behavior") {
        Some(Value::List(list)) => list.iter().filter_map(Value::as_enum_number).collect(),
        _ => Vec::new(),
    }
}

const OUTPUT_ONLY: i32 = 3;

/// Fields that a caller can set: reachable from a request without passing one that is output only.
fn request_fields(pool: &DescriptorPool) -> Vec<FieldDescriptor> {
    let mut seen = BTreeSet::new();
    let mut fields = Vec::new();
    let mut next: Vec<_> = methods(pool).iter().map(MethodDescriptor::input).collect();
    while let Some(message) = next.pop() {
        if !own(message.package_name()) || !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            if !behavior(&field).contains(&OUTPUT_ONLY)
                && let Kind::Message(inner) = field.kind()
            {
                next.push(inner);
            }
            fields.push(field);
        }
    }
    fields
}

#[test]
fn packages_are_versioned_and_files_lie_where_they_say() {
    let package = Regex::new(r"^cosell\.[a-z]+\.v[0-9]+$").expect("a pattern");
    let pool = pool();
    let mut wrong = Vec::new();
    for file in own_files(&pool) {
        if !package.is_match(file.package_name()) {
            wrong.push(format!("{}: package {}", file.name(), file.package_name()));
        }
        if !file.name().starts_with(&file.package_name().replace('.', "/")) {
            wrong.push(format!(
                "{} is not in the folder of {}",
                file.name(),
                file.package_name()
            ));
        }
    }
    none("packages", &wrong);
}

#[test]
fn requests_and_responses_are_named_after_their_rpc_and_used_once() {
    let pool = pool();
    let mut used = BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    for method in methods(&pool) {
        for (message, end) in [(method.input(), "Request"), (method.output(), "Response")] {
            // What takes long answers with an operation (AIP-151).
            if message.full_name() == "google.longrunning.Operation" {
                continue;
            }
            *used.entry(message.full_name().to_owned()).or_default() += 1;
            if message.name() != format!("{}{end}", method.name()) {
                wrong.push(format!("{} uses {}", method.full_name(), message.name()));
            }
        }
    }
    wrong.extend(
        used.into_iter()
            .filter(|(_, times)| *times > 1)
            .map(|(name, _)| format!("{name} is used twice")),
    );
    none("requests and responses", &wrong);
}

#[test]
fn closed_lists_start_with_unspecified_and_their_values_are_prefixed() {
    let pool = pool();
    let mut wrong = Vec::new();
    let boundary = Regex::new("([a-z0-9])([A-Z])").expect("a pattern");
    for list in own_enums(&pool) {
        let prefix = boundary.replace_all(list.name(), "${1}_$2").to_uppercase();
        for value in list.values() {
            if !value.name().starts_with(&format!("{prefix}_")) {
                wrong.push(format!("{} is not prefixed with {prefix}_", value.full_name()));
            }
        }
        let first = list.get_value(0).map(|value| value.name().to_owned());
        if first != Some(format!("{prefix}_UNSPECIFIED")) {
            wrong.push(format!("0 of {} is {first:?}", list.full_name()));
        }
    }
    none("closed lists", &wrong);
}

#[test]
fn everything_has_a_comment() {
    let pool = pool();
    let mut wrong = Vec::new();
    let mut number = 0;
    let mut need = |file: &FileDescriptor, path: &[i32], name: &str| {
        number += 1;
        if comment(file, path).len() < 4 {
            wrong.push(name.to_owned());
        }
    };
    for message in own_messages(&pool) {
        let file = message.parent_file();
        need(&file, message.path(), message.full_name());
        for field in message.fields() {
            need(&file, field.path(), field.full_name());
        }
    }
    for list in own_enums(&pool) {
        let file = list.parent_file();
        need(&file, list.path(), list.full_name());
        for value in list.values() {
            need(&file, value.path(), value.full_name());
        }
    }
    for method in methods(&pool) {
        let file = method.parent_service().parent_file();
        need(
            &file,
            method.parent_service().path(),
            method.parent_service().full_name(),
        );
        need(&file, method.path(), method.full_name());
    }
    assert!(number > 300, "{number} comments were looked for");
    none("without a comment", &wrong);
}

#[test]
fn rpc_comments_say_who_may_call_what_changes_and_which_errors_come() {
    let pool = pool();
    let mut wrong = Vec::new();
    let reason = Regex::new("[A-Z]+(_[A-Z]+)+").expect("a pattern");
    for method in methods(&pool) {
        let text = comment(&method.parent_service().parent_file(), method.path());
        for part in ["Callers:", "Changes:", "Errors:", "Rules:"] {
            if !text.contains(part) {
                wrong.push(format!("{} does not say {part}", method.full_name()));
            }
        }
        let context = method.parent_service().package_name().to_owned();
        let errors = text
            .split("Errors:")
            .nth(1)
            .and_then(|rest| rest.split("Rules:").next())
            .unwrap_or_default();
        for found in reason.find_iter(errors) {
            let known = [context.as_str(), "cosell.type.v1"].iter().any(|package| {
                let list = pool.get_enum_by_name(&format!("{package}.ErrorReason"));
                let full = format!("ERROR_REASON_{}", found.as_str());
                list.is_some_and(|list| list.get_value_by_name(&full).is_some())
            });
            if !known {
                wrong.push(format!(
                    "{} names the error {}, which does not exist",
                    method.full_name(),
                    found.as_str()
                ));
            }
        }
    }
    none("comments of RPCs", &wrong);
}

#[test]
fn fields_of_requests_say_whether_they_are_needed() {
    let pool = pool();
    let wrong: Vec<_> = request_fields(&pool)
        .iter()
        .filter(|field| behavior(field).is_empty())
        .map(|field| field.full_name().to_owned())
        .collect();
    none("without field_behavior", &wrong);
}

#[test]
fn texts_and_lists_of_requests_have_a_limit() {
    let pool = pool();
    let mut wrong = Vec::new();
    let (class, repeats) = (
        Regex::new(r"\[[^\]]*\]").expect("a pattern"),
        Regex::new(r"[+*]|\{[0-9]+,\}").expect("a pattern"),
    );
    for field in request_fields(&pool) {
        if behavior(&field).contains(&OUTPUT_ONLY) {
            continue;
        }
        let rules = option(&field.options(), "buf.validate.field");
        let text = match &rules {
            Some(Value::Message(rules)) => serde_json::to_string(rules).expect("JSON"),
            _ => String::new(),
        };
        let bounded_text = ["maxLen", "uuid", "pattern", "\"in\""]
            .iter()
            .any(|rule| text.contains(rule));
        // A piece of a file is as long as a message may be.
        let is_piece = field.name() == "content";
        let is_text = matches!(field.kind(), Kind::String | Kind::Bytes) && !is_piece;
        if (field.is_list() && !text.contains("maxItems")) || (is_text && !bounded_text) {
            wrong.push(field.full_name().to_owned());
        }
        for pattern in patterns(rules.as_ref()) {
            let compiled = Regex::new(&pattern);
            let anchored = pattern.starts_with('^') && pattern.ends_with('$');
            if compiled.is_err() || !anchored {
                wrong.push(format!("{}: pattern {pattern}", field.full_name()));
            }
            if repeats.is_match(&class.replace_all(&pattern, "C")) {
                let bounded = text.contains("maxLen");
                if !bounded {
                    wrong.push(format!(
                        "{}: pattern {pattern} matches texts of any length",
                        field.full_name()
                    ));
                }
            }
        }
    }
    none("without a limit, or with a pattern that does not hold", &wrong);
}

/// All values of `pattern` in a set of rules.
fn patterns(rules: Option<&Value>) -> Vec<String> {
    let Some(Value::Message(message)) = rules else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (field, value) in message.fields() {
        match value {
            Value::String(pattern) if field.name() == "pattern" => found.push(pattern.clone()),
            Value::Message(_) => found.extend(patterns(Some(value))),
            _ => {}
        }
    }
    found
}

#[test]
fn lists_are_paged_and_changes_can_be_repeated() {
    let pool = pool();
    let mut wrong = Vec::new();
    for method in methods(&pool) {
        let (input, output) = (method.input(), method.output());
        let mut need = |message: &MessageDescriptor, field: &str| {
            if message.get_field_by_name(field).is_none() {
                wrong.push(format!("{} has no {field}", message.full_name()));
            }
        };
        let reads = method
            .options()
            .get_field_by_name("idempotency_level")
            .and_then(|value| value.as_enum_number())
            == Some(1);
        // The pick lists are few, and are what a client wants all of.
        if method.name().starts_with("List") && method.name() != "ListStandardValues" {
            need(&input, "page_size");
            need(&input, "page_token");
            need(&output, "next_page_token");
        }
        // A stream says for each record what became of it, and is repeated by sending it again.
        if reads || method.is_client_streaming() {
            continue;
        }
        need(&input, "request_id");
        // What changes a record that has versions can be told which one it is about.
        let about_record = [
            "opportunity_id",
            "review_case_id",
            "opportunity",
            "member_id",
            "connection_id",
            "connection_invitation_id",
            "engagement_id",
            "engagement_invitation_id",
            "snapshot_job_id",
            "profile",
        ];
        let creates = ["Create", "Clone", "Invite", "Transfer"]
            .iter()
            .any(|verb| method.name().starts_with(verb));
        // A job is about many records.
        if method.output().full_name() == "google.longrunning.Operation" {
            continue;
        }
        // Sharing a record, or asking for a channel on it, does not change it.
        let shares = ["ShareOpportunity", "RequestChannel"].contains(&method.name());
        // A flag is its member's, not the record's.
        let flags = method.name().starts_with("Flag");
        if !creates
            && !flags
            && !shares
            && about_record
                .iter()
                .any(|field| input.get_field_by_name(field).is_some())
        {
            need(&input, "etag");
        }
    }
    none("pages and repeatable changes", &wrong);
}

#[test]
fn events_name_their_record_its_account_and_revision_and_no_person() {
    let pool = pool();
    let mut wrong = Vec::new();
    for file in own_files(&pool)
        .into_iter()
        .filter(|file| file.name().ends_with("_events.proto"))
    {
        for message in file.messages() {
            let detail = message.get_field_by_name("detail").map(|field| field.kind());
            let named = match &detail {
                Some(Kind::Message(detail)) => detail,
                _ => &message,
            };
            for field in ["account_id", "revision"] {
                if named.get_field_by_name(field).is_none() {
                    wrong.push(format!("{} has no {field}", message.full_name()));
                }
            }
            let first = message
                .get_field(1)
                .map(|field| field.name().to_owned())
                .unwrap_or_default();
            // Or with what all events of its record have in common, which does.
            if !first.ends_with("_id") && detail.is_none() {
                wrong.push(format!(
                    "{} does not begin with the id of its record",
                    message.full_name()
                ));
            }
            for field in message.fields() {
                // Events carry ids and values of closed lists; names and texts are read where they are kept.
                let fine = match field.kind() {
                    Kind::String => {
                        let is_id = |end| field.name().ends_with(end);
                        ["_id", "_ids", "_by"].into_iter().any(is_id) || field.name() == "changed_fields"
                    }
                    Kind::Int32 | Kind::Int64 | Kind::Bool | Kind::Enum(_) => true,
                    Kind::Message(kind) => {
                        let name = kind.full_name();
                        name == "google.protobuf.Timestamp" || name.ends_with("EventDetail")
                    }
                    _ => false,
                };
                if !fine {
                    wrong.push(format!("{} may carry personal data", field.full_name()));
                }
            }
        }
    }
    none("events", &wrong);
}

/// One family of resources a service, and files that a reader can hold in mind.
#[test]
fn services_and_files_are_small() {
    let pool = pool();
    let mut wrong = Vec::new();
    for service in pool.services().filter(|service| own(service.package_name())) {
        let rpcs = service.methods().count();
        if rpcs > 14 {
            wrong.push(format!("{}: {rpcs} RPCs, more than 14", service.full_name()));
        }
    }
    for file in own_files(&pool) {
        let lines = read(&format!("proto/{}", file.name())).lines().count();
        if lines > 620 {
            wrong.push(format!("{}: {lines} lines, more than 620", file.name()));
        }
    }
    none("too large", &wrong);
}

/// Generators of other languages take from these where their code goes.
#[test]
fn files_state_where_generated_code_goes() {
    let pool = pool();
    let mut wrong = Vec::new();
    for file in own_files(&pool) {
        let options = file.file_descriptor_proto().options.clone().unwrap_or_default();
        let package = file.package_name();
        let context = package.split('.').nth(1).unwrap_or_default();
        let go = format!("cosell.example/gen/cosell/{context}/v1;{context}v1");
        if options.go_package() != go {
            wrong.push(format!("{}: go_package is not {go}", file.name()));
        }
        if options.java_package() != package || !options.java_multiple_files() {
            wrong.push(format!("{}: Java", file.name()));
        }
        if !options.csharp_namespace().eq_ignore_ascii_case(package) {
            wrong.push(format!("{}: csharp_namespace", file.name()));
        }
    }
    none("options", &wrong);
}

/// What can hold a name, an address or words of somebody is kept out of logs and `Debug`.
#[test]
fn personal_fields_are_marked() {
    let personal = Regex::new(
        r"(^|_)(first_name|last_name|email|phone|company_name|website_url|street_address|city|postal_code|state_or_region|duns|aws_account_id|title|customer_business_problem|additional_comments|next_steps|remarks|review_comments|subject|body)$",
    )
    .expect("a pattern");
    let pool = pool();
    let mut wrong = Vec::new();
    for message in own_messages(&pool) {
        for field in message
            .fields()
            .filter(|field| personal.is_match(field.name()) && field.kind() == Kind::String)
        {
            let marked = option(&field.options(), "cosell.type.v1.personal");
            if marked.and_then(|value| value.as_bool()) != Some(true) {
                wrong.push(field.full_name().to_owned());
            }
        }
    }
    none("not marked (cosell.type.v1.personal)", &wrong);
}
