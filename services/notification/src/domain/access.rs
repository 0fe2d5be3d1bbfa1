//! Who may do what: every member reads its own inbox, and nobody another's (ACC-010, NOT-010).

use cosell_types::Caller;

/// What can be asked of this service, one for each RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// ListNotifications.
    List,
    /// MarkNotificationsRead.
    MarkNotificationsRead,
    /// GetUnreadCount.
    UnreadCount,
    /// GetNotificationPreferences.
    GetNotificationPreferences,
    /// UpdateNotificationPreferences.
    UpdateNotificationPreferences,
}

/// Whether the caller may make the call: a person may make all of them, whatever its roles.
pub fn permits(caller: &Caller, action: Action) -> bool {
    match action {
        Action::List
        | Action::MarkNotificationsRead
        | Action::UnreadCount
        | Action::GetNotificationPreferences
        | Action::UpdateNotificationPreferences => matches!(caller, Caller::Member(_)),
    }
}
