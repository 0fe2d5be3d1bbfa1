//! In the build with faults put in, a call can say whom the service is to take it for, whoever makes it: what keeps
//! accounts apart then is row-level security alone, which goes by whom the token proves. Any other build knows no such
//! thing.

use cosell_types::Caller;
use tonic::metadata::MetadataMap;

/// Says whom to take the caller for: the id, the account, the side, and the roles with commas, with `;` in between.
#[cfg(feature = "sabotage")]
const HEADER: &str = "x-sabotage-caller";

/// Whom a call is taken for.
#[cfg(not(feature = "sabotage"))]
pub(crate) fn taken_for(_: &MetadataMap, proven: &Caller) -> Caller {
    proven.clone()
}

/// Whom a call is taken for.
#[cfg(feature = "sabotage")]
pub(crate) fn taken_for(metadata: &MetadataMap, proven: &Caller) -> Caller {
    metadata
        .get(HEADER)
        .and_then(|value| forged(value.to_str().ok()?))
        .unwrap_or_else(|| proven.clone())
}

#[cfg(feature = "sabotage")]
fn forged(text: &str) -> Option<Caller> {
    use cosell_types::{ClosedList as _, Member, Role, Side};

    let mut parts = text.split(';');
    Some(Caller::Member(Member {
        id: parts.next()?.parse().ok()?,
        account: parts.next()?.parse().ok()?,
        side: Side::from_name(parts.next()?)?,
        roles: parts.next()?.split(',').filter_map(Role::from_name).collect(),
    }))
}
