//! `deploy/service_config.json` lists every public RPC in the method config with the right retry policy.

use std::collections::BTreeSet;

use prost_reflect::{MethodDescriptor, Value};

use crate::{assert_none, pool};
use cosell_tests::repository::read;

#[test]
fn retry_policy_names_every_public_rpc() {
    let policy: serde_json::Value =
        serde_json::from_str(&read("deploy/service_config.json")).expect("a service config");
    let configs = policy["methodConfig"].as_array().expect("method configs");
    let names = |config: &serde_json::Value| -> BTreeSet<String> {
        let names = config["name"].as_array().expect("names");
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
    let [reads, others, streams] = configs.as_slice() else {
        panic!("{} method configs instead of three", configs.len());
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
    let mut violations = Vec::new();
    for service in &public {
        if !others.contains(service.full_name()) {
            violations.push(format!(
                "{} is missing from the second method config",
                service.full_name()
            ));
        }
    }
    for rpc in public.iter().flat_map(prost_reflect::ServiceDescriptor::methods) {
        let path = format!("{}/{}", rpc.parent_service().full_name(), rpc.name());
        let is_stream = rpc.is_client_streaming() || rpc.is_server_streaming();
        if reads.contains(&path) != (is_read(&rpc) && !is_stream) {
            violations.push(format!(
                "{path} must be in the first method config if and only if it is a read"
            ));
        }
        if streams.contains(&path) != is_stream {
            violations.push(format!(
                "{path} must be in the third method config if and only if it is a stream"
            ));
        }
    }
    assert_none("violations in deploy/service_config.json", &violations);
    let expected: BTreeSet<_> = public
        .iter()
        .map(|service| service.full_name().to_owned())
        .collect();
    assert_eq!(others, expected, "services of the second method config");
}

/// `google.longrunning.Operations` does not set `idempotency_level`, so its reads are listed here.
fn is_read(rpc: &MethodDescriptor) -> bool {
    if rpc.parent_service().full_name() == "google.longrunning.Operations" {
        return ["GetOperation", "ListOperations", "WaitOperation"].contains(&rpc.name());
    }
    let options = rpc.options();
    let level = options.get_field_by_name("idempotency_level");
    level.is_some_and(|level| *level == Value::EnumNumber(1))
}
