//! Access to the RPCs: every member has access to its own inbox and preferences only (ACC-010, NOT-010).

use cosell_types::Caller;

/// The RPCs of this service.
#[expect(missing_docs, reason = "each variant is named after its RPC")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    List,
    MarkNotificationsRead,
    UnreadCount,
    GetNotificationPreferences,
    UpdateNotificationPreferences,
}

/// Whether the caller has access to the RPC: members of any role have, services have not.
pub fn permits(caller: &Caller, action: Action) -> bool {
    match action {
        Action::List
        | Action::MarkNotificationsRead
        | Action::UnreadCount
        | Action::GetNotificationPreferences
        | Action::UpdateNotificationPreferences => matches!(caller, Caller::Member(_)),
    }
}
