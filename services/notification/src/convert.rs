//! Converts between messages and the domain.

use cosell_grpc::etags;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_types::ClosedList as _;

use crate::store::EmailPreferences;

pub fn preferences(preferences: &EmailPreferences) -> pb::NotificationPreferences {
    pb::NotificationPreferences {
        email_opt_outs: preferences.opt_outs.iter().map(|kind| kind.number()).collect(),
        etag: etags::of(preferences.revision),
    }
}
