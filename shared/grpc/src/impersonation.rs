//! Impersonation in the fault-injection build: a call can state the caller that the use case assumes, while row-level
//! security uses the caller of the token. So tests verify that row-level security alone isolates accounts. Other builds
//! ignore the header.

use cosell_types::Caller;
use tonic::metadata::MetadataMap;

/// Header with the impersonated member: id, account, side, and roles (separated by commas), separated by `;`.
#[cfg(feature = "sabotage")]
const HEADER: &str = "x-sabotage-caller";

/// The caller that the use case assumes: that of the token.
#[cfg(not(feature = "sabotage"))]
pub(crate) fn effective_caller(_: &MetadataMap, token_caller: &Caller) -> Caller {
    token_caller.clone()
}

/// The caller that the use case assumes: that of the header, else that of the token.
#[cfg(feature = "sabotage")]
pub(crate) fn effective_caller(metadata: &MetadataMap, token_caller: &Caller) -> Caller {
    metadata
        .get(HEADER)
        .and_then(|value| parse_caller(value.to_str().ok()?))
        .unwrap_or_else(|| token_caller.clone())
}

#[cfg(feature = "sabotage")]
fn parse_caller(text: &str) -> Option<Caller> {
    use cosell_types::{ClosedList as _, Member, Role, Side};

    let mut parts = text.split(';');
    Some(Caller::Member(Member {
        id: parts.next()?.parse().ok()?,
        account: parts.next()?.parse().ok()?,
        side: Side::from_name(parts.next()?)?,
        roles: parts.next()?.split(',').filter_map(Role::from_name).collect(),
        sees_all_opportunities: false,
    }))
}
