//! `deploy/service_config.json` names every public RPC in the part that its retries are right for.

use std::collections::BTreeSet;

use prost_reflect::{MethodDescriptor, Value};

use crate::{none, pool};
use cosell_tests::repository::read;

#[test]
fn retry_policy_names_every_public_rpc() {
    let policy: serde_json::Value =
        serde_json::from_str(&read("deploy/service_config.json")).expect("a service config");
    let parts = policy["methodConfig"].as_array().expect("its parts");
    let names = |part: &serde_json::Value| -> BTreeSet<String> {
        let names = part["name"].as_array().expect("names");
        let path = |name: &serde_json::Value| {
            let of = |key: &str| name[key].as_str().map(str::to_owned);
            [of("service"), of("method")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("/")
        };
        names.iter().map(path).collect()
    };
    let [reads, others, streams] = parts.as_slice() else {
        panic!("{} parts in place of three", parts.len());
    };
    let (reads, others, streams) = (names(reads), names(others), names(streams));
    let pool = pool();
    let public: Vec<_> = pool
        .services()
        .filter(|service| {
            let is_own =
                service.full_name().starts_with("cosell.") && !service.name().ends_with("InternalService");
            is_own || service.full_name() == "google.longrunning.Operations"
        })
        .collect();
    let mut found = Vec::new();
    for service in &public {
        if !others.contains(service.full_name()) {
            found.push(format!("{} is missing from the second part", service.full_name()));
        }
    }
    for rpc in public.iter().flat_map(prost_reflect::ServiceDescriptor::methods) {
        let path = format!("{}/{}", rpc.parent_service().full_name(), rpc.name());
        let is_stream = rpc.is_client_streaming() || rpc.is_server_streaming();
        if reads.contains(&path) != (is_read(&rpc) && !is_stream) {
            found.push(format!(
                "{path} is to be in the first part exactly if it is a read"
            ));
        }
        if streams.contains(&path) != is_stream {
            found.push(format!(
                "{path} is to be in the third part exactly if it is a stream"
            ));
        }
    }
    none("deploy/service_config.json", &found);
    let known: BTreeSet<_> = public
        .iter()
        .map(|service| service.full_name().to_owned())
        .collect();
    assert_eq!(others, known, "the second part names services that there are");
}

/// Google's definitions of operations do not say which RPCs change nothing.
fn is_read(rpc: &MethodDescriptor) -> bool {
    if rpc.parent_service().full_name() == "google.longrunning.Operations" {
        return ["GetOperation", "ListOperations", "WaitOperation"].contains(&rpc.name());
    }
    let options = rpc.options();
    let level = options.get_field_by_name("idempotency_level");
    level.is_some_and(|level| *level == Value::EnumNumber(1))
}
