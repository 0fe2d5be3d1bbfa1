//! The RPCs of the definitions.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;

/// How the messages of an RPC are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RpcKind {
    /// One message each way.
    Unary,
    /// A stream of requests, then one response: an upload. Exempt from the deadline of other calls.
    Upload,
    /// One request, then a stream of responses.
    Download,
    /// Streams both ways.
    Stream,
}

/// All RPCs, by package, service and method.
static RPCS: LazyLock<HashMap<String, RpcKind>> = LazyLock::new(|| {
    let set = prost_types::FileDescriptorSet::decode(cosell_proto::DESCRIPTORS).unwrap_or_default();
    let mut rpcs = HashMap::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let kind = match (method.client_streaming(), method.server_streaming()) {
                    (false, false) => RpcKind::Unary,
                    (true, false) => RpcKind::Upload,
                    (false, true) => RpcKind::Download,
                    (true, true) => RpcKind::Stream,
                };
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                rpcs.insert(name, kind);
            }
        }
    }
    rpcs
});

/// The name and kind of an RPC; `None` if the definitions have no such RPC.
pub(crate) fn find(rpc: &str) -> Option<(&'static str, RpcKind)> {
    let (name, kind) = RPCS.get_key_value(rpc)?;
    Some((name, *kind))
}
