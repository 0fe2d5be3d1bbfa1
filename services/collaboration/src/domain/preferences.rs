/// The channel preferences of a member (CHN-012).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelPreferences {
    /// Whether the member receives no channel invitations.
    pub opted_out: bool,
    /// 0 until the preferences are first saved, incremented by every change.
    pub revision: i64,
}

impl ChannelPreferences {
    /// The next revision, with this opt-out.
    pub fn replaced(&self, opted_out: bool) -> Self {
        Self {
            opted_out,
            revision: self.revision + 1,
        }
    }
}
