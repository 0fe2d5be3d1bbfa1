use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{FieldPath, Violation, ViolationCode, revision_time};
use serde::{Deserialize, Serialize};

use super::values::AccessType;
use super::{ProfileId, Rule};

/// Which invitations an account accepts (CON-030).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Decides whether `excluded` applies.
    pub access: AccessType,
    /// Profiles of the senders that are refused; empty unless `access` is ALLOW_BY_DEFAULT_DENY_SOME.
    pub excluded: BTreeSet<ProfileId>,
    /// Incremented by every replacement, from 1; independent of the account's revision.
    pub revision: i64,
    /// The time of the last replacement; none before the first.
    pub update_time: Option<DateTime<Utc>>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            access: AccessType::AllowAll,
            excluded: BTreeSet::new(),
            revision: 1,
            update_time: None,
        }
    }
}

impl Preferences {
    /// Whether an invitation of the account with this profile is accepted.
    pub fn admits(&self, sender: &ProfileId) -> bool {
        match self.access {
            AccessType::AllowAll => true,
            AccessType::DenyAll => false,
            AccessType::AllowByDefaultDenySome => !self.excluded.contains(sender),
        }
    }

    /// The next revision, with these values (CON-030).
    pub fn replaced_with(
        &self,
        access: AccessType,
        excluded: BTreeSet<ProfileId>,
        now: DateTime<Utc>,
    ) -> Result<Self, Rule> {
        let denies_some = access == AccessType::AllowByDefaultDenySome;
        if denies_some == excluded.is_empty() {
            let (code, description) = if denies_some {
                (
                    ViolationCode::RequiredFieldMissing,
                    "Is required with ALLOW_BY_DEFAULT_DENY_SOME.",
                )
            } else {
                (
                    ViolationCode::InvalidValue,
                    "Must be empty unless the access type is ALLOW_BY_DEFAULT_DENY_SOME.",
                )
            };
            let root = FieldPath::root();
            return Err(Rule::Invalid(vec![Violation::new(
                &root.field("excluded_profile_ids"),
                code,
                description,
            )]));
        }
        Ok(Self {
            access,
            excluded,
            revision: self.revision + 1,
            update_time: Some(
                self.update_time
                    .map_or(now, |previous| revision_time(previous, now)),
            ),
        })
    }
}
