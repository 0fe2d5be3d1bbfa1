//! Style rules of the public API (docs/API.md), checked on its descriptors, and the recorded wire format.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cosell_tests::repository::{assert_none, read};
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, ReflectMessage as _, Value,
};
use regex::Regex;

mod retry_policy;
mod wire;

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

/// The leading comments of a file by descriptor path.
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

/// The value of a custom option such as `google.api.field_behavior`.
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

/// The fields that a caller can set: reachable from a request without an output-only field on the path.
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
fn packages_are_versioned_and_match_their_folders() {
    let package = Regex::new(r"^cosell\.[a-z]+\.v[0-9]+$").expect("a pattern");
    let pool = pool();
    let mut violations = Vec::new();
    for file in own_files(&pool) {
        if !package.is_match(file.package_name()) {
            violations.push(format!("{}: package {}", file.name(), file.package_name()));
        }
        if !file.name().starts_with(&file.package_name().replace('.', "/")) {
            violations.push(format!(
                "{} is not in the folder of {}",
                file.name(),
                file.package_name()
            ));
        }
    }
    assert_none("invalid packages", &violations);
}

#[test]
fn requests_and_responses_are_named_after_their_only_rpc() {
    let pool = pool();
    let mut used = BTreeMap::<String, usize>::new();
    let mut violations = Vec::new();
    for method in methods(&pool) {
        for (message, end) in [(method.input(), "Request"), (method.output(), "Response")] {
            // Long-running RPCs return an operation (AIP-151).
            if message.full_name() == "google.longrunning.Operation" {
                continue;
            }
            *used.entry(message.full_name().to_owned()).or_default() += 1;
            if message.name() != format!("{}{end}", method.name()) {
                violations.push(format!("{} uses {}", method.full_name(), message.name()));
            }
        }
    }
    violations.extend(
        used.into_iter()
            .filter(|(_, times)| *times > 1)
            .map(|(name, _)| format!("{name} is used by several RPCs")),
    );
    assert_none("invalid requests and responses", &violations);
}

#[test]
fn enums_start_with_unspecified_and_prefix_their_values() {
    let pool = pool();
    let mut violations = Vec::new();
    let boundary = Regex::new("([a-z0-9])([A-Z])").expect("a pattern");
    for list in own_enums(&pool) {
        let prefix = boundary.replace_all(list.name(), "${1}_$2").to_uppercase();
        for value in list.values() {
            if !value.name().starts_with(&format!("{prefix}_")) {
                violations.push(format!("{} is not prefixed with {prefix}_", value.full_name()));
            }
        }
        let first = list.get_value(0).map(|value| value.name().to_owned());
        if first != Some(format!("{prefix}_UNSPECIFIED")) {
            violations.push(format!("value 0 of {} is {first:?}", list.full_name()));
        }
    }
    assert_none("invalid enums", &violations);
}

#[test]
fn every_definition_has_a_comment() {
    let pool = pool();
    let mut violations = Vec::new();
    let mut number = 0;
    let mut require_comment = |file: &FileDescriptor, path: &[i32], name: &str| {
        number += 1;
        if comment(file, path).len() < 4 {
            violations.push(name.to_owned());
        }
    };
    for message in own_messages(&pool) {
        let file = message.parent_file();
        require_comment(&file, message.path(), message.full_name());
        for field in message.fields() {
            require_comment(&file, field.path(), field.full_name());
        }
    }
    for list in own_enums(&pool) {
        let file = list.parent_file();
        require_comment(&file, list.path(), list.full_name());
        for value in list.values() {
            require_comment(&file, value.path(), value.full_name());
        }
    }
    for method in methods(&pool) {
        let file = method.parent_service().parent_file();
        require_comment(
            &file,
            method.parent_service().path(),
            method.parent_service().full_name(),
        );
        require_comment(&file, method.path(), method.full_name());
    }
    assert!(number > 300, "only {number} definitions were checked");
    assert_none("definitions without a comment", &violations);
}

#[test]
fn rpc_comments_list_callers_changes_errors_and_rules() {
    let pool = pool();
    let mut violations = Vec::new();
    let reason = Regex::new("[A-Z]+(_[A-Z]+)+").expect("a pattern");
    for method in methods(&pool) {
        let text = comment(&method.parent_service().parent_file(), method.path());
        for part in ["Callers:", "Changes:", "Errors:", "Rules:"] {
            if !text.contains(part) {
                violations.push(format!(
                    "the comment of {} has no part {part}",
                    method.full_name()
                ));
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
                violations.push(format!(
                    "the comment of {} names the undefined error {}",
                    method.full_name(),
                    found.as_str()
                ));
            }
        }
    }
    assert_none("invalid comments of RPCs", &violations);
}

#[test]
fn request_fields_have_field_behavior() {
    let pool = pool();
    let violations: Vec<_> = request_fields(&pool)
        .iter()
        .filter(|field| behavior(field).is_empty())
        .map(|field| field.full_name().to_owned())
        .collect();
    assert_none("request fields without field_behavior", &violations);
}

#[test]
fn strings_and_lists_of_requests_have_limits() {
    let pool = pool();
    let mut violations = Vec::new();
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
        let has_string_limit = ["maxLen", "uuid", "pattern", "\"in\""]
            .iter()
            .any(|rule| text.contains(rule));
        // A chunk of a file is limited by the maximum message size only.
        let is_chunk = field.name() == "content";
        let is_string = matches!(field.kind(), Kind::String | Kind::Bytes) && !is_chunk;
        if (field.is_list() && !text.contains("maxItems")) || (is_string && !has_string_limit) {
            violations.push(field.full_name().to_owned());
        }
        for pattern in patterns(rules.as_ref()) {
            let compiled = Regex::new(&pattern);
            let anchored = pattern.starts_with('^') && pattern.ends_with('$');
            if compiled.is_err() || !anchored {
                violations.push(format!("{}: pattern {pattern}", field.full_name()));
            }
            if repeats.is_match(&class.replace_all(&pattern, "C")) {
                let bounded = text.contains("maxLen");
                if !bounded {
                    violations.push(format!(
                        "{}: pattern {pattern} matches strings of any length",
                        field.full_name()
                    ));
                }
            }
        }
    }
    assert_none("fields without a limit or with an invalid pattern", &violations);
}

/// All `pattern` values in the validation rules of a field.
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
fn lists_are_paged_and_changes_are_idempotent() {
    let pool = pool();
    let mut violations = Vec::new();
    for method in methods(&pool) {
        let (input, output) = (method.input(), method.output());
        let mut require_field = |message: &MessageDescriptor, field: &str| {
            if message.get_field_by_name(field).is_none() {
                violations.push(format!("{} has no {field}", message.full_name()));
            }
        };
        let reads = method
            .options()
            .get_field_by_name("idempotency_level")
            .and_then(|value| value.as_enum_number())
            == Some(1);
        // There are few standard values, and clients need all of them.
        if method.name().starts_with("List") && method.name() != "ListStandardValues" {
            require_field(&input, "page_size");
            require_field(&input, "page_token");
            require_field(&output, "next_page_token");
        }
        // A client stream returns a result for each record and is idempotent without a request id.
        if reads || method.is_client_streaming() {
            continue;
        }
        require_field(&input, "request_id");
        // Changes of a versioned record take an etag.
        let record_fields = [
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
        // A job processes many records.
        if method.output().full_name() == "google.longrunning.Operation" {
            continue;
        }
        // Sharing an opportunity or requesting a channel does not change the opportunity.
        let shares = ["ShareOpportunity", "RequestChannel"].contains(&method.name());
        // A flag belongs to the member, not to the opportunity.
        let flags = method.name().starts_with("Flag");
        if !creates
            && !flags
            && !shares
            && record_fields
                .iter()
                .any(|field| input.get_field_by_name(field).is_some())
        {
            require_field(&input, "etag");
        }
    }
    assert_none("missing paging, request_id or etag fields", &violations);
}

#[test]
fn events_have_record_account_and_revision_and_no_personal_data() {
    let pool = pool();
    let mut violations = Vec::new();
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
                    violations.push(format!("{} has no {field}", message.full_name()));
                }
            }
            let first = message
                .get_field(1)
                .map(|field| field.name().to_owned())
                .unwrap_or_default();
            // Events of records with several events begin with the common `detail`, which begins with the id.
            if !first.ends_with("_id") && detail.is_none() {
                violations.push(format!(
                    "{} does not begin with the id of its record",
                    message.full_name()
                ));
            }
            for field in message.fields() {
                // Events carry ids and enum values; consumers read names and texts from the owning service.
                let is_allowed = match field.kind() {
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
                if !is_allowed {
                    violations.push(format!("{} may carry personal data", field.full_name()));
                }
            }
        }
    }
    assert_none("invalid events", &violations);
}

/// Each service covers one family of resources.
#[test]
fn services_and_files_are_small() {
    let pool = pool();
    let mut violations = Vec::new();
    for service in pool.services().filter(|service| own(service.package_name())) {
        let rpcs = service.methods().count();
        if rpcs > 14 {
            violations.push(format!("{}: {rpcs} RPCs, more than 14", service.full_name()));
        }
    }
    for file in own_files(&pool) {
        let lines = read(&format!("proto/{}", file.name())).lines().count();
        if lines > 620 {
            violations.push(format!("{}: {lines} lines, more than 620", file.name()));
        }
    }
    assert_none("too large services and files", &violations);
}

/// Code generators of other languages need these options.
#[test]
fn files_have_code_generation_options() {
    let pool = pool();
    let mut violations = Vec::new();
    for file in own_files(&pool) {
        let options = file.file_descriptor_proto().options.clone().unwrap_or_default();
        let package = file.package_name();
        let context = package.split('.').nth(1).unwrap_or_default();
        let go = format!("cosell.example/gen/cosell/{context}/v1;{context}v1");
        if options.go_package() != go {
            violations.push(format!("{}: go_package is not {go}", file.name()));
        }
        if options.java_package() != package || !options.java_multiple_files() {
            violations.push(format!("{}: java_package or java_multiple_files", file.name()));
        }
        if !options.csharp_namespace().eq_ignore_ascii_case(package) {
            violations.push(format!("{}: csharp_namespace", file.name()));
        }
    }
    assert_none("invalid options", &violations);
}

/// The option excludes fields with names, addresses or free text from logs and `Debug`.
#[test]
fn personal_fields_are_marked() {
    let personal = Regex::new(
        r"(^|_)(first_name|last_name|email|phone|company_name|website_url|street_address|city|postal_code|state_or_region|duns|aws_account_id|title|customer_business_problem|additional_comments|next_steps|remarks|review_comments|subject|body)$",
    )
    .expect("a pattern");
    let pool = pool();
    let mut violations = Vec::new();
    for message in own_messages(&pool) {
        for field in message
            .fields()
            .filter(|field| personal.is_match(field.name()) && field.kind() == Kind::String)
        {
            let marked = option(&field.options(), "cosell.type.v1.personal");
            if marked.and_then(|value| value.as_bool()) != Some(true) {
                violations.push(field.full_name().to_owned());
            }
        }
    }
    assert_none("fields without the option (cosell.type.v1.personal)", &violations);
}
