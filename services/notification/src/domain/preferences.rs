//! The e-mail preferences of a member (NOT-003).

use super::values::NotificationKind;

/// The e-mail preferences of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailPreferences {
    /// The kinds that the member does not get by e-mail.
    pub opt_outs: Vec<NotificationKind>,
    /// The number of updates; 0 before the first one.
    pub revision: i64,
}

impl EmailPreferences {
    /// The next revision, with these opt-outs instead of the current ones.
    #[must_use]
    pub fn replaced(&self, opt_outs: Vec<NotificationKind>) -> Self {
        Self {
            opt_outs,
            revision: self.revision + 1,
        }
    }

    /// The next revision, with this kind among the opt-outs; `None` if it is one already.
    pub fn opted_out(&self, kind: NotificationKind) -> Option<Self> {
        let is_new = !self.opt_outs.contains(&kind);
        is_new.then(|| self.replaced([self.opt_outs.as_slice(), &[kind]].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_008_opt_out_adds_one_kind_once_and_keeps_the_others() {
        let kinds = vec![NotificationKind::RolesChanged];
        let before = EmailPreferences::default().replaced(kinds);
        let after = before
            .opted_out(NotificationKind::ActionRequired)
            .expect("a change");
        assert_eq!(after.revision, before.revision + 1);
        assert_eq!(
            after.opt_outs,
            [NotificationKind::RolesChanged, NotificationKind::ActionRequired]
        );
        assert_eq!(after.opted_out(NotificationKind::ActionRequired), None);
    }
}
