use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{FieldPath, Violation, ViolationCode, revision_time};
use serde::{Deserialize, Serialize};

use super::values::AccessType;
use super::{ProfileId, Rule};

/// Whose invitations a company takes (CON-030).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Everybody's, nobody's, or everybody's but some.
    pub access: AccessType,
    /// Those refused, with the last of these.
    pub excluded: BTreeSet<ProfileId>,
    /// Number of changes, from 1.
    pub revision: i64,
    /// When they changed last.
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
    /// Whether an invitation of a company with this profile is taken.
    pub fn admits(&self, sender: &ProfileId) -> bool {
        match self.access {
            AccessType::AllowAll => true,
            AccessType::DenyAll => false,
            AccessType::AllowByDefaultDenySome => !self.excluded.contains(sender),
        }
    }

    /// What follows on these (CON-030).
    pub fn replaced(
        &self,
        access: AccessType,
        excluded: BTreeSet<ProfileId>,
        now: DateTime<Utc>,
    ) -> Result<Self, Rule> {
        let some = access == AccessType::AllowByDefaultDenySome;
        if some == excluded.is_empty() {
            let (code, text) = if some {
                (
                    ViolationCode::RequiredFieldMissing,
                    "is required with ALLOW_BY_DEFAULT_DENY_SOME",
                )
            } else {
                (
                    ViolationCode::InvalidValue,
                    "can be given with ALLOW_BY_DEFAULT_DENY_SOME only",
                )
            };
            let root = FieldPath::root();
            return Err(Rule::Invalid(vec![Violation::new(
                &root.field("excluded_profile_ids"),
                code,
                text,
            )]));
        }
        Ok(Self {
            access,
            excluded,
            revision: self.revision + 1,
            update_time: Some(self.update_time.map_or(now, |last| revision_time(last, now))),
        })
    }
}
